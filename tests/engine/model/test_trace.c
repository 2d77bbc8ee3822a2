// SPDX-License-Identifier: MIT
// Looking inside a model: the trace agrees with prediction and training, and autograd with
// differences, in double whatever this program's own precision is.

#include "engine/model/gradcheck.h"
#include "tests/harness.h"
#include "engine/model/predict.h"
#include "engine/model/trace.h"
#include "tests/engine/train/trainlab.h"

#include <math.h>
#include <string.h>

enum { IN = 4, ROWS = 6 };

static struct arena arena;
static struct err err;
static struct lab_job job;
static struct model model;
static real x[ROWS * IN], y[ROWS];

// A network with running statistics that are not the neutral ones.
static void start(size_t k, const char *activation, const char *norm)
{
    arena_release(&arena);
    arena_init(&arena, 16 << 20);
    lab_job_init(&job, 2, 8, activation, norm, .2);
    struct model_task task = lab_task(IN, k, &job.train.loss);
    ck_assert_msg(model_build(&model, &job.model, &task, &arena, &err), "%s", err.text);
    model_init_weights(&model, 3, NULL, NULL);
    for (size_t i = model.n_trained; i < model.n_value; i++)
        model.value[i] = (real)(.5 + .1 * (double)(i % 5));
    for (size_t i = 0; i < ROWS * IN; i++)
        x[i] = (real)(sin((double)i * 1.7) + .3);
    for (size_t i = 0; i < ROWS; i++)
        y[i] = (real)(k ? (double)(i % k) : cos((double)i));
}

static const struct {
    size_t k;
    const char *activation, *norm;
} kinds[] = {{0, "tanh", NULL},
             {2, "gelu", "batch"},
             {3, "prelu", "layer"},
             {3, "swiglu", "weight"},
             {0, "mish", "rms"}};
enum { KINDS = sizeof kinds / sizeof *kinds };

static uint32_t find(const struct trace *t, const char *name)
{
    for (uint32_t i = 0; i < t->view.graph.n; i++)
        if (strcmp(t->view.graph.node[i].name, name) == 0)
            return i;
    ck_abort_msg("no node \"%s\"", name);
    return 0;
}

LOOP_TEST(a_trace_ends_in_what_the_model_answers, KINDS)
{
    struct trace t;
    struct predictor p;
    double answer[ROWS * 3];
    start(kinds[_i].k, kinds[_i].activation, kinds[_i].norm);
    ck_assert(trace_run(&t, &model, x, y, ROWS, NULL, &arena, &err));
    ck_assert(predictor_init(&p, &model, PREDICT_ROWS, &arena, &err));
    double loss = predictor_run(&p, x, y, ROWS, answer, NULL);
    const struct buf *out = &t.plan.buf[t.view.out], *end = &t.plan.buf[t.view.graph.n - 1];
    double last = kinds[_i].k == 2 ? answer[2 * ROWS - 1] : answer[ROWS * out->cols - 1];
    ck_assert_double_eq_tol((double)out->v[ROWS * out->cols - 1], last, 1e-6);
    ck_assert_double_eq_tol((double)end->v[0], loss, 1e-5);
}

// Every node keeps its own: nothing works in place of something else.
LOOP_TEST(no_two_nodes_of_a_trace_share_memory, KINDS)
{
    struct trace t;
    start(kinds[_i].k, kinds[_i].activation, kinds[_i].norm);
    ck_assert(trace_run(&t, &model, x, y, ROWS, NULL, &arena, &err));
    for (uint32_t i = 0; i < t.view.graph.n; i++)
        for (uint32_t k = 0; k < i; k++) {
            ck_assert_ptr_ne(t.plan.buf[i].v, t.plan.buf[k].v);
            ck_assert(!t.plan.buf[i].d || t.plan.buf[i].d != t.plan.buf[k].d);
        }
    ck_assert_ptr_nonnull(t.plan.buf[find(&t, "input")].d);
    ck_assert_ptr_null(t.plan.buf[find(&t, "target")].d);
}

TEST(without_targets_there_is_no_loss_to_see)
{
    struct trace t;
    start(3, "relu", NULL);
    ck_assert(trace_run(&t, &model, x, NULL, ROWS, NULL, &arena, &err));
    ck_assert_uint_eq(trace_nodes(&t), t.view.out + 1);
    ck_assert_ptr_null(t.plan.buf[find(&t, "output.linear")].d);
}

static bool check(struct gradcheck *g, size_t most)
{
    float *value = arena_need(&arena, model.n_value, sizeof *value), rows[ROWS * IN], want[ROWS];
    for (size_t i = 0; i < model.n_value; i++)
        value[i] = (float)model.value[i];
    for (size_t i = 0; i < ROWS * IN; i++)
        rows[i] = (float)x[i];
    for (size_t i = 0; i < ROWS; i++)
        want[i] = (float)y[i];
    struct pick loss = {.row = &model.loss->op->row};
    memcpy(loss.value, model.loss_value, sizeof loss.value);
    const struct gradcheck_model m = {&model.spec, &model.answer, model.n_in,
                                      &loss,       value,         model.n_value};
    return gradcheck_run(&m, rows, want, ROWS, most, g, NULL, &arena, &err);
}

LOOP_TEST(autograd_agrees_with_differences_in_double, KINDS)
{
    struct gradcheck g;
    start(kinds[_i].k, kinds[_i].activation, kinds[_i].norm);
    ck_assert_msg(check(&g, 2000), "%s", err.text);
    ck_assert_str_eq(g.part[g.n - 1].name, "input");
    ck_assert_uint_eq(g.part[0].checked, g.part[0].n);
    ck_assert_msg(g.part[g.worst].error < 1e-6, "%s: %.9g, difference %.9g", g.part[g.worst].name,
                  g.part[g.worst].autograd, g.part[g.worst].difference);
}

TEST(a_check_looks_at_no_more_than_it_may)
{
    struct gradcheck g;
    size_t checked = 0;
    start(3, "tanh", "batch");
    ck_assert(check(&g, 40));
    for (size_t i = 0; i < g.n; i++) {
        ck_assert_uint_ge(g.part[i].checked, 1);
        checked += g.part[i].checked;
    }
    ck_assert_uint_le(checked, 40);
}

// relu at exactly 0 has a slope to the left and one to the right.
TEST(a_corner_of_the_loss_is_no_failure)
{
    struct gradcheck g;
    start(0, "relu", NULL);
    memset(x, 0, sizeof x);
    for (size_t i = 0; i < model.n_param; i++)
        if (strstr(model.param[i].name, "bias"))
            memset(model.value + model.param[i].at, 0, model.param[i].cols * sizeof(real));
    ck_assert(check(&g, 2000));
    size_t kinks = 0;
    for (size_t i = 0; i < g.n; i++)
        kinks += g.part[i].kinks;
    ck_assert_uint_gt(kinks, 0);
    ck_assert_double_lt(g.part[g.worst].error, 1e-6);
}
