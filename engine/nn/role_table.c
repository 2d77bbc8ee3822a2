// SPDX-License-Identifier: MIT
// The tables of activations, norms and losses, from ops.def: see role.h.

#include "engine/nn/role.h"

#define TABLE(word, rows)                                                                          \
    {                                                                                              \
        .what = (word), .row = (rows), .n = sizeof(rows) / sizeof *(rows)                          \
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

const struct activation *activation_of(const struct op *op)
{
    for (size_t i = 0; i < sizeof activation_list / sizeof *activation_list; i++)
        if (activation_list[i]->op == op)
            return activation_list[i];
    return NULL;
}

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

const struct norm *norm_of(const struct op *op)
{
    for (size_t i = 0; i < sizeof norm_list / sizeof *norm_list; i++)
        if (norm_list[i]->op == op)
            return norm_list[i];
    return NULL;
}

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

const struct loss *loss_of(const struct op *op)
{
    for (size_t i = 0; i < sizeof loss_list / sizeof *loss_list; i++)
        if (loss_list[i]->op == op)
            return loss_list[i];
    return NULL;
}
