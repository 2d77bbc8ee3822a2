// SPDX-License-Identifier: MIT
// `make bench` (bench [THREADS [ROUNDS]]): what a training step costs, next to what this machine
// could do at best, in one run. Every figure is the median of several rounds, and the roofline is
// measured between the rounds, because machines drift.
//
// Roofline of a step = its matrix products at the SGEMM rate (measured here, on 1024 x 1024
// matrices, one thread) plus Adam's memory-bound pass over the parameters at the rate measured on
// the large net's arrays. A fraction of 1 would be a step that does nothing else.

#include "engine/nn/blas.h"
#include "server/base/thread_pool.h"
#include "server/base/preinit.h"
#include "engine/model/model.h"
#include "engine/optim/optimizer.h"
#include "engine/nn/plan.h"
#include "engine/base/rng.h"
#include "engine/train/train.h"
#include "engine/model/init.h"
#include "engine/nn/role.h"
#include "engine/table/task.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ROUNDS = 7, MAX_LAYERS = 3 };

static const struct net {
    const char *name;
    uint32_t batch, in, hidden[MAX_LAYERS], classes;
} nets[] = {
    {"4-16-3", 32, 4, {16}, 3},
    {"30-64-64-2", 32, 30, {64, 64}, 2},
    {"784-256-128-10", 64, 784, {256, 128}, 10},
    {"1024-2048-2048-10", 512, 1024, {2048, 2048}, 10},
};
enum { N_NETS = sizeof nets / sizeof *nets };

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *v, size_t n)
{
    qsort(v, n, sizeof *v, by_value);
    return v[n / 2];
}

// GFLOP/s of one thread on a product of 1024 x 1024 matrices.
static double sgemm_rate(void)
{
    enum { N = 1024 };
    static real a[N * N], b[N * N], c[N * N];
    struct mat ma = {a, N}, mb = {b, N}, mc = {c, N};
    for (int i = 0; i < N * N; i++)
        a[i] = b[i] = (real)(i % 7);
    double start = now();
    gemm_nt(N, N, N, ma, mb, mc, false);
    gemm_nt(N, N, N, ma, mb, mc, false);
    return 2 * 2.0 * N * N * N / (now() - start) / 1e9;
}

struct bench {
    struct arena arena;
    struct layer_spec layer[MAX_LAYERS];
    struct model_spec spec;
    struct model model;
    struct plan plan;
    struct optimizer optimizer;
    real *grad;
    double flops;
};

static void need(bool ok, const struct err *e)
{
    if (ok)
        return;
    fprintf(stderr, "bench: %s\n", e->text);
    exit(1);
}

// Multiply-adds of a training step, times two: forward, weights' gradient, and the input's except
// in the first layer.
static double step_flops(const struct net *n)
{
    double flops = 0;
    uint32_t in = n->in;
    for (int i = 0; i <= MAX_LAYERS; i++) {
        bool last = i == MAX_LAYERS || !n->hidden[i];
        uint32_t out = last ? n->classes : n->hidden[i];
        flops += (i ? 6.0 : 4.0) * n->batch * in * out;
        if (last)
            break;
        in = out;
    }
    return flops;
}

static void setup(struct bench *b, const struct net *n)
{
    struct err e = {0};
    struct pick loss = pick_row(&loss_table, table_find(&loss_table, "cross_entropy"));
    struct pick adam = pick_row(&optimizer_table, table_find(&optimizer_table, "adam"));
    *b = (struct bench){.flops = step_flops(n)};
    arena_init(&b->arena, (size_t)1 << 32);
    for (size_t i = 0; i < MAX_LAYERS && n->hidden[i]; i++, b->spec.n_layer++)
        b->layer[i] = (struct layer_spec){
            .units = (int)n->hidden[i],
            .activation = pick_row(&activation_table, table_find(&activation_table, "relu"))};
    b->spec.layer = b->layer;
    b->spec.init = pick_row(&init_table, init_table.row[0]);
    const struct answer answer = {.task = n->classes ? &task_classification : &task_regression,
                                  .n_class = n->classes,
                                  .n_target = 1};
    const struct model_task task = {.answer = &answer, .n_in = n->in, .loss = &loss};
    need(model_build(&b->model, &b->spec, &task, &b->arena, &e), &e);
    need(model_init_weights(&b->model, 1, NULL, &e), &e);
    b->grad = arena_need(&b->arena, b->model.n_trained, sizeof *b->grad);
    struct plan_memory memory = {
        .param = b->model.value, .grad = b->grad, .buffer = b->model.value + b->model.n_trained};
    need(plan_init(&b->plan, &b->model.train, n->batch, memory, &b->arena, &e), &e);
    const struct optim_setup setup = {
        .pick = &adam, .param = b->model.value, .grad = b->grad, .n = b->model.n_trained};
    struct run_state state;
    run_state_init(&state, &b->arena);
    need(optimizer_init(&b->optimizer, &setup, &state, &e), &e);
    real *x = b->plan.buf[b->model.train_x].v, *y = b->plan.buf[b->model.train_y].v;
    for (size_t i = 0; i < (size_t)n->batch * n->in; i++)
        x[i] = (real)rng_normal(rng_key(1, RNG_PROBE, 0, 0), i);
    for (size_t i = 0; i < n->batch; i++)
        y[i] = (real)(i % n->classes);
}

static void step(struct bench *b, const struct net *n, const struct exec *x)
{
    plan_forward(&b->plan, n->batch, 1, x);
    plan_backward(&b->plan, n->batch, x);
    double norm = optimizer_grad_norm(&b->optimizer, x);
    optimizer_step(&b->optimizer, 1e-3, 0, norm > 1 ? 1 / norm : 1, NULL, x, NULL);
}

// Seconds a step takes, over about `seconds` of steps.
static double time_steps(struct bench *b, const struct net *n, const struct exec *x, double seconds)
{
    size_t steps = 0;
    double start = now(), passed;
    do {
        for (int i = 0; i < 4; i++, steps++)
            step(b, n, x);
        passed = now() - start;
    } while (passed < seconds);
    return passed / (double)steps;
}

// Seconds per parameter of Adam over arrays too large for the caches.
static double adam_rate(struct bench *b)
{
    double start = now();
    optimizer_step(&b->optimizer, 1e-3, 0, 1, NULL, NULL, NULL);
    optimizer_step(&b->optimizer, 1e-3, 0, 1, NULL, NULL, NULL);
    return (now() - start) / 2 / (double)b->model.n_trained;
}

// The question that a worker's job asks.
static bool is_set(void *flag)
{
    return atomic_load_explicit((atomic_int *)flag, memory_order_relaxed);
}

int main(int argc, char **argv)
{
    int threads = argc > 1 ? atoi(argv[1]) : 1, rounds = argc > 2 ? atoi(argv[2]) : ROUNDS;
    if (threads < 1 || rounds < 1 || rounds > ROUNDS) {
        fprintf(stderr, "bench: expects [THREADS [ROUNDS]], at most %d rounds\n", ROUNDS);
        return 2;
    }
    const char *core = blas_better_core();
    if (core)
        preinit_again(BLAS_CORE_VARIABLE, core, argv);
    static struct bench bench[N_NETS];
    double gemm[ROUNDS], adam[ROUNDS], seconds[N_NETS][ROUNDS];
    struct err e = {0};
    struct thread_pool pool;
    need(blas_init(&e), &e);
    need(thread_pool_init(&pool, (uint32_t)threads, 0, &e), &e);
    atomic_int stop = 0;
    const struct halt halt = {is_set, &stop};
    const struct exec x = {.run = thread_pool_run, .ctx = &pool, .halt = &halt};
    for (int i = 0; i < N_NETS; i++)
        setup(&bench[i], &nets[i]);
    for (int r = 0; r < rounds; r++) {
        fprintf(stderr, "\rround %d of %d", r + 1, rounds);
        gemm[r] = sgemm_rate();
        adam[r] = adam_rate(&bench[N_NETS - 1]);
        for (int i = 0; i < N_NETS; i++)
            seconds[i][r] = time_steps(&bench[i], &nets[i], &x, .25);
    }
    fprintf(stderr, "\r%20s\r", "");
    double rate = median(gemm, (size_t)rounds), per_param = median(adam, (size_t)rounds);
    printf(
        "%s\nSGEMM %.1f GFLOP/s on one thread, Adam %.2f ns a parameter; steps on %d thread%s\n\n",
        blas_name(), rate, per_param * 1e9, threads, threads > 1 ? "s" : "");
    printf("%-20s %6s %12s %12s %10s\n", "net", "batch", "us/step", "rows/s", "roofline");
    for (int i = 0; i < N_NETS; i++) {
        double s = median(seconds[i], (size_t)rounds),
               best = bench[i].flops / (rate * 1e9) + per_param * (double)bench[i].model.n_trained;
        printf("%-20s %6u %12.1f %12.0f %9.0f%%\n", nets[i].name, nets[i].batch, s * 1e6,
               nets[i].batch / s, 100 * best / s);
    }
    thread_pool_release(&pool);
    return 0;
}
