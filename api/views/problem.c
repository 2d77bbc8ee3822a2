// SPDX-License-Identifier: MIT
// Problem documents: see problem.h. One row per kind of error. What the arena may refuse is asked
// for, for it may be what ran out; then a document that was written beforehand must do.

#include "api/views/problem.h"

#include "api/json/jsonw.h"
#include "api/views/view_rows.h"

#include <stdio.h>
#include <string.h>

#define ROW(kind, number, slug, text)                                                              \
    [ERR_##kind] = {number, "/problems/" slug, text,                                               \
                    "{\"type\":\"/problems/" slug "\",\"title\":\"" text "\",\"status\":" #number  \
                    "}"}

static const struct problem problem_table[ERR_KIND_COUNT] = {
    ROW(NONE, 500, "internal", "Internal error"),
    ROW(MALFORMED, 400, "malformed", "The request could not be read"),
    ROW(INVALID, 422, "invalid", "The request is not valid"),
    ROW(FORBIDDEN, 403, "forbidden", "The sender is not allowed to do this"),
    ROW(MISDIRECTED, 421, "misdirected", "The request is meant for another server"),
    ROW(NOT_FOUND, 404, "not-found", "Not found"),
    ROW(METHOD, 405, "method-not-allowed", "This method is not allowed here"),
    ROW(NOT_ACCEPTABLE, 406, "not-acceptable", "None of the accepted media types is available"),
    ROW(CONFLICT, 409, "conflict", "The current state does not allow this"),
    ROW(TOO_LARGE, 413, "too-large", "The request is over a limit"),
    ROW(TARGET_TOO_LONG, 414, "target-too-long", "The URL is too long"),
    ROW(HEAD_TOO_LARGE, 431, "head-too-large", "The headers are too large"),
    ROW(VERSION, 505, "version", "This version of HTTP is not supported"),
    ROW(UNSUPPORTED, 415, "unsupported", "This media type is not supported"),
    ROW(BUSY, 503, "busy", "The server is busy"),
    ROW(NO_SPACE, 507, "no-space", "The disk is full"),
    ROW(DIVERGED, 500, "diverged", "Training produced a number that is not finite"),
    ROW(CANCELLED, 409, "cancelled", "Stopped on request"),
    ROW(INTERNAL, 500, "internal", "The server failed"),
};

const struct problem *problem_of(enum err_kind kind)
{
    BUG((unsigned)kind >= ERR_KIND_COUNT);
    return &problem_table[kind];
}

FIELDS(fault) = {
    R_TEXT(fault, pointer, .optional = true,
           .doc = "Where in the request's body: a JSON Pointer after a #."),
    R_TEXT(fault, parameter, .optional = true, .doc = "Or the query parameter that it is about."),
    R_TEXT(fault, code, .doc = "Stable word, such as out_of_range."),
    R_TEXT(fault, detail, .doc = "What is wrong and what would be right."),
    {0},
};
static REPLY(fault, "Fault", "One thing that is wrong with a request.");

FIELDS(problem) = {
    R_TEXT(problem, type, .doc = "Path that stands for this kind of problem."),
    R_TEXT(problem, title, .doc = "The kind in words."),
    R_INT(problem, status, .doc = "The HTTP status."),
    R_TEXT(problem, detail, .doc = "What happened this time."),
    R_TEXT(problem, code, .doc = "Stable word for the kind."),
    R_ITEMS(problem, errors, fault, .optional = true, .doc = "Everything that is wrong, by place."),
    R_WHOLE(problem, more_errors, .optional = true, .doc = "Further ones that are not listed."),
    {0},
};
REPLY(problem, "Problem", "Why a request failed (RFC 9457).");

// False when there is no room.
static bool fill_fault(struct fault_reply *out, const struct fault *f, bool query, struct arena *a)
{
    size_t size = strlen(f->pointer) + 2;
    char *pointer = query ? NULL : arena_alloc(a, size, 1);
    if (pointer)
        snprintf(pointer, size, "#%s", f->pointer);
    *out = (struct fault_reply){.pointer = pointer,
                                .parameter = query ? f->pointer + 1 : NULL,
                                .code = f->code,
                                .detail = f->detail};
    return query || pointer;
}

// A single error that names a place counts as its only fault.
static bool fill_faults(struct problem_reply *out, const struct err *e, const struct faults *f,
                        struct arena *a)
{
    const struct fault own = {err_word(e->kind), e->at, e->text};
    bool have = f && f->n > 0, ok = true;
    size_t n = have ? f->n : *e->at ? 1 : 0;
    struct fault_reply *item = n ? arena_alloc(a, n, sizeof *item) : NULL;
    for (size_t i = 0; item && i < n; i++)
        ok &= fill_fault(&item[i], have ? &f->item[i] : &own, have && f->of_query, a);
    out->errors = item;
    out->n_errors = n;
    out->more_errors = have && f->total > n ? (int64_t)(f->total - n) : -1;
    return ok && (item || n == 0);
}

const char *problem_body(const struct err *e, const struct faults *f, struct arena *a, int *status,
                         size_t *len)
{
    const struct problem *p = problem_of(e->kind);
    struct problem_reply out = {.type = p->type,
                                .title = p->title,
                                .status = p->status,
                                .detail = e->text,
                                .code = err_word(e->kind)};
    struct err full = {0};
    struct jsonw w;
    *status = p->status;
    if (fill_faults(&out, e, f, a)) {
        jsonw_init(&w, a);
        schema_write(&problem_view, &out, &w, NULL);
        const char *text = jsonw_line(&w, len, &full);
        if (text)
            return text;
    }
    *len = strlen(p->plain);
    return p->plain;
}
