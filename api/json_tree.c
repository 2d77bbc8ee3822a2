// SPDX-License-Identifier: MIT
// See json_tree.h. A value takes 64 bytes and its key or text, so 2 bytes of text can become 64: a
// short text may have nothing but such values, a long one is refused long before it has.

#include "json_tree.h"

#include <cJSON.h>
#include <stdlib.h>

enum { TREE_BASE = 3 << 20, TREE_FACTOR = 2 };

static _Thread_local struct arena *current;

static void *tree_alloc(size_t n)
{
    return current ? arena_alloc(current, n, 1) : malloc(n);
}

static void tree_free(void *p)
{
    if (!current)
        free(p);
}

__attribute__((constructor)) static void install(void)
{
    cJSON_InitHooks(&(cJSON_Hooks){.malloc_fn = tree_alloc, .free_fn = tree_free});
}

void json_tree_begin(struct json_tree *t, size_t len)
{
    arena_init(&t->arena, TREE_BASE + TREE_FACTOR * len);
    t->outer = current;
    current = &t->arena;
}

bool json_tree_end(struct json_tree *t, struct err *e)
{
    enum arena_lack lack = t->arena.lack;
    current = t->outer;
    arena_release(&t->arena);
    if (lack == ARENA_NO_MEMORY)
        return err_no_memory(e);
    return !lack || fail(e, ERR_TOO_LARGE, "the body has too many values");
}
