// SPDX-License-Identifier: MIT
// See chartlab.h.

#include "tests/api/views/chartlab.h"

#include "tests/harness.h"

#include <float.h>
#include <math.h>
#include <string.h>

static struct arena arena;
static struct chart chart;

struct chart *lab_chart(size_t n, const char *const *name)
{
    size_t k = 0;
    arena_release(&arena);
    arena_init(&arena, 256 << 20);
    while (*name[k])
        k++;
    int64_t *epoch = arena_need(&arena, n + 1, sizeof *epoch);
    double *value = arena_need(&arena, n * k + 1, sizeof *value);
    for (size_t i = 0; i < n; i++)
        epoch[i] = (int64_t)i + 1;
    for (size_t i = 0; i < n * k; i++)
        value[i] = 0;
    chart = (struct chart){.title = "job 7: iris",
                           .n = n,
                           .n_column = k,
                           .epoch = epoch,
                           .step = epoch,
                           .name = name,
                           .value = value};
    return &chart;
}

void lab_set(struct chart *c, size_t row, size_t column, double v)
{
    ((double *)c->value)[row * c->n_column + column] = v;
}

void lab_epoch(struct chart *c, size_t row, int64_t epoch)
{
    ((int64_t *)c->epoch)[row] = epoch;
}

const char *lab_write(const struct chart *c, const struct rendering *r)
{
    struct err e = {0};
    size_t len;
    const char *text = r->write(c, &len, &arena, &e);
    ck_assert_msg(text, "%s: %s", r->name, e.text);
    ck_assert_uint_eq(strlen(text), len);
    return text;
}

static const char *const usual[] = {"train_loss", "val_loss", "lr", "val_accuracy", ""};

static const struct {
    size_t n;
    int64_t apart;        // epochs between two rows
    double first, factor; // a value is the one before times the factor
    const char *const *name;
} odd[] = {
    {0, 1, 1, 1, usual},
    {0, 1, 1, 1, (const char *const[]){""}},
    {3, 1, 1, 1, (const char *const[]){""}},
    {1, 1, 0.5, 1, usual},
    {1, 1, NAN, 1, usual},
    {2, 1, 0, 1, usual},
    {5, 7, 3, 0.1, usual},
    {9, 1, NAN, 1, usual},
    {9, 1, INFINITY, 1, usual},
    {9, 1, -INFINITY, -1, usual},
    {9, 1, DBL_MAX, -1, usual},
    {9, 1, 1e290, 1e6, usual},
    {9, 1, 5e-324, 1, usual},
    {9, 1, -5e-324, -1, usual},
    {9, 1, 1, 1 + DBL_EPSILON, usual},
    {9, 1, -1e17, 1, usual},
    {400, 1, 1e200, 0.1, usual},
    {9, INT64_MAX / 10, 2, 0.5, usual},
    {7, 1, 2, 0.5, (const char *const[]){"<\"&'>", "\x1b[1m\xff", "a,b\r\nc", " ", ""}},
    {4, 1, 2, 0.5,
     (const char *const[]){"loss", "loss", "val_loss", "a_loss", "b_loss", "smoothed_loss", "val_",
                           "train_", ""}},
};

size_t lab_odd_count(void)
{
    return sizeof odd / sizeof *odd;
}

const struct chart *lab_odd(size_t i)
{
    struct chart *c = lab_chart(odd[i].n, odd[i].name);
    double v = odd[i].first;
    for (size_t row = 0; row < c->n; row++, v *= odd[i].factor) {
        lab_epoch(c, row, (int64_t)(row + 1) * odd[i].apart);
        for (size_t k = 0; k < c->n_column; k++)
            lab_set(c, row, k, v);
    }
    c->best = (int64_t)(c->n / 2);
    return c;
}
