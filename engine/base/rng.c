// SPDX-License-Identifier: MIT
// Keys fold one name after another through the same hash that makes the numbers: each of them moves
// the whole key. Everything here works in double and on 64-bit integers in both builds, so MODE=f64
// draws the same numbers.

#include "engine/base/rng.h"

#include "engine/base/err.h"

#include <math.h>

uint64_t rng_key(uint64_t seed, enum rng_purpose purpose, uint64_t a, uint64_t b)
{
    uint64_t key = rng_u64(seed, (uint64_t)purpose + 1);
    key = rng_u64(key ^ a, 1);
    return rng_u64(key ^ b, 2);
}

// Box and Muller: sqrt(-2 ln u) cos(2 pi v), with u in (0, 1].
double rng_normal(uint64_t key, uint64_t cell)
{
    double u = 1 - rng_unit(key, 2 * cell), v = rng_unit(key, 2 * cell + 1);
    return sqrt(-2 * log(u)) * cos(6.283185307179586 * v);
}

// Lemire: the upper half of draw * bound is the answer. The 2^64 mod bound smallest lower halves
// would favour some answers, so those draws are replaced by their own hash.
uint64_t rng_below(uint64_t key, uint64_t cell, uint64_t bound)
{
    BUG(bound == 0);
    uint64_t draw = rng_u64(key, cell), unfair = -bound % bound;
    unsigned __int128 product = (unsigned __int128)draw * bound;
    while ((uint64_t)product < unfair) {
        draw = rng_u64(draw, 1);
        product = (unsigned __int128)draw * bound;
    }
    return (uint64_t)(product >> 64);
}

// Fisher and Yates, from the end.
void rng_shuffle(uint64_t key, uint32_t *a, size_t n, const struct halt *halt)
{
    for (size_t i = n; i > 1 && !halt_due(halt, i); i--) {
        size_t j = rng_below(key, i, i);
        uint32_t keep = a[i - 1];
        a[i - 1] = a[j];
        a[j] = keep;
    }
}
