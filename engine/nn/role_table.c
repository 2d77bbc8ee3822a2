// SPDX-License-Identifier: MIT
// The tables of activations, norms and losses, from ops.def: see role.h.

#include "engine/nn/role.h"

#define TABLE(word, rows)                                                                          \
    {                                                                                              \
        .what = (word), .row = (rows), .n = sizeof(rows) / sizeof *(rows)                          \
    }

// The row of its kind that points at the op.
#define OF_OP(kind)                                                                                \
    const struct kind *kind##_of(const struct op *op)                                              \
    {                                                                                              \
        for (size_t i = 0; i < kind##_table.n; i++)                                                \
            if (kind##_list[i]->op == op)                                                          \
                return kind##_list[i];                                                             \
        return NULL;                                                                               \
    }

static const struct activation *const activation_list[] = {
#define OP(name)
#define ACTIVATION(name) &activation_##name,
#define NORM(name)
#define LOSS(name)
#include "engine/nn/ops.def"
};
static const struct row *const activation_row[] = {
#define OP(name)
#define ACTIVATION(name) &op_##name.row,
#define NORM(name)
#define LOSS(name)
#include "engine/nn/ops.def"
};
const struct table activation_table = TABLE("activation", activation_row);

OF_OP(activation)

static const struct norm *const norm_list[] = {
#define OP(name)
#define ACTIVATION(name)
#define NORM(name) &norm_##name,
#define LOSS(name)
#include "engine/nn/ops.def"
};
static const struct row *const norm_row[] = {
#define OP(name)
#define ACTIVATION(name)
#define NORM(name) &op_##name.row,
#define LOSS(name)
#include "engine/nn/ops.def"
};
const struct table norm_table = TABLE("norm", norm_row);

OF_OP(norm)

const struct loss *const loss_list[] = {
#define OP(name)
#define ACTIVATION(name)
#define NORM(name)
#define LOSS(name) &loss_##name,
#include "engine/nn/ops.def"
};
static const struct row *const loss_row[] = {
#define OP(name)
#define ACTIVATION(name)
#define NORM(name)
#define LOSS(name) &op_##name.row,
#include "engine/nn/ops.def"
};
const struct table loss_table = TABLE("loss", loss_row);

OF_OP(loss)
