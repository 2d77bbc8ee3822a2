// SPDX-License-Identifier: MIT
#pragma once

// What every table of choices has in common: activations, norms, losses, optimizers, schedules,
// initialisations.
//
// A row starts with a `struct row`: its name, a sentence, and its knobs (the numbers a user may
// set). The job schema, OpenAPI, api/REFERENCE.md and the tests walk rows and knobs; adding a
// choice is adding a row. A `struct pick` is a row that a job has chosen, together with the knobs'
// values. All of it is constant data, readable from any thread.

#include <stdbool.h>
#include <stddef.h>

// Parameters that a row of its kind has no use for.
#define UNUSED __attribute__((unused))

enum { ROW_KNOBS = 8, TABLE_KNOBS = 4, ROW_ALIASES = 3, KNOB_VALUES = 8, PICK_VALUES = 20 };

enum knob_type { KNOB_REAL, KNOB_INT, KNOB_BOOL };

// A number of a row. With a count above 1 it is written as a JSON array: of exactly that many
// numbers
// ("betas": [0.9, 0.999]), or with `list` of one to that many ("milestones": [30, 60]), ascending;
// the values that are not given are then NaN.
struct knob {
    const char *name, *doc;
    enum knob_type type;
    int count;               // values it holds: 0 and 1 mean one, at most KNOB_VALUES
    bool list;               // count is the most there may be
    double def[KNOB_VALUES]; // when not given
    double min, max;         // inclusive, for every value
};

struct row {
    const char *name; // as in a job definition
    const char *doc;  // one sentence
    // What other libraries call it: accepted, and noted in the reply.
    const char *alias[ROW_ALIASES];
    const char *torch;      // PyTorch's name for it: "torch.nn.ReLU"; NULL: it has none
    const char *no_fixture; // why tests/data/torch_*.json does not prove it; NULL: it does
    struct knob knob[ROW_KNOBS];
};

struct table {
    const char *what; // "optimizer": for messages
    const struct row *const *row;
    size_t n;
    struct knob common[TABLE_KNOBS]; // knobs of every row of this table, after the row's own
};

struct pick {
    const struct row *row;     // NULL: nothing chosen
    double value[PICK_VALUES]; // the row's knobs in order, then the table's; a knob of count 2
                               // takes two
};

// The row called `name`, or that has it as an alias; NULL when there is none.
const struct row *table_find(const struct table *t, const char *name);

// The row with every knob at its default. `row` must belong to `t` (or be NULL, which picks
// nothing).
struct pick pick_row(const struct table *t, const struct row *row);

// The k-th knob of a row of `t`, the row's own first; NULL past the end. `*at` receives its place
// in `value`.
const struct knob *knob_at(const struct table *t, const struct row *row, size_t k, size_t *at);

// How many values a knob holds, of the `count` at `value`: fewer only for a `list`.
size_t knob_length(const struct knob *k, const double *value);

// The value of the knob called `name` (its first, if it holds two). The knob must exist: asking for
// another is our bug.
double pick_value(const struct table *t, const struct pick *p, const char *name);

// Give the knob called `name` (its first value) another value.
void pick_set(const struct table *t, struct pick *p, const char *name, double value);
