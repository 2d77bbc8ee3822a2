// SPDX-License-Identifier: MIT
// Walks over tables of choices: see row.h.

#include "engine/base/row.h"

#include "engine/base/err.h"

#include <string.h>

static size_t width(const struct hyper *k)
{
    return k->count > 1 ? (size_t)k->count : 1;
}

static size_t count(const struct hyper *k, size_t max)
{
    size_t n = 0;
    while (n < max && k[n].name)
        n++;
    return n;
}

static bool has_alias(const struct row *row, const char *name)
{
    for (int i = 0; i < ROW_ALIASES && row->alias[i]; i++)
        if (strcmp(row->alias[i], name) == 0)
            return true;
    return false;
}

const struct row *table_find(const struct table *t, const char *name)
{
    for (size_t i = 0; i < t->n; i++)
        if (strcmp(t->row[i]->name, name) == 0 || has_alias(t->row[i], name))
            return t->row[i];
    return NULL;
}

const struct hyper *hyper_at(const struct table *t, const struct row *row, size_t k, size_t *at)
{
    size_t own = count(row->hyper, ROW_HYPERS), common = count(t->common, TABLE_HYPERS);
    if (k >= own + common)
        return NULL;
    *at = 0;
    for (size_t i = 0; i < k; i++)
        *at += width(i < own ? &row->hyper[i] : &t->common[i - own]);
    BUG(*at >= PICK_VALUES);
    return k < own ? &row->hyper[k] : &t->common[k - own];
}

struct pick pick_row(const struct table *t, const struct row *row)
{
    struct pick p = {.row = row};
    const struct hyper *hyper;
    size_t at;
    for (size_t k = 0; row && (hyper = hyper_at(t, row, k, &at)); k++)
        memcpy(&p.value[at], hyper->def, width(hyper) * sizeof *hyper->def);
    return p;
}

size_t hyper_length(const struct hyper *k, const double *value)
{
    size_t n = 1;
    while (n < width(k) && (!k->list || value[n] > value[n - 1]))
        n++;
    return n;
}

static size_t row_place_of(const struct table *t, const struct row *row, const char *name)
{
    const struct hyper *hyper;
    size_t at;
    for (size_t k = 0; (hyper = hyper_at(t, row, k, &at)); k++)
        if (strcmp(hyper->name, name) == 0)
            return at;
    BUG(!"a hyperparameter of that name");
    return 0;
}

double pick_value(const struct table *t, const struct pick *p, const char *name)
{
    return p->value[row_place_of(t, p->row, name)];
}

void pick_set(const struct table *t, struct pick *p, const char *name, double value)
{
    p->value[row_place_of(t, p->row, name)] = value;
}
