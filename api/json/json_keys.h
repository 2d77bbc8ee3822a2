// SPDX-License-Identifier: MIT
#pragma once

// The keys of all objects that are open while json.c scans a text, so that a key given twice is
// found. One stack, innermost object last. Owned by one scan; memory is the scan's arena's, for
// JSON_KEYS keys at most.

#include "engine/base/arena.h"

#include <stdbool.h>
#include <stdint.h>

enum { JSON_KEYS = 32 << 10 }; // open at once: twice what a table has columns

struct json_key {
    const char *text; // decoded
    uint32_t len, hash;
    const char *at; // its opening quote
};

struct json_keys {
    struct arena *arena;
    struct json_key *key;
    size_t n, max;
    uint32_t *slot; // 1 + index into key; 0 is free
    size_t n_slot;
    uint64_t seed;
    bool too_many; // why a push was refused; else the arena is full
};

void json_keys_init(struct json_keys *keys, struct arena *a);

// Push the checked string between the quotes `from` and `to` - 1. False when there are too many, or
// the arena is full.
bool json_keys_push(struct json_keys *keys, const char *from, const char *to, bool escaped);

// Pop all keys from index `first` on. *again receives the first that was there before, or NULL; it
// stays readable until the next push. False when the arena is full.
bool json_keys_pop(struct json_keys *keys, size_t first, const struct json_key **again);
