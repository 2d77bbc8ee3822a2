// SPDX-License-Identifier: MIT
// Reading single values: see schema_reader.h. A function for each kind of field; each leaves the
// member as it was after a fault, so that reading goes on and all that is wrong is told at once.

#include "api/schema/schema_reader.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

void read_bool(struct reader *r, const struct field *f, const cJSON *json, char *to,
               const struct place *at)
{
    (void)f;
    if (cJSON_IsBool(json))
        *(bool *)to = cJSON_IsTrue(json);
    else
        reader_wrong_type(r, at, json, "true or false");
}

void read_int(struct reader *r, const struct field *f, const cJSON *json, char *to,
              const struct place *at)
{
    if (f->zero && cJSON_IsString(json)) {
        if (strcmp(json->valuestring, f->zero) != 0)
            reader_fault(r, at, "unknown_value", "must be \"%s\" or a whole number, got \"%.64s\"",
                         f->zero, json->valuestring);
        *(int *)to = 0;
        return;
    }
    double x = json->valuedouble;
    if (!cJSON_IsNumber(json))
        reader_wrong_type(r, at, json, "a whole number");
    else if (reader_is_whole(r, at, x) && reader_in_range(r, at, f->min, f->max, f->above_min, x) &&
             reader_in_range(r, at, INT32_MIN, INT32_MAX, false, x))
        *(int *)to = (int)x;
}

void read_whole(struct reader *r, const struct field *f, const cJSON *json, char *to,
                const struct place *at)
{
    double x = json->valuedouble, most = (double)SCHEMA_INTEGER_MAX;
    if (!cJSON_IsNumber(json))
        reader_wrong_type(r, at, json, "a whole number");
    else if (reader_is_whole(r, at, x) && reader_in_range(r, at, f->min, f->max, f->above_min, x) &&
             reader_in_range(r, at, -most, most, false, x))
        *(int64_t *)to = (int64_t)x;
}

void read_real(struct reader *r, const struct field *f, const cJSON *json, char *to,
               const struct place *at)
{
    if (!cJSON_IsNumber(json))
        reader_wrong_type(r, at, json, "a number");
    else if (reader_in_range(r, at, f->min, f->max, f->above_min, json->valuedouble))
        *(double *)to = json->valuedouble;
}

static void read_digits(struct reader *r, const char *text, char *to, const struct place *at)
{
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (!isdigit((unsigned char)*text) || *end)
        reader_fault(r, at, "wrong_type",
                     "must be a whole number, or its decimal digits in a string");
    else if (errno)
        reader_fault(r, at, "out_of_range", "must be between 0 and 18446744073709551615, got %.32s",
                     text);
    else
        *(uint64_t *)to = value;
}

void read_seed(struct reader *r, const struct field *f, const cJSON *json, char *to,
               const struct place *at)
{
    (void)f;
    double x = json->valuedouble;
    if (cJSON_IsString(json))
        read_digits(r, json->valuestring, to, at);
    else if (!cJSON_IsNumber(json))
        reader_wrong_type(r, at, json, "a whole number");
    else if (x > (double)SCHEMA_INTEGER_MAX)
        reader_fault(
            r, at, "out_of_range",
            "must be between 0 and 9007199254740992, got %.17g; a larger one can be given as a "
            "string of digits",
            x);
    else if (reader_is_whole(r, at, x) &&
             reader_in_range(r, at, 0, (double)SCHEMA_INTEGER_MAX, false, x))
        *(uint64_t *)to = (uint64_t)x;
}

static const char *word_at(const void *names, size_t i)
{
    return ((const char *const *)names)[i];
}

// Index of the string among f's words, or -1 after a fault.
static int scalar_find_word(struct reader *r, const struct field *f, const cJSON *json,
                            const struct place *at)
{
    if (!cJSON_IsString(json)) {
        reader_wrong_type(r, at, json, "a string");
        return -1;
    }
    size_t n = 0;
    for (; f->names[n]; n++)
        if (strcmp(f->names[n], json->valuestring) == 0)
            return (int)n;
    reader_unknown_value(r, at, json->valuestring, word_at, f->names, n);
    return -1;
}

void read_word(struct reader *r, const struct field *f, const cJSON *json, char *to,
               const struct place *at)
{
    int i = scalar_find_word(r, f, json, at);
    if (i >= 0)
        memcpy(to, &i, sizeof i);
}

static bool length_allowed(struct reader *r, const struct field *f, const char *s,
                           const struct place *at)
{
    size_t len = strlen(s), max = f->max ? (size_t)f->max : STRING_MAX;
    size_t min = f->max ? (size_t)f->min : 1;
    if (len > max)
        reader_fault(r, at, "too_long", "must be at most %zu bytes, got %zu", max, len);
    else if (len < min)
        reader_fault(r, at, "too_short", "must not be empty");
    return len >= min && len <= max;
}

void read_string(struct reader *r, const struct field *f, const cJSON *json, char *to,
                 const struct place *at)
{
    if (f->names) {
        int i = scalar_find_word(r, f, json, at);
        *(const char **)to = i >= 0 ? f->names[i] : NULL;
    } else if (!cJSON_IsString(json)) {
        reader_wrong_type(r, at, json, "a string");
    } else if (length_allowed(r, f, json->valuestring, at)) {
        *(const char **)to = reader_keep(r, at, json->valuestring);
    }
}

bool schema_is_name(const char *s)
{
    static const char others[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                 "._-";
    size_t len = strspn(s, others);
    return len > 0 && !s[len] && len <= NAME_MAX_LEN && !strchr("._-", *s);
}

void read_name(struct reader *r, const struct field *f, const cJSON *json, char *to,
               const struct place *at)
{
    (void)f;
    if (!cJSON_IsString(json))
        reader_wrong_type(r, at, json, "a string");
    else if (!schema_is_name(json->valuestring))
        reader_fault(
            r, at, "bad_name",
            "must be 1 to 64 of A-Z, a-z, 0-9, '.', '_', '-', the first a letter or digit, got "
            "\"%.64s\"",
            json->valuestring);
    else
        *(const char **)to = reader_keep(r, at, json->valuestring);
}
