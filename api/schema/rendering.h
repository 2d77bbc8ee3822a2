// SPDX-License-Identifier: MIT
#pragma once

// A form that a reply can be sent in: JSON for programs, a picture for people, a table for other
// tools. A route's row points to the list of those it has (route.h); its handler fills one model of
// the reply, and the row that was chosen writes it. A client chooses by a suffix of the path
// ("metrics.svg"), by the query where the route takes "format", or by Accept; server/http knows how
// for all routes, api/docs lists what there is. Constant data and pure functions, any thread.

#include "engine/base/arena.h"
#include "engine/base/err.h"

#include <stddef.h>

struct rendering {
    const char *name;  // its suffix, and its word in the query: "svg"
    const char *media; // Content-Type: "image/svg+xml". All text is UTF-8
    const char *doc;   // one sentence
    // The reply as text in the arena, NUL-terminated, with its length. `model` is what the list
    // is of: struct graph_doc, struct chart. NULL and ERR_TOO_LARGE when the arena is full.
    const char *(*write)(const void *model, size_t *len, struct arena *a, struct err *e);
};

enum { RENDERING_WORDS = 160 };

// The row with that name among a list that ends in NULL; NULL when it has none.
const struct rendering *rendering_find(const struct rendering *const *list, const char *name);

// "json, svg or dot", for messages; cut short where it does not fit.
const char *rendering_names(const struct rendering *const *list, char out[RENDERING_WORDS]);

// The same with media types: "application/json, image/svg+xml or text/csv".
const char *rendering_media(const struct rendering *const *list, char out[RENDERING_WORDS]);
