// SPDX-License-Identifier: MIT
// From a struct back to JSON: see schema.h. The same rows that read a body print it, member by
// member at their offsets, so what was resolved can be stored and read again without a second
// description.

#include "api/schema/schema.h"

#include <inttypes.h>
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
        [FIELD_BOOL] = sizeof(bool),         [FIELD_INT] = sizeof(int),
        [FIELD_REAL] = sizeof(double),       [FIELD_SEED] = sizeof(uint64_t),
        [FIELD_WORD] = sizeof(int),          [FIELD_STRING] = sizeof(const char *),
        [FIELD_NAME] = sizeof(const char *), [FIELD_PICK] = sizeof(struct pick),
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
    else if (value == 0 && f->nullable)
        jsonw_null(w, key);
    else
        jsonw_int(w, key, value);
}

static void write_real(struct jsonw *w, const char *key, const struct field *f, const char *from)
{
    double value = *(const double *)from;
    if (value == 0 && f->nullable)
        jsonw_null(w, key);
    else
        jsonw_real(w, key, value);
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

static void write_knob(struct jsonw *w, const struct knob *knob, const double *value)
{
    if (knob->type == KNOB_BOOL) {
        jsonw_bool(w, knob->name, value[0] != 0);
    } else if (knob->count < 2) {
        jsonw_real(w, knob->name, value[0]);
    } else {
        jsonw_array(w, knob->name);
        for (size_t i = 0; i < knob_length(knob, value); i++)
            jsonw_real(w, NULL, value[i]);
        jsonw_end(w);
    }
}

static void write_pick(struct jsonw *w, const char *key, const struct field *f, const char *from)
{
    const struct pick *pick = (const struct pick *)from;
    const struct knob *knob;
    size_t at;
    if (!pick->row) {
        jsonw_null(w, key);
        return;
    }
    jsonw_object(w, key);
    jsonw_string(w, "type", pick->row->name);
    for (size_t k = 0; (knob = knob_at(f->table, pick->row, k, &at)); k++)
        write_knob(w, knob, &pick->value[at]);
    jsonw_end(w);
}

static void write_object(struct jsonw *w, const char *key, const struct field *f, const char *from)
{
    if (f->nullable && *(const int *)(from - f->at + f->on) == 0)
        jsonw_null(w, key);
    else
        schema_write(f->sub, from, w, key);
}

static void write_list(struct jsonw *w, const char *key, const struct field *f, const char *from)
{
    const struct field each = {.type = f->of, .names = f->names, .sub = f->sub, .table = f->table};
    const char *item = *(const char *const *)from;
    size_t n = *(const size_t *)(from - f->at + f->n_at);
    if (n == 0 && f->nullable) {
        jsonw_null(w, key);
        return;
    }
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
    if (n == 0 && f->nullable) {
        jsonw_null(w, key);
        return;
    }
    jsonw_object(w, key);
    for (size_t i = 0; i < n; i++, item += field_size(f))
        schema_write_value(w, *(const char *const *)(item + name->at), value, item + value->at);
    jsonw_end(w);
}

static void schema_write_value(struct jsonw *w, const char *key, const struct field *f,
                               const char *from)
{
    static write_fn *const write_as[FIELD_TYPES] = {
        [FIELD_RAW] = write_raw,       [FIELD_BOOL] = write_bool,   [FIELD_INT] = write_int,
        [FIELD_REAL] = write_real,     [FIELD_SEED] = write_seed,   [FIELD_WORD] = write_word,
        [FIELD_STRING] = write_string, [FIELD_NAME] = write_string, [FIELD_PICK] = write_pick,
        [FIELD_OBJECT] = write_object, [FIELD_LIST] = write_list,   [FIELD_MAP] = write_map,
    };
    write_as[f->type](w, key, f, from);
}

void schema_write(const struct schema *s, const void *in, struct jsonw *w, const char *key)
{
    jsonw_object(w, key);
    for (const struct field *f = s->field; f->key; f++)
        schema_write_value(w, f->key, f, (const char *)in + f->at);
    jsonw_end(w);
}
