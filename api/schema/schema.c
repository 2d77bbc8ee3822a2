// SPDX-License-Identifier: MIT
// From a struct to JSON: see schema.h. The same rows that read a body print it, member by member at
// their offsets, so what was resolved can be stored and read again without a second description.
// What says "null" differs between the two kinds of schemas: a body is read into zeroed memory,
// where 0 has to mean null; in a reply 0 is a number like others.

#include "api/schema/schema.h"

#include "api/json/json_in.h"

#include <inttypes.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

typedef void write_fn(struct jsonw *, const char *key, const struct field *, const char *from);

static write_fn schema_write_value;

size_t schema_count(const struct schema *s)
{
    size_t n = 0;
    while (s->field[n].key)
        n++;
    return n;
}

size_t field_size(const struct field *f)
{
    static const size_t size[FIELD_TYPES] = {
        [FIELD_BOOL] = sizeof(bool),
        [FIELD_INT] = sizeof(int),
        [FIELD_WHOLE] = sizeof(int64_t),
        [FIELD_REAL] = sizeof(double),
        [FIELD_TIME] = sizeof(int64_t),
        [FIELD_SEED] = sizeof(uint64_t),
        [FIELD_WORD] = sizeof(int),
        [FIELD_STRING] = sizeof(const char *),
        [FIELD_NAME] = sizeof(const char *),
        [FIELD_PICK] = sizeof(struct pick),
        [FIELD_RAW] = sizeof(struct json_span),
    };
    bool is_struct = f->type == FIELD_MAP || f->of == FIELD_OBJECT;
    size_t bytes = is_struct ? f->sub->size : size[f->of];
    BUG(bytes == 0);
    return bytes;
}

static void write_raw(struct jsonw *w, const char *key, const struct field *f, const char *from)
{
    (void)f;
    jsonw_raw(w, key, *(const struct json_span *)from);
}

static void write_bool(struct jsonw *w, const char *key, const struct field *f, const char *from)
{
    (void)f;
    jsonw_bool(w, key, *(const bool *)from);
}

static void write_int(struct jsonw *w, const char *key, const struct field *f, const char *from)
{
    int value = *(const int *)from;
    if (value == 0 && f->zero)
        jsonw_string(w, key, f->zero);
    else
        jsonw_int(w, key, value);
}

static void write_whole(struct jsonw *w, const char *key, const struct field *f, const char *from)
{
    (void)f;
    jsonw_int(w, key, *(const int64_t *)from);
}

static void write_real(struct jsonw *w, const char *key, const struct field *f, const char *from)
{
    (void)f;
    jsonw_real(w, key, *(const double *)from);
}

static void write_float(struct jsonw *w, const char *key, const struct field *f, const char *from)
{
    (void)f;
    jsonw_float(w, key, *(const float *)from);
}

static void write_matrix(struct jsonw *w, const char *key, const struct field *f, const char *from)
{
    const struct matrix *m = (const struct matrix *)from;
    (void)f;
    jsonw_array(w, key);
    for (size_t r = 0; r < m->rows; r++) {
        jsonw_array(w, NULL);
        for (size_t c = 0; c < m->cols; c++)
            jsonw_float(w, NULL, m->v[r * m->cols + c]);
        jsonw_end(w);
    }
    jsonw_end(w);
}

static void write_time(struct jsonw *w, const char *key, const struct field *f, const char *from)
{
    (void)f;
    jsonw_real(w, key, (double)*(const int64_t *)from / 1000);
}

static void write_seed(struct jsonw *w, const char *key, const struct field *f, const char *from)
{
    (void)f;
    uint64_t value = *(const uint64_t *)from;
    char digits[24];
    if (value <= SCHEMA_INTEGER_MAX) {
        jsonw_int(w, key, (int64_t)value);
        return;
    }
    snprintf(digits, sizeof digits, "%" PRIu64, value);
    jsonw_string(w, key, digits);
}

static void write_word(struct jsonw *w, const char *key, const struct field *f, const char *from)
{
    int i;
    memcpy(&i, from, sizeof i);
    jsonw_string(w, key, f->names[i]);
}

static void write_string(struct jsonw *w, const char *key, const struct field *f, const char *from)
{
    (void)f;
    jsonw_string(w, key, *(const char *const *)from);
}

static void write_const(struct jsonw *w, const char *key, const struct field *f, const char *from)
{
    (void)from;
    jsonw_string(w, key, f->names[0]);
}

static void write_hyper(struct jsonw *w, const struct hyper *hyper, const double *value)
{
    if (hyper->type == HYPER_BOOL) {
        jsonw_bool(w, hyper->name, value[0] != 0);
    } else if (hyper->count < 2) {
        jsonw_real(w, hyper->name, value[0]);
    } else {
        jsonw_array(w, hyper->name);
        for (size_t i = 0; i < hyper_length(hyper, value); i++)
            jsonw_real(w, NULL, value[i]);
        jsonw_end(w);
    }
}

static void write_pick(struct jsonw *w, const char *key, const struct field *f, const char *from)
{
    const struct pick *pick = (const struct pick *)from;
    const struct hyper *hyper;
    size_t at;
    if (!pick->row) {
        jsonw_null(w, key);
        return;
    }
    jsonw_object(w, key);
    jsonw_string(w, "type", pick->row->name);
    for (size_t k = 0; (hyper = hyper_at(f->table, pick->row, k, &at)); k++)
        write_hyper(w, hyper, &pick->value[at]);
    jsonw_end(w);
}

static void write_object(struct jsonw *w, const char *key, const struct field *f, const char *from)
{
    schema_write(f->sub, from, w, key);
}

static void write_list(struct jsonw *w, const char *key, const struct field *f, const char *from)
{
    const struct field each = {.type = f->of, .names = f->names, .sub = f->sub, .table = f->table};
    const char *item = *(const char *const *)from;
    size_t n = *(const size_t *)(from - f->at + f->n_at);
    if (n == 1 && f->one) {
        schema_write_value(w, key, &each, item);
        return;
    }
    jsonw_array(w, key);
    for (size_t i = 0; i < n; i++)
        schema_write_value(w, NULL, &each, item + i * field_size(f));
    jsonw_end(w);
}

static void write_map(struct jsonw *w, const char *key, const struct field *f, const char *from)
{
    const struct field *name = &f->sub->field[0], *value = &f->sub->field[1];
    const char *item = *(const char *const *)from;
    size_t n = *(const size_t *)(from - f->at + f->n_at);
    if (f->zero && *(const bool *)(from - f->at + f->on)) {
        jsonw_string(w, key, f->zero);
        return;
    }
    jsonw_object(w, key);
    for (size_t i = 0; i < n; i++, item += field_size(f))
        schema_write_value(w, *(const char *const *)(item + name->at), value, item + value->at);
    jsonw_end(w);
}

static const struct field *schema_find(const struct schema *s, const char *key, size_t len)
{
    const struct field *f = s->field;
    while (f->key && (strlen(f->key) != len || memcmp(f->key, key, len) != 0))
        f++;
    return f->key ? f : NULL;
}

// The members that have a field, as they were stored; those that must be there have to be.
static void write_stored(struct jsonw *w, const char *key, const struct field *f, const char *from)
{
    const char *json = *(const char *const *)from;
    struct json_in in = json_in((struct json_span){json, strlen(json)});
    struct json_text name;
    uint64_t seen = 0;
    (void)key;
    for (json_enter(&in); json_key(&in, &name, w->arena);) {
        struct json_span value = json_skip(&in);
        const struct field *member = name.at ? schema_find(f->sub, name.at, name.len) : NULL;
        if (!member)
            continue;
        jsonw_raw(w, member->key, value);
        seen |= UINT64_C(1) << (member - f->sub->field);
    }
    for (const struct field *m = f->sub->field; m->key; m++)
        if (!m->optional && !(seen >> (m - f->sub->field) & 1))
            jsonw_lacks(w, m->key);
}

static void schema_write_value(struct jsonw *w, const char *key, const struct field *f,
                               const char *from)
{
    static write_fn *const write_as[FIELD_TYPES] = {
        [FIELD_RAW] = write_raw,       [FIELD_BOOL] = write_bool,     [FIELD_INT] = write_int,
        [FIELD_WHOLE] = write_whole,   [FIELD_REAL] = write_real,     [FIELD_TIME] = write_time,
        [FIELD_FLOAT] = write_float,   [FIELD_MATRIX] = write_matrix, [FIELD_SEED] = write_seed,
        [FIELD_WORD] = write_word,     [FIELD_STRING] = write_string, [FIELD_NAME] = write_string,
        [FIELD_CONST] = write_const,   [FIELD_PICK] = write_pick,     [FIELD_STORED] = write_stored,
        [FIELD_OBJECT] = write_object, [FIELD_LIST] = write_list,     [FIELD_MAP] = write_map,
    };
    write_as[f->type](w, key, f, from);
}

// Whether the member of a body holds what null is read as.
static bool is_zero(const struct field *f, const char *in)
{
    const char *from = in + f->at;
    switch (f->type) {
    case FIELD_INT:
        return *(const int *)from == 0 && !f->zero;
    case FIELD_WHOLE:
        return *(const int64_t *)from == 0;
    case FIELD_REAL:
        return *(const double *)from == 0;
    case FIELD_OBJECT:
        return *(const int *)(in + f->on) == 0;
    case FIELD_LIST:
        return *(const size_t *)(in + f->n_at) == 0;
    case FIELD_MAP:
        return *(const size_t *)(in + f->n_at) == 0 && !(f->zero && *(const bool *)(in + f->on));
    default: // the others print it themselves
        return false;
    }
}

// Whether the member of a reply says that there is none.
static bool is_none(const struct field *f, const char *in)
{
    const char *from = in + f->at;
    const struct field *first = f->sub ? f->sub->field : NULL;
    switch (f->type) {
    case FIELD_WHOLE:
        return *(const int64_t *)from < 0;
    case FIELD_REAL:
        return !isfinite(*(const double *)from);
    case FIELD_FLOAT:
        return !isfinite(*(const float *)from);
    case FIELD_TIME:
        return *(const int64_t *)from == 0;
    case FIELD_RAW:
    case FIELD_STRING:
    case FIELD_NAME:
    case FIELD_LIST:
    case FIELD_MAP:
    case FIELD_STORED:
    case FIELD_MATRIX:
        return !*(const void *const *)from; // spans and matrices begin with theirs
    case FIELD_OBJECT:
        return !first->nullable && !first->optional && is_none(first, from);
    default:
        return false;
    }
}

static bool may_be_empty(const struct field *f, const char *in)
{
    return (f->type == FIELD_LIST || f->type == FIELD_MAP) && *(const size_t *)(in + f->n_at) == 0;
}

static void write_of_body(struct jsonw *w, const struct field *f, const char *in)
{
    if (f->nullable && is_zero(f, in))
        jsonw_null(w, f->key);
    else
        schema_write_value(w, f->key, f, in + f->at);
}

static void write_of_reply(struct jsonw *w, const struct field *f, const char *in)
{
    bool off = f->on && !*(const bool *)(in + f->on), none = off || is_none(f, in);
    if (none && f->optional && (off || !f->nullable))
        return;
    if (none && f->nullable)
        jsonw_null(w, f->key);
    else if (none && !may_be_empty(f, in))
        jsonw_lacks(w, f->key);
    else
        schema_write_value(w, f->key, f, in + f->at);
}

bool field_is_meant(const struct field *f, const void *in)
{
    int word = 0;
    if (f->only)
        memcpy(&word, (const char *)in + f->only->at, sizeof word);
    return !f->only || word == f->only->word;
}

// The fields from f up to `end`, which is NULL for all.
static void write_fields(const struct schema *s, const struct field *f, const char *end,
                         const void *in, struct jsonw *w)
{
    for (; f->key && (!end || strcmp(f->key, end) != 0); f++)
        if (field_is_meant(f, in))
            (s->reply ? write_of_reply : write_of_body)(w, f, in);
}

void schema_write(const struct schema *s, const void *in, struct jsonw *w, const char *key)
{
    jsonw_object(w, key);
    write_fields(s, s->field, NULL, in, w);
    jsonw_end(w);
}

void schema_write_to(const struct schema *s, const void *in, const char *list, struct jsonw *w)
{
    jsonw_object(w, NULL);
    write_fields(s, s->field, list, in, w);
    jsonw_array(w, list);
}

void schema_write_rest(const struct schema *s, const void *in, const char *list, struct jsonw *w)
{
    jsonw_end(w);
    write_fields(s, schema_find(s, list, strlen(list)) + 1, NULL, in, w);
    jsonw_end(w);
}
