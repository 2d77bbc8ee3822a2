// SPDX-License-Identifier: MIT
#pragma once

// One op of op_table on sample inputs drawn from its probes, with a random projection of its output
// as the loss. Shapes, inputs and projection are a function of the op and the seed.

#include "engine/nn/op.h"

struct oplab {
    struct step s;
    real *weight; // the projection, [rows, cols] of the output
    uint64_t key;
    real *first[OP_INPUTS]; // running statistics as they were at first
};

// Inputs as the probes say, `rows` rows where the batch is meant; rows 0: 1 to 9 of them, and other
// columns too: sizes that are equal in the probes stay equal, those of 1 stay 1, and shapes that
// the op refuses are not drawn.
struct oplab oplab_new(const struct op *op, uint32_t rows, uint64_t seed);
void oplab_free(struct oplab *lab);

static inline size_t oplab_cells(struct buf b)
{
    return (size_t)b.rows * b.cols;
}

// Put back the running statistics that forward passes have moved; each pass begins with it.
void oplab_rewind(struct oplab *lab);

// Σ projection · output, having computed the output.
double oplab_loss(struct oplab *lab);

// The gradients of that, for the inputs that have one.
void oplab_backward(struct oplab *lab);

// Everything as flat lists of double, so that builds with another `real` can be compared. The
// inputs and the projection of op_table[op], drawn from their probes or, for the first input of an
// activation with `wide`, from the whole line; their number. movable[i]: not a whole number.
enum { OPLAB_MOST = 8192 };
size_t oplab_draw(size_t op, uint64_t seed, bool wide, double *x, bool *movable);

// Output and gradients for the inputs that oplab_draw() gave, perhaps moved a little; their number.
// oplab_eval_double() is the same function of a build with real = double.
size_t oplab_eval(size_t op, uint64_t seed, const double *x, double *y);
size_t oplab_eval_double(size_t op, uint64_t seed, const double *x, double *y);
