// SPDX-License-Identifier: MIT
#pragma once

// Everything that is wrong with a request body, place by place, so that a client can mend it in one
// go; and notes on what was understood otherwise than it was written. Lives in the request's arena.

#include "engine/base/arena.h"
#include "engine/base/err.h"

#include <stdbool.h>
#include <stddef.h>

enum { FAULTS_MAX = 64 };      // further ones are counted, not kept
enum { FAULTS_SUGGESTED = 8 }; // the first ones, for which it is worth looking what was meant
enum { NOTES_MAX = 64 };       // further ones are dropped
enum { FAULT_POINTER_MAX = 512, FAULT_DETAIL_MAX = 512 }; // bytes; the rest is cut off

struct fault {
    const char *code;    // stable word: "unknown_field", "out_of_range", ...; a string constant
    const char *pointer; // JSON Pointer, plain ("/model/layers/0/units"); "" is the whole body
    const char *detail;  // one sentence fragment: what is wrong and what would be right
};

// What the client wrote at `from` now stands at `to`.
struct moved {
    const struct moved *before; // the move before this one
    const char *from, *to;
};

struct faults {
    struct arena *arena;
    struct fault item[FAULTS_MAX];
    size_t n;                    // kept in item
    size_t total;                // seen
    const char *note[NOTES_MAX]; // "max_iter became training.epochs"
    size_t n_note;
    const struct moved *moved; // the last one
    bool of_query; // pointers are "/" and the name of a query parameter; nothing is in a body
};

void faults_init(struct faults *f, struct arena *a);
__attribute__((format(printf, 4, 5))) void fault_add(struct faults *f, const char *code,
                                                     const char *pointer, const char *fmt, ...);

// From now on a fault at `to`, or below it, is reported at `from`: values are moved before they are
// checked, and clients look for faults where they wrote.
void fault_move(struct faults *f, const char *from, const char *to);

// Where the client wrote what stands at the pointer.
const char *fault_origin(const struct faults *f, const char *pointer);

// Let a failure name the place where the client wrote.
void faults_place(const struct faults *f, struct err *e);

__attribute__((format(printf, 2, 3))) void note_add(struct faults *f, const char *fmt, ...);

// A JSON Pointer as people write keys, "training.epochs", in the arena.
const char *note_key(const struct faults *f, const char *pointer);

// Append "/" and the key to the JSON Pointer out[0..n), escaped as RFC 6901 asks; what passes `max`
// bytes is left off. Returns the new length, below max; writes no NUL.
size_t pointer_add(char *out, size_t n, size_t max, const char *key, size_t len);

// False, with e set to ERR_INVALID and a count ("2 fields need attention", or the single fault's
// place and text), when there is any fault; else true.
bool faults_none(const struct faults *f, struct err *e);
