// SPDX-License-Identifier: MIT
#pragma once

// A fuzzer of our own: whatever outsiders send or leave on disk goes, mutated, through the code
// that reads it, under the sanitizers. `make fuzz` builds and runs it; see fuzz.c.
//
// A target is a row of fuzz_table: what it reads, inputs to begin with, words that are worth
// inserting, and a function that reads one input and must come back. It may abort() when a property
// does not hold. Targets keep their state (a model, a folder) in statics, made at the first call.

#include <stddef.h>

enum { FUZZ_LENGTH = 32 << 10, FUZZ_SEEDS = 48, FUZZ_WORDS = 64 };

struct fuzz_text {
    const char *at;
    size_t len;
};

// Inputs to begin with.
struct fuzz_seeds {
    struct fuzz_text text[FUZZ_SEEDS];
    size_t n;
};

struct fuzz_target {
    const char *name, *doc;
    void (*seeds)(struct fuzz_seeds *s);
    const char *const *words;                   // dictionary, ends with NULL
    void (*run)(const char *bytes, size_t len); // bytes[len] is NUL
};

extern const struct fuzz_target fuzz_table[];
extern const size_t fuzz_count;

// Copies of what is added.
void fuzz_seed(struct fuzz_seeds *s, const void *bytes, size_t len);
void fuzz_seed_text(struct fuzz_seeds *s, const char *text);

// Random numbers of an input: the same for the same seed and number, on every machine.
struct fuzz_rng {
    unsigned long long state;
};
size_t fuzz_below(struct fuzz_rng *r, size_t n); // n > 0

// Change `text`, of *len bytes and room for FUZZ_LENGTH, in a few places; `other` is a second input
// to take pieces from.
void fuzz_mutate(struct fuzz_rng *r, char *text, size_t *len, const struct fuzz_text *other,
                 const char *const *words);
