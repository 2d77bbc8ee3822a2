// SPDX-License-Identifier: MIT
#pragma once

// Reading a model that the server stored itself.

#include "api/files/model_file.h"
#include "server/store/store.h"

// model_file_read() of the file of `row`. Whoever asks for the model has not written that file, so
// one that is damaged or of another version is ERR_INTERNAL, which names the model and says why;
// the arena's failures stay what they are. Any thread.
bool model_stored_read(struct model_file *f, const struct model_row *row, const char *bytes,
                       size_t len, struct arena *a, struct err *e);
