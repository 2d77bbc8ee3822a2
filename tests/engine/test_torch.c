// SPDX-License-Identifier: MIT
// The same 20 steps as PyTorch: network, loss, gradients and optimizers together, from
// tests/data/torch_trajectory.json (see the script beside it). Walks optimizer_table.

#include "harness.h"
#include "trainlab.h"

#include <cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { IN = 3, UNITS = 4, CLASSES = 3, STEPS = 20 };

static cJSON *fixture(void)
{
    FILE *f = fopen("tests/data/torch_trajectory.json", "rb");
    ck_assert_ptr_nonnull(f);
    size_t max = 1 << 20;
    char *text = calloc(1, max);
    ck_assert_uint_lt(fread(text, 1, max - 1, f), max - 1);
    fclose(f);
    cJSON *json = cJSON_Parse(text);
    free(text);
    ck_assert_ptr_nonnull(json);
    return json;
}

static void copy(const cJSON *list, real *to, size_t n)
{
    ck_assert_int_eq(cJSON_GetArraySize(list), (int)n);
    const cJSON *item;
    cJSON_ArrayForEach(item, list) *to++ = (real)item->valuedouble;
}

static void set_knobs(struct pick *p, const cJSON *knobs)
{
    const cJSON *item;
    cJSON_ArrayForEach(item, knobs)
    {
        const struct knob *k;
        size_t i = 0, at;
        while ((k = knob_at(&optimizer_table, p->row, i++, &at)) && strcmp(k->name, item->string))
            ;
        ck_assert_msg(k, "optimizer \"%s\" has no knob \"%s\"", p->row->name, item->string);
        if (cJSON_IsArray(item))
            for (int v = 0; v < 2; v++)
                p->value[at + (size_t)v] = cJSON_GetArrayItem(item, v)->valuedouble;
        else
            p->value[at] = cJSON_IsTrue(item) ? 1 : item->valuedouble;
    }
}

static void same(const struct pick *p, int step, const char *what, double got, double want)
{
    double tolerance = sizeof(real) == sizeof(double) ? 1e-6 : 1e-4;
    ck_assert_msg(fabs(got - want) <= tolerance * fmax(fabs(want), .1),
                  "\"%s\" (lr %g), step %d: %s is %.9g, PyTorch's %.9g", p->row->name, p->value[0],
                  step, what, got, want);
}

struct replay {
    struct arena arena;
    struct model model;
    struct plan plan;
    struct optimizer optimizer;
    real *grad;
    uint32_t rows;
};

static void start(struct replay *r, const cJSON *json, const struct pick *optimizer)
{
    struct lab_job j;
    struct err e = {0};
    struct model *m = &r->model;
    arena_init(&r->arena, 16 << 20);
    lab_job_init(&j, 1, UNITS, "tanh", "batch", 0);
    struct model_task task = lab_task(IN, CLASSES, &j.train.loss);
    const cJSON *x = cJSON_GetObjectItem(json, "x"), *row;
    r->rows = (uint32_t)cJSON_GetArraySize(x);
    ck_assert_msg(model_build(m, &j.model, &task, &r->arena, &e), "%s", e.text);
    copy(cJSON_GetObjectItem(json, "start"), m->value, m->n_value);
    r->grad = arena_need(&r->arena, m->n_trained, sizeof(real));
    struct plan_memory memory = {
        .param = m->value, .grad = r->grad, .buffer = m->value + m->n_trained};
    ck_assert(plan_init(&r->plan, &m->train, r->rows, memory, &r->arena, &e));
    const struct optim_setup setup = {.pick = optimizer,
                                      .param = m->value,
                                      .grad = r->grad,
                                      .n = m->n_trained,
                                      .model_param = m->param,
                                      .n_model_param = m->n_param};
    ck_assert(optimizer_init(&r->optimizer, &setup, &r->arena, &e));
    real *to = r->plan.buf[m->train_x].v;
    cJSON_ArrayForEach(row, x) copy(row, to, IN), to += IN;
    copy(cJSON_GetObjectItem(json, "y"), r->plan.buf[m->train_y].v, r->rows);
}

// A bias in front of batch norm has no effect, so its gradient is rounding alone, which Adam scales
// up to full steps: in single precision it, and the running mean that follows it, go their own way.
static bool is_noise(const struct model_param *p)
{
    return sizeof(real) == sizeof(float) && (strcmp(p->name, "layers.0.bias") == 0 ||
                                             strcmp(p->name, "layers.0.norm.running_mean") == 0);
}

static void same_weights(const struct replay *r, const struct pick *p, int step, const cJSON *kept)
{
    const struct model *m = &r->model;
    ck_assert(!kept || (size_t)cJSON_GetArraySize(kept) == m->n_value);
    for (size_t i = 0; kept && i < m->n_param; i++)
        for (size_t k = 0; k < (size_t)m->param[i].rows * m->param[i].cols; k++) {
            size_t at = m->param[i].at + k;
            if (!is_noise(&m->param[i]))
                same(p, step, m->param[i].name, (double)m->value[at],
                     cJSON_GetArrayItem(kept, (int)at)->valuedouble);
        }
}

static void replay(const cJSON *json, const cJSON *run, struct pick *p)
{
    struct replay r;
    const cJSON *loss = cJSON_GetObjectItem(run, "loss"),
                *weights = cJSON_GetObjectItem(run, "weights");
    set_knobs(p, cJSON_GetObjectItem(run, "knobs"));
    start(&r, json, p);
    for (int step = 1; step <= STEPS; step++) {
        plan_forward(&r.plan, r.rows, 0, NULL);
        plan_backward(&r.plan, r.rows, NULL);
        double got = (double)r.plan.buf[r.model.train.n - 1].v[0];
        optimizer_step(&r.optimizer, optimizer_lr(p), got, 1, NULL, NULL, NULL);
        same(p, step, "the loss", got, cJSON_GetArrayItem(loss, step - 1)->valuedouble);
        char name[16];
        snprintf(name, sizeof name, "%d", step);
        same_weights(&r, p, step, cJSON_GetObjectItem(weights, name));
    }
    arena_release(&r.arena);
}

LOOP_TEST(every_optimizer_goes_where_pytorch_goes, optimizer_table.n)
{
    cJSON *json = fixture();
    const struct row *row = optimizer_table.row[_i];
    const cJSON *run;
    int runs = 0;
    cJSON_ArrayForEach(run, cJSON_GetObjectItem(json, "runs"))
    {
        if (strcmp(cJSON_GetObjectItem(run, "optimizer")->valuestring, row->name) != 0)
            continue;
        struct pick p = pick_row(&optimizer_table, row);
        replay(json, run, &p);
        runs++;
    }
    ck_assert_msg(runs > 0, "torch_trajectory.json has no run of \"%s\"", row->name);
    cJSON_Delete(json);
}
