// SPDX-License-Identifier: MIT
// The registry by itself: memory in two passes, and what is saved comes back or is refused by name.

#include "engine/base/run_state.h"
#include "tests/harness.h"

#include <string.h>

enum { REALS = 5, FILE_MAX = 4096 };

struct owner {
    float *weight;
    double *mean;
    char *scratch;
    uint64_t step;
    uint32_t ring;
    int bad;
    double best;
};

static struct arena arena;

static void own(struct owner *o, struct run_state *s, struct arena *a)
{
    *o = (struct owner){.step = 0};
    run_state_init(s, a);
    STATE_KEEP(s, "weight", o->weight, REALS);
    STATE_SCRATCH(s, "scratch", o->scratch, 1000);
    STATE_KEEP(s, "mean", o->mean, 3);
    STATE_COUNT(s, "step", &o->step, 100);
    STATE_COUNT(s, "ring", &o->ring, 4);
    STATE_COUNT(s, "bad", &o->bad, 7);
    STATE_NUMBER(s, "best", &o->best);
}

static void fill(struct owner *o)
{
    for (int i = 0; i < REALS; i++)
        o->weight[i] = (float)i / 3;
    o->mean[2] = -1.0 / 7;
    o->step = 99;
    o->ring = 4;
    o->bad = 7;
    o->best = 1e300;
}

// Bytes in memory, read and written from the front.
struct file {
    unsigned char byte[FILE_MAX];
    size_t n, at;
};

static bool put(void *ctx, const void *bytes, size_t n, struct err *e)
{
    struct file *f = ctx;
    (void)e;
    ck_assert(f->n + n <= FILE_MAX);
    memcpy(f->byte + f->n, bytes, n);
    f->n += n;
    return true;
}

static bool get(void *ctx, void *bytes, size_t n, struct err *e)
{
    struct file *f = ctx;
    if (n > f->n - f->at)
        return fail(e, ERR_INVALID, "the file is cut short");
    memcpy(bytes, f->byte + f->at, n);
    f->at += n;
    return true;
}

static void save(struct file *f, const struct run_state *s)
{
    struct err e = {0};
    *f = (struct file){.n = 0};
    ck_assert(run_state_write(s, &(struct state_sink){f, put}, &e));
}

static bool load(struct file *f, struct run_state *s, struct err *e)
{
    *e = (struct err){0};
    f->at = 0;
    return run_state_read(s, &(struct state_source){f, get}, e);
}

static void expect_refused(struct file *f, struct run_state *s, const char *why)
{
    struct err e;
    ck_assert(!load(f, s, &e));
    ck_assert_int_eq(e.kind, ERR_INVALID);
    ck_assert_msg(strstr(e.text, why) != NULL, "\"%s\" lacks \"%s\"", e.text, why);
}

TEST(a_sizing_pass_counts_what_the_other_takes)
{
    struct owner sized, made;
    struct run_state sizing, s;
    arena_init(&arena, 1 << 20);
    own(&sized, &sizing, NULL);
    own(&made, &s, &arena);
    ck_assert(run_state_sizing(&sizing) && !run_state_sizing(&s));
    ck_assert(run_state_granted(&sizing) && run_state_granted(&s));
    ck_assert_ptr_null(sized.weight);
    ck_assert_ptr_null(sizing.array[sizing.n - 1].value);
    ck_assert_double_eq(sizing.bytes, (double)arena.used);
    ck_assert_double_eq(s.bytes, (double)arena.used);
    ck_assert_uint_ge(arena.used, REALS * 4 + 1000 + 3 * 8);
    for (int i = 0; i < REALS; i++)
        ck_assert(made.weight[i] == 0);
    arena_release(&arena);
}

TEST(what_does_not_fit_is_refused_and_so_is_all_that_follows)
{
    struct owner o;
    struct run_state s;
    float *huge;
    arena_init(&arena, 700);
    own(&o, &s, &arena);
    ck_assert_ptr_nonnull(o.weight);
    ck_assert_ptr_null(o.scratch);
    ck_assert_ptr_null(o.mean); // which alone would have fitted
    ck_assert(!run_state_granted(&s));
    arena_release(&arena);
    arena_init(&arena, 1 << 20);
    run_state_init(&s, &arena);
    STATE_KEEP(&s, "huge", huge, SIZE_MAX / 2);
    ck_assert(!huge && !run_state_granted(&s) && s.bytes > 1e18);
    arena_release(&arena);
}

TEST(what_was_saved_comes_back_to_the_bit)
{
    struct owner a, b;
    struct run_state s, t;
    struct file f;
    struct err e;
    arena_init(&arena, 1 << 20);
    own(&a, &s, &arena);
    own(&b, &t, &arena);
    fill(&a);
    save(&f, &s);
    ck_assert_msg(load(&f, &t, &e), "%s", e.text);
    ck_assert_uint_eq(f.at, f.n);
    ck_assert_mem_eq(a.weight, b.weight, REALS * sizeof *a.weight);
    ck_assert_mem_eq(a.mean, b.mean, 3 * sizeof *a.mean);
    ck_assert(b.step == 99 && b.ring == 4 && b.bad == 7 && b.best == 1e300);
    arena_release(&arena);
}

// The other run has other arrays, or the same of another kind.
enum change { MORE, FEWER, LONGER, TYPED, RENAMED };

static void change(struct run_state *s, enum change how)
{
    struct state_array *a = &s->array[2]; // mean
    if (how == MORE)
        run_state_take(s, "momentum", STATE_F32, 2);
    if (how == FEWER)
        s->n--;
    if (how == LONGER)
        a->n = 2;
    if (how == TYPED)
        a->type = STATE_U64;
    if (how == RENAMED)
        a->name = "median";
}

static const struct {
    enum change how;
    const char *why;
} other[] = {{MORE, "lacks \"momentum\""},
             {FEWER, "has \"best\", which this run does not keep"},
             {LONGER, "the saved \"mean\" has 3 numbers, this run's has 2"},
             {TYPED, "the saved \"mean\" is of type float64, this run's of type uint64"},
             {RENAMED, "has \"mean\", which this run does not keep"}};

LOOP_TEST(a_state_of_another_run_is_refused_by_name, sizeof other / sizeof *other)
{
    struct owner a, b;
    struct run_state s, t;
    struct file f;
    arena_init(&arena, 1 << 20);
    own(&a, &s, &arena);
    own(&b, &t, &arena);
    save(&f, &s);
    change(&t, other[_i].how);
    expect_refused(&f, &t, other[_i].why);
    arena_release(&arena);
}

TEST(numbers_out_of_range_are_refused_by_name)
{
    struct owner a, b;
    struct run_state s, t;
    struct file f;
    arena_init(&arena, 1 << 20);
    own(&a, &s, &arena);
    own(&b, &t, &arena);
    a.step = 101;
    save(&f, &s);
    expect_refused(&f, &t, "\"step\" is not in the range from 0 to 100");
    a.step = 0;
    a.ring = 5;
    save(&f, &s);
    expect_refused(&f, &t, "\"ring\"");
    a.ring = 0;
    a.bad = -1;
    save(&f, &s);
    expect_refused(&f, &t, "\"bad\"");
    arena_release(&arena);
}

// Any byte of the head and of what describes an array may be anything, the file may end anywhere.
TEST(damaged_bytes_are_an_error)
{
    struct owner a, b;
    struct run_state s, t;
    struct file f, bad;
    struct err e;
    arena_init(&arena, 1 << 20);
    own(&a, &s, &arena);
    own(&b, &t, &arena);
    save(&f, &s);
    for (size_t n = 0; n < f.n; n++) {
        bad = f;
        bad.n = n;
        expect_refused(&bad, &t, "cut short");
    }
    for (size_t i = 0; i < f.n; i++)
        for (int bit = 0; bit < 8; bit++) {
            bad = f;
            bad.byte[i] ^= (unsigned char)(1 << bit);
            if (!load(&bad, &t, &e))
                ck_assert(e.kind == ERR_INVALID && e.text[0]);
        }
    bad = f;
    bad.byte[0]++;
    expect_refused(&bad, &t, "not the saved state of a run");
    bad = f;
    bad.byte[4]++;
    expect_refused(&bad, &t, "version 2");
    bad = f; // the first array takes the place of the second, and is there twice
    bad.byte[8] = 2;
    bad.n = 16;
    for (int i = 0; i < 2; i++)
        put(&bad, f.byte + 16, 64 + REALS * 4, NULL);
    expect_refused(&bad, &t, "\"weight\" twice");
    arena_release(&arena);
}
