// SPDX-License-Identifier: MIT
// See losslab.h.

#include "tests/engine/nn/losslab.h"

#include "tests/harness.h"
#include "engine/nn/role.h"

#include <string.h>

const struct op *loss_named(const char *name)
{
    const struct row *row = table_find(&loss_table, name);
    ck_assert_msg(row, "no loss \"%s\"", name);
    return (const struct op *)(const void *)row;
}

struct loss_result loss_run(const struct op *op, const double *hyper, uint32_t n_z, const double *z,
                            uint32_t n_y, const double *y)
{
    real zv[LOSS_COLS], zd[LOSS_COLS], yv[LOSS_COLS], save[2 * LOSS_COLS], loss, one = 1;
    struct step s = {.op = op,
                     .out = {&loss, &one, 1, 1},
                     .in = {{zv, zd, 1, n_z}, {yv, NULL, 1, n_y}},
                     .save = save};
    struct loss_result r = {0};
    for (uint32_t i = 0; i < n_z; i++)
        zv[i] = (real)z[i];
    for (uint32_t i = 0; i < n_y; i++)
        yv[i] = (real)y[i];
    memcpy(s.value, hyper, 2 * sizeof *hyper);
    op->forward(&s, (struct tile){0, 0, 1, 0, 1});
    op->backward(&s, (struct tile){0, 0, 1, 0, 1});
    r.loss = (double)loss;
    for (uint32_t i = 0; i < n_z; i++)
        r.dz[i] = (double)zd[i];
    return r;
}

uint32_t loss_outputs(const struct op *op)
{
    return op->probe[0].cols == 1 ? 1 : LOSS_COLS;
}

uint32_t loss_targets(const struct op *op)
{
    if (loss_of(op)->outputs)
        return loss_outputs(op) / (uint32_t)loss_of(op)->outputs;
    return op->probe[1].cols == 1 ? 1 : loss_outputs(op);
}
