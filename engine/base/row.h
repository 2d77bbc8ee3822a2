// SPDX-License-Identifier: MIT
#pragma once

// What every table of choices has in common: activations, norms, losses, optimizers, schedules,
// initialisations.
//
// A row starts with a `struct row`: its name, a sentence, and its hyperparameters (the numbers a
// user may set). The job schema, OpenAPI, api/REFERENCE.md and the tests walk rows and
// hyperparameters; adding a choice is adding a row. A `struct pick` is a row that a job has chosen,
// together with the hyperparameters' values. All of it is constant data, readable from any thread.

#include <stdbool.h>
#include <stddef.h>

// Parameters that a row of its kind has no use for.
#define UNUSED __attribute__((unused))

enum { ROW_HYPERS = 8, TABLE_HYPERS = 4, ROW_ALIASES = 3, HYPER_VALUES = 8, PICK_VALUES = 20 };

enum hyper_type { HYPER_REAL, HYPER_INT, HYPER_BOOL };

// A number of a row. With a count above 1 it is written as a JSON array: of exactly that many
// numbers
// ("betas": [0.9, 0.999]), or with `list` of one to that many ("milestones": [30, 60]), ascending;
// the values that are not given are then NaN.
struct hyper {
    const char *name, *doc;
    enum hyper_type type;
    int count;                // values it holds: 0 and 1 mean one, at most HYPER_VALUES
    bool list;                // count is the most there may be
    double def[HYPER_VALUES]; // when not given
    double min, max;          // inclusive, for every value
};

struct row {
    const char *name; // as in a job definition
    const char *doc;  // one sentence
    // What other libraries call it: accepted, and noted in the reply.
    const char *alias[ROW_ALIASES];
    const char *torch;      // PyTorch's name for it: "torch.nn.ReLU"; NULL: it has none
    const char *no_fixture; // why tests/data/torch_*.json does not prove it; NULL: it does
    struct hyper hyper[ROW_HYPERS];
};

struct table {
    const char *what; // "optimizer": for messages
    const struct row *const *row;
    size_t n;
    struct hyper
        common[TABLE_HYPERS]; // hyperparameters of every row of this table, after the row's own
};

struct pick {
    const struct row *row;     // NULL: nothing chosen
    double value[PICK_VALUES]; // the row's hyperparameters in order, then the table's; a
                               // hyperparameter of count 2 takes two
};

// The row called `name`, or that has it as an alias; NULL when there is none.
const struct row *table_find(const struct table *t, const char *name);

// The row with every hyperparameter at its default. `row` must belong to `t` (or be NULL, which
// picks nothing).
struct pick pick_row(const struct table *t, const struct row *row);

// The k-th hyperparameter of a row of `t`, the row's own first; NULL past the end. `*at` receives
// its place in `value`.
const struct hyper *hyper_at(const struct table *t, const struct row *row, size_t k, size_t *at);

// How many values a hyperparameter holds, of the `count` at `value`: fewer only for a `list`.
size_t hyper_length(const struct hyper *k, const double *value);

// The value of the hyperparameter called `name` (its first, if it holds two). The hyperparameter
// must exist: asking for another is our bug.
double pick_value(const struct table *t, const struct pick *p, const char *name);

// Give the hyperparameter called `name` (its first value) another value.
void pick_set(const struct table *t, struct pick *p, const char *name, double value);
