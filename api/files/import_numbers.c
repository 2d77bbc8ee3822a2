// SPDX-License-Identifier: MIT
// Arrays of numbers, looked through and copied: see import_stack.h. Twice on purpose: the first
// look says how many there are and what is wrong with them, at which index; memory is taken only
// for arrays whose shape has turned out to fit.

#include "api/files/import_stack.h"

#include "api/json/json_in.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { POINTER = 160 };

// How many elements the array has that the reader stands before.
static size_t numbers_length(struct json_in in)
{
    size_t n = 0;
    for (json_enter(&in); json_more(&in); json_skip(&in))
        n++;
    return n;
}

static bool numbers_is_array(const struct json_in *in, const char *pointer, struct faults *f)
{
    enum json_kind kind = json_kind(in);
    if (kind != JSON_ARRAY)
        fault_add(f, "wrong_type", pointer, "must be an array of numbers, got %s",
                  json_kind_name(kind));
    return kind == JSON_ARRAY;
}

static void bad_number(enum json_kind kind, const char *pointer, size_t at, struct faults *f)
{
    char place[POINTER];
    snprintf(place, sizeof place, "%s/%zu", pointer, at);
    if (kind == JSON_NUMBER)
        fault_add(f, "not_finite", place, "is too large for single precision");
    else
        fault_add(f, "wrong_type", place, "must be a number, got %s", json_kind_name(kind));
}

// One number; in single precision it must still be finite.
static void check_number(struct json_in *in, const char *pointer, size_t at, struct faults *f)
{
    enum json_kind kind = json_kind(in);
    bool number = kind == JSON_NUMBER;
    if (!number)
        json_skip(in);
    if (!number || !isfinite((real)json_number(in)))
        bad_number(kind, pointer, at, f);
}

static size_t numbers_check_numbers(struct json_in *in, const char *pointer, struct faults *f)
{
    size_t i = 0;
    for (json_enter(in); json_more(in); i++)
        check_number(in, pointer, i, f);
    return i;
}

static bool few_enough(size_t n, const char *pointer, struct faults *f)
{
    if (n >= UINT32_MAX)
        fault_add(f, "too_long", pointer, "must be fewer than %u numbers", UINT32_MAX);
    return n < UINT32_MAX;
}

bool numbers_check(struct json_span span, const char *pointer, uint32_t *n, struct faults *f)
{
    struct json_in in = json_in(span);
    size_t before = f->total;
    if (!numbers_is_array(&in, pointer, f))
        return false;
    size_t count = numbers_check_numbers(&in, pointer, f);
    *n = (uint32_t)count;
    return few_enough(count, pointer, f) && f->total == before;
}

// A row of the matrix; all must be as long as the first.
static bool check_row(struct json_in *in, const char *pointer, size_t at, size_t cols,
                      struct faults *f)
{
    char place[POINTER];
    snprintf(place, sizeof place, "%s/%zu", pointer, at);
    if (!numbers_is_array(in, place, f))
        return false;
    size_t got = numbers_length(*in);
    if (got != cols) {
        fault_add(f, "ragged_row", place, "must have %zu numbers as the first row has, got %zu",
                  cols, got);
        return false;
    }
    numbers_check_numbers(in, place, f);
    return true;
}

bool numbers_check_matrix(struct json_span span, const char *pointer, uint32_t *rows,
                          uint32_t *cols, struct faults *f)
{
    struct json_in in = json_in(span), first = in;
    size_t before = f->total;
    if (!numbers_is_array(&in, pointer, f))
        return false;
    size_t n = numbers_length(in), width = 0;
    json_enter(&first);
    if (json_more(&first) && json_kind(&first) == JSON_ARRAY)
        width = numbers_length(first);
    if (n == 0 || width == 0)
        fault_add(f, "wrong_type", pointer,
                  "must be an array of rows, one for each output, with a number for each input");
    if (n == 0 || width == 0 || !few_enough(n, pointer, f) || !few_enough(width, pointer, f))
        return false;
    size_t i = 0;
    bool ok = true;
    for (json_enter(&in); ok && json_more(&in); i++)
        ok = check_row(&in, pointer, i, width, f);
    *rows = (uint32_t)n;
    *cols = (uint32_t)width;
    return ok && f->total == before;
}

// Numbers of an array, and of the arrays in it.
static real *copy_array(struct json_in *in, real *to)
{
    for (json_enter(in); json_more(in);)
        if (json_kind(in) == JSON_ARRAY)
            to = copy_array(in, to);
        else
            *to++ = (real)json_number(in);
    return to;
}

void numbers_copy(const struct numbers *from, real *to, size_t n)
{
    if (from->json.at) {
        struct json_in in = json_in(from->json);
        BUG(copy_array(&in, to) != to + n);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        float x;
        memcpy(&x, from->raw + i * sizeof x, sizeof x);
        to[i] = (real)x;
    }
}
