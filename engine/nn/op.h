// SPDX-License-Identifier: MIT
#pragma once

// An op is its row: name, sentence, hyperparameters, shape rule, kernels and the sample input that
// tests need. Adding one is writing its row next to its kernels (ops_*.c) and one line in ops.def;
// the job schema, OpenAPI, the reference, the gradient check and the float-against-double check
// follow by walking op_table. What an op is as an activation, a norm or a loss stands in a row of
// that kind (role.h).
//
// Kernels run on many threads at once, each on another tile of the same step, and must not depend
// on which. A forward kernel writes its tile of the output. A backward kernel turns the output's
// gradient into the inputs': for each input k with a gradient (in[k].d not NULL) it stores when
// add[k] is false (the step is that buffer's first writer, so nothing has to be cleared) and adds
// when it is true. Both read and write only rows [r0, r1) and columns [c0, c1) of batch-shaped
// buffers, or what `part` says.

#include "engine/base/real.h"
#include "engine/base/row.h"

#include <stdbool.h>
#include <stdint.h>

enum { OP_INPUTS = 5, OP_PARAMS = 4 };

// Which cells of the output one call may be asked for without knowing the others: how far steps can
// share tiles.
enum op_span {
    SPAN_CELL,   // any rectangle: elementwise
    SPAN_COLUMN, // whole columns: statistics over the batch
    SPAN_ROW,    // whole rows: softmax, losses
    SPAN_ALL,    // everything at once
};

struct tile {
    uint32_t part; // op-specific: which of several pieces of work; 0 otherwise
    uint32_t r0, r1, c0, c1;
};

struct buf {
    real *v;             // values [rows, cols]
    real *d;             // gradient of the loss, same shape; NULL when no parameter lies upstream
    uint32_t rows, cols; // rows is the plan's capacity where the batch is meant
};

// One op of a plan with every pointer resolved.
struct step {
    const struct op *op;
    struct buf out, in[OP_INPUTS];
    bool add[OP_INPUTS];       // backward: add to in[k].d rather than store
    double value[PICK_VALUES]; // the row's hyperparameters
    real *save;                // op's own memory, from forward to backward
    const uint64_t *key;       // randomness of this pass: changes with every training step
    uint32_t node;             // place in the graph; mixed into the key
};

// Where tiles go while a plan is made.
struct tiling {
    struct tile *tile; // NULL while counting
    uint32_t n;
};

// A parameter or running statistic that a norm or activation brings along, [1, cols of its input].
struct op_param {
    const char *name; // "weight", "running_mean"
    bool buffer;      // updated by the op itself, not by the optimizer
    bool per_row;     // [1, rows of its input] instead: norms of a weight
    bool positive;    // never below 0: variances
    real init;        // every value at the start
    // The i-th value at the start, from the hyperparameters and the layer's weight, which has been
    // drawn already. NULL: init.
    double (*start)(const double *value, const struct buf *weight, size_t i);
};

// The sample input of the table-walking tests for one input of the op.
struct probe {
    uint32_t rows, cols; // rows 0: the batch
    double lo, hi;       // range of the values
    double gap;          // values closer to a kink than this are not drawn
    double kink[2];      // where: 0 and 0 when not given
    bool whole;          // whole numbers: class indices
};

struct op {
    struct row row;
    enum op_span span;
    int arity;        // inputs, parameters included; they come last
    bool reads_in;    // backward looks at in[0].v
    bool reads_out;   // backward looks at out.v
    uint32_t no_grad; // bit k: input k never has a gradient (targets, running statistics)
    struct op_param param[OP_PARAMS];
    bool reduces;           // one number of the whole batch, rather than of every row
    bool in_place;          // may write over its input where nothing else reads that
    const struct op *serve; // what stands in for it outside training; NULL: itself
    bool train_only;        // simply absent outside training (dropout)
    // Columns of the output, from the shapes of the inputs; 0 when they do not fit. NULL: like
    // in[0].
    uint32_t (*cols)(const struct buf *in);
    // Columns of the output of an activation that makes one of several, from the hyperparameters.
    // NULL: see `cols`.
    uint32_t (*width)(const double *value, uint32_t cols);
    // Rows of the output like `cols`, for ops over parameters; NULL: the batch (1 for OP_REDUCE).
    uint32_t (*rows)(const struct buf *in);
    // Why the hyperparameters do not fit an input of `cols` columns, as a sentence for the user;
    // NULL: they do. For rows with such hyperparameters (group norm, maxout).
    const char *(*misfit)(const double *value, uint32_t cols);
    size_t (*save)(const struct buf *in); // reals of memory from forward to backward; NULL: none
    // Cut the step's work into tiles; NULL: by span, see tiles_forward().
    void (*forward_tiles)(const struct step *s, struct tiling *t);
    void (*backward_tiles)(const struct step *s, struct tiling *t);
    void (*forward)(const struct step *s, struct tile t);
    void (*backward)(const struct step *s, struct tile t);
    struct probe probe[OP_INPUTS];
};

extern const struct op *const op_table[];
extern const size_t op_count;

#define OP(name) extern const struct op op_##name;
#include "engine/nn/ops.def"

// The op whose row a job has picked; NULL for none.
static inline const struct op *pick_op(const struct pick *p)
{
    return (const struct op *)(const void *)p->row;
}

// Append a tile.
void tiling_add(struct tiling *t, struct tile tile);

// Cut the rows x cols result of a matrix product (rows 0: cols is the number of its rows) that is
// worth `most` tiles into blocks of about equal size along one side: columns when there are enough
// of them, else rows. Blocks are multiples of 16 columns or 8 rows. Where they would take long they
// are cut again, along rows, at multiples of GEMM_ROWS. The cut depends on the arguments only.
void tiling_cut(struct tiling *t, uint32_t part, uint32_t rows, uint32_t cols, double most);

// Cut a rows x cols rectangle as the span allows, into tiles worth handing to a thread.
void tiling_span(struct tiling *t, uint32_t part, enum op_span span, uint32_t rows, uint32_t cols);

// Columns of the step's output, from its inputs and hyperparameters; 0 when the inputs do not fit.
uint32_t step_cols(const struct step *s);

// The tiles of a step, from its own function or its span.
void step_forward_tiles(const struct step *s, struct tiling *t);
void step_backward_tiles(const struct step *s, struct tiling *t);
