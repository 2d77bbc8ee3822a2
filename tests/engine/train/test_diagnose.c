// SPDX-License-Identifier: MIT
// Every symptom in a made-up history, and none in a healthy one.

#include "engine/train/diagnose.h"
#include "tests/harness.h"
#include "tests/engine/train/trainlab.h"
#include "engine/optim/optim.h"

#include <math.h>
#include <string.h>

enum { EPOCHS = 40, LAYERS = 4 };

static int64_t number[EPOCHS];
static double train_loss[EPOCHS], val_loss[EPOCHS], lr[EPOCHS], grad_norm[EPOCHS];
static struct layer_stats layer[EPOCHS][LAYERS];
static const char *const name[LAYERS] = {"layers.0", "layers.1", "layers.2", "output"};

// The losses fall towards .2, the rate stays, the layers are well.
static struct history healthy(void)
{
    for (int i = 0; i < EPOCHS; i++) {
        number[i] = i + 1;
        train_loss[i] = .2 + .8 * exp(-i / 12.);
        val_loss[i] = .25 + .8 * exp(-i / 12.);
        lr[i] = 1e-3;
        grad_norm[i] = .5;
        for (int k = 0; k < LAYERS; k++)
            layer[i][k] = (struct layer_stats){.grad_norm = .1,
                                               .weight_norm = 10,
                                               .update_ratio = 1e-3,
                                               .dead = .05,
                                               .saturated = NAN,
                                               .std = 1};
    }
    return (struct history){.n_epoch = EPOCHS,
                            .n_layer = LAYERS,
                            .epoch = number,
                            .train_loss = train_loss,
                            .val_loss = val_loss,
                            .lr = lr,
                            .grad_norm = grad_norm,
                            .layer = &layer[0][0],
                            .layer_name = name,
                            .chance_loss = 1};
}

static void vanish(struct history *h)
{
    (void)h;
    for (int i = 0; i < EPOCHS; i++)
        layer[i][0].grad_norm = 1e-6;
}
static void diverge(struct history *h)
{
    h->diverged = true;
}
static void explode(struct history *h)
{
    (void)h;
    grad_norm[30] = 1e5;
}
static void die(struct history *h)
{
    (void)h;
    for (int i = 0; i < EPOCHS; i++)
        layer[i][1].dead = .6;
}
static void saturate(struct history *h)
{
    (void)h;
    for (int i = 0; i < EPOCHS; i++)
        layer[i][2].saturated = .8;
}
static void jump(struct history *h)
{
    (void)h;
    for (int i = 1; i < EPOCHS; i += 2)
        train_loss[i] += .5;
    for (int i = 0; i < EPOCHS; i++)
        layer[i][0].update_ratio = .1;
}
static void creep(struct history *h)
{
    (void)h;
    for (int i = 0; i < EPOCHS; i++) {
        train_loss[i] = 1 - i * 1e-3;
        for (int k = 0; k < LAYERS; k++)
            layer[i][k].update_ratio = 1e-6;
    }
}
static void overfit(struct history *h)
{
    (void)h;
    for (int i = 10; i < EPOCHS; i++) {
        train_loss[i] = .2 * exp(-(i - 10) / 5.);
        val_loss[i] = val_loss[9] + (i - 9) * .02;
    }
}
static void underfit(struct history *h)
{
    (void)h;
    for (int i = 0; i < EPOCHS; i++)
        train_loss[i] = .8 + .2 * exp(-i / 12.);
}
static void flatten(struct history *h)
{
    (void)h;
    for (int i = 8; i < EPOCHS; i++)
        train_loss[i] = .3;
}

static const struct {
    const char *code;
    void (*make)(struct history *);
    size_t layer;
} ill[] = {
    {"vanishing_gradients", vanish, 0},         {"exploding_gradients", diverge, SIZE_MAX},
    {"exploding_gradients", explode, SIZE_MAX}, {"dead_relus", die, 1},
    {"saturated_activations", saturate, 2},     {"rate_too_high", jump, SIZE_MAX},
    {"rate_too_low", creep, SIZE_MAX},          {"overfitting", overfit, SIZE_MAX},
    {"underfitting", underfit, SIZE_MAX},       {"plateau", flatten, SIZE_MAX},
};
enum { ILL = sizeof ill / sizeof *ill };

static const struct symptom *symptom(const char *code)
{
    for (size_t i = 0; i < symptom_count; i++)
        if (strcmp(symptom_list[i]->row.name, code) == 0)
            return symptom_list[i];
    return NULL;
}

LOOP_TEST(every_symptom_is_found_with_its_evidence, ILL)
{
    struct history h = healthy();
    struct finding f = {0};
    ill[_i].make(&h);
    const struct symptom *s = symptom(ill[_i].code);
    ck_assert_msg(s && s->find(&h, &f), "\"%s\" is not found", ill[_i].code);
    ck_assert_uint_eq(f.layer, ill[_i].layer);
    ck_assert_uint_le(f.epoch, EPOCHS);
    ck_assert_ptr_nonnull(f.measure);
}

LOOP_TEST(each_history_shows_its_own_symptom_alone, ILL)
{
    struct history h = healthy();
    ill[_i].make(&h);
    for (size_t i = 0; i < symptom_count; i++) {
        struct finding f = {0};
        if (strcmp(symptom_list[i]->row.name, ill[_i].code) != 0)
            ck_assert_msg(!symptom_list[i]->find(&h, &f), "\"%s\" shows \"%s\" too: %g against %g",
                          ill[_i].code, symptom_list[i]->row.name, f.value, f.limit);
    }
}

// At rate 0 the loss goes up and down with the batches alone.
TEST(a_loss_that_only_trembles_is_not_too_fast)
{
    struct history h = healthy();
    struct finding f = {0};
    creep(&h);
    for (int i = 0; i < EPOCHS; i++)
        train_loss[i] = 1 + .01 * (i % 2);
    ck_assert(symptom("rate_too_low")->find(&h, &f));
    ck_assert(!symptom("rate_too_high")->find(&h, &f));
}

// Nor with steps that are short without being too short: batches and dropout alone.
TEST(short_steps_are_not_too_long_however_much_the_loss_trembles)
{
    struct history h = healthy();
    struct finding f = {0};
    for (int i = 0; i < EPOCHS; i++)
        train_loss[i] = 1 - .004 * i + .05 * (i % 2); // layers move by a thousandth
    ck_assert(!symptom("rate_too_high")->find(&h, &f));
}

// Healthy at every length, also before the first epoch and with nothing observed.
LOOP_TEST(nothing_is_found_in_a_healthy_history, EPOCHS + 1)
{
    for (int observed = 0; observed < 2; observed++)
        for (size_t i = 0; i < symptom_count; i++) {
            struct history h = healthy();
            struct finding f = {0};
            h.n_epoch = (size_t)_i;
            h.n_layer = observed ? LAYERS : 0;
            ck_assert_msg(!symptom_list[i]->find(&h, &f), "%d epochs show \"%s\": %g against %g",
                          _i, symptom_list[i]->row.name, f.value, f.limit);
        }
}

// Every symptom has a history here, words, and a remedy that changes the job.
LOOP_TEST(every_symptom_is_tested_and_mended, symptom_count)
{
    const struct symptom *s = symptom_list[_i];
    struct lab_job j;
    struct arena arena;
    struct data_spec data = {.numeric = NUMERIC_NONE};
    struct finding f = {.since = 3};
    size_t known = 0;
    for (size_t i = 0; i < ILL; i++)
        known += strcmp(ill[i].code, s->row.name) == 0;
    ck_assert_msg(known > 0, "\"%s\" has no history in this test", s->row.name);
    ck_assert(s->row.doc[strlen(s->row.doc) - 1] == '.');
    ck_assert(s->advice[strlen(s->advice) - 1] == '.');
    arena_init(&arena, 1 << 20);
    lab_job_init(&j, 2, 8, "relu", "batch", .1);
    j.layer[0].norm = (struct pick){0};
    j.train.optimizer = lab_pick(&optimizer_table, "sgd");
    struct model_spec model = j.model;
    struct train_spec train = j.train;
    struct remedy r = remedy_begin(&data, &model, &train, &arena);
    s->mend(&r, &f);
    bool changed = memcmp(&train, &j.train, sizeof train) != 0 || data.numeric != NUMERIC_NONE ||
                   memcmp(r.layer, j.layer, 2 * sizeof *r.layer) != 0;
    ck_assert_msg(changed, "\"%s\" mends nothing", s->row.name);
    ck_assert_ptr_ne(r.layer, j.layer);
    arena_release(&arena);
}
