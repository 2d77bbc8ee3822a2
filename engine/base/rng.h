// SPDX-License-Identifier: MIT
#pragma once

// Randomness as a pure function. A key stands for one stream, named by (seed, purpose, a, b), for
// instance (seed, RNG_DROPOUT, step, layer); the n-th number of the stream is a hash of key and n.
// There is no generator state: any thread may ask for any number in any order, and a resumed run
// has nothing to restore. Not for secrets.

#include "engine/base/halt.h"

#include <stddef.h>
#include <stdint.h>

enum rng_purpose {
    RNG_SPLIT,
    RNG_SHUFFLE,
    RNG_INIT,
    RNG_DROPOUT,
    RNG_PROBE,
    RNG_MIX,
    RNG_GRADIENT,
};

// The stream for a purpose; a and b are whatever tells its streams apart (epoch, step, layer).
uint64_t rng_key(uint64_t seed, enum rng_purpose purpose, uint64_t a, uint64_t b);

// SplitMix64's sequence (a Weyl step of the golden ratio, then David Stafford's finaliser), with a
// second, different finaliser so that neighbouring keys stay unrelated too.
static inline uint64_t rng_u64(uint64_t key, uint64_t cell)
{
    uint64_t z = key + cell * UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    z = (z ^ (z >> 33)) * UINT64_C(0xFF51AFD7ED558CCD);
    z = (z ^ (z >> 33)) * UINT64_C(0xC4CEB9FE1A85EC53);
    return z ^ (z >> 33);
}

// 32 bits for bulk use in kernels (dropout): two rounds of a low-bias
// 32-bit finaliser (Chris Wellons' hash prospector), the key's halves mixed in between; every
// operation exists as a vector instruction.
static inline uint32_t rng_u32(uint64_t key, uint32_t cell)
{
    uint32_t z = cell ^ (uint32_t)key;
    z = (z ^ (z >> 16)) * UINT32_C(0x21F0AAAD);
    z = (z ^ (z >> 15)) * UINT32_C(0x735A2D97);
    z = (z ^ (z >> 15)) + (uint32_t)(key >> 32);
    z = (z ^ (z >> 16)) * UINT32_C(0x21F0AAAD);
    z = (z ^ (z >> 15)) * UINT32_C(0x735A2D97);
    return z ^ (z >> 15);
}

// Uniform in [0, 1): a multiple of 2^-53.
static inline double rng_unit(uint64_t key, uint64_t cell)
{
    return (double)(rng_u64(key, cell) >> 11) * 0x1p-53;
}

// Standard normal. Cell n reads the stream's numbers 2n and 2n + 1, so do not also read those with
// the functions above.
double rng_normal(uint64_t key, uint64_t cell);

// Uniform in [0, bound), without bias. bound > 0.
uint64_t rng_below(uint64_t key, uint64_t cell, uint64_t bound);

// Put a[0..n) into random order; every order is equally likely. A halt leaves it half done.
void rng_shuffle(uint64_t key, uint32_t *a, size_t n, const struct halt *halt);
