// SPDX-License-Identifier: MIT
#pragma once

// Preprocessing: from a frame's columns, or a client's raw cells, to the features and targets a
// network wants. Fitted on training rows only, stored inside the model, so /predict takes raw
// values. Read-only after prep_fit(), from any thread.
//
// Whatever looks at all rows takes a halt and fails with ERR_CANCELLED after it; the functions that
// cannot fail stop in the middle, which their caller has to notice.
//
// A numeric column takes one feature, (x - mean) / std (std 0 counts as 1; gaps become the mean,
// thus 0 when standardised), and a second one, 0 or 1, when it had gaps in training and indicators
// are wanted. A categorical column takes one 0/1 feature per kept level (the 254 most frequent in
// the training rows; ties by order of appearance) and one more for everything else: missing, rare
// and never seen.

#include "engine/base/arena.h"
#include "engine/base/err.h"
#include "engine/base/halt.h"
#include "engine/nn/role.h"
#include "engine/table/prep_types.h"

// One raw value given by a client.
enum cell_kind { CELL_MISSING, CELL_NUMBER, CELL_TEXT };
struct cell {
    enum cell_kind kind;
    double number;
    const char *text; // not NUL-terminated
    size_t len;
};

// Which rows are for what. Rows that lack a target or weigh 0 are in none of them. Each array is a
// random permutation of its part.
struct split {
    uint32_t *train, *val, *test;
    size_t n_train, n_val, n_test, n_dropped;
};

// Choose inputs, targets, weights, task and classes; refuse what cannot train. Errors carry the
// pointer of the job field at fault: "/target" (with the index where there are several: absent,
// with the nearest name suggested; all missing; one class only; too many classes for a
// classification; a label that is neither 0 nor 1, a negative share, shares whose sum is off 1 by
// more than 1e-6), "/features/exclude" or "/features/types" (unknown column), "/weights" (unknown,
// no numbers, missing, negative, all 0), "/class_weight" (not a classification), "/task". TASK_AUTO
// means classification for a single target of text and for a numeric one with two distinct values;
// for several targets labels where each is 0 or 1 (or no and yes, false and true); else regression.
bool prep_init(struct prep *p, const struct frame *f, const struct data_spec *s,
               const struct halt *halt, struct arena *a, struct err *e);

// Shuffled, stratified when asked and possible. A part with a share above 0 gets at least one row.
// Fails with "/split" when training or a wanted part would be empty.
bool prep_split(const struct prep *p, const struct frame *f, const struct data_spec *s,
                struct split *out, const struct halt *halt, struct arena *a, struct err *e);

// Learn means, levels, the targets' scales and the classes' weights from the given rows; sets every
// column's at/width and n_feature. The loss that the job picks (NULL: the task's own) says how
// targets are scaled; a regression's target below its least fails with "/target", whichever part
// its row is in. Names in s->class_weight that are no class count for nothing. Fails with
// ERR_TOO_LARGE past PREP_MAX_FEATURES.
bool prep_fit(struct prep *p, const struct frame *f, const struct data_spec *s,
              const struct loss *loss, const uint32_t *row, size_t n, const struct halt *halt,
              struct arena *a, struct err *e);

// Make prep_find() and prep_encode_cell() fast. prep_fit() ends with it; whoever reads a prep from
// a file calls it once names and levels are in place. ERR_INVALID when two inputs, or two levels of
// one, are called alike. Without memory it succeeds, and then they are searched one by one.
bool prep_index(struct prep *p, const struct halt *halt, struct arena *a, struct err *e);

// x [n, n_feature] and y [n, n_target] (scaled values, a class index, labels or shares) for the
// given rows of the frame that p was fitted on or bound to. A target that is missing, of no known
// class or neither of a label's two values is NaN.
void prep_encode(const struct prep *p, const struct frame *f, const uint32_t *row, size_t n,
                 real *x, const struct halt *halt);
void prep_encode_target(const struct prep *p, const struct frame *f, const uint32_t *row, size_t n,
                        real *y, const struct halt *halt);

// Whether rows differ in weight: by a column of weights or by class.
bool prep_weighted(const struct data_spec *s);

// w [n]: the row's own weight times its class's, in units of the mean over the rows that p was
// fitted on. For rows of a struct split.
void prep_encode_weights(const struct prep *p, const struct frame *f, const uint32_t *row, size_t n,
                         real *w, const struct halt *halt);

// Whether a row has all of its targets and weighs something: else it can neither train nor score.
bool prep_usable(const struct prep *p, const struct frame *f, uint32_t row);

// Bind a prep read from a model file to another frame, so that the two functions above (with
// another frame's columns) work for scoring: columns are found by name, slot tables built. Fails
// with "/dataset" naming the first column the frame lacks or has in a type that cannot be
// converted, or shares that are none. A frame without the targets is fine.
bool prep_bind(struct prep *bound, const struct prep *p, const struct frame *f,
               const struct halt *halt, struct arena *a, struct err *e);

// Whether both are about the same columns in the same way.
bool prep_same_targets(const struct prep *p, const struct prep *q);

// Take over the inputs of another prep, as they were fitted, in place of p's own, and the scale of
// the target where it is the same; f is p's frame.
// Fails with "/dataset" as prep_bind() does, with "/target" when the target is one of those inputs.
bool prep_adopt(struct prep *p, const struct prep *from, const struct frame *f,
                const struct halt *halt, struct arena *a, struct err *e);

// Write the features of input column k for one raw cell into the row x [n_feature]. A number given
// for a categorical column is matched by its shortest decimal text; a text given for a numeric
// column must parse as a number (else ERR_INVALID; the caller adds the pointer); missing spellings
// ("", "?", "NA", "NaN", "null") count as missing.
bool prep_encode_cell(const struct prep *p, size_t k, const struct cell *c, real *x, struct err *e);

// Index of the input column called name[0..len), or n_column when there is none. O(1) on average.
size_t prep_find(const struct prep *p, const char *name, size_t len);

// Index of the class with this name, or n_class when there is none.
size_t prep_class(const struct prep *p, const char *name);
