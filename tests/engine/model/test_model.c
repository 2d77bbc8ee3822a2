// SPDX-License-Identifier: MIT
// Networks built from their spec: names, shapes, counts, and worked examples with weights set by
// hand.

#include "tests/harness.h"
#include "engine/model/predict.h"
#include "tests/engine/train/trainlab.h"
#include "engine/nn/role.h"

#include <math.h>
#include <string.h>

static struct arena arena;
static struct err err;

static bool build(struct model *m, const struct lab_job *j, uint32_t n_in, size_t n_class,
                  const char *loss)
{
    arena_release(&arena);
    arena_init(&arena, 64 << 20);
    err = (struct err){0};
    struct pick pick = loss ? lab_pick(&loss_table, loss) : (struct pick){0};
    struct model_task task = lab_task(n_in, n_class, &pick);
    return model_build(m, &j->model, &task, &arena, &err);
}

static const struct {
    const char *name;
    uint32_t rows, cols;
    bool trained;
} parts[] = {
    {"layers.0.weight", 8, 5, true},
    {"layers.0.bias", 1, 8, true},
    {"layers.0.norm.weight", 1, 8, true},
    {"layers.0.norm.bias", 1, 8, true},
    {"layers.0.norm.running_mean", 1, 8, false},
    {"layers.0.norm.running_var", 1, 8, false},
    {"layers.1.weight", 4, 8, true},
    {"layers.1.bias", 1, 4, true},
    {"output.weight", 3, 4, true},
    {"output.bias", 1, 3, true},
};
enum { PARTS = sizeof parts / sizeof *parts };

TEST(parameters_are_named_and_shaped_as_in_pytorch)
{
    struct lab_job j;
    struct model m;
    lab_job_init(&j, 2, 8, "relu", "batch", .1);
    j.layer[1] = (struct layer_spec){.units = 4, .activation = lab_pick(&activation_table, "tanh")};
    ck_assert_msg(build(&m, &j, 5, 3, NULL), "%s", err.text);
    ck_assert_uint_eq(m.n_param, PARTS);
    size_t at[2] = {m.n_trained, 0}; // statistics follow all that is trained
    for (size_t i = 0; i < PARTS; i++) {
        ck_assert_str_eq(m.param[i].name, parts[i].name);
        ck_assert(m.param[i].rows == parts[i].rows && m.param[i].cols == parts[i].cols);
        ck_assert_int_eq(m.param[i].trained, parts[i].trained);
        ck_assert_uint_eq(m.param[i].at, at[parts[i].trained]);
        at[parts[i].trained] += (size_t)parts[i].rows * parts[i].cols;
    }
    ck_assert(at[1] == m.n_trained && at[0] == m.n_value);
    ck_assert_uint_eq(m.n_trained, 5 * 8 + 8 + 16 + 8 * 4 + 4 + 4 * 3 + 3);
    ck_assert_uint_eq(m.n_value, m.n_trained + 16);
    ck_assert(m.by_column && m.n_out == 3 && answer_width(&m.answer) == 3);
}

static const struct {
    size_t n_class;
    const char *loss;
    const struct op *op;
    uint32_t n_out;
    size_t answers;
} outputs[] = {
    {0, NULL, &op_mse, 1, 1},
    {2, NULL, &op_binary_cross_entropy, 1, 2},
    {2, "cross_entropy", &op_cross_entropy, 2, 2},
    {7, NULL, &op_cross_entropy, 7, 7},
};

LOOP_TEST(the_output_layer_follows_from_the_target, sizeof outputs / sizeof *outputs)
{
    struct lab_job j;
    struct model m;
    lab_job_init(&j, 1, 4, "relu", NULL, 0);
    ck_assert(build(&m, &j, 5, outputs[_i].n_class, outputs[_i].loss));
    ck_assert_ptr_eq(m.loss->op, outputs[_i].op);
    ck_assert_uint_eq(m.n_out, outputs[_i].n_out);
    ck_assert_uint_eq(answer_width(&m.answer), outputs[_i].answers);
    ck_assert(!m.by_column);
}

static const struct {
    size_t n_class;
    const char *loss, *says;
} misfit[] = {
    {0, "cross_entropy", "loss \"cross_entropy\" does not fit a regression; \"mse\" does"},
    {2, "mse", "loss \"mse\" does not fit a target with 2 classes; \"binary_cross_entropy\" does"},
    {3, "binary_cross_entropy",
     "loss \"binary_cross_entropy\" does not fit a target with 3 classes; \"cross_entropy\" does"},
};

LOOP_TEST(a_loss_for_another_kind_of_target_is_refused_by_name, 3)
{
    struct lab_job j;
    struct model m;
    lab_job_init(&j, 1, 4, "relu", NULL, 0);
    ck_assert(!build(&m, &j, 5, misfit[_i].n_class, misfit[_i].loss));
    ck_assert_str_eq(err.at, "/loss");
    ck_assert_str_eq(err.text, misfit[_i].says);
}

TEST(the_prediction_graph_has_neither_dropout_nor_batch_statistics)
{
    struct lab_job j;
    struct model m;
    lab_job_init(&j, 2, 8, "relu", "batch", .5);
    ck_assert(build(&m, &j, 5, 3, NULL));
    int fixed = 0, moving = 0, dropout = 0;
    for (uint32_t i = 0; i < m.serve.n; i++) {
        ck_assert_ptr_ne(m.serve.node[i].op, &op_dropout);
        ck_assert_ptr_ne(m.serve.node[i].op, &op_batch);
        fixed += m.serve.node[i].op == &op_batch_fixed;
    }
    for (uint32_t i = 0; i < m.train.n; i++) {
        moving += m.train.node[i].op == &op_batch;
        dropout += m.train.node[i].op == &op_dropout;
    }
    ck_assert(fixed == 2 && moving == 2 && dropout == 2);
}

TEST(norms_start_neutral_and_weights_follow_the_seed)
{
    struct lab_job j;
    struct model m;
    lab_job_init(&j, 1, 8, "relu", "batch", 0);
    ck_assert(build(&m, &j, 5, 3, NULL));
    model_init_weights(&m, 1, NULL, NULL);
    for (size_t i = 0; i < 8; i++) {
        ck_assert(m.value[m.param[2].at + i] == 1 && m.value[m.param[3].at + i] == 0);
        ck_assert(m.value[m.param[4].at + i] == 0 && m.value[m.param[5].at + i] == 1);
    }
    uint64_t first = lab_hash(m.value, m.n_value * sizeof *m.value);
    model_init_weights(&m, 2, NULL, NULL);
    ck_assert_uint_ne(lab_hash(m.value, m.n_value * sizeof *m.value), first);
    model_init_weights(&m, 1, NULL, NULL);
    ck_assert_uint_eq(lab_hash(m.value, m.n_value * sizeof *m.value), first);
    ck_assert_ptr_null(model_first_broken(&m, m.value, NULL));
    m.value[m.param[5].at + 7] = INFINITY;
    ck_assert_str_eq(model_first_broken(&m, m.value, NULL), "layers.0.norm.running_var");
}

// A weight norm's lengths are those of the directions drawn, so that the layer starts as it would
// without; prelu's slopes are its hyperparameter.
TEST(parameters_start_where_hypers_and_weights_say)
{
    struct lab_job j;
    struct model m;
    lab_job_init(&j, 1, 8, "prelu", "weight", 0);
    j.layer[0].activation.value[0] = .125;
    ck_assert(build(&m, &j, 5, 3, NULL));
    ck_assert_str_eq(m.param[2].name, "layers.0.norm.g");
    ck_assert_str_eq(m.param[3].name, "layers.0.activation.weight");
    model_init_weights(&m, 1, NULL, NULL);
    for (size_t i = 0; i < 8; i++) {
        double square = 0;
        for (size_t c = 0; c < 5; c++)
            square += pow((double)m.value[m.param[0].at + 5 * i + c], 2);
        ck_assert_double_eq_tol((double)m.value[m.param[2].at + i], sqrt(square), 1e-6);
        ck_assert(m.value[m.param[3].at + i] == .125);
    }
}

TEST(a_network_beyond_the_arena_is_too_large)
{
    struct lab_job j;
    struct model m;
    struct arena small;
    struct err e = {0};
    lab_job_init(&j, 2, 4000, "relu", NULL, 0);
    struct model_task task = lab_task(100, 3, &j.train.loss);
    arena_init(&small, 1 << 20);
    ck_assert(!model_build(&m, &j.model, &task, &small, &e));
    ck_assert_int_eq(e.kind, ERR_TOO_LARGE);
    ck_assert_str_eq(e.at, "/model/layers");
    arena_release(&small);
}

// The curriculum's worked examples: weights in the order of the parameters, one row, and the value
// of a node of the prediction graph.
static const struct {
    const char *what;
    int units; // of one hidden layer; 0: none
    const char *activation;
    uint32_t n_in;
    size_t n_class; // above 0: cross-entropy, whose answer is a softmax
    double weight[24], x[3];
    const char *node;
    double value[3];
} example[] = {
    {"1, a linear layer",
     0,
     NULL,
     3,
     2,
     {.1, .2, .3, .4, .5, .6, .1, .2},
     {175, 70, 25},
     "output.linear",
     {39.1, 120.2}},
    {"4, softmax",
     0,
     NULL,
     1,
     3,
     {0, 0, 0, 2, 1, .5},
     {9},
     "prediction",
     {.628532, .231224, .140244}},
    {"5, the hidden layer before ReLU",
     3,
     "identity",
     2,
     2,
     {.1, .2, .3, .4, .5, .6, .1, .2, .3, .1, .2, .3, .4, .5, .6, .1, .2},
     {1, 2},
     "layers.0.linear",
     {.6, 1.3, 2.0}},
    {"5, before softmax",
     3,
     "relu",
     2,
     2,
     {.1, .2, .3, .4, .5, .6, .1, .2, .3, .1, .2, .3, .4, .5, .6, .1, .2},
     {1, 2},
     "output.linear",
     {1.02, 2.29}},
    {"5, forward",
     3,
     "relu",
     2,
     2,
     {.1, .2, .3, .4, .5, .6, .1, .2, .3, .1, .2, .3, .4, .5, .6, .1, .2},
     {1, 2},
     "prediction",
     {.219257, .780743}},
    {"6, two layers without an activation",
     2,
     "identity",
     2,
     2,
     {.1, .2, .3, .4, .1, .2, .5, .6, .7, .8, .3, .4},
     {1, 2},
     "output.linear",
     {1.38, 1.86}},
    {"6, the same as one layer",
     0,
     NULL,
     2,
     2,
     {.23, .34, .31, .46, .47, .63},
     {1, 2},
     "output.linear",
     {1.38, 1.86}},
    {"7, sigmoid at -10", 1, "sigmoid", 1, 0, {1, 0, 1, 0}, {-10}, "output.linear", {4.539787e-05}},
    {"7, sigmoid at -5", 1, "sigmoid", 1, 0, {1, 0, 1, 0}, {-5}, "output.linear", {6.692851e-03}},
    {"7, sigmoid at -2", 1, "sigmoid", 1, 0, {1, 0, 1, 0}, {-2}, "output.linear", {.119203}},
    {"7, sigmoid at 0", 1, "sigmoid", 1, 0, {1, 0, 1, 0}, {0}, "output.linear", {.5}},
    {"7, sigmoid at 2", 1, "sigmoid", 1, 0, {1, 0, 1, 0}, {2}, "output.linear", {.880797}},
    {"7, sigmoid at 5", 1, "sigmoid", 1, 0, {1, 0, 1, 0}, {5}, "output.linear", {.993307}},
    {"7, sigmoid at 10", 1, "sigmoid", 1, 0, {1, 0, 1, 0}, {10}, "output.linear", {.9999546}},
};

static uint32_t node_of(const struct graph *g, const char *name)
{
    for (uint32_t i = 0; i < g->n; i++)
        if (strcmp(g->node[i].name, name) == 0)
            return i;
    ck_abort_msg("no node \"%s\"", name);
    return 0;
}

static void check(const char *what, double got, double want)
{
    ck_assert_msg(fabs(got - want) <= 6e-7 * fmax(1, fabs(want)) && fabs(got / want - 1) < 1e-5,
                  "example %s: %.7g, expected %.7g", what, got, want);
}

static void build_example(struct model *m, int i)
{
    struct lab_job j;
    lab_job_init(&j, example[i].units ? 1 : 0, example[i].units, example[i].activation, NULL, 0);
    ck_assert_msg(build(m, &j, example[i].n_in, example[i].n_class,
                        example[i].n_class ? "cross_entropy" : NULL),
                  "%s", err.text);
    for (size_t k = 0; k < m->n_value; k++)
        m->value[k] = (real)example[i].weight[k];
}

LOOP_TEST(the_curriculums_examples_give_their_numbers, sizeof example / sizeof *example)
{
    struct model m;
    struct plan p;
    build_example(&m, _i);
    struct plan_memory memory = {.param = m.value, .buffer = m.value + m.n_trained};
    ck_assert(plan_init(&p, &m.serve, 1, memory, &arena, &err));
    for (uint32_t k = 0; k < m.n_in; k++)
        p.buf[m.serve_x].v[k] = (real)example[_i].x[k];
    plan_forward(&p, 1, 0, NULL);
    struct buf out = p.buf[node_of(&m.serve, example[_i].node)];
    for (uint32_t k = 0; k < out.cols; k++)
        check(example[_i].what, (double)out.v[k], example[_i].value[k]);
}

static const struct {
    double x, slope;
} vanishing[] = {{0, .25},           {2, .104994},       {-2, .104994},      {5, 6.648057e-03},
                 {-5, 6.648057e-03}, {10, 4.539581e-05}, {-10, 4.539581e-05}};

// Example 7's second half. With the loss (σ(x) - y)², y one half below σ(x), the hidden bias has
// σ'(x) for its gradient.
LOOP_TEST(the_sigmoids_slope_vanishes_as_in_the_curriculum, sizeof vanishing / sizeof *vanishing)
{
    struct lab_job j;
    struct model m;
    struct plan p;
    real grad[4], value[] = {1, 0, 1, 0};
    double x = vanishing[_i].x;
    lab_job_init(&j, 1, 1, "sigmoid", NULL, 0);
    ck_assert(build(&m, &j, 1, 0, NULL));
    ck_assert(plan_init(&p, &m.train, 1,
                        (struct plan_memory){.param = value, .grad = grad, .buffer = value}, &arena,
                        &err));
    p.buf[m.train_x].v[0] = (real)x;
    p.buf[m.train_y].v[0] = (real)(1 / (1 + exp(-x)) - .5);
    plan_forward(&p, 1, 0, NULL);
    plan_backward(&p, 1, NULL);
    check("7, slope", (double)grad[1], vanishing[_i].slope);
}
