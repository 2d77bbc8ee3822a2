// SPDX-License-Identifier: MIT
// See average.h.

#include "engine/train/average.h"

#include <math.h>

int average_epochs(const struct train_spec *s, int epochs)
{
    double n = s->swa * epochs;
    return n > epochs ? epochs : (int)ceil(n - 1e-9);
}

bool average_wanted(const struct train_spec *s)
{
    return s->ema > 0 || s->swa > 0;
}
