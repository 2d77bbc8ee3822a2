// SPDX-License-Identifier: MIT
// See optimlab.h.

#include "tests/harness.h"
#include "tests/engine/optim/optimlab.h"
#include "engine/base/rng.h"
#include "engine/optim/optimizer.h"

#include <string.h>

const struct model_param valley_param[VALLEY_PARAMS] = {
    {.name = "layers.0.weight",
     .rows = 150,
     .cols = 120,
     .at = 0,
     .trained = true,
     .vector = false},
    {.name = "layers.0.bias", .rows = 1, .cols = 120, .at = 18000, .trained = true, .vector = true},
    {.name = "layers.1.weight",
     .rows = 30,
     .cols = 120,
     .at = 18120,
     .trained = true,
     .vector = false},
    {.name = "layers.1.bias", .rows = 1, .cols = 30, .at = 21720, .trained = true, .vector = true},
    {.name = "output.weight",
     .rows = 3,
     .cols = 30,
     .at = 21750,
     .trained = true,
     .vector = false,
     .output = true},
    {.name = "output.bias",
     .rows = 1,
     .cols = 3,
     .at = 21840,
     .trained = true,
     .vector = true,
     .output = true}};

static double loss(struct valley *v)
{
    double sum = 0, pull = 0;
    for (size_t i = 0; i < v->n; i++) {
        double x = (double)v->param[i], rest = i + 1 < v->n ? (double)v->param[i + 1] - x * x : 0,
               miss = i + 1 < v->n ? 1 - x : 0;
        sum += 5 * rest * rest + miss * miss;
        v->grad[i] = (real)(pull - 20 * rest * x - 2 * miss);
        pull = 10 * rest;
    }
    return sum;
}

static bool evaluate(void *ctx, double *value, struct err *e)
{
    struct valley *v = ctx;
    *value = loss(v);
    if (++v->evals == v->breaks_at)
        return fail(e, ERR_DIVERGED, "the loss is not finite");
    return true;
}

static void begin(struct valley *v, const struct optim_setup *s)
{
    struct err e = {0};
    arena_init(&v->arena, 64 << 20);
    run_state_init(&v->state, &v->arena);
    v->n = s->n;
    v->evals = v->breaks_at = 0;
    v->closure = (struct optim_closure){evaluate, v};
    for (size_t i = 0; i < v->n; i++)
        v->param[i] = (real)(.4 * rng_normal(rng_key(3, RNG_PROBE, 0, 0), i));
    ck_assert_msg(optimizer_init(&v->optimizer, s, &v->state, &e), "%s: %s", e.at, e.text);
}

void valley_begin(struct valley *v, const struct pick *p, const struct param_group *g,
                  size_t n_group)
{
    begin(v, &(struct optim_setup){p, v->param, v->grad, VALLEY_N, valley_param, VALLEY_PARAMS, g,
                                   n_group});
}

void valley_begin_plain(struct valley *v, const struct pick *p, size_t n)
{
    begin(v, &(struct optim_setup){.pick = p, .param = v->param, .grad = v->grad, .n = n});
}

double valley_walk(struct valley *v, int steps, double lr, const struct exec *x)
{
    struct err e = {0};
    double rate = lr * v->optimizer.value[0];
    for (int i = 0; i < steps; i++)
        ck_assert_msg(optimizer_step(&v->optimizer, rate, loss(v), 1, &v->closure, x, &e), "%s",
                      e.text);
    return loss(v);
}

void valley_end(struct valley *v)
{
    arena_release(&v->arena);
}

void valley_set(struct pick *p, const char *name, double value)
{
    const struct hyper *k;
    size_t at;
    for (size_t i = 0; (k = hyper_at(&optimizer_table, p->row, i, &at)); i++)
        if (strcmp(k->name, name) == 0) {
            p->value[at] = value;
            return;
        }
    ck_abort_msg("optimizer \"%s\" has no hyperparameter \"%s\"", p->row->name, name);
}

struct pick valley_pick(const char *name, const char *hyper, double value)
{
    struct pick p = pick_row(&optimizer_table, table_find(&optimizer_table, name));
    if (hyper)
        valley_set(&p, hyper, value);
    return p;
}
