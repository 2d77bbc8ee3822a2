// SPDX-License-Identifier: MIT
// What goes wrong while a body is read, in words: see schema_reader.h. All kinds of fields complain
// here, so that the same mistake has the same code and the same sentence wherever it is made, and
// names what would be right.

#include "api/schema/schema_reader.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { WORDS_MAX = 400, TEXT_MAX = 512 };

size_t place_print(const struct place *p, char *out, size_t max)
{
    if (!p->up)
        return 0;
    char index[24];
    const char *key = p->key ? p->key : index;
    snprintf(index, sizeof index, "%zu", p->index);
    return pointer_add(out, place_print(p->up, out, max), max, key, strlen(key));
}

void reader_fault(struct reader *r, const struct place *at, const char *code, const char *fmt, ...)
{
    char pointer[POINTER_MAX], text[TEXT_MAX];
    pointer[place_print(at, pointer, sizeof pointer)] = '\0';
    if (r->faults->of_query)
        snprintf(pointer, sizeof pointer, "/%s", at->key);
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    fault_add(r->faults, code, pointer, "%s", text);
}

void reader_note(struct reader *r, const struct place *at, const char *given, const char *meant)
{
    char pointer[POINTER_MAX];
    pointer[place_print(at, pointer, sizeof pointer)] = '\0';
    const char *key = note_key(r->faults, fault_origin(r->faults, pointer));
    note_add(r->faults, "%s%s%s became %s", key, given ? " " : "", given ? given : "", meant);
}

static const char *reader_kind_of(const cJSON *json)
{
    return cJSON_IsNull(json)     ? "null"
           : cJSON_IsBool(json)   ? "true or false"
           : cJSON_IsNumber(json) ? "a number"
           : cJSON_IsString(json) ? "a string"
           : cJSON_IsArray(json)  ? "an array"
                                  : "an object";
}

void reader_wrong_type(struct reader *r, const struct place *at, const cJSON *json,
                       const char *wanted)
{
    if (r->faults->of_query)
        reader_fault(r, at, "wrong_type", "must be %s, got \"%.32s\"", wanted, json->valuestring);
    else
        reader_fault(r, at, "wrong_type", "must be %s, got %s", wanted, reader_kind_of(json));
}

void reader_unknown_field(struct reader *r, const struct place *at, const char *meant)
{
    const char *what = r->faults->of_query ? "is unknown" : "unknown field";
    if (meant)
        reader_fault(r, at, "unknown_field", "%s; did you mean \"%s\"?", what, meant);
    else
        reader_fault(r, at, "unknown_field", "%s", what);
}

void reader_unknown_value(struct reader *r, const struct place *at, const char *got,
                          nearest_candidate *word, const void *words, size_t n)
{
    char list[WORDS_MAX];
    size_t len = 0;
    for (size_t i = 0; i < n && len < sizeof list; i++)
        len += (size_t)snprintf(list + len, sizeof list - len, "%s\"%s\"", i ? ", " : "",
                                word(words, i));
    const char *meant = nearest(got, word, words, n);
    if (meant)
        reader_fault(r, at, "unknown_value",
                     "must be one of %s, got \"%.64s\"; did you mean \"%s\"?", list, got, meant);
    else
        reader_fault(r, at, "unknown_value", "must be one of %s, got \"%.64s\"", list, got);
}

bool reader_in_range(struct reader *r, const struct place *at, double min, double max,
                     bool above_min, double x)
{
    if (min == 0 && max == 0)
        return true;
    if (x <= max && (above_min ? x > min : x >= min))
        return true;
    if (above_min)
        reader_fault(r, at, "out_of_range", "must be above %.15g and at most %.15g, got %.15g", min,
                     max, x);
    else
        reader_fault(r, at, "out_of_range", "must be between %.15g and %.15g, got %.15g", min, max,
                     x);
    return false;
}

bool reader_is_whole(struct reader *r, const struct place *at, double x)
{
    if (x == floor(x))
        return true;
    reader_fault(r, at, "not_an_integer", "must be a whole number, got %.15g", x);
    return false;
}

void reader_no_room(struct reader *r, const struct place *at)
{
    reader_fault(r, at, "too_long", "does not fit into a request's memory");
}

void *reader_room(struct reader *r, const struct place *at, size_t n, size_t size)
{
    void *p = arena_zalloc(r->arena, n, size);
    if (!p)
        reader_no_room(r, at);
    return p;
}

const char *reader_keep(struct reader *r, const struct place *at, const char *s)
{
    size_t size = strlen(s) + 1;
    char *copy = reader_room(r, at, size, 1);
    return copy ? memcpy(copy, s, size) : NULL;
}
