// SPDX-License-Identifier: MIT
// Optimal string alignment distance over bytes, three rows of the usual table at a time. A
// suggestion is a courtesy: among very many names only as many are looked at as take some
// milliseconds.

#include "engine/base/nearest.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

enum { CELLS = 1 << 20 }; // of tables, for one suggestion

static size_t min(size_t a, size_t b)
{
    return a < b ? a : b;
}

static bool same(const char *a, const char *b)
{
    return tolower((unsigned char)*a) == tolower((unsigned char)*b);
}

// d[i][j] = slips between the first i bytes of a and the first j bytes of b. Both at most
// NEAREST_MAX long.
static size_t slips(const char *a, size_t n_a, const char *b, size_t n_b)
{
    size_t row[3][NEAREST_MAX + 1], *before = row[0], *above = row[1], *d = row[2];
    for (size_t j = 0; j <= n_b; j++)
        d[j] = j;
    for (size_t i = 1; i <= n_a; i++) {
        size_t *oldest = before;
        before = above;
        above = d;
        d = oldest;
        d[0] = i;
        for (size_t j = 1; j <= n_b; j++) {
            size_t change = above[j - 1] + !same(&a[i - 1], &b[j - 1]);
            d[j] = min(change, min(above[j], d[j - 1]) + 1);
            if (i > 1 && j > 1 && same(&a[i - 1], &b[j - 2]) && same(&a[i - 2], &b[j - 1]))
                d[j] = min(d[j], before[j - 2] + 1);
        }
    }
    return d[n_b];
}

const char *nearest(const char *name, nearest_candidate *candidate, const void *names, size_t n)
{
    size_t len = strlen(name), limit = (len + 2) / 3;
    const char *best = NULL;
    if (len < 2 || len > NEAREST_MAX)
        return NULL;
    for (size_t i = 0, cells = 0; i < n && cells < CELLS; i++) {
        const char *other = candidate(names, i);
        size_t n_other = other ? strlen(other) : 0;
        if (n_other < 2 || n_other > NEAREST_MAX)
            continue;
        if ((n_other > len ? n_other - len : len - n_other) >= limit + !best)
            continue; // each byte of the difference is a slip
        cells += len * n_other;
        size_t d = slips(name, len, other, n_other);
        if (d < limit + !best) {
            best = other;
            limit = d;
        }
    }
    return best;
}

static const char *element(const void *names, size_t i)
{
    return ((const char *const *)names)[i];
}

const char *nearest_in(const char *name, const char *const *names, size_t n)
{
    return nearest(name, element, names, n);
}
