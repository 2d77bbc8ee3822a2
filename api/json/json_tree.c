// SPDX-License-Identifier: MIT
// See json_tree.h. A value takes 64 bytes and its key or text some more, so 2 bytes of a text can
// become 64: a short one may have nothing but such values, a long one is refused when it does.

#include "api/json/json_tree.h"

#include <cJSON.h>
#include <stdlib.h>

enum { NODES_BASE = 5 << 19, TEXTS_BASE = 3 << 18 };

static _Thread_local struct json_tree *current;

static void *tree_alloc(size_t n)
{
    if (!current)
        return malloc(n);
    if (n == sizeof(cJSON))
        return arena_alloc(&current->nodes, n, 1);
    current->before_last = arena_mark(&current->texts);
    return current->last = arena_alloc(&current->texts, n, 1);
}

// The copy of a number's digits goes as soon as it has been read.
static void tree_free(void *p)
{
    if (!current) {
        free(p);
    } else if (p && p == current->last) {
        arena_rewind(&current->texts, current->before_last);
        current->last = NULL;
    }
}

__attribute__((constructor)) static void install(void)
{
    cJSON_InitHooks(&(cJSON_Hooks){.malloc_fn = tree_alloc, .free_fn = tree_free});
}

void json_tree_begin(struct json_tree *t, size_t len)
{
    arena_init(&t->nodes, NODES_BASE + len);
    arena_init(&t->texts, TEXTS_BASE + len + len / 2);
    t->outer = current;
    t->last = NULL;
    current = t;
}

bool json_tree_end(struct json_tree *t, struct err *e)
{
    enum arena_lack nodes = t->nodes.lack, texts = t->texts.lack;
    current = t->outer;
    arena_release(&t->nodes);
    arena_release(&t->texts);
    if (nodes == ARENA_NO_MEMORY || texts == ARENA_NO_MEMORY)
        return err_no_memory(e);
    return (!nodes && !texts) || fail(e, ERR_TOO_LARGE, "the body has too many values");
}
