// SPDX-License-Identifier: MIT
#pragma once

// The "answer" section of a model file: what the model predicts.

#include "api/json/jsonw.h"
#include "engine/table/answer.h"

void answer_write(const struct answer *a, struct jsonw *w);

// Names are decoded in place, so the text must outlive the answer; arrays are in the arena.
// ERR_INVALID for another version, a task that does not exist, or what no task could have written.
bool answer_read(struct answer *out, char *json, struct arena *a, struct err *e);
