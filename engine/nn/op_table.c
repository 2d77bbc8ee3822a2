// SPDX-License-Identifier: MIT
// The tables of ops, from ops.def.

#include "engine/nn/op.h"

const struct op *const op_table[] = {
#define OP(name) &op_##name,
#include "engine/nn/ops.def"
};
const size_t op_count = sizeof op_table / sizeof *op_table;
