// SPDX-License-Identifier: MIT
#pragma once

// Inside of schema_read(), shared by its files only: where in the body a value lies, how to
// complain about it, and one reading function per field type. These store the value at `to` or add
// a fault and return, so all faults of a body come together. One reader lives on the stack of one
// schema_read().

#include "api/schema/schema.h"
#include "engine/base/nearest.h"

#include <cJSON.h>

enum { POINTER_MAX = 256 };

// A chain from a value up to the outermost one, printed only for a fault.
struct place {
    const struct place *up; // NULL: the outermost value itself
    const char *key;        // NULL: an element of an array
    size_t index;
};

struct reader {
    struct arena *arena;
    struct faults *faults;
    const struct json_want *raw; // the raw fields' texts
    size_t n_raw;
    bool exact; // only what schema_write() prints: no defaults, no other names
};

typedef void read_fn(struct reader *, const struct field *, const cJSON *, char *to,
                     const struct place *);
read_fn read_bool, read_int, read_whole, read_real, read_seed, read_word, read_string, read_name,
    read_pick;

// Read an object's members into the struct at `base`, defaults and faults included.
void reader_object(struct reader *r, const struct schema *s, const cJSON *json, char *base);

// Print a place as a JSON Pointer, without a NUL. Returns the length, below max.
size_t place_print(const struct place *p, char *out, size_t max);

__attribute__((format(printf, 4, 5))) void reader_fault(struct reader *r, const struct place *at,
                                                        const char *code, const char *fmt, ...);
void reader_wrong_type(struct reader *r, const struct place *at, const cJSON *json,
                       const char *wanted);
void reader_unknown_field(struct reader *r, const struct place *at, const char *meant);
void reader_unknown_value(struct reader *r, const struct place *at, const char *got,
                          nearest_candidate *word, const void *words, size_t n);

// Note that the key there, or with `given` the word there, was taken for `meant`.
void reader_note(struct reader *r, const struct place *at, const char *given, const char *meant);

// False after a fault. With min and max both 0 everything is in range.
bool reader_in_range(struct reader *r, const struct place *at, double min, double max,
                     bool above_min, double x);
bool reader_is_whole(struct reader *r, const struct place *at, double x);

void reader_no_room(struct reader *r, const struct place *at);

// Zeroed room, or a copy, in the arena; NULL after a fault when that is full.
void *reader_room(struct reader *r, const struct place *at, size_t n, size_t size);
const char *reader_keep(struct reader *r, const struct place *at, const char *s);
