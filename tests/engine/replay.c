// SPDX-License-Identifier: MIT
// See replay.h.

#include "tests/engine/replay.h"

#include "tests/harness.h"
#include "engine/optim/schedule.h"
#include "engine/optim/optimizer.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const double FLOOR = .1;

struct replayed {
    const struct fixture *f;
    struct model model;
    struct run_state state;
    struct inspection view;
    struct plan plan;
    struct optimizer optimizer;
    real *grad;
    uint32_t x, y, loss; // nodes
    double worst;
};

static void same(struct replayed *r, int step, const char *what, double got, double want)
{
    double tolerance = sizeof(real) == sizeof(double) ? 1e-6 : 1e-4;
    double off = fabs(got - want) / fmax(fabs(want), FLOOR);
    ck_assert_msg(off <= tolerance, "\"%s\" (%s), step %d: %s is %.9g, PyTorch's %.9g", r->f->row,
                  r->f->about, step, what, got, want);
    r->worst = fmax(r->worst, off);
}

static const cJSON *values_of(const struct replayed *r, const struct model_param *p,
                              const cJSON *weights)
{
    const cJSON *list = cJSON_GetObjectItem(weights, p->name);
    ck_assert_msg(list && cJSON_GetArraySize(list) == (int)(p->rows * p->cols),
                  "\"%s\" (%s): PyTorch has no %u x %u \"%s\"", r->f->row, r->f->about, p->rows,
                  p->cols, p->name);
    return list->child;
}

// A bias in front of batch norm has no effect, so its gradient is rounding alone, which an
// optimizer that divides by it scales up: in single precision it, and the running mean that follows
// it, go their own way.
static bool is_noise(const struct replayed *r, const struct model_param *p)
{
    int layer;
    char rest[32];
    if (sizeof(real) == sizeof(double) || sscanf(p->name, "layers.%d.%31s", &layer, rest) != 2)
        return false;
    const struct row *norm = r->f->layer[layer].norm.row;
    return norm && strcmp(norm->name, "batch") == 0 &&
           (strcmp(rest, "bias") == 0 || strcmp(rest, "norm.running_mean") == 0);
}

static void same_weights(struct replayed *r, int step, const cJSON *weights)
{
    const struct model *m = &r->model;
    ck_assert(!weights || cJSON_GetArraySize(weights) == (int)m->n_param);
    for (size_t i = 0; weights && i < m->n_param; i++) {
        const struct model_param *p = &m->param[i];
        const cJSON *want = values_of(r, p, weights);
        for (size_t k = 0; want && !is_noise(r, p); want = want->next, k++)
            same(r, step, p->name, (double)m->value[p->at + k], want->valuedouble);
    }
}

static const cJSON *after_step(const struct replayed *r, int step)
{
    char name[16];
    snprintf(name, sizeof name, "%d", step);
    return cJSON_GetObjectItem(cJSON_GetObjectItem(r->f->expect, "after"), name);
}

static void same_step(struct replayed *r, int step, double loss, double lr)
{
    const cJSON *expect = r->f->expect;
    same(r, step, "the rate", lr,
         cJSON_GetArrayItem(cJSON_GetObjectItem(expect, "lr"), step - 1)->valuedouble);
    same(r, step, "the loss", loss,
         cJSON_GetArrayItem(cJSON_GetObjectItem(expect, "loss"), step - 1)->valuedouble);
    same_weights(r, step, after_step(r, step));
}

static void start_model(struct replayed *r, struct arena *a)
{
    struct model *m = &r->model;
    struct err e = {0};
    run_state_init(&r->state, a);
    ck_assert_msg(lab_model(m, &r->f->model, &r->f->task, &r->state, &e), "\"%s\" (%s): %s",
                  r->f->row, r->f->about, e.text);
    model_init_weights(m, 1, NULL, NULL);
    for (size_t i = 0; i < m->n_param; i++) {
        if (!cJSON_HasObjectItem(r->f->start, m->param[i].name))
            continue;
        const cJSON *from = values_of(r, &m->param[i], r->f->start);
        for (size_t k = 0; from; from = from->next, k++)
            m->value[m->param[i].at + k] = (real)from->valuedouble;
    }
}

static const struct graph *choose_graph(struct replayed *r, struct arena *a)
{
    const struct model *m = &r->model;
    struct err e = {0};
    if (!r->f->serve) {
        r->x = m->train_x;
        r->y = m->train_y;
        r->loss = m->train.n - 1;
        return &m->train;
    }
    ck_assert_msg(model_inspect(m, &r->view, a, &e), "%s", e.text);
    r->x = r->view.x;
    r->y = r->view.y;
    r->loss = r->view.graph.n - 1;
    return &r->view.graph;
}

static void start_plan(struct replayed *r, struct arena *a)
{
    struct model *m = &r->model;
    const struct fixture *f = r->f;
    struct err e = {0};
    r->grad = arena_need(a, m->n_trained, sizeof(real));
    struct plan_memory memory = {
        .param = m->value, .grad = r->grad, .buffer = m->value + m->n_trained};
    const struct graph *g = choose_graph(r, a);
    ck_assert_msg(plan_init(&r->plan, g, (uint32_t)f->rows.n, memory, a, &e), "%s", e.text);
    const struct optim_setup setup = {&f->train.optimizer, m->value,        r->grad,
                                      m->n_trained,        m->param,        m->n_param,
                                      f->train.group,      f->train.n_group};
    ck_assert_msg(optimizer_init(&r->optimizer, &setup, &r->state, &e), "%s", e.text);
    memcpy(r->plan.buf[r->x].v, f->rows.x, f->rows.n * m->n_in * sizeof(real));
    memcpy(r->plan.buf[r->y].v, f->rows.y, f->rows.n * m->answer.n_target * sizeof(real));
    if (f->rows.w)
        memcpy(r->plan.buf[m->train_w].v, f->rows.w, f->rows.n * sizeof(real));
}

static bool evaluate(void *ctx, double *loss, struct err *e)
{
    struct replayed *r = ctx;
    (void)e;
    plan_forward(&r->plan, (uint32_t)r->f->rows.n, 0, NULL);
    plan_backward(&r->plan, (uint32_t)r->f->rows.n, NULL);
    *loss = (double)r->plan.buf[r->loss].v[0];
    return true;
}

// All rows are one batch; what is called an epoch matters to the schedule alone.
static void by_hand(struct replayed *r, struct arena *a)
{
    const struct fixture *f = r->f;
    const struct pick *schedule = &f->train.schedule;
    const struct optim_closure closure = {evaluate, r};
    struct schedule_state state = schedule_start();
    double sum = 0;
    start_plan(r, a);
    for (uint32_t k = 0; k < f->steps; k++) {
        struct err e = {0};
        double loss, lr = optimizer_lr(&f->train.optimizer) * state.scale *
                          schedule_factor(schedule, k, f->steps, f->per_epoch);
        evaluate(r, &loss, &e);
        ck_assert_msg(optimizer_step(&r->optimizer, lr, loss, 1, &closure, NULL, &e), "%s", e.text);
        same_step(r, (int)k + 1, loss, lr);
        sum += loss;
        if ((k + 1) % f->per_epoch == 0) {
            schedule_observe(schedule, sum / f->per_epoch, &state);
            sum = 0;
        }
    }
    optimizer_swap_in(&r->optimizer, NULL);
}

static void on_epoch(void *ctx, const struct train_epoch *t)
{
    same_step(ctx, t->epoch, t->train_loss, t->lr);
}

static void by_training(struct replayed *r)
{
    const struct train_rows none = {0};
    const struct train_hooks hooks = {.ctx = r, .epoch = on_epoch};
    struct train_result result;
    struct err e = {0};
    ck_assert_msg(train_run(&r->model, &r->f->train, &r->f->rows, &none, &hooks, NULL, &result,
                            &r->state, &e),
                  "\"%s\" (%s): %s", r->f->row, r->f->about, e.text);
}

// What the swap has changed comes back, but for rounding.
static void back_to_training(struct replayed *r)
{
    optimizer_swap_out(&r->optimizer, NULL);
    same_weights(r, (int)r->f->steps, after_step(r, (int)r->f->steps));
}

double replay(const struct fixture *f, struct arena *a)
{
    struct replayed r = {.f = f};
    start_model(&r, a);
    if (f->trained)
        by_training(&r);
    else
        by_hand(&r, a);
    same_weights(&r, (int)f->steps, cJSON_GetObjectItem(f->expect, "final"));
    if (!f->trained)
        back_to_training(&r);
    return r.worst;
}
