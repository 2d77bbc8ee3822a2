// SPDX-License-Identifier: MIT
#pragma once

// One daemon for all tests that do not stop theirs: started before the first, stopped after the
// last. What is on it from the start, for tests to lean on and none to remove:
//
//     dataset "iris"     the training part
//     job 1, model "iris"     trained on it
//     job 2     cancelled, so without a model
//     dataset "shop", model "shop"     a number and a text column with gaps; target "price"

#include "tests/e2e/client.h"

const struct daemon *scene(void);

// A job that takes minutes, for tests that stop it.
extern const char endless_job[];

// A job of high priority whose first epoch takes seconds, so that a death of the daemon comes
// before one is stored, and its table.
extern const char slow_job[];
void upload_slow(const struct daemon *d);
