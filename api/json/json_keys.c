// SPDX-License-Identifier: MIT
// Finding a key that was given twice: see json_keys.h. When an object closes, its keys are compared
// pair by pair if they are few, else through a hash table that all objects share. The hash is keyed
// with the process's random bytes, so nobody can prepare keys that collide.

#include "api/json/json_keys.h"

#include "api/json/json_text.h"

#include <string.h>
#include <sys/auxv.h>

enum { FEW_KEYS = 16, FIRST_KEYS = 64 };

static uint64_t mix(uint64_t x)
{
    unsigned __int128 wide = (unsigned __int128)x * 0x9E3779B97F4A7C15u;
    return (uint64_t)wide ^ (uint64_t)(wide >> 64);
}

static uint32_t keys_hash(uint64_t seed, const char *p, size_t n)
{
    uint64_t h = seed ^ n, word;
    for (; n > 8; p += 8, n -= 8) {
        memcpy(&word, p, 8);
        h = mix(h ^ word);
    }
    word = 0;
    memcpy(&word, p, n);
    return (uint32_t)mix(mix(h ^ word) ^ seed);
}

static bool equal(const struct json_key *a, const struct json_key *b)
{
    return a->hash == b->hash && a->len == b->len && memcmp(a->text, b->text, a->len) == 0;
}

void json_keys_init(struct json_keys *keys, struct arena *a)
{
    *keys = (struct json_keys){.arena = a};
    memcpy(&keys->seed, (const void *)getauxval(AT_RANDOM), sizeof keys->seed);
}

static bool keys_grow(struct json_keys *keys)
{
    size_t max = keys->max ? 2 * keys->max : FIRST_KEYS;
    keys->too_many = max > JSON_KEYS;
    if (keys->too_many)
        return false;
    struct json_key *key = arena_alloc(keys->arena, max, sizeof *key);
    if (!key)
        return false;
    if (keys->n)
        memcpy(key, keys->key, keys->n * sizeof *key);
    keys->key = key;
    keys->max = max;
    return true;
}

bool json_keys_push(struct json_keys *keys, const char *from, const char *to, bool escaped)
{
    if (keys->n == keys->max && !keys_grow(keys))
        return false;
    const char *text = from + 1, *at = from;
    size_t len = (size_t)(to - from) - 2;
    if (escaped) {
        char *copy = arena_alloc(keys->arena, len, 1);
        if (!copy)
            return false;
        len = json_unescape(&from, copy);
        text = copy;
    }
    keys->key[keys->n++] =
        (struct json_key){text, (uint32_t)len, keys_hash(keys->seed, text, len), at};
    return true;
}

static const struct json_key *again_of_few(const struct json_key *key, size_t n)
{
    for (size_t i = 1; i < n; i++)
        for (size_t j = 0; j < i; j++)
            if (equal(&key[i], &key[j]))
                return &key[i];
    return NULL;
}

static const struct json_key *again_of_many(const struct json_key *key, size_t n, uint32_t *slot,
                                            size_t mask)
{
    memset(slot, 0, (mask + 1) * sizeof *slot);
    for (size_t i = 0; i < n; i++) {
        size_t at = key[i].hash & mask;
        for (; slot[at]; at = (at + 1) & mask)
            if (equal(&key[i], &key[slot[at] - 1]))
                return &key[i];
        slot[at] = (uint32_t)i + 1;
    }
    return NULL;
}

bool json_keys_pop(struct json_keys *keys, size_t first, const struct json_key **again)
{
    size_t n = keys->n - first;
    *again = NULL;
    if (n == 0)
        return true; // there may never have been a key
    const struct json_key *key = keys->key + first;
    keys->n = first;
    if (n <= FEW_KEYS) {
        *again = again_of_few(key, n);
        return true;
    }
    size_t want = FIRST_KEYS;
    while (want < 2 * n)
        want *= 2;
    if (want > keys->n_slot) {
        keys->slot = arena_alloc(keys->arena, want, sizeof *keys->slot);
        keys->n_slot = keys->slot ? want : 0;
    }
    if (!keys->slot)
        return false;
    *again = again_of_many(key, n, keys->slot, want - 1);
    return true;
}
