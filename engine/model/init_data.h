// SPDX-License-Identifier: MIT
#pragma once

// Initial weights that look at the data (Mishkin & Matas 2016, "LSUV"): layer by layer from the
// input on, weights are scaled so that the layer's outputs have variance 1 over all its units, and
// biases moved so that every unit has mean 0.

#include "engine/model/model.h"

// Scale the linear layers whose init row wants it (init_wants_data), after model_init_weights().
// `x` is [n, m->n_in]; up to INIT_DATA_ROWS of its rows are used, the first ones, the way a
// training step would see them. Fewer than two rows, or outputs that do not vary, leave a layer as
// it is. Running statistics stay untouched. Memory in `a` is given back; ERR_TOO_LARGE without
// enough of it, ERR_CANCELLED after a halt. Of no effect where no layer wants it.
bool init_from_data(struct model *m, const real *x, size_t n, const struct halt *halt,
                    struct arena *a, struct err *e);

enum { INIT_DATA_ROWS = 256 };
