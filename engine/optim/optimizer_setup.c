// SPDX-License-Identifier: MIT
// What an optimizer is made of before its first step: groups, memory, and the flat arrays cut into
// spans. See optimizer.h.

#include "engine/optim/optim.h"
#include "engine/optim/optimizer.h"

#include <stdio.h>
#include <string.h>

// Parameters a tile: 64 KiB each of values, gradients and state slots stay in the second-level
// cache.
enum { SPAN = 16384 };

// Consecutive parameters that one step() may take together.
struct param_run {
    size_t at, n, group;
    uint32_t rows, cols; // a whole matrix; 0: to be cut anywhere
};

// Does the pattern cover the whole name? `*` stands for anything. On a mismatch only the last `*`
// can take more, so this ends in |pattern| times |name| steps.
static bool optimizer_setup_matches(const char *pattern, const char *name)
{
    const char *star = NULL, *from = name;
    while (*name)
        if (*pattern == '*') {
            star = pattern++;
            from = name;
        } else if (*pattern == *name) {
            pattern++;
            name++;
        } else if (star) {
            pattern = star + 1;
            name = ++from;
        } else {
            return false;
        }
    while (*pattern == '*')
        pattern++;
    return !*pattern;
}

static size_t optimizer_setup_group_of(const char *name, const struct param_group *g, size_t n)
{
    size_t i = 0;
    while (i < n && !optimizer_setup_matches(g[i].match, name))
        i++;
    return i;
}

static bool is_matched(const struct param_group *g, const struct model_param *param, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (param[i].trained && optimizer_setup_matches(g->match, param[i].name))
            return true;
    return false;
}

static bool check_groups(const struct model_param *param, size_t n, const struct param_group *g,
                         size_t n_group, struct err *e)
{
    char at[64];
    for (size_t i = 0; i < n_group; i++) {
        if (is_matched(&g[i], param, n))
            continue;
        snprintf(at, sizeof at, "/param_groups/%zu/match", i);
        return fail_at(e, ERR_INVALID, at,
                       "no trained parameter's name matches \"%.60s\"; names are such as \"%s\", "
                       "and * stands for anything",
                       g[i].match, n ? param[0].name : "layers.0.weight");
    }
    return true;
}

bool optimizer_check(const struct pick *p, const struct model_param *param, size_t n,
                     const struct param_group *g, size_t n_group, struct err *e)
{
    const struct optim *row = pick_optim(p);
    const char *why = row->misfit ? row->misfit(p->value) : NULL;
    if (why)
        return fail_at(e, ERR_INVALID, "/optimizer", "%s", why);
    static const char *const wrapped[] = {"sam", "lookahead"};
    for (size_t i = 0; row->all && i < 2; i++)
        if (pick_value(&optimizer_table, p, wrapped[i]) > 0)
            return fail_at(e, ERR_INVALID, i ? "/optimizer/lookahead" : "/optimizer/sam",
                           "%s does not go with %s, which remembers where its steps led; set it "
                           "to 0",
                           wrapped[i], row->row.name);
    return check_groups(param, n, g, n_group, e);
}

static bool is_hidden_matrix(const struct model_param *p)
{
    return !p->vector && !p->output;
}

// The run after *r, from parameter *i on: of one group, and a matrix alone where `matrices`.
static bool next_run(const struct optim_setup *s, bool matrices, size_t *i, struct param_run *r)
{
    *r = (struct param_run){.at = r->at + r->n};
    for (; *i < s->n_model_param && !r->rows; ++*i) {
        const struct model_param *p = &s->model_param[*i];
        if (!p->trained)
            continue;
        size_t group = optimizer_setup_group_of(p->name, s->group, s->n_group);
        bool whole = matrices && is_hidden_matrix(p);
        if (r->n && (whole || group != r->group))
            return true;
        BUG(p->at != r->at + r->n);
        r->n += (size_t)p->rows * p->cols;
        r->group = group;
        r->rows = whole ? p->rows : 0;
        r->cols = whole ? p->cols : 0;
    }
    return r->n > 0;
}

static void optimizer_setup_add_span(struct optimizer *o, const struct param_run *r, size_t at,
                                     size_t n, real *scratch)
{
    struct optim_span *s = &o->span[o->n_span++];
    *s = (struct optim_span){.p = o->param + at,
                             .g = o->grad + at,
                             .at = at,
                             .n = n,
                             .rows = r->rows,
                             .cols = r->cols,
                             .coef = o->group[r->group].coef};
    for (int slot = 0; slot < OPTIM_SLOTS; slot++)
        s->state[slot] = o->state[slot] ? o->state[slot] + at : NULL;
    if (r->rows)
        s->scratch = scratch + at * (size_t)o->row->scratch;
}

static void cut_run(struct optimizer *o, const struct param_run *r, real *scratch)
{
    size_t most = r->rows ? r->n : SPAN;
    for (size_t at = 0; at < r->n; at += most)
        optimizer_setup_add_span(o, r, r->at + at, r->n - at < most ? r->n - at : most, scratch);
}

static void optimizer_setup_cut(struct optimizer *o, const struct optim_setup *s, real *scratch)
{
    struct param_run r = {.n = 0};
    size_t i = 0;
    while (next_run(s, o->row->matrix, &i, &r))
        cut_run(o, &r, scratch);
    if (!s->n_model_param)
        cut_run(o, &(struct param_run){.n = s->n}, scratch);
}

static size_t optimizer_setup_place(const struct pick *p, const char *name)
{
    const struct hyper *hyper;
    size_t at;
    for (size_t k = 0; (hyper = hyper_at(&optimizer_table, p->row, k, &at)); k++)
        if (strcmp(hyper->name, name) == 0)
            return at;
    return PICK_VALUES;
}

static void init_groups(struct optimizer *o, const struct optim_setup *s)
{
    size_t decay = optimizer_setup_place(s->pick, "weight_decay");
    for (size_t i = 0; i < o->n_group; i++) {
        struct optim_group *g = &o->group[i];
        *g = (struct optim_group){.lr = i < s->n_group ? s->group[i].lr : 1,
                                  .run = o->run + i * OPTIM_RUNS,
                                  .coef = o->coef + i * OPTIM_COEFS};
        memcpy(g->value, o->value, sizeof g->value);
        if (i < s->n_group && decay < PICK_VALUES)
            g->value[decay] *= s->group[i].weight_decay;
    }
}

static void keep_slots(struct optimizer *o, struct run_state *run)
{
    int slots = o->row->slots ? o->row->slots(o->value) : 0;
    for (int i = 0; i < slots; i++)
        STATE_KEEP(run, o->row->slot[i], o->state[i], o->n);
    if (o->row->keep)
        o->row->keep(o, run);
}

// All memory; what is not kept follows from the setup, or is filled in every step.
static void take_memory(struct optimizer *o, const struct optim_setup *s, real **scratch,
                        struct run_state *run)
{
    size_t spans = o->n / SPAN + s->n_model_param + 1;
    STATE_SCRATCH(run, "optimizer.groups", o->group, o->n_group);
    STATE_SCRATCH(run, "optimizer.spans", o->span, spans);
    STATE_SCRATCH(run, "optimizer.partial", o->partial, spans);
    STATE_SCRATCH(run, "optimizer.scratch", *scratch, o->n * (size_t)o->row->scratch);
    STATE_COUNT(run, "optimizer.steps", &o->k, UINT64_MAX);
    STATE_KEEP(run, "optimizer.products", o->run, o->n_group * OPTIM_RUNS);
    STATE_KEEP(run, "optimizer.coefficients", o->coef, o->n_group * OPTIM_COEFS);
    keep_slots(o, run);
    if (o->sam > 0)
        STATE_SCRATCH(run, "optimizer.backup", o->backup, o->n);
    if (o->lookahead)
        STATE_KEEP(run, "optimizer.slow", o->slow, o->n);
}

bool optimizer_init(struct optimizer *o, const struct optim_setup *s, struct run_state *run,
                    struct err *e)
{
    real *scratch;
    if (!optimizer_check(s->pick, s->model_param, s->n_model_param, s->group, s->n_group, e))
        return false;
    *o = (struct optimizer){
        .row = pick_optim(s->pick),
        .param = s->param,
        .grad = s->grad,
        .n = s->n,
        .n_group = s->n_group + 1,
        .sam = pick_value(&optimizer_table, s->pick, "sam"),
        .lookahead = (uint64_t)pick_value(&optimizer_table, s->pick, "lookahead"),
        .alpha = (real)pick_value(&optimizer_table, s->pick, "lookahead_alpha")};
    memcpy(o->value, s->pick->value, sizeof o->value);
    take_memory(o, s, &scratch, run);
    if (!run_state_granted(run))
        return fail(e, ERR_TOO_LARGE,
                    "the optimizer's state needs more memory than a job may use; use fewer units");
    if (run_state_sizing(run))
        return true;
    init_groups(o, s);
    optimizer_setup_cut(o, s, scratch);
    return true;
}
