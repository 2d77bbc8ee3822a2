// SPDX-License-Identifier: MIT
// See predict_json.h.

#include "predict_json.h"

#include "json_in.h"
#include "nearest.h"

#include <string.h>

// One pass over the instances. `seen` holds, for each input, the instance that gave it last, so
// nothing has to be cleared between rows.
struct reader {
    const struct prep *p;
    struct arena *a;
    struct faults *f;
    size_t row;
    bool positional; // this row is an array
    size_t *seen;
    real *x; // of this row
};

static struct cell read_cell(struct json_in *in, struct reader *r)
{
    struct json_text t = {0};
    switch (json_kind(in)) {
    case JSON_NUMBER:
        return (struct cell){.kind = CELL_NUMBER, .number = json_number(in)};
    case JSON_STRING:
        if (json_string(in, &t, r->a))
            return (struct cell){.kind = CELL_TEXT, .text = t.at, .len = t.len};
        break;
    case JSON_BOOL:
        return json_bool(in) ? (struct cell){.kind = CELL_TEXT, .text = "true", .len = 4}
                             : (struct cell){.kind = CELL_TEXT, .text = "false", .len = 5};
    case JSON_NULL:
        json_null(in);
        break;
    case JSON_ARRAY:
    case JSON_OBJECT:
        BUG(true);
    }
    return (struct cell){.kind = CELL_MISSING};
}

static bool is_cell(struct json_in *in)
{
    enum json_kind kind = json_kind(in);
    return kind != JSON_ARRAY && kind != JSON_OBJECT;
}

// Pointer to the cell of the k-th input, as this row gives it.
static const char *place(const struct reader *r, size_t k)
{
    if (r->positional)
        return arena_printf(r->a, "/instances/%zu/%zu", r->row, k);
    return arena_printf(r->a, "/instances/%zu/%s", r->row, r->p->column[k].name);
}

static void encode(struct reader *r, size_t k, struct json_in *in)
{
    struct err why = {0};
    r->seen[k] = r->row + 1;
    if (!is_cell(in)) {
        enum json_kind kind = json_kind(in);
        json_skip(in);
        fault_add(r->f, "wrong_type", place(r, k), "must be a number, a text or null, got %s",
                  json_kind_name(kind));
        return;
    }
    struct cell c = read_cell(in, r);
    if (!prep_encode_cell(r->p, k, &c, r->x, &why))
        fault_add(r->f, "bad_number", place(r, k), "%s", why.text);
}

static const char *nth_input(const void *prep, size_t i)
{
    return ((const struct prep *)prep)->column[i].name;
}

static void unknown(struct reader *r, struct json_text key)
{
    const struct prep *p = r->p;
    const char *name = arena_text(r->a, key.at, key.len);
    const char *at = arena_printf(r->a, "/instances/%zu/%s", r->row, name);
    const char *meant = nearest(name, nth_input, p, p->n_column);
    if (strcmp(name, p->target) == 0)
        fault_add(r->f, "unknown_field", at,
                  "is the target, which the model predicts; leave it out");
    else if (meant)
        fault_add(r->f, "unknown_field", at, "unknown field; did you mean \"%s\"?", meant);
    else
        fault_add(r->f, "unknown_field", at, "unknown field; the model has no such input");
}

static bool is_name(const struct prep *p, size_t k, struct json_text key)
{
    const char *name = k < p->n_column ? p->column[k].name : "";
    return k < p->n_column && strncmp(name, key.at, key.len) == 0 && name[key.len] == '\0';
}

// Keys mostly come in the columns' order, so the next one is looked at first.
static void read_named(struct reader *r, struct json_in *in)
{
    struct json_text key;
    size_t guess = 0, n = r->p->n_column;
    for (json_enter(in); json_key(in, &key, r->a);) {
        size_t k = n;
        if (key.at)
            k = is_name(r->p, guess, key) ? guess : prep_find(r->p, key.at, key.len);
        if (k < n) {
            encode(r, k, in);
            guess = k + 1;
            continue;
        }
        json_skip(in);
        if (key.at)
            unknown(r, key);
    }
    for (size_t k = 0; k < n; k++)
        if (r->seen[k] != r->row + 1)
            fault_add(r->f, "missing_field", arena_printf(r->a, "/instances/%zu", r->row),
                      "\"%s\" is missing; give null for a missing value", r->p->column[k].name);
}

static void read_positional(struct reader *r, struct json_in *in)
{
    size_t k = 0;
    for (json_enter(in); json_more(in); k++)
        if (k < r->p->n_column)
            encode(r, k, in);
        else
            json_skip(in);
    if (k != r->p->n_column)
        fault_add(r->f, "ragged_row", arena_printf(r->a, "/instances/%zu", r->row),
                  "must have %zu cells, got %zu", r->p->n_column, k);
}

static void read_instance(struct reader *r, struct json_in *in)
{
    enum json_kind kind = json_kind(in);
    r->positional = kind == JSON_ARRAY;
    if (kind == JSON_OBJECT) {
        read_named(r, in);
    } else if (kind == JSON_ARRAY) {
        read_positional(r, in);
    } else {
        json_skip(in);
        fault_add(r->f, "wrong_type", arena_printf(r->a, "/instances/%zu", r->row),
                  "must be an object or an array, got %s", json_kind_name(kind));
    }
}

static size_t count(struct json_span span)
{
    struct json_in in = json_in(span);
    size_t n = 0;
    for (json_enter(&in); json_more(&in); n++)
        json_skip(&in);
    return n;
}

bool instances_read(struct json_span span, const struct prep *p, real **x, size_t *n,
                    struct arena *a, struct faults *f, struct err *e)
{
    *n = count(span);
    if (*n == 0)
        fault_add(f, "too_short", "/instances", "must have at least one row");
    size_t cells;
    bool overflow = __builtin_mul_overflow(*n, p->n_feature, &cells);
    *x = overflow ? NULL : arena_alloc(a, cells, sizeof **x);
    size_t *seen = arena_zalloc(a, p->n_column, sizeof *seen);
    if (!*x || !seen)
        return fail_at(e, ERR_TOO_LARGE, "/instances",
                       "%zu rows need more memory than one request may use; send fewer at a time",
                       *n);
    struct reader r = {.p = p, .a = a, .f = f, .seen = seen, .x = *x};
    struct json_in in = json_in(span);
    for (json_enter(&in); json_more(&in) && f->total < FAULTS_MAX; r.row++, r.x += p->n_feature)
        read_instance(&r, &in);
    return faults_none(f, e);
}

static void write_classes(struct jsonw *w, const struct prep *p, const real *probability)
{
    size_t best = 0;
    for (size_t c = 1; c < p->n_class; c++)
        best = probability[c] > probability[best] ? c : best;
    jsonw_string(w, "class", p->class_name[best]);
    jsonw_object(w, "probabilities");
    for (size_t c = 0; c < p->n_class; c++)
        jsonw_float(w, p->class_name[c], (float)probability[c]);
    jsonw_end(w);
}

void predictions_write(struct jsonw *w, const struct prep *p, const real *answer, size_t n)
{
    size_t k = p->n_class ? p->n_class : 1;
    jsonw_array(w, "predictions");
    for (size_t i = 0; i < n; i++, answer += k) {
        jsonw_object(w, NULL);
        if (p->n_class)
            write_classes(w, p, answer);
        else
            jsonw_float(w, "value", (float)answer[0]);
        jsonw_end(w);
    }
    jsonw_end(w);
}
