// SPDX-License-Identifier: MIT
// Rows of cells in, answers out: see predict_json.h. This is the hot path of serving, so a row goes
// from the body's bytes into features without a tree or a copy in between; the arena is asked only
// for texts with escapes. Answers are printed with the digits that a single-precision number has.

#include "api/views/predict_json.h"

#include "api/json/json_in.h"
#include "engine/base/nearest.h"
#include "engine/table/task.h"

#include <stdarg.h>
#include <stdio.h>
#include <math.h>
#include <string.h>

enum { POINTER_MAX = 512, TEXT_MAX = 512 };

// A fault of the row, or of a member or element of it when a key is given. Texts are built on the
// stack: a body may hold a million faults.
__attribute__((format(printf, 5, 6))) static void
complain(struct instances *r, const char *code, const char *key, size_t len, const char *fmt, ...)
{
    char at[POINTER_MAX], text[TEXT_MAX];
    size_t n = (size_t)snprintf(at, sizeof at, "/instances/%zu", r->row);
    at[key ? pointer_add(at, n, sizeof at, key, len) : n] = '\0';
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    fault_add(r->f, code, at, "%s", text);
}

// False when a text with escapes finds no room to be decoded.
static bool read_cell(struct instances *r, struct json_in *in, struct cell *c)
{
    struct json_text t = {0};
    switch (json_kind(in)) {
    case JSON_NUMBER:
        *c = (struct cell){.kind = CELL_NUMBER, .number = json_number(in)};
        return true;
    case JSON_STRING:
        if (!json_string(in, &t, r->a))
            return false;
        break;
    case JSON_BOOL:
        t = json_bool(in) ? (struct json_text){"true", 4} : (struct json_text){"false", 5};
        break;
    case JSON_NULL:
        json_null(in);
        *c = (struct cell){.kind = CELL_MISSING};
        return true;
    case JSON_ARRAY:
    case JSON_OBJECT:
        BUG(true);
    }
    *c = (struct cell){.kind = CELL_TEXT, .text = t.at, .len = t.len};
    return true;
}

static bool is_cell(struct json_in *in)
{
    enum json_kind kind = json_kind(in);
    return kind != JSON_ARRAY && kind != JSON_OBJECT;
}

// A fault of cell k, found by name in an object and by number in an array.
static void bad_cell(struct instances *r, size_t k, const char *code, const char *text)
{
    char number[24];
    snprintf(number, sizeof number, "%zu", k);
    const char *key = r->named ? r->p->column[k].name : number;
    complain(r, code, key, strlen(key), "%s", text);
}

static void predict_json_encode(struct instances *r, size_t k, struct json_in *in)
{
    const char *code = NULL;
    struct cell c;
    r->seen[k] = r->row + 1;
    if (!is_cell(in)) {
        code = "wrong_type";
        fail(&r->why, ERR_INVALID, "must be a number, a text or null, got %s",
             json_kind_name(json_kind(in)));
        json_skip(in);
    } else if (!read_cell(r, in, &c)) {
        code = "too_long";
        fail(&r->why, ERR_TOO_LARGE, "does not fit into a request's memory");
    } else if (!prep_encode_cell(r->p, k, &c, r->x, &r->why)) {
        code = "bad_number";
    }
    if (code)
        bad_cell(r, k, code, r->why.text);
    r->why.kind = ERR_NONE;
}

static const char *nth_input(const void *prep, size_t i)
{
    return ((const struct prep *)prep)->column[i].name;
}

static bool predict_json_is_target(const struct prep *p, struct json_text key)
{
    const struct answer *a = &p->answer;
    for (size_t i = 0; i < a->n_target; i++)
        if (strlen(a->target[i]) == key.len && memcmp(key.at, a->target[i], key.len) == 0)
            return true;
    return false;
}

static void predict_json_unknown(struct instances *r, struct json_text key)
{
    const struct prep *p = r->p;
    char name[NEAREST_MAX + 2]; // nearest() looks at no longer ones
    snprintf(name, sizeof name, "%.*s", (int)key.len, key.at);
    const char *meant =
        r->f->total < FAULTS_SUGGESTED ? nearest(name, nth_input, p, p->n_column) : NULL;
    if (predict_json_is_target(p, key))
        complain(r, "unknown_field", key.at, key.len,
                 "is %s, which the model predicts; leave it out",
                 p->answer.n_target > 1 ? "a target" : "the target");
    else if (meant)
        complain(r, "unknown_field", key.at, key.len, "unknown field; did you mean \"%s\"?", meant);
    else
        complain(r, "unknown_field", key.at, key.len, "unknown field; the model has no such input");
}

static bool predict_json_is_name(const struct prep *p, size_t k, struct json_text key)
{
    const char *name = k < p->n_column ? p->column[k].name : "";
    return k < p->n_column && strncmp(name, key.at, key.len) == 0 && name[key.len] == '\0';
}

// Keys mostly come in the columns' order, so the next one is looked at first.
static void predict_json_read_named(struct instances *r, struct json_in *in)
{
    struct json_text key;
    size_t guess = 0, n = r->p->n_column;
    for (json_enter(in); json_key(in, &key, r->a);) {
        size_t k = n;
        if (key.at)
            k = predict_json_is_name(r->p, guess, key) ? guess : prep_find(r->p, key.at, key.len);
        if (k < n) {
            predict_json_encode(r, k, in);
            guess = k + 1;
            continue;
        }
        json_skip(in);
        if (key.at)
            predict_json_unknown(r, key);
    }
    for (size_t k = 0; k < n; k++)
        if (r->seen[k] != r->row + 1)
            complain(r, "missing_field", NULL, 0,
                     "\"%s\" is missing; give null for a missing value", r->p->column[k].name);
}

static void read_positional(struct instances *r, struct json_in *in)
{
    size_t k = 0;
    for (json_enter(in); json_more(in); k++)
        if (k < r->p->n_column)
            predict_json_encode(r, k, in);
        else
            json_skip(in);
    if (k != r->p->n_column)
        complain(r, "ragged_row", NULL, 0, "must have %zu cells, got %zu", r->p->n_column, k);
}

static void read_instance(struct instances *r, struct json_in *in)
{
    enum json_kind kind = json_kind(in);
    r->named = kind == JSON_OBJECT;
    if (r->named) {
        predict_json_read_named(r, in);
    } else if (kind == JSON_ARRAY) {
        read_positional(r, in);
    } else {
        json_skip(in);
        complain(r, "wrong_type", NULL, 0, "must be an object or an array, got %s",
                 json_kind_name(kind));
    }
}

static bool predict_json_no_room(struct err *e, size_t n)
{
    return fail_at(e, ERR_TOO_LARGE, "/instances",
                   "%zu rows need more memory than one request may use; send fewer at a time", n);
}

bool instances_begin(struct instances *r, struct json_span span, const struct prep *p,
                     struct arena *a, struct faults *f, struct err *e)
{
    *r = (struct instances){.p = p, .a = a, .f = f, .in = json_in(span), .n = json_count(span)};
    if (r->n == 0)
        fault_add(f, "too_short", "/instances", "must have at least one row");
    r->seen = arena_zalloc(a, p->n_column, sizeof *r->seen);
    json_enter(&r->in);
    return r->seen || predict_json_no_room(e, r->n);
}

size_t instances_next(struct instances *r, real *x, size_t max)
{
    size_t n = 0;
    for (; n < max && r->row < r->n && r->f->total < FAULTS_MAX; n++, r->row++) {
        r->x = x + n * r->p->n_feature;
        json_more(&r->in);
        read_instance(r, &r->in);
    }
    return n;
}

bool instances_read(struct json_span span, const struct prep *p, real **x, size_t *n,
                    struct arena *a, struct faults *f, struct err *e)
{
    struct instances r;
    size_t cells;
    if (!instances_begin(&r, span, p, a, f, e))
        return false;
    *n = r.n;
    bool overflow = __builtin_mul_overflow(r.n, p->n_feature, &cells);
    *x = overflow ? NULL : arena_alloc(a, cells, sizeof **x);
    if (!*x)
        return predict_json_no_room(e, r.n);
    instances_next(&r, *x, r.n);
    return faults_none(f, e);
}

static void sink_object(void *w, const char *key)
{
    jsonw_object(w, key);
}

static void sink_list(void *w, const char *key)
{
    jsonw_array(w, key);
}

static void sink_end(void *w)
{
    jsonw_end(w);
}

static void sink_text(void *w, const char *key, const char *text)
{
    jsonw_string(w, key, text);
}

static void sink_number(void *w, const char *key, double value, double error)
{
    if (error > 0)
        jsonw_about(w, key, value, error);
    else
        jsonw_float(w, key, (float)value);
}

void predictions_write(struct jsonw *w, const struct answer *a, const double *answer, size_t n)
{
    const struct answer_sink sink = {w, sink_object, sink_list, sink_end, sink_text, sink_number};
    for (size_t i = 0; i < n; i++, answer += answer_width(a)) {
        jsonw_object(w, NULL);
        a->task->write(a, answer, &sink);
        jsonw_end(w);
    }
}
