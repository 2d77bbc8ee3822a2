// SPDX-License-Identifier: MIT
#pragma once

// A model of the store as a reply shows it. handle_models.c has it.

#include "api/views/model_view.h"
#include "server/http/call.h"
#include "server/store/store.h"

// Strings stay the row's. ERR_INTERNAL when JSON in the row is damaged.
bool model_fill(struct call *c, const struct model_row *row, struct model_reply *out,
                struct err *e);
