// SPDX-License-Identifier: MIT
// See trainlab.h.

#include "tests/engine/train/trainlab.h"

#include "tests/harness.h"
#include "engine/train/mix.h"
#include "engine/base/rng.h"
#include "engine/nn/role.h"
#include "engine/model/init.h"
#include "engine/optim/optim.h"
#include "engine/optim/schedule.h"
#include "engine/table/task.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct pick lab_pick(const struct table *t, const char *name)
{
    const struct row *row = name ? table_find(t, name) : NULL;
    BUG(name && !row);
    return pick_row(t, row);
}

void lab_hyper(const struct table *t, struct pick *p, const char *name, double value)
{
    const struct hyper *k;
    size_t at;
    for (size_t i = 0; (k = hyper_at(t, p->row, i, &at)); i++)
        if (strcmp(k->name, name) == 0)
            p->value[at] = value;
}

void lab_job_init(struct lab_job *j, int layers, int units, const char *activation,
                  const char *norm, double dropout)
{
    for (int i = 0; i < layers; i++)
        j->layer[i] = (struct layer_spec){.units = units,
                                          .activation = lab_pick(&activation_table, activation),
                                          .norm = lab_pick(&norm_table, norm),
                                          .dropout = dropout};
    j->model = (struct model_spec){.layer = j->layer,
                                   .n_layer = (size_t)layers,
                                   .init = lab_pick(&init_table, "kaiming_uniform")};
    j->train = (struct train_spec){.optimizer = lab_pick(&optimizer_table, "adamw"),
                                   .schedule = lab_pick(&schedule_table, "constant"),
                                   .epochs = 5,
                                   .shuffle = true,
                                   .monitor = "val_loss",
                                   .threads = 1,
                                   .seed = 1};
}

static double direction(uint64_t seed, size_t k, size_t j)
{
    return rng_normal(rng_key(seed, RNG_PROBE, 2, k), j);
}

struct train_rows lab_rows(struct arena *a, size_t n, size_t d, size_t k, uint64_t seed)
{
    real *x = arena_need(a, n * d, sizeof *x), *y = arena_need(a, n, sizeof *y);
    uint64_t key = rng_key(seed, RNG_PROBE, 1, 0);
    for (size_t i = 0; i < n * d; i++)
        x[i] = (real)rng_normal(key, i);
    for (size_t i = 0; i < n; i++) {
        double best = -1e9, smooth = 0;
        for (size_t c = 0; c < (k ? k : 1); c++) {
            double dot = 0;
            for (size_t j = 0; j < d; j++)
                dot += direction(7, c, j) * (double)x[i * d + j];
            smooth = sin(dot / sqrt((double)d));
            if (dot > best) {
                best = dot;
                y[i] = (real)c;
            }
        }
        if (k == 2)
            y[i] = smooth > 0;
        if (k == 0)
            y[i] = (real)smooth;
    }
    return (struct train_rows){.x = x, .y = y, .n = n};
}

struct gang {
    void (*fn)(void *, uint32_t);
    void *arg;
    uint32_t n;
    atomic_uint next;
};

static void *member(void *arg)
{
    struct gang *g = arg;
    for (uint32_t i; (i = atomic_fetch_add(&g->next, 1)) < g->n;)
        g->fn(g->arg, g->n - 1 - i);
    return NULL;
}

static void gang_run(void *ctx, uint32_t n, void (*fn)(void *, uint32_t), void *arg)
{
    pthread_t thread[8];
    int threads = *(const int *)ctx;
    struct gang g = {fn, arg, n, 0};
    for (int i = 0; i < threads; i++)
        pthread_create(&thread[i], NULL, member, &g);
    for (int i = 0; i < threads; i++)
        pthread_join(thread[i], NULL);
}

struct exec lab_exec(const int *threads)
{
    return (struct exec){.run = gang_run, .ctx = (void *)threads};
}

static bool count_question(void *ctx)
{
    struct lab_halt *h = ctx;
    return atomic_fetch_add(&h->asked, 1) + 1 >= h->last && h->last;
}

void lab_halt_init(struct lab_halt *h, unsigned long last)
{
    h->halt = (struct halt){count_question, h};
    atomic_init(&h->asked, 0);
    h->last = last;
}

uint64_t lab_hash(const void *p, size_t n)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < n; i++)
        h = (h ^ ((const unsigned char *)p)[i]) * UINT64_C(0x100000001b3);
    return h;
}

struct model_task lab_task(uint32_t n_in, size_t k, const struct pick *loss)
{
    static struct answer answer[LAB_CLASSES + 1];
    ck_assert_uint_le(k, LAB_CLASSES);
    answer[k] = (struct answer){
        .task = k ? &task_classification : &task_regression, .n_target = 1, .n_class = k};
    return (struct model_task){.answer = &answer[k], .n_in = n_in, .loss = loss};
}

bool lab_model(struct model *m, const struct model_spec *spec, const struct model_task *task,
               struct run_state *state, struct err *e)
{
    return model_shape(m, spec, task, state->arena, e) && model_room(m, state, e);
}

void lab_build(struct lab_run *r, const struct lab_job *j, struct model_task task, bool weighted)
{
    *r = (struct lab_run){.ok = false};
    arena_init(&r->arena, (size_t)1 << 28);
    run_state_init(&r->state, &r->arena);
    task.weighted = weighted;
    task.mixed = mix_wanted(&j->train);
    ck_assert_msg(lab_model(&r->model, &j->model, &task, &r->state, &r->e), "%s", r->e.text);
    model_init_weights(&r->model, j->train.seed, NULL, NULL);
}

void lab_train(struct lab_run *r, const struct lab_job *j, const struct train_rows *train,
               const struct train_rows *val, const struct train_hooks *hooks)
{
    const struct train_rows none = {.n = 0};
    const struct train_hooks silent = {.ctx = r};
    r->ok = train_run(&r->model, &j->train, train, val ? val : &none, hooks ? hooks : &silent, NULL,
                      &r->result, &r->state, &r->e);
}

real *lab_param(const struct model *m, const char *name)
{
    for (size_t i = 0; i < m->n_param; i++)
        if (strcmp(m->param[i].name, name) == 0)
            return m->value + m->param[i].at;
    ck_abort_msg("there is no parameter %s", name);
    return NULL;
}
