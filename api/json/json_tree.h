// SPDX-License-Identifier: MIT
#pragma once

// Memory for cJSON. Between json_tree_begin() and json_tree_end() whatever cJSON allocates on this
// thread lies in an arena, so a tree that is given up halfway leaks nothing, takes no more than its
// share, and one question at the end tells whether anything found no room: a NULL of cJSON may mean
// that, or a fault of the text. Outside of such a pair cJSON uses malloc() as ever.

#include "engine/base/arena.h"
#include "engine/base/err.h"

#include <stdbool.h>
#include <stddef.h>

struct json_tree {
    struct arena nodes, texts; // apart, so that neither waits for the other's alignment
    void *last;                // text; it alone can be given back before the end
    struct arena_mark before_last;
    struct json_tree *outer;
};

// For a text of `len` bytes. Nothing that comes from cJSON outlives the end.
void json_tree_begin(struct json_tree *t, size_t len);

// False when memory was refused: ERR_TOO_LARGE for a text with too many values, ERR_BUSY when the
// system has none.
bool json_tree_end(struct json_tree *t, struct err *e);
