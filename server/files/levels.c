// SPDX-License-Identifier: MIT
// One open-addressed table serves all columns, so thousands of small dictionaries cost nothing. It
// holds indices into an array of entries; the entries of a column are chained in order. The hash is
// seeded per table, so a client cannot prepare texts that collide.

#include "server/files/levels.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define NONE UINT32_MAX
enum { FIRST_SLOTS = 1024, ALLOWANCE = 256 << 10 };

struct level_entry {
    const char *text;
    uint32_t len, column, code;
    uint32_t next; // entry of the column's next code
    uint64_t hash;
};

struct chain {
    uint32_t first, last; // entries
    uint32_t n;
    uint32_t rest; // the shared code, or NONE while there is none
};

struct levels {
    struct arena arena; // texts; the arrays are charged to it
    struct level_entry *entry;
    uint32_t *slot; // entry, or NONE
    struct chain *chain;
    const char **list;
    size_t n_list; // room in it
    size_t n_column;
    size_t n_entry, room; // entries, and those there is room for
    size_t n_slot;        // a power of two, at least twice n_entry
    uint64_t seed;
    bool closed;  // takes no further texts
    bool starved; // there was no memory for one
};

// Entries and slots of a table of n slots; the entries are kept, the slots are empty. False without
// memory: then the old ones stay.
static bool levels_make_room(struct levels *l, size_t n)
{
    struct arena *a = &l->arena;
    size_t slots = n * sizeof *l->slot;
    struct level_entry *entry =
        arena_resize(a, l->entry, l->room * sizeof *entry, n / 2 * sizeof *entry);
    if (!entry)
        return false;
    l->entry = entry;
    l->room = n / 2;
    uint32_t *slot = arena_resize(a, NULL, 0, slots);
    if (!slot)
        return false;
    arena_resize(a, l->slot, l->n_slot * sizeof *slot, 0);
    l->slot = memset(slot, 0xFF, slots);
    l->n_slot = n;
    return true;
}

static bool make_chains(struct levels *l, size_t n_column)
{
    l->chain = arena_resize(&l->arena, NULL, 0, n_column * sizeof *l->chain);
    l->n_column = l->chain ? n_column : 0;
    for (size_t i = 0; i < l->n_column; i++)
        l->chain[i] = (struct chain){NONE, NONE, 0, NONE};
    return l->chain;
}

struct levels *levels_new(size_t n_column, struct arena_budget *budget)
{
    struct levels *l = calloc(1, sizeof *l);
    if (!l)
        return NULL;
    arena_init(&l->arena, LEVELS_MAX_BYTES);
    arena_share(&l->arena, budget, ALLOWANCE);
    BUG(getrandom(&l->seed, sizeof l->seed, 0) != sizeof l->seed);
    if (levels_make_room(l, FIRST_SLOTS) && make_chains(l, n_column))
        return l;
    levels_free(l);
    return NULL;
}

void levels_free(struct levels *l)
{
    if (!l)
        return;
    arena_resize(&l->arena, l->entry, l->room * sizeof *l->entry, 0);
    arena_resize(&l->arena, l->slot, l->n_slot * sizeof *l->slot, 0);
    arena_resize(&l->arena, l->chain, l->n_column * sizeof *l->chain, 0);
    arena_release(&l->arena);
    free(l->list);
    free(l);
}

static uint64_t levels_fold(uint64_t a, uint64_t b)
{
    unsigned __int128 product =
        (unsigned __int128)(a ^ UINT64_C(0x9E3779B97F4A7C15)) * (b ^ UINT64_C(0xD1B54A32D192ED03));
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static uint64_t levels_hash(const struct levels *l, size_t column, const char *text, size_t len)
{
    uint64_t h = levels_fold(l->seed ^ column, len), word;
    for (; len >= sizeof word; text += sizeof word, len -= sizeof word) {
        memcpy(&word, text, sizeof word);
        h = levels_fold(h ^ word, l->seed);
    }
    word = 0;
    memcpy(&word, text, len);
    return levels_fold(h ^ word, l->seed);
}

static void levels_grow(struct levels *l)
{
    size_t n = l->n_slot * 2;
    l->starved = l->closed = !levels_make_room(l, n);
    for (size_t i = 0; i < l->n_entry && !l->starved; i++) {
        size_t at = l->entry[i].hash & (n - 1);
        while (l->slot[at] != NONE)
            at = (at + 1) & (n - 1);
        l->slot[at] = (uint32_t)i;
    }
}

bool levels_sound(const struct levels *l, struct err *e)
{
    return !l->starved || arena_fail(&l->arena, e, "the table's texts need too much memory");
}

static uint32_t shared_code(struct chain *c)
{
    if (c->rest == NONE)
        c->rest = c->n++;
    return c->rest;
}

static uint32_t add(struct levels *l, size_t at, struct level_entry new)
{
    struct chain *c = &l->chain[new.column];
    bool full = c->rest != NONE || c->n == FRAME_MAX_LEVELS - 1 || l->closed;
    char *text = full ? NULL : arena_alloc(&l->arena, new.len + 1, 1);
    if (!text) {
        l->starved |= !full && l->arena.lack != ARENA_OVER_MAX;
        return shared_code(c);
    }
    memcpy(text, new.text, new.len);
    text[new.len] = '\0';
    new.text = text;
    new.code = c->n++;
    uint32_t id = (uint32_t)l->n_entry++;
    *(c->first == NONE ? &c->first : &l->entry[c->last].next) = id;
    c->last = id;
    l->entry[id] = new;
    l->slot[at] = id;
    l->closed |= l->n_entry == LEVELS_MAX;
    if (!l->closed && l->n_entry == l->n_slot / 2)
        levels_grow(l);
    return new.code;
}

static bool levels_matches(const struct level_entry *x, const struct level_entry *y)
{
    return x->hash == y->hash && x->column == y->column && x->len == y->len &&
           memcmp(x->text, y->text, x->len) == 0;
}

uint32_t levels_code(struct levels *l, size_t column, const char *text, size_t len)
{
    struct level_entry want = {text, (uint32_t)len, (uint32_t)column,
                               0,    NONE,          levels_hash(l, column, text, len)};
    size_t at = want.hash & (l->n_slot - 1);
    for (; l->slot[at] != NONE; at = (at + 1) & (l->n_slot - 1))
        if (levels_matches(&l->entry[l->slot[at]], &want))
            return l->entry[l->slot[at]].code;
    return add(l, at, want);
}

static bool list_room(struct levels *l, size_t n)
{
    const char **list = n < l->n_list ? l->list : realloc(l->list, (n + 1) * sizeof *list);
    if (!list)
        return false;
    l->list = list;
    l->n_list = n < l->n_list ? l->n_list : n + 1;
    return true;
}

const char *const *levels_list(struct levels *l, size_t column, size_t *n)
{
    const struct chain *c = &l->chain[column];
    if (!list_room(l, c->n))
        return NULL;
    for (uint32_t id = c->first; id != NONE; id = l->entry[id].next)
        l->list[l->entry[id].code] = l->entry[id].text;
    if (c->rest != NONE)
        l->list[c->rest] = "";
    *n = c->n;
    return l->list;
}
