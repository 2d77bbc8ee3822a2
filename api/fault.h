// SPDX-License-Identifier: MIT
#pragma once

// Everything that is wrong with a request body, place by place, so that a client can mend it in one
// go. Lives in the request's arena.

#include "arena.h"
#include "err.h"

#include <stddef.h>

enum { FAULTS_MAX = 64 }; // further ones are counted, not kept

struct fault {
    const char *code;    // stable word: "unknown_field", "out_of_range", ...; a string constant
    const char *pointer; // JSON Pointer, plain ("/model/layers/0/units"); "" is the whole body
    const char *detail;  // one sentence fragment: what is wrong and what would be right
};

struct faults {
    struct arena *arena;
    struct fault item[FAULTS_MAX];
    size_t n;     // kept in item
    size_t total; // seen
};

void faults_init(struct faults *f, struct arena *a);
__attribute__((format(printf, 4, 5))) void fault_add(struct faults *f, const char *code,
                                                     const char *pointer, const char *fmt, ...);

// Append "/" and the key to the JSON Pointer out[0..n), escaped as RFC 6901 asks; what passes `max`
// bytes is left off. Returns the new length, below max; writes no NUL.
size_t pointer_add(char *out, size_t n, size_t max, const char *key, size_t len);

// False, with e set to ERR_INVALID and a count ("2 fields need attention", or the single fault's
// place and text), when there is any fault; else true.
bool faults_none(const struct faults *f, struct err *e);
