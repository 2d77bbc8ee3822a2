// SPDX-License-Identifier: MIT
#pragma once

// What an op is to a network: an activation, a norm or a loss that a job can pick by name. A row
// points at the op and holds what only its role needs; it stands next to the op (ops_*.c), and its
// line in ops.def says which kind it is. Constant data.

#include "engine/nn/op.h"

struct activation {
    const struct op *op;
    double (*gain)(const double *value); // what Kaiming's formulas multiply the deviation by; NULL:
                                         // 1
    bool bounded;                        // values stay within bound[0], bound[1]; close to them
    double bound[2];                     // they are saturated
    bool dies;                           // a unit that is 0 for every row has no gradient any more
};

struct norm {
    const struct op *op;
    bool on_weight; // applied to the layer's weight [outputs, inputs], not to its output
    // Norms with running statistics: the share of a new batch in them. NULL: it has none.
    double (*new_share)(const double *value);
};

// What the targets of a row are, and thereby its answer. Losses and metrics say which they fit;
// tasks (engine/table/task.h) say which they are.
enum target_form {
    FORM_VALUES = 1,      // numbers
    FORM_TWO_CLASSES = 2, // the index of one of two classes
    FORM_CLASSES = 4,     // the index of one of several
    FORM_LABELS = 8,      // 0 or 1 for each label
    FORM_SHARES = 16      // numbers that sum to 1
};

// How a regression's targets are scaled before the loss sees them.
enum target_scale {
    TARGET_STANDARD, // (y - mean) / std
    TARGET_MEAN,     // y / mean, for losses of positive values with a log link
};

struct loss {
    const struct op *op;
    const struct op *link; // turns the network's output into the prediction; NULL: nothing to do
    int forms;             // bits of enum target_form
    // Network outputs for n classes; NULL: one in all.
    uint32_t (*class_outputs)(size_t n_class);
    int outputs;  // regressions: network outputs per target; 0: one
    bool smooths; // its first hyperparameter is the share of label smoothing
    enum target_scale scale;
    double target_min;     // with TARGET_MEAN: smallest target allowed,
    bool target_above_min; // or not even that one
    // The loss of an answer that knows nothing, of n classes; NULL: unknown.
    double (*chance)(size_t n_class);
};

extern const struct table activation_table, norm_table, loss_table;
extern const struct loss *const loss_list[]; // [loss_table.n]

#define OP(name)
#define ACTIVATION(name) extern const struct activation activation_##name;
#define NORM(name) extern const struct norm norm_##name;
#define LOSS(name) extern const struct loss loss_##name;
#include "engine/nn/ops.def"

// The row of that kind for an op; NULL for NULL and for what is none.
const struct activation *activation_of(const struct op *op);
const struct norm *norm_of(const struct op *op);
const struct loss *loss_of(const struct op *op);

// Network outputs per target, and in all.
static inline uint32_t loss_per_target(const struct loss *l)
{
    return l->outputs ? (uint32_t)l->outputs : 1;
}

static inline uint32_t loss_width(const struct loss *l, size_t n_class, size_t n_target)
{
    if (n_class && l->class_outputs)
        return l->class_outputs(n_class);
    return (uint32_t)n_target * loss_per_target(l);
}

// The row that a job has picked; NULL for none.
static inline const struct activation *pick_activation(const struct pick *p)
{
    return activation_of(pick_op(p));
}

static inline const struct norm *pick_norm(const struct pick *p)
{
    return norm_of(pick_op(p));
}

static inline const struct loss *pick_loss(const struct pick *p)
{
    return loss_of(pick_op(p));
}
