// SPDX-License-Identifier: MIT
// Arrays of numbers from JSON into memory: see import_stack.h.

#include "import_stack.h"

#include "json_in.h"

#include <math.h>
#include <stdio.h>

enum { POINTER = 160 };

// How many elements the array has that the reader stands before.
static size_t length(struct json_in in)
{
    size_t n = 0;
    for (json_enter(&in); json_more(&in); json_skip(&in))
        n++;
    return n;
}

static bool is_array(const struct json_in *in, const char *pointer, struct faults *f)
{
    enum json_kind kind = json_kind(in);
    if (kind != JSON_ARRAY)
        fault_add(f, "wrong_type", pointer, "must be an array of numbers, got %s",
                  json_kind_name(kind));
    return kind == JSON_ARRAY;
}

// One number; in single precision it must still be finite.
static real number(struct json_in *in, const char *pointer, size_t at, struct faults *f)
{
    enum json_kind kind = json_kind(in);
    char place[POINTER];
    snprintf(place, sizeof place, "%s/%zu", pointer, at);
    if (kind != JSON_NUMBER) {
        fault_add(f, "wrong_type", place, "must be a number, got %s", json_kind_name(kind));
        json_skip(in);
        return 0;
    }
    real x = (real)json_number(in);
    if (!isfinite(x))
        fault_add(f, "not_finite", place, "is too large for single precision");
    return x;
}

static void numbers(struct json_in *in, const char *pointer, real *to, struct faults *f)
{
    size_t i = 0;
    for (json_enter(in); json_more(in); i++)
        to[i] = number(in, pointer, i, f);
}

static real *no_room(struct faults *f, const char *pointer)
{
    fault_add(f, "too_long", pointer,
              "needs more memory than one request may use; send the model "
              "as safetensors");
    return NULL;
}

real *json_vector(struct json_span span, const char *pointer, uint32_t *n, struct arena *a,
                  struct faults *f)
{
    struct json_in in = json_in(span);
    if (!is_array(&in, pointer, f))
        return NULL;
    size_t count = length(in);
    real *v = arena_alloc(a, count, sizeof *v);
    if (!v || count > UINT32_MAX)
        return no_room(f, pointer);
    numbers(&in, pointer, v, f);
    *n = (uint32_t)count;
    return v;
}

// A row of the matrix; all must be as long as the first.
static bool row(struct json_in *in, const char *pointer, size_t at, size_t cols, real *to,
                struct faults *f)
{
    char place[POINTER];
    snprintf(place, sizeof place, "%s/%zu", pointer, at);
    if (!is_array(in, place, f))
        return false;
    size_t got = length(*in);
    if (got != cols) {
        fault_add(f, "ragged_row", place, "must have %zu numbers as the first row has, got %zu",
                  cols, got);
        return false;
    }
    numbers(in, place, to, f);
    return true;
}

real *json_matrix(struct json_span span, const char *pointer, uint32_t *rows, uint32_t *cols,
                  struct arena *a, struct faults *f)
{
    struct json_in in = json_in(span), first = in;
    if (!is_array(&in, pointer, f))
        return NULL;
    size_t n = length(in), width = 0;
    json_enter(&first);
    if (json_more(&first) && json_kind(&first) == JSON_ARRAY)
        width = length(first);
    if (n == 0 || width == 0) {
        fault_add(f, "wrong_type", pointer,
                  "must be an array of rows, one for each output, with a number for each input");
        return NULL;
    }
    real *m = n < UINT32_MAX && width < UINT32_MAX ? arena_alloc(a, n * width, sizeof *m) : NULL;
    if (!m)
        return no_room(f, pointer);
    size_t i = 0;
    bool ok = true;
    for (json_enter(&in); ok && json_more(&in); i++)
        ok = row(&in, pointer, i, width, m + i * width, f);
    *rows = (uint32_t)n;
    *cols = (uint32_t)width;
    return ok ? m : NULL;
}
