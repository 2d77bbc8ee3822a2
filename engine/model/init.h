// SPDX-License-Identifier: MIT
#pragma once

// Initial weights: rows of init_table. Formulas are torch.nn.init's; biases start at zero except
// under `torch`, which is what torch.nn.Linear itself does. Numbers are a function of the key, in
// any order and on any thread.

#include "engine/base/halt.h"
#include "engine/base/real.h"
#include "engine/base/row.h"

#include <stddef.h>
#include <stdint.h>

// A linear layer to be filled.
struct init_layer {
    const double *value; // the row's hyperparameters; init_linear() sets it
    double gain;         // of the activation behind it: what Kaiming's formulas multiply by
    uint64_t key;
    real *weight; // [outputs, inputs]
    size_t outputs, inputs;
    real *bias;              // [outputs]; zero when fill() is called
    const struct halt *halt; // NULL: nobody wants it to end
};

struct init {
    struct row row;
    void (*fill)(const struct init_layer *l);
    bool from_data; // scaled afterwards by what the first rows make of it: init_data.h
};

extern const struct table init_table;

// Fill a layer's weight and bias as the pick says. What its halt has cut short is the caller's to
// notice.
void init_linear(const struct pick *p, const struct init_layer *layer);

static inline bool init_wants_data(const struct pick *p)
{
    return ((const struct init *)(const void *)p->row)->from_data;
}

// Turn a weight [outputs, inputs] of full rank into orthonormal columns, or rows where there are
// fewer of them, that span the same, times gain.
void init_orthogonalize(const struct init_layer *l);
