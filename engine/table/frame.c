// SPDX-License-Identifier: MIT
// Columns are few and this runs once a job, so names are searched one by one.

#include "engine/table/frame.h"

#include <string.h>

const struct column *frame_find(const struct frame *f, const char *name)
{
    for (size_t i = 0; i < f->n_column; i++)
        if (strcmp(f->column[i].name, name) == 0)
            return &f->column[i];
    return NULL;
}
