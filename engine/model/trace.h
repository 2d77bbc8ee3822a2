// SPDX-License-Identifier: MIT
#pragma once

// A model opened up: every value of a pass over given rows and, with targets, every gradient of the
// mean loss. Slow and thorough, for people who look; nothing here is on the way of a prediction.
// Used by one thread; everything is in the arena.

#include "engine/model/model.h"
#include "engine/nn/plan.h"

struct trace {
    struct inspection view;
    struct plan plan; // buf[i].v and buf[i].d of node i of view.graph; d NULL where there is none
    real *grad;       // [n_trained]
    size_t rows;
    bool gradients;
};

// x [n, n_in], y [n, n_target] (scaled values or class indices; NULL: no loss, no gradients).
// ERR_TOO_LARGE past the arena.
bool trace_run(struct trace *t, const struct model *m, const real *x, const real *y, size_t n,
               const struct halt *halt, struct arena *a, struct err *e);

// The last node that is worth showing, exclusive: without targets the loss has no meaning.
uint32_t trace_nodes(const struct trace *t);
