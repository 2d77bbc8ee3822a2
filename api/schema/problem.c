// SPDX-License-Identifier: MIT
// Problem documents: see problem.h. One row per kind of error.

#include "api/schema/problem.h"

#include "api/json/jsonw.h"

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

// "#" and the pointer, as RFC 9457 prints it.
static void put_pointer(struct jsonw *w, const char *pointer)
{
    char text[FAULT_POINTER_MAX + 2];
    snprintf(text, sizeof text, "#%s", pointer);
    jsonw_string(w, "pointer", text);
}

static void put_fault(struct jsonw *w, const struct fault *f)
{
    jsonw_object(w, NULL);
    put_pointer(w, f->pointer);
    jsonw_string(w, "code", f->code);
    jsonw_string(w, "detail", f->detail);
    jsonw_end(w);
}

// A single error that names a place counts as its only fault.
static void put_faults(struct jsonw *w, const struct err *e, const struct faults *f)
{
    const struct fault own = {err_word(e->kind), e->at, e->text};
    bool have = f && f->n > 0;
    if (!have && !*e->at)
        return;
    jsonw_array(w, "errors");
    for (size_t i = 0; have && i < f->n; i++)
        put_fault(w, &f->item[i]);
    if (!have)
        put_fault(w, &own);
    jsonw_end(w);
    if (have && f->total > f->n)
        jsonw_int(w, "more_errors", (int64_t)(f->total - f->n));
}

const char *problem_body(const struct err *e, const struct faults *f, struct arena *a, int *status,
                         size_t *len)
{
    const struct problem *p = problem_of(e->kind);
    struct err full = {0};
    struct jsonw w;
    *status = p->status;
    jsonw_init(&w, a);
    jsonw_object(&w, NULL);
    jsonw_string(&w, "type", p->type);
    jsonw_string(&w, "title", p->title);
    jsonw_int(&w, "status", p->status);
    jsonw_string(&w, "detail", e->text);
    jsonw_string(&w, "code", err_word(e->kind));
    put_faults(&w, e, f);
    jsonw_end(&w);
    const char *text = jsonw_line(&w, len, &full);
    if (text)
        return text;
    *len = strlen(p->plain);
    return p->plain;
}
