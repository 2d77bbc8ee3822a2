// SPDX-License-Identifier: MIT
#pragma once

// How the sections of a model file are read: JSON texts that we have written, each with a version
// of its own. Every function expects the next element to be of its kind; `ok` goes false at the
// first that is not and stays so, and then nothing is read any more. Texts are decoded in place.

#include "api/json/json_in.h"
#include "engine/base/arena.h"
#include "engine/base/err.h"

#include <stdbool.h>

struct section {
    const char *what; // "answer": for messages
    char *text;       // that `in` reads
    struct json_in in;
    struct arena *a;
    bool ok;
};

// Check the text of a section and find n members, all of which must be there, and "version", which
// must be `version`. ERR_INVALID says what is wrong.
bool section_open(struct section *s, const char *what, char *json, int version,
                  struct json_want *want, size_t n, struct arena *a, struct err *e);

// True when all has been read; else ERR_INVALID: the section is damaged.
bool section_end(const struct section *s, struct err *e);

// Go to a member.
void section_go(struct section *s, const struct json_want *want);

// The next element of the array: false when it is of another kind or there is none.
bool section_next(struct section *s, enum json_kind kind);
double section_next_number(struct section *s);
double section_next_std(struct section *s);       // positive and normal: values are divided by it
const char *section_next_text(struct section *s); // "" when there is none

// Where the reader stands: a text, an array's length, an array of at most `max` texts, one of some
// words (its place among them).
const char *section_text(struct section *s);
size_t section_length(struct section *s);
const char *const *section_texts(struct section *s, size_t *n, size_t max);
size_t section_word(struct section *s, const char *const *words);
