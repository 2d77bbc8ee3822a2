// SPDX-License-Identifier: MIT
#pragma once

// Initial weights: rows of init_table. Formulas are torch.nn.init's; biases start at zero except
// under `torch`, which is what torch.nn.Linear itself does.

#include "real.h"
#include "row.h"

#include <stddef.h>
#include <stdint.h>

struct init {
    struct row row;
    bool normal; // normal rather than uniform
    bool bias;   // biases are drawn as well, U(±1/√fan_in)
    // Standard deviation of the weights of a layer; gain is that of the activation behind it.
    double (*deviation)(double fan_in, double fan_out, double gain);
};

// Fill weight [outputs, inputs] and bias [outputs]. Numbers are a function of the key.
void init_linear(const struct pick *p, double gain, uint64_t key, real *weight, size_t outputs,
                 size_t inputs, real *bias);
