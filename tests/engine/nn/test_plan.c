// SPDX-License-Identifier: MIT
// A plan shares buffers, cuts work into tiles and fuses steps; none of that may change a number.
// Every graph here is computed twice: by a plan, and one op at a time on buffers of its own that
// are cleared first and added to.

#include "tests/harness.h"
#include "tests/engine/nn/naive.h"
#include "engine/base/rng.h"
#include "tests/engine/train/trainlab.h"
#include "engine/nn/role.h"

#include <math.h>
#include <string.h>

static struct arena arena;
static struct err err;

static void begin(void)
{
    arena_release(&arena);
    arena_init(&arena, (size_t)256 << 20);
    err = (struct err){0};
}

static real *numbers(size_t n, uint64_t seed, double scale)
{
    real *v = arena_need(&arena, n, sizeof *v);
    for (size_t i = 0; i < n; i++)
        v[i] = (real)(scale * rng_normal(rng_key(seed, RNG_PROBE, 5, 0), i));
    return v;
}

static double tolerance(void)
{
    return sizeof(real) == sizeof(double) ? 1e-11 : 2e-4;
}

static void same(const char *what, const char *name, const real *got, const real *want, size_t n)
{
    double size = 0;
    for (size_t i = 0; i < n; i++)
        size = fmax(size, fabs((double)want[i]));
    for (size_t i = 0; i < n; i++)
        ck_assert_msg(fabs((double)(got[i] - want[i])) <= tolerance() * fmax(size, .01),
                      "%s of \"%s\", cell %zu of %zu: %.9g, one op at a time %.9g", what, name, i,
                      n, (double)got[i], (double)want[i]);
}

// A graph with its numbers: parameters and their gradients, running statistics.
struct subject {
    const struct graph *g;
    uint32_t x, y; // inputs
    size_t n_param, n_buffer;
    real *value, *grad; // value: parameters, then running statistics
    const real *in_x, *in_y;
};

static struct plan_memory memory_of(const struct subject *s)
{
    return (struct plan_memory){
        .param = s->value, .grad = s->grad, .buffer = s->value + s->n_param};
}

static void feed(const struct subject *s, struct buf *buf, uint32_t rows)
{
    memcpy(buf[s->x].v, s->in_x, (size_t)rows * buf[s->x].cols * sizeof(real));
    memcpy(buf[s->y].v, s->in_y, (size_t)rows * buf[s->y].cols * sizeof(real));
}

// Plan for `batch` rows, run on `rows` of them, everything compared with the slow way. Junk in the
// gradients and in rows past the end must not matter.
static void compare(const struct subject *s, uint32_t batch, uint32_t rows, const struct exec *x)
{
    const uint64_t key = 77;
    struct plan p;
    struct naive n = naive_new(s->g, rows, memory_of(s), key, &arena);
    feed(s, n.buf, rows);
    naive_run(&n);
    for (size_t i = 0; i < s->n_param; i++)
        s->grad[i] = NAN;
    ck_assert_msg(plan_init(&p, s->g, batch, memory_of(s), &arena, &err), "%s", err.text);
    feed(s, p.buf, batch);
    for (uint32_t i = 0; i < s->g->n; i++)
        for (size_t k = 0; s->g->node[i].kind == NODE_OP && p.buf[i].d && k < naive_cells(p.buf[i]);
             k++)
            p.buf[i].d[k] = NAN;
    plan_forward(&p, rows, key, x);
    plan_backward(&p, rows, x);
    for (uint32_t i = 0; i < s->g->n; i++) {
        const struct node *node = &s->g->node[i];
        if (node->kind == NODE_PARAM)
            same("gradient", node->name, p.buf[i].d, n.buf[i].d, naive_cells(n.buf[i]));
        if (node->kind == NODE_BUFFER)
            same("statistic", node->name, p.buf[i].v, n.buf[i].v, naive_cells(n.buf[i]));
    }
    same("value", "loss", p.buf[s->g->n - 1].v, n.buf[s->g->n - 1].v, 1);
}

enum { BATCH = 150, MOST_IN = 450 };

static uint64_t dice(uint64_t seed, uint64_t cell, uint64_t sides)
{
    return rng_below(rng_key(seed, RNG_PROBE, 6, 0), cell, sides);
}

static bool fits(const struct pick *p, int units)
{
    const struct op *op = pick_op(p);
    return !op || !op->misfit || !op->misfit(p->value, (uint32_t)units);
}

static struct pick any_norm(uint64_t n)
{
    const struct row *row = n < norm_table.n ? norm_table.row[n] : NULL;
    return pick_row(&norm_table, row);
}

static struct layer_spec draw_layer(uint64_t seed, size_t i)
{
    static const int width[] = {1, 1, 100, 460};
    uint64_t activation = dice(seed, 30 + i, activation_table.n);
    struct layer_spec l = {.units = width[dice(seed, 20 + i, 4)] + (int)dice(seed, 10 + i, 20),
                           .activation =
                               pick_row(&activation_table, activation_table.row[activation]),
                           .norm = any_norm(dice(seed, 40 + i, 2 * norm_table.n)),
                           .dropout = dice(seed, 50 + i, 2) ? .3 : 0};
    while (!fits(&l.activation, l.units) || !fits(&l.norm, l.units))
        l.units++;
    return l;
}

// A network of up to three layers with everything drawn, wide enough now and then to be cut into
// tiles: by columns, or by rows where a layer has more inputs than outputs.
static void draw_network(struct subject *s, uint64_t seed)
{
    static const size_t kinds[] = {0, 2, 5};
    struct lab_job j;
    struct model *m = arena_need(&arena, 1, sizeof *m);
    lab_job_init(&j, (int)dice(seed, 0, 4), 1, "relu", NULL, 0);
    for (size_t i = 0; i < j.model.n_layer; i++)
        j.layer[i] = draw_layer(seed, i);
    size_t k = kinds[dice(seed, 1, 3)];
    struct model_task task = lab_task((uint32_t)(1 + dice(seed, 2, MOST_IN)), k, &j.train.loss);
    ck_assert_msg(model_build(m, &j.model, &task, &arena, &err), "%s", err.text);
    model_init_weights(m, seed, NULL, NULL);
    for (size_t i = 0; i < m->n_trained; i++)
        m->value[i] += (real)(.1 * rng_normal(rng_key(seed, RNG_PROBE, 7, 0), i));
    real *y = numbers(BATCH, seed + 1, 1);
    for (size_t i = 0; k && i < BATCH; i++)
        y[i] = (real)dice(seed, 100 + i, k);
    *s = (struct subject){.g = &m->train,
                          .x = m->train_x,
                          .y = m->train_y,
                          .n_param = m->n_trained,
                          .n_buffer = m->n_value - m->n_trained,
                          .value = m->value,
                          .grad = arena_need(&arena, m->n_trained, sizeof(real)),
                          .in_x = numbers((size_t)BATCH * task.n_in, seed + 2, 1),
                          .in_y = y};
}

static const uint32_t rows_of_pass[] = {BATCH, BATCH - 1, 33, 7, 2};

LOOP_TEST(a_random_network_computes_what_one_op_at_a_time_does, 40)
{
    struct subject s;
    begin();
    draw_network(&s, (uint64_t)_i);
    compare(&s, BATCH, rows_of_pass[_i % 5], NULL);
}

LOOP_TEST(threads_do_not_change_what_a_random_network_computes, 6)
{
    static const int threads = 3;
    struct exec x = lab_exec(&threads);
    struct subject s;
    begin();
    draw_network(&s, (uint64_t)_i + 1000);
    compare(&s, BATCH, BATCH, &x);
}

// A short batch on a large plan against a plan made for exactly those rows.
LOOP_TEST(a_short_batch_gives_the_numbers_of_a_plan_of_its_size, 12)
{
    struct subject s;
    begin();
    draw_network(&s, (uint64_t)_i + 500);
    uint32_t rows = rows_of_pass[1 + _i % 4];
    real *kept = arena_need(&arena, s.n_param + s.n_buffer, sizeof *kept),
         *grad = arena_need(&arena, s.n_param, sizeof *grad), loss[2];
    memcpy(kept, s.value, (s.n_param + s.n_buffer) * sizeof *kept);
    for (int exact = 0; exact < 2; exact++) {
        struct plan p;
        memcpy(s.value, kept, (s.n_param + s.n_buffer) * sizeof *kept);
        ck_assert(plan_init(&p, s.g, exact ? rows : BATCH, memory_of(&s), &arena, &err));
        feed(&s, p.buf, exact ? rows : BATCH);
        plan_forward(&p, rows, 5, NULL);
        plan_backward(&p, rows, NULL);
        loss[exact] = p.buf[s.g->n - 1].v[0];
        if (!exact)
            memcpy(grad, s.grad, s.n_param * sizeof *grad);
    }
    same("value", "loss", &loss[0], &loss[1], 1);
    same("gradient", "all parameters", grad, s.grad, s.n_param);
}

// y = a + b: what no row of the op table does yet, two inputs computed by other ops.
static void sum_forward(const struct step *s, struct tile t)
{
    for (size_t r = t.r0; r < t.r1; r++)
        for (size_t c = r * s->out.cols + t.c0; c < r * s->out.cols + t.c1; c++)
            s->out.v[c] = s->in[0].v[c] + s->in[1].v[c];
}

static void sum_backward(const struct step *s, struct tile t)
{
    for (size_t r = t.r0; r < t.r1; r++)
        for (size_t c = r * s->out.cols + t.c0; c < r * s->out.cols + t.c1; c++) {
            real dy = s->out.d[c];
            for (int k = 0; k < 2; k++)
                s->in[k].d[c] = s->add[k] ? s->in[k].d[c] + dy : dy;
        }
}

static const struct op op_sum = {.row = {.name = "sum"},
                                 .arity = 2,
                                 .forward = sum_forward,
                                 .backward = sum_backward};

// Graphs with forks, written as lines of ops over x (node 0), y (1), a square weight (2) and a bias
// (3); nodes count on from 4. The last line's output goes to mse and mean.
struct line {
    const struct op *op;
    uint32_t in[3];
};

static const struct line forks[][6] = {
    // a node read twice: relu and dropout may not overwrite what the sum needs
    {{&op_linear, {0, 2, 3}}, {&op_relu, {4}}, {&op_sum, {5, 4}}},
    {{&op_linear, {0, 2, 3}}, {&op_dropout, {4}}, {&op_sum, {5, 4}}},
    {{&op_linear, {0, 2, 3}}, {&op_dropout, {4}}, {&op_sum, {4, 5}}},
    {{&op_linear, {0, 2, 3}}, {&op_tanh, {4}}, {&op_identity, {5}}, {&op_sum, {6, 5}}},
    // by the same op
    {{&op_linear, {0, 2, 3}}, {&op_sum, {4, 4}}},
    // by three
    {{&op_linear, {0, 2, 3}},
     {&op_gelu, {4}},
     {&op_sigmoid, {4}},
     {&op_sum, {5, 6}},
     {&op_sum, {7, 4}}},
    // parameters read twice
    {{&op_linear, {0, 2, 3}}, {&op_tanh, {4}}, {&op_linear, {5, 2, 3}}},
    {{&op_linear, {0, 2, 3}}, {&op_linear, {0, 2, 3}}, {&op_sum, {4, 5}}},
    // chains in place from end to end
    {{&op_linear, {0, 2, 3}}, {&op_dropout, {4}}, {&op_identity, {5}}, {&op_relu, {6}}},
    {{&op_linear, {0, 2, 3}}, {&op_relu, {4}}, {&op_dropout, {5}}, {&op_identity, {6}}},
    {{&op_linear, {0, 2, 3}}, {&op_softmax, {4}}, {&op_dropout, {5}}, {&op_tanh, {6}}},
    {{&op_linear, {0, 2, 3}}, {&op_sigmoid, {4}}, {&op_dropout, {5}}, {&op_softmax, {6}}},
};
enum { FORKS = sizeof forks / sizeof *forks, SIDE = 70 };

static void draw_fork(struct subject *s, const struct line *line)
{
    struct graph *g = arena_need(&arena, 1, sizeof *g);
    ck_assert(graph_init(g, 16, &arena, &err));
    *s = (struct subject){.g = g, .x = 0, .y = 1, .n_param = SIDE * SIDE + SIDE};
    graph_input(g, "x", SIDE);
    graph_input(g, "y", SIDE);
    graph_leaf(g, NODE_PARAM, "weight", SIDE, SIDE, 0);
    graph_leaf(g, NODE_PARAM, "bias", 1, SIDE, SIDE * SIDE);
    for (int i = 0; i < 6 && line[i].op; i++)
        graph_apply(g, line[i].op, line[i].op->row.name, NULL, line[i].in, &err);
    uint32_t loss = graph_apply(g, &op_mse, "loss", NULL, (uint32_t[]){g->n - 1, 1}, &err);
    graph_apply(g, &op_mean, "mean", NULL, &loss, &err);
    s->value = numbers(s->n_param, 1, .2);
    s->grad = numbers(s->n_param, 1, 1);
    s->in_x = numbers(BATCH * SIDE, 2, 1);
    s->in_y = numbers(BATCH * SIDE, 3, 1);
}

LOOP_TEST(a_fork_computes_what_one_op_at_a_time_does, FORKS * 2)
{
    struct subject s;
    begin();
    draw_fork(&s, forks[_i / 2]);
    compare(&s, BATCH, _i % 2 ? BATCH : 31, NULL);
}

// The default block: linear, batch norm, relu and dropout as one stage in both directions.
TEST(a_layers_steps_share_tiles_and_buffers)
{
    struct lab_job j;
    struct model m;
    struct plan p;
    begin();
    lab_job_init(&j, 2, 256, "relu", "batch", .1);
    struct model_task task = lab_task(100, 0, &j.train.loss);
    ck_assert(model_build(&m, &j.model, &task, &arena, &err));
    real *grad = numbers(m.n_trained, 1, 1);
    struct plan_memory memory = {.param = m.value, .grad = grad, .buffer = m.value + m.n_trained};
    ck_assert(plan_init(&p, &m.train, BATCH, memory, &arena, &err));
    ck_assert_uint_eq(p.n_step, 11);
    for (int i = 0; i < 2; i++)
        ck_assert_uint_eq(p.forward[i].n, 4);
    for (uint32_t i = 0, next = 0; i < p.n_forward; next += p.forward[i++].n)
        ck_assert_uint_eq(p.forward[i].first, next);
    uint32_t last = p.n_step;
    for (uint32_t i = 0; i < p.n_backward; last -= p.backward[i++].n)
        ck_assert_uint_eq(p.backward[i].first, last - 1);
    ck_assert_uint_eq(last, 0);
    const struct step *batch = &p.step[1], *relu = &p.step[2], *dropout = &p.step[3];
    ck_assert_ptr_ne(batch->out.v, p.step[0].out.v); // its backward looks at the linear's output
    ck_assert_ptr_eq(relu->out.v, batch->out.v);
    ck_assert_ptr_ne(dropout->out.v, relu->out.v); // relu's backward looks at its own
    ck_assert_ptr_eq(dropout->out.d, batch->out.d);
}

TEST(the_last_step_to_read_a_value_is_its_gradients_first_writer)
{
    struct subject s;
    struct plan p;
    begin();
    draw_fork(&s, forks[6]); // linear, tanh, linear over the same parameters
    ck_assert(plan_init(&p, s.g, BATCH, memory_of(&s), &arena, &err));
    ck_assert(p.step[0].add[1] && p.step[0].add[2]);
    ck_assert(!p.step[1].add[0]);
    ck_assert(!p.step[2].add[0] && !p.step[2].add[1] && !p.step[2].add[2]);
    ck_assert_ptr_null(p.step[0].in[0].d); // nothing to learn upstream of the input
}

TEST(without_gradients_nothing_is_kept_for_them)
{
    struct subject s;
    struct plan p;
    begin();
    draw_fork(&s, forks[5]);
    s.grad = NULL;
    ck_assert(plan_init(&p, s.g, BATCH, memory_of(&s), &arena, &err));
    ck_assert_uint_eq(p.n_backward, 0);
    for (uint32_t i = 0; i < s.g->n; i++)
        ck_assert_ptr_null(p.buf[i].d);
}

TEST(the_first_node_that_broke_is_named)
{
    struct subject s;
    struct plan p;
    begin();
    draw_fork(&s, forks[6]);
    ck_assert(plan_init(&p, s.g, BATCH, memory_of(&s), &arena, &err));
    feed(&s, p.buf, BATCH);
    plan_forward(&p, 10, 1, NULL);
    ck_assert_ptr_null(plan_first_broken(&p, 10));
    p.buf[0].v[9 * SIDE] = INFINITY;
    ck_assert_str_eq(plan_first_broken(&p, 10), "x");
    ck_assert_ptr_null(plan_first_broken(&p, 9));
    p.buf[0].v[9 * SIDE] = 0;
    s.value[3] = NAN;
    plan_forward(&p, 10, 1, NULL);
    ck_assert_str_eq(plan_first_broken(&p, 10), "weight");
}

TEST(a_plan_that_does_not_fit_is_too_large)
{
    struct subject s;
    struct plan p;
    struct arena small;
    struct err e = {0};
    begin();
    draw_fork(&s, forks[0]);
    for (size_t max = 0; max < 100000; max += 997) {
        arena_init(&small, max);
        e = (struct err){0};
        ck_assert(!plan_init(&p, s.g, BATCH, memory_of(&s), &small, &e));
        ck_assert_int_eq(e.kind, ERR_TOO_LARGE);
        arena_release(&small);
    }
}

#ifdef MLPD_F64
// The whole network by differences: batch norm, dropout and loss together.
LOOP_TEST(the_gradient_of_a_whole_network_is_that_of_differences, 9)
{
    static const size_t kinds[] = {0, 2, 5};
    static const char *const smooth[] = {"tanh", "sigmoid", "gelu"};
    enum { ROWS = 13 };
    const double h = 1e-5;
    struct lab_job j;
    struct model m;
    struct plan p;
    begin();
    lab_job_init(&j, 2, 6, smooth[_i / 3], "batch", .25);
    struct model_task task = lab_task(4, kinds[_i % 3], &j.train.loss);
    ck_assert(model_build(&m, &j.model, &task, &arena, &err));
    model_init_weights(&m, 3, NULL, NULL);
    real *grad = numbers(m.n_trained, 1, 1), *analytic = numbers(m.n_trained, 1, 1);
    struct plan_memory memory = {.param = m.value, .grad = grad, .buffer = m.value + m.n_trained};
    ck_assert(plan_init(&p, &m.train, ROWS + 3, memory, &arena, &err));
    const real *x = numbers(ROWS * 4, 8, 1);
    memcpy(p.buf[m.train_x].v, x, ROWS * 4 * sizeof *x);
    for (size_t i = 0; i < ROWS; i++)
        p.buf[m.train_y].v[i] = kinds[_i % 3] ? (real)(i % kinds[_i % 3]) : x[i];
    const real *loss = p.buf[m.train.n - 1].v;
    plan_forward(&p, ROWS, 9, NULL);
    plan_backward(&p, ROWS, NULL);
    memcpy(analytic, grad, m.n_trained * sizeof *grad);
    for (size_t i = 0; i < m.n_trained; i++) {
        real keep = m.value[i];
        m.value[i] = keep + h;
        plan_forward(&p, ROWS, 9, NULL);
        double up = loss[0];
        m.value[i] = keep - h;
        plan_forward(&p, ROWS, 9, NULL);
        double slope = (up - loss[0]) / (2 * h);
        m.value[i] = keep;
        ck_assert_msg(fabs(analytic[i] - slope) < 1e-8 + 1e-7 * fabs(slope),
                      "parameter %zu: %.12g, by differences %.12g", i, analytic[i], slope);
    }
}
#endif
