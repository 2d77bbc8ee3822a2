// SPDX-License-Identifier: MIT
// A run that is saved, made anew from nothing and loaded goes on as if it had never stopped: the
// same bits of every number of every epoch, of the weights and of all that it keeps. Walks the
// tables, so that a new row is covered; what a row forgets to register is a difference here.

#include "tests/harness.h"
#include "engine/nn/role.h"
#include "engine/optim/optim.h"
#include "engine/optim/optimizer.h"
#include "engine/optim/schedule.h"
#include "engine/train/train.h"
#include "tests/engine/train/trainlab.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { EPOCHS = 7, ROWS = 70, IN = 6, VAL = 40, CLASSES = 3 };

static struct lab_job job;
static bool validated;

// What a run tells, and what it was after each epoch, as bytes.
struct saved {
    unsigned char *byte;
    size_t n, at;
};
struct story {
    struct lab_run run;
    struct train_epoch epoch[EPOCHS + 1];
    struct layer_stats layer[EPOCHS + 1][3];
    struct saved saved[EPOCHS + 1];
    struct saved *from; // NULL: from the beginning
};

static bool put(void *ctx, const void *bytes, size_t n, struct err *e)
{
    struct saved *s = ctx;
    (void)e;
    s->byte = realloc(s->byte, s->n + n);
    memcpy(s->byte + s->n, bytes, n);
    s->n += n;
    return true;
}

static bool get(void *ctx, void *bytes, size_t n, struct err *e)
{
    struct saved *s = ctx;
    if (n > s->n - s->at)
        return fail(e, ERR_INVALID, "the saved state is cut short");
    memcpy(bytes, s->byte + s->at, n);
    s->at += n;
    return true;
}

static void on_epoch(void *ctx, const struct train_epoch *r)
{
    struct story *s = ctx;
    struct saved *saved = &s->saved[r->epoch];
    ck_assert_int_le(r->epoch, EPOCHS);
    s->epoch[r->epoch] = *r;
    s->epoch[r->epoch].layer = NULL;
    for (size_t i = 0; i < r->n_layer; i++)
        s->layer[r->epoch][i] = r->layer[i];
    ck_assert(run_state_write(&s->run.state, &(struct state_sink){saved, put}, &s->run.e));
}

static bool on_resume(void *ctx, struct run_state *run, struct err *e)
{
    struct story *s = ctx;
    s->from->at = 0;
    return run_state_read(run, &(struct state_source){s->from, get}, e);
}

// All anew: memory, rows, model, and other first weights when they are about to be overwritten.
static void tell(struct story *s, struct saved *from)
{
    const struct train_hooks hooks = {
        .ctx = s, .epoch = on_epoch, .resume = from ? on_resume : NULL};
    *s = (struct story){.from = from};
    lab_build(&s->run, &job, lab_task(IN, CLASSES, &job.train.loss), false);
    struct train_rows rows = lab_rows(&s->run.arena, ROWS, IN, CLASSES, 3),
                      val = lab_rows(&s->run.arena, VAL, IN, CLASSES, 4);
    if (from)
        model_init_weights(&s->run.model, 77, NULL, NULL);
    lab_train(&s->run, &job, &rows, validated ? &val : NULL, &hooks);
}

static void forget(struct story *s)
{
    for (int i = 0; i <= EPOCHS; i++)
        free(s->saved[i].byte);
    arena_release(&s->run.arena);
}

static void same_end(const struct story *a, const struct story *b, const char *what, int k)
{
    const struct train_result *x = &a->run.result, *y = &b->run.result;
    ck_assert_msg(x->epochs == y->epochs && x->best_epoch == y->best_epoch &&
                      x->steps == y->steps && x->stopped_early == y->stopped_early &&
                      memcmp(&x->best_value, &y->best_value, sizeof x->best_value) == 0,
                  "%s from epoch %d ends otherwise: %d epochs, best %d; %d, %d", what, k, x->epochs,
                  x->best_epoch, y->epochs, y->best_epoch);
    ck_assert_msg(
        memcmp(a->run.model.value, b->run.model.value, a->run.model.n_value * sizeof(real)) == 0,
        "%s from epoch %d ends with other weights", what, k);
}

static void same_epochs(const struct story *a, const struct story *b, const char *what, int k)
{
    for (int i = k + 1; i <= a->run.result.epochs; i++) {
        ck_assert_msg(memcmp(&a->epoch[i], &b->epoch[i], sizeof *a->epoch) == 0 &&
                          memcmp(a->layer[i], b->layer[i], sizeof *a->layer) == 0,
                      "%s from epoch %d: epoch %d is another", what, k, i);
        ck_assert_msg(a->saved[i].n == b->saved[i].n &&
                          memcmp(a->saved[i].byte, b->saved[i].byte, a->saved[i].n) == 0,
                      "%s from epoch %d: the state after epoch %d is another", what, k, i);
    }
}

// From every epoch's end, the last one included.
static void goes_on(const char *what)
{
    static struct story whole, rest;
    tell(&whole, NULL);
    ck_assert_msg(whole.run.ok, "%s: %s", what, whole.run.e.text);
    for (int k = 1; k <= whole.run.result.epochs; k++) {
        tell(&rest, &whole.saved[k]);
        ck_assert_msg(rest.run.ok, "%s from epoch %d: %s", what, k, rest.run.e.text);
        same_epochs(&whole, &rest, what, k);
        same_end(&whole, &rest, what, k);
        forget(&rest);
    }
    forget(&whole);
}

static void begin(void)
{
    lab_job_init(&job, 2, 12, "gelu", "batch", .2);
    job.train.epochs = EPOCHS;
    job.train.batch_size = 16;
    validated = true;
}

// With hyperparameters that ask for more state.
LOOP_TEST(every_optimizer_goes_on, optimizer_table.n * 2)
{
    static const char *const more[] = {"amsgrad", "momentum", "centered", "lookahead"};
    begin();
    job.train.optimizer = pick_row(&optimizer_table, optimizer_table.row[_i / 2]);
    const struct optim *row = pick_optim(&job.train.optimizer);
    if (row->all)
        job.train.batch_size = 0;
    for (size_t i = 0; _i % 2 && i < 4; i++)
        if (!row->all)
            lab_hyper(&optimizer_table, &job.train.optimizer, more[i],
                      i == 1   ? .9
                      : i == 3 ? 4
                               : 1);
    if (_i % 2 && row->all)
        lab_hyper(&optimizer_table, &job.train.optimizer, "history_size", 3);
    goes_on(row->row.name);
}

// A rate that watches falls within these epochs.
LOOP_TEST(every_schedule_goes_on, schedule_table.n * 2)
{
    begin();
    job.train.schedule = pick_row(&schedule_table, schedule_table.row[_i / 2]);
    lab_hyper(&schedule_table, &job.train.schedule, "warmup", 7);
    lab_hyper(&schedule_table, &job.train.schedule, "patience", _i % 2);
    lab_hyper(&schedule_table, &job.train.schedule, "cooldown", 1);
    lab_hyper(&schedule_table, &job.train.schedule, "threshold", .5);
    goes_on(job.train.schedule.row->name);
}

LOOP_TEST(every_norm_goes_on, norm_table.n)
{
    begin();
    for (int i = 0; i < 2; i++)
        job.layer[i].norm = pick_row(&norm_table, norm_table.row[_i]);
    goes_on(norm_table.row[_i]->name);
}

static void ema(void)
{
    job.train.ema = .9;
}
static void swa(void)
{
    job.train.swa = .6;
    job.train.schedule = lab_pick(&schedule_table, "cosine");
}
static void mixup(void)
{
    job.train.mixup = .4;
}
static void cutmix(void)
{
    job.train.cutmix = .5;
}
static void regularized(void)
{
    job.train.regularization.l1 = job.train.regularization.l2 = 1e-4;
    job.train.clip_norm = job.train.regularization.gradient_noise = .1;
    job.train.regularization.max_norm = 1;
    job.layer[1].dropout = 0;
    job.layer[1].alpha_dropout = .2;
    job.model.input_noise = job.model.input_dropout = .1;
}
static void sharpened(void)
{
    lab_hyper(&optimizer_table, &job.train.optimizer, "sam", .05);
}
static void observed(void)
{
    job.train.observe = true;
}
static void unvalidated(void)
{
    validated = false;
    job.train.ema = .9;
}
static void free_of_a_schedule(void) // swaps its weights in at the end
{
    validated = false;
    job.train.optimizer = lab_pick(&optimizer_table, "schedule_free_adamw");
}
static void by_steps(void) // which end in the middle of the last epoch
{
    job.train.steps = 32;
}
static void grouped(void)
{
    static const struct param_group g[] = {{"*.bias", .5, 0}};
    job.train.group = g;
    job.train.n_group = 1;
    job.train.optimizer = lab_pick(&optimizer_table, "nadam");
}

static void (*const option[])(void) = {
    ema,      swa,         mixup,    cutmix,  regularized,       sharpened,
    observed, unvalidated, by_steps, grouped, free_of_a_schedule};

LOOP_TEST(every_option_goes_on, sizeof option / sizeof *option)
{
    begin();
    option[_i]();
    goes_on("an option");
}

// Stopping is decided by what was watched before the stop, too.
LOOP_TEST(early_stopping_counts_on, 3)
{
    begin();
    job.train.optimizer.value[0] = _i == 2 ? 1e-3 : .3;
    job.train.patience = 1 + _i % 2;
    job.train.monitor = _i ? "val_loss" : "val_accuracy";
    goes_on("early stopping");
}

static void refused(struct story *s, struct saved *from, const char *why)
{
    tell(s, from);
    ck_assert(!s->run.ok);
    ck_assert_int_eq(s->run.e.kind, ERR_INVALID);
    ck_assert_msg(strstr(s->run.e.text, why) != NULL, "\"%s\" lacks \"%s\"", s->run.e.text, why);
    forget(s);
}

TEST(a_run_of_other_options_is_refused_by_what_it_lacks)
{
    static struct story whole, rest;
    begin();
    tell(&whole, NULL);
    job.train.ema = .9;
    refused(&rest, &whole.saved[2], "lacks \"average.n\"");
    begin();
    job.train.optimizer = lab_pick(&optimizer_table, "sgd");
    refused(&rest, &whole.saved[2], "has \"optimizer.exp_avg\", which this run does not keep");
    begin();
    job.layer[0].units = 13;
    refused(&rest, &whole.saved[2], "the saved \"model.values\" has");
    begin();
    job.train.epochs = 2;
    refused(&rest, &whole.saved[3], "\"position.epoch\" is not in the range from 0 to 2");
    begin();
    job.train.batch_size = 35;
    refused(&rest, &whole.saved[2], "stands at step 10 of epoch 2");
    forget(&whole);
}

// More epochs are another run that begins alike.
TEST(a_run_may_go_on_for_longer)
{
    static struct story shorter, longer, rest;
    begin();
    tell(&longer, NULL);
    job.train.epochs = 3;
    tell(&shorter, NULL);
    job.train.epochs = EPOCHS;
    tell(&rest, &shorter.saved[3]);
    ck_assert_msg(rest.run.ok, "%s", rest.run.e.text);
    same_epochs(&longer, &rest, "a longer run", 3);
    same_end(&longer, &rest, "a longer run", 3);
    forget(&longer);
    forget(&shorter);
    forget(&rest);
}
