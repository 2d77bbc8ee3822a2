// SPDX-License-Identifier: MIT
// See series.h.

#include "server/store/series.h"

#include <string.h>

static const char *const type_word[SERIES_TYPES] = {
    [SERIES_REAL] = "real",
    [SERIES_WHOLE] = "whole",
};

const char *series_type_word(enum series_type type)
{
    return type_word[type];
}

enum series_type series_type_find(const char *word)
{
    int i = 0;
    while (i < SERIES_TYPES && strcmp(type_word[i], word) != 0)
        i++;
    return (enum series_type)i;
}

static bool series_is(const struct series *s, const char *scope, const char *name)
{
    return strcmp(s->name, name) == 0 && strcmp(s->scope, scope) == 0;
}

size_t series_find(const struct series_list *l, const char *scope, const char *name)
{
    size_t i = 0;
    while (i < l->n && !series_is(&l->item[i], scope, name))
        i++;
    return i;
}

bool series_same(const struct series_list *a, const struct series_list *b)
{
    bool same = a->n == b->n;
    for (size_t i = 0; same && i < a->n; i++)
        same = series_is(&a->item[i], b->item[i].scope, b->item[i].name) &&
               a->item[i].type == b->item[i].type;
    return same;
}
