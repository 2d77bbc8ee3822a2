// SPDX-License-Identifier: MIT
// Quicksort down to what qsort() does at once. Three parts, so that equal elements, of which
// there may be many, are done with in one round; and a pivot drawn at random, so that no order of
// the data is a bad one.

#include "engine/base/sort.h"

#include "engine/base/rng.h"

#include <stdlib.h>
#include <string.h>

enum { SHORT = 1 << 15 };

struct sorting {
    size_t size;
    int (*compare)(const void *, const void *);
    const struct halt *halt;
};

static void swap(char *a, char *b, size_t size)
{
    char keep[SORT_SIZE];
    memcpy(keep, a, size);
    memcpy(a, b, size);
    memcpy(b, keep, size);
}

// [0, *low) below the pivot, [*low, *high) equal to it, [*high, n) above.
static void divide(const struct sorting *s, char *v, size_t n, size_t *low, size_t *high)
{
    char pivot[SORT_SIZE];
    memcpy(pivot, v + rng_below(rng_key(n, RNG_SPLIT, 0, 0), 0, n) * s->size, s->size);
    *low = 0;
    *high = n;
    for (size_t i = 0, round = 0; i < *high && !halt_due(s->halt, round); round++) {
        int order = s->compare(v + i * s->size, pivot);
        if (order < 0)
            swap(v + (*low)++ * s->size, v + i++ * s->size, s->size);
        else if (order > 0)
            swap(v + --*high * s->size, v + i * s->size, s->size);
        else
            i++;
    }
}

// The shorter side by itself, the longer one in the next round: the stack stays shallow.
static void sort_part(const struct sorting *s, char *v, size_t n)
{
    size_t low, high;
    while (n > SHORT && !halt_asked(s->halt)) {
        divide(s, v, n, &low, &high);
        if (low < n - high) {
            sort_part(s, v, low);
            v += high * s->size;
            n -= high;
        } else {
            sort_part(s, v + high * s->size, n - high);
            n = low;
        }
    }
    if (!halt_asked(s->halt))
        qsort(v, n, s->size, s->compare);
}

void sort(void *v, size_t n, size_t size, int (*compare)(const void *, const void *),
          const struct halt *halt)
{
    BUG(size > SORT_SIZE);
    const struct sorting s = {size, compare, halt};
    sort_part(&s, v, n);
}
