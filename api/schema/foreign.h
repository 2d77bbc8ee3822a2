// SPDX-License-Identifier: MIT
#pragma once

// Options of other libraries, accepted in a job definition: the parameters of scikit-learn's
// MLPClassifier and MLPRegressor and of H2O's deep learning, flat at the top as they are written
// there. A row says where an option goes; foreign_rewrite() moves what it finds, before the schema
// reads the body, and notes what became of it. An option without a counterpart is a fault that says
// what to use instead, unless it has the value at which it does nothing. Any thread.

#include "api/schema/schema.h"

#include <stddef.h>

struct foreign_use;

// What a word of theirs is in ours, as JSON; NULL: nothing has to be said. Case and underscores do
// not count in `given`.
struct foreign_word {
    const char *given, *means;
};

struct foreign {
    const char *name;
    const char *to;                  // JSON Pointer, with * for every layer; NULL: goes nowhere
    const char *off;                 // value at which it does nothing; "": it never does anything
    const char *doc;                 // goes nowhere: why, or what to use instead; else a remark
    const struct foreign_word *word; // values that are called something else, then {0}
    bool own;                        // one of our names too: only the words are looked at
    bool weak;                       // gives way to what is said otherwise
    void (*turn)(struct foreign_use *); // anything else there is to it; runs before the words
};

extern const struct foreign foreign_table[]; // in the order in which they are applied
extern const size_t foreign_count;

// One option that is being applied. A turn may change `value` (which it owns), `to` or `weak`, or
// say why nothing comes of it.
struct foreign_use {
    const struct foreign *row;
    const struct schema *schema;
    struct cJSON *root, *value;
    struct faults *faults;
    const char *to;
    bool weak;
    bool placed;         // arrived somewhere
    const char *ignored; // why not
    const char *refused; // what to use instead
};

// Of struct schema: what `rewrite` of the job definition is.
void foreign_rewrite(const struct schema *s, struct cJSON *body, struct faults *f);

// Likewise what `rewrites` is: an option's name, and what becomes of it.
const char *foreign_name(size_t i, const char **doc);

// Replace the option's value.
void foreign_value(struct foreign_use *u, struct cJSON *value);

// Put a value at `to`, or a fault if something is there.
void foreign_put(struct foreign_use *u, const char *to, const struct cJSON *value);

// Put a number at `to`, which is not shown in the option's note, and gives way.
void foreign_also(struct foreign_use *u, const char *to, double value);

// What the definition says so far: the word a choice is called, its default included; "" when it
// is none.
const char *foreign_chosen(const struct foreign_use *u, const char *pointer);

// Whether two words are the same but for case and underscores.
bool foreign_same(const char *a, const char *b);
