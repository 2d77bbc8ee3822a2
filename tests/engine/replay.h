// SPDX-License-Identifier: MIT
#pragma once

// Trains what a case of fixture.h describes and compares every step with PyTorch's: losses, rates
// and weights, to 1e-6 in double and 1e-4 in single precision, relative above 0.1 and absolute
// below.

#include "tests/engine/fixture.h"

// Largest deviation seen. More than allowed fails the test, naming row, step and weight.
double replay(const struct fixture *f, struct arena *a);
