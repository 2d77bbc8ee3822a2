// SPDX-License-Identifier: MIT
// See run_state.h. Memory is asked for in whole lines of the arena, so that what it hands out is
// what was counted, whatever it aligns to. A saved state describes itself, array by array: what was
// saved by a run of other options is refused by the name of what does not fit, and nothing depends
// on the order in which things are made.

#include "engine/base/run_state.h"

#include <math.h>
#include <string.h>

enum { STATE_MAGIC = 0x5452534d, STATE_VERSION = 1, STATE_NAME = 48 }; // "MSRT"

static const struct {
    const char *word;
    size_t size;
} state_type[] = {
    [STATE_NONE] = {"none", 1}, [STATE_F32] = {"float32", 4}, [STATE_F64] = {"float64", 8},
    [STATE_I32] = {"int32", 4}, [STATE_U32] = {"uint32", 4},  [STATE_U64] = {"uint64", 8}};

void run_state_init(struct run_state *s, struct arena *a)
{
    *s = (struct run_state){.arena = a};
}

const struct state_array *run_state_find(const struct run_state *s, const char *name)
{
    for (size_t i = 0; i < s->n; i++)
        if (strcmp(s->array[i].name, name) == 0)
            return &s->array[i];
    return NULL;
}

static struct state_array *state_add(struct run_state *s, struct state_array a)
{
    BUG(s->n == STATE_ARRAYS || strlen(a.name) >= STATE_NAME || run_state_find(s, a.name));
    s->array[s->n] = a;
    return &s->array[s->n++];
}

// Whole lines of the arena; one for nothing at all.
static void *state_memory(struct run_state *s, size_t n, size_t size, bool zeroed)
{
    double lines = fmax(ceil((double)n * (double)size / ARENA_ALIGN), 1);
    s->bytes += lines * ARENA_ALIGN;
    if (run_state_sizing(s) || s->refused)
        return NULL;
    bool fits = lines < (double)(SIZE_MAX / ARENA_ALIGN);
    size_t count = fits ? (size_t)lines : SIZE_MAX; // which the arena refuses
    void *p = (zeroed ? arena_zalloc : arena_alloc)(s->arena, count, ARENA_ALIGN);
    s->refused = !p;
    return p;
}

void *run_state_take(struct run_state *s, const char *name, enum state_type type, size_t n)
{
    struct state_array *a =
        state_add(s, (struct state_array){.name = name, .type = type, .n = n, .most = UINT64_MAX});
    return a->value = state_memory(s, n, state_type[type].size, true);
}

void *run_state_scratch(struct run_state *s, const char *name, size_t n, size_t size)
{
    struct state_array *a = state_add(s, (struct state_array){.name = name, .n = n});
    return a->value = state_memory(s, n, size, false);
}

void run_state_number(struct run_state *s, const char *name, enum state_type type, uint64_t most,
                      void *value)
{
    state_add(s, (struct state_array){.name = name,
                                      .type = type,
                                      .n = 1,
                                      .most = most,
                                      .value = run_state_sizing(s) ? NULL : value});
}

void run_state_other(struct run_state *s, const char *name, double bytes)
{
    state_add(s, (struct state_array){.name = name});
    s->bytes += bytes;
}

// ---- Saving ----

struct state_head {
    uint32_t magic, version, n, reserved;
};

// Fixed in size, so that reading it needs no trust in any of it.
struct state_entry {
    char name[STATE_NAME]; // padded with zeros
    uint64_t n;
    uint32_t type, reserved;
};

static uint32_t state_kept(const struct run_state *s)
{
    uint32_t n = 0;
    for (size_t i = 0; i < s->n; i++)
        n += s->array[i].type != STATE_NONE;
    return n;
}

static size_t state_bytes(const struct state_array *a)
{
    return a->n * state_type[a->type].size;
}

static bool state_write_array(const struct state_array *a, const struct state_sink *to,
                              struct err *e)
{
    struct state_entry entry = {.n = a->n, .type = a->type};
    memcpy(entry.name, a->name, strlen(a->name));
    return to->put(to->ctx, &entry, sizeof entry, e) &&
           to->put(to->ctx, a->value, state_bytes(a), e);
}

bool run_state_write(const struct run_state *s, const struct state_sink *to, struct err *e)
{
    BUG(run_state_sizing(s) || s->refused);
    const struct state_head head = {STATE_MAGIC, STATE_VERSION, state_kept(s), 0};
    bool ok = to->put(to->ctx, &head, sizeof head, e);
    for (size_t i = 0; ok && i < s->n; i++)
        ok = s->array[i].type == STATE_NONE || state_write_array(&s->array[i], to, e);
    return ok;
}

// ---- Going on ----

static bool state_read_head(const struct state_source *from, uint32_t *n, struct err *e)
{
    struct state_head head;
    if (!from->get(from->ctx, &head, sizeof head, e))
        return false;
    *n = head.n;
    if (head.magic != STATE_MAGIC)
        return fail(e, ERR_INVALID, "this is not the saved state of a run");
    return head.version == STATE_VERSION ||
           fail(e, ERR_INVALID,
                "the state was saved in version %u of its format; this program reads "
                "version %d",
                head.version, STATE_VERSION);
}

static bool state_fits(const struct state_array *a, const struct state_entry *entry, struct err *e)
{
    if (entry->type != a->type)
        return fail(e, ERR_INVALID, "the saved \"%s\" is of type %s, this run's of type %s",
                    a->name, entry->type <= STATE_U64 ? state_type[entry->type].word : "unknown",
                    state_type[a->type].word);
    return entry->n == a->n ||
           fail(e, ERR_INVALID, "the saved \"%s\" has %llu numbers, this run's has %zu", a->name,
                (unsigned long long)entry->n, a->n);
}

static uint64_t state_integer(const struct state_array *a)
{
    if (a->type == STATE_I32)
        return *(const int *)a->value < 0 ? UINT64_MAX : (uint64_t) * (const int *)a->value;
    return a->type == STATE_U32 ? *(const uint32_t *)a->value : *(const uint64_t *)a->value;
}

static bool state_in_range(const struct state_array *a, struct err *e)
{
    return a->type < STATE_I32 || state_integer(a) <= a->most ||
           fail(e, ERR_INVALID, "the saved \"%s\" is not in the range from 0 to %llu", a->name,
                (unsigned long long)a->most);
}

// One array; it is added to the bits of those that were found.
static bool state_read_array(struct run_state *s, const struct state_source *from, uint64_t *found,
                             struct err *e)
{
    struct state_entry entry;
    if (!from->get(from->ctx, &entry, sizeof entry, e))
        return false;
    entry.name[STATE_NAME - 1] = '\0';
    for (char *c = entry.name; *c; c++)
        *c = *c < ' ' || *c > '~' ? '?' : *c;
    const struct state_array *a = run_state_find(s, entry.name);
    if (!a || a->type == STATE_NONE)
        return fail(e, ERR_INVALID, "the saved state has \"%s\", which this run does not keep",
                    entry.name);
    uint64_t bit = UINT64_C(1) << (a - s->array);
    if (*found & bit)
        return fail(e, ERR_INVALID, "the saved state has \"%s\" twice", a->name);
    *found |= bit;
    return state_fits(a, &entry, e) && from->get(from->ctx, a->value, state_bytes(a), e) &&
           state_in_range(a, e);
}

bool run_state_read(struct run_state *s, const struct state_source *from, struct err *e)
{
    BUG(run_state_sizing(s) || s->refused);
    uint64_t found = 0;
    uint32_t n;
    if (!state_read_head(from, &n, e))
        return false;
    for (uint32_t i = 0; i < n; i++)
        if (!state_read_array(s, from, &found, e))
            return false;
    for (size_t i = 0; i < s->n; i++)
        if (s->array[i].type != STATE_NONE && !(found >> i & 1))
            return fail(e, ERR_INVALID, "the saved state lacks \"%s\"", s->array[i].name);
    return true;
}
