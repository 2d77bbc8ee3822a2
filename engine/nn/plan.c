// SPDX-License-Identifier: MIT
// From graph to stages of tiles: see plan.h.
//
// Two savings of memory traffic. An activation works in place where its input has no other reader
// and neither it nor the input's producer looks at the overwritten value in backward (dropout and
// residual links leave what they read: it is what a layer gives out, and can be observed).
// Gradients are stored by their first writer and added to by the later ones, so nothing is cleared:
// the plan knows who is first since it knows the order.

#include "engine/nn/plan.h"

#include <string.h>

static bool batched(const struct node *n)
{
    return n->rows == 0;
}

static size_t cells(const struct plan *p, const struct node *n)
{
    return (size_t)(batched(n) ? p->batch : n->rows) * n->cols;
}

// What pointers to values are when only sizes are wanted: everything else about a plan depends on
// there being a place, not on which it is.
static real nowhere;

static real *plan_leaf(const struct plan *p, real *values, size_t at)
{
    return p->sizing ? &nowhere : values + at;
}

// n zeros, in whole lines of the arena.
static real *plan_values(struct plan *p, size_t n, struct arena *a)
{
    const size_t line = ARENA_ALIGN / sizeof(real), lines = n / line + (n % line > 0);
    p->bytes += (double)lines * ARENA_ALIGN;
    return p->sizing ? &nowhere : arena_zalloc(a, lines, ARENA_ALIGN);
}

static uint32_t readers(const struct graph *g, uint32_t node)
{
    uint32_t n = 0;
    for (uint32_t i = node + 1; i < g->n; i++)
        for (int k = 0; g->node[i].kind == NODE_OP && k < g->node[i].op->arity; k++)
            n += g->node[i].in[k] == node;
    return n;
}

static bool in_place_grad(const struct graph *g, const struct node *n)
{
    return n->op->span == SPAN_CELL && g->node[n->in[0]].kind == NODE_OP && batched(n) &&
           readers(g, n->in[0]) == 1;
}

static bool in_place_value(const struct graph *g, const struct node *n)
{
    return in_place_grad(g, n) && n->op->in_place && !n->op->reads_in &&
           !g->node[n->in[0]].op->reads_out;
}

static bool has_grad(const struct plan *p, const struct node *n)
{
    for (int k = 0; k < n->op->arity; k++)
        if (!(n->op->no_grad >> k & 1) && p->buf[n->in[k]].d)
            return true;
    return false;
}

// Values in graph order: an op's inputs have theirs by the time it is reached.
static bool place_value(struct plan *p, uint32_t i, struct plan_memory m, struct arena *a)
{
    const struct node *n = &p->graph->node[i];
    struct buf *b = &p->buf[i];
    *b = (struct buf){.rows = batched(n) ? p->batch : n->rows, .cols = n->cols};
    if (n->kind == NODE_PARAM)
        b->v = plan_leaf(p, m.param, n->at);
    else if (n->kind == NODE_BUFFER)
        b->v = plan_leaf(p, m.buffer, n->at);
    else if (n->kind == NODE_OP && !m.inspect && in_place_value(p->graph, n))
        b->v = p->buf[n->in[0]].v;
    else
        b->v = plan_values(p, cells(p, n), a);
    return b->v;
}

// Nodes on which the last one depends in a way that has a derivative (not, say, the prediction of a
// graph that ends in the loss). In the arena; NULL when it is full.
static bool *reaching(const struct graph *g, struct arena *a)
{
    bool *reaches = arena_zalloc(a, g->n, sizeof *reaches);
    for (uint32_t i = g->n; reaches && i-- > 0;) {
        const struct node *n = &g->node[i];
        reaches[i] = reaches[i] || i + 1 == g->n;
        for (int k = 0; reaches[i] && n->kind == NODE_OP && k < n->op->arity; k++)
            if (!(n->op->no_grad >> k & 1))
                reaches[n->in[k]] = true;
    }
    return reaches;
}

// A gradient is wanted where a parameter lies upstream, which is known in graph order, and the last
// node downstream; when looking inside, also of inputs.
static bool place_grad(struct plan *p, uint32_t i, struct plan_memory m, const bool *reaches,
                       struct arena *a)
{
    const struct node *n = &p->graph->node[i];
    struct buf *b = &p->buf[i];
    if (n->kind == NODE_PARAM)
        b->d = plan_leaf(p, m.grad, n->at);
    bool wanted = n->kind == NODE_OP ? has_grad(p, n) : m.inspect && n->kind == NODE_INPUT;
    if (!wanted || !reaches[i])
        return true;
    bool share = !m.inspect && in_place_grad(p->graph, n);
    real *shared = share ? p->buf[n->in[0]].d : NULL;
    b->d = shared ? shared : plan_values(p, cells(p, n), a);
    return b->d;
}

static bool plan_place(struct plan *p, struct plan_memory m, struct arena *a)
{
    const bool *reaches = m.grad ? reaching(p->graph, a) : NULL;
    p->buf = arena_alloc(a, p->graph->n, sizeof *p->buf);
    bool ok = p->buf && (reaches || !m.grad);
    for (uint32_t i = 0; ok && i < p->graph->n; i++)
        ok = place_value(p, i, m, a) && (!m.grad || place_grad(p, i, m, reaches, a));
    return ok;
}

static bool make_step(struct plan *p, uint32_t i, struct arena *a)
{
    const struct node *n = &p->graph->node[i];
    struct step *s = &p->step[p->n_step++];
    *s = (struct step){.op = n->op, .out = p->buf[i], .key = &p->key, .node = i};
    memcpy(s->value, n->value, sizeof s->value);
    for (int k = 0; k < n->op->arity; k++) {
        s->in[k] = p->buf[n->in[k]];
        if (n->op->no_grad >> k & 1)
            s->in[k].d = NULL;
    }
    if (!n->op->save)
        return true;
    s->save = plan_values(p, n->op->save(s->in), a);
    return s->save;
}

static bool make_steps(struct plan *p, struct arena *a)
{
    p->step = arena_alloc(a, p->graph->n, sizeof *p->step);
    bool ok = p->step;
    for (uint32_t i = 0; ok && i < p->graph->n; i++)
        if (p->graph->node[i].kind == NODE_OP)
            ok = make_step(p, i, a);
    return ok;
}

// Backward runs from the last step to the first: the first to reach a gradient stores, the others
// add. In-place ops overwrite a buffer that is read by nobody else, so sharing memory does not make
// them second writers.
static bool mark_first_writers(struct plan *p, struct arena *a)
{
    struct arena_mark mark = arena_mark(a);
    bool *written = arena_zalloc(a, p->graph->n, sizeof *written);
    if (!written)
        return false;
    for (uint32_t i = p->n_step; i-- > 0;)
        for (int k = 0; k < p->step[i].op->arity; k++)
            if (p->step[i].in[k].d) {
                uint32_t node = p->graph->node[p->step[i].node].in[k];
                p->step[i].add[k] = written[node];
                written[node] = true;
            }
    for (uint32_t i = 0; i + 1 < p->graph->n; i++)
        BUG(p->buf[i].d && !written[i]); // a parameter that does not reach the loss
    arena_rewind(a, mark);
    return true;
}

static bool whole_rows(const struct stage *st, uint32_t cols)
{
    bool all = true;
    for (uint32_t i = 0; i < st->n_tile; i++)
        all = all && st->tile[i].c0 == 0 && st->tile[i].c1 == cols;
    return all;
}

static bool whole_columns(const struct stage *st, uint32_t rows)
{
    bool all = true;
    for (uint32_t i = 0; i < st->n_tile; i++)
        all = all && st->tile[i].r0 == 0 && st->tile[i].r1 == rows;
    return all;
}

static bool tiles_suit(const struct stage *st, const struct step *s)
{
    switch (s->op->span) {
    case SPAN_CELL:
        return true;
    case SPAN_COLUMN:
        return whole_columns(st, s->out.rows);
    case SPAN_ROW:
        return whole_rows(st, s->out.cols);
    case SPAN_ALL:
        break;
    }
    return false;
}

// `next` reads in[0] from `last` and has its shape; its other inputs are leaves (everything a stage
// computes is the chain itself).
static bool chained(const struct plan *p, const struct step *last, const struct step *next)
{
    const struct node *n = &p->graph->node[next->node];
    bool leaves = true;
    for (int k = 1; k < next->op->arity; k++)
        leaves = leaves && p->graph->node[n->in[k]].kind != NODE_OP;
    return leaves && n->in[0] == last->node && next->in[0].cols == next->out.cols;
}

static bool joins_forward(const struct plan *p, const struct stage *st, uint32_t i)
{
    const struct step *s = &p->step[i];
    return chained(p, s - 1, s) && tiles_suit(st, s);
}

// Going backward, step i joins the later step i + 1 when that one alone fills i's output gradient,
// cell for cell or column for column.
static bool joins_backward(const struct plan *p, const struct stage *st, uint32_t i)
{
    const struct step *s = &p->step[i];
    return chained(p, s, s + 1) && !s->op->backward_tiles && !s[1].op->backward_tiles &&
           s[1].op->span != SPAN_ALL && readers(p->graph, s->node) == 1 && tiles_suit(st, s);
}

static bool stage_tiles(struct stage *st, const struct step *s,
                        void (*cut)(const struct step *, struct tiling *), struct arena *a)
{
    struct tiling t = {0};
    cut(s, &t);
    t.tile = arena_alloc(a, t.n, sizeof *t.tile);
    if (!t.tile)
        return false;
    t.n = 0;
    cut(s, &t);
    st->tile = t.tile;
    st->n_tile = t.n;
    return true;
}

static bool stage_forward(struct plan *p, struct arena *a)
{
    p->forward = arena_alloc(a, p->n_step, sizeof *p->forward);
    bool ok = p->forward;
    for (uint32_t i = 0; ok && i < p->n_step;) {
        struct stage *st = &p->forward[p->n_forward++];
        *st = (struct stage){.first = i};
        ok = stage_tiles(st, &p->step[i], step_forward_tiles, a);
        do
            st->n++, i++;
        while (ok && i < p->n_step && joins_forward(p, st, i));
    }
    return ok;
}

static bool stage_backward(struct plan *p, struct arena *a)
{
    p->backward = arena_alloc(a, p->n_step, sizeof *p->backward);
    bool ok = p->backward;
    for (uint32_t i = p->n_step; ok && i > 0;) {
        if (!p->step[i - 1].out.d) {
            i--;
            continue;
        }
        struct stage *st = &p->backward[p->n_backward++];
        *st = (struct stage){.first = i - 1};
        ok = stage_tiles(st, &p->step[i - 1], step_backward_tiles, a);
        do
            st->n++, i--;
        while (ok && i > 0 && p->step[i - 1].out.d && joins_backward(p, st, i - 1));
    }
    return ok;
}

static bool plan_make(struct plan *p, struct plan_memory m, struct arena *a)
{
    return plan_place(p, m, a) && make_steps(p, a) && stage_forward(p, a) &&
           (!m.grad || (mark_first_writers(p, a) && stage_backward(p, a)));
}

// Tiles are at the end: where they are too many for this function, what was counted up to there is
// more than any machine has.
double plan_bytes(const struct graph *g, uint32_t batch, bool grad)
{
    enum { TILES_MOST = 64 << 20 };
    struct arena own;
    struct plan p = {.graph = g, .batch = batch, .sizing = true};
    struct plan_memory m = {.param = &nowhere, .grad = grad ? &nowhere : NULL, .buffer = &nowhere};
    arena_init(&own, TILES_MOST);
    plan_make(&p, m, &own);
    double bytes = own.lack == ARENA_NO_MEMORY ? INFINITY : (double)own.used + p.bytes;
    arena_release(&own);
    return bytes;
}

bool plan_init(struct plan *p, const struct graph *g, uint32_t batch, struct plan_memory m,
               struct arena *a, struct err *e)
{
    *p = (struct plan){.graph = g, .batch = batch};
    return plan_make(p, m, a) ||
           fail(e, ERR_TOO_LARGE,
                "the network needs more memory than a job may use; use fewer units or a "
                "smaller batch");
}

struct pass {
    const struct plan *plan;
    const struct stage *stage;
    uint32_t rows;
};

// The tile's part of the rows there are; false when none is left of it.
static bool clip(struct tile *t, uint32_t rows)
{
    if (t->r1 > rows)
        t->r1 = rows;
    return t->r0 < t->r1 && t->c0 < t->c1;
}

// Steps over parameters (norms of weights) have tiles of those.
static bool over_batch(const struct plan *p, const struct step *s)
{
    return batched(&p->graph->node[p->graph->node[s->node].in[0]]);
}

static void forward_tile(void *arg, uint32_t i)
{
    const struct pass *pass = arg;
    struct tile t = pass->stage->tile[i];
    const struct step *s = &pass->plan->step[pass->stage->first];
    if (!over_batch(pass->plan, s) || clip(&t, pass->rows))
        for (uint32_t k = 0; k < pass->stage->n; k++)
            s[k].op->forward(&s[k], t);
}

static void backward_tile(void *arg, uint32_t i)
{
    const struct pass *pass = arg;
    struct tile t = pass->stage->tile[i];
    const struct step *s = &pass->plan->step[pass->stage->first];
    if (!over_batch(pass->plan, s) || clip(&t, pass->rows))
        for (uint32_t k = 0; k < pass->stage->n; k++)
            (s - k)->op->backward(s - k, t);
}

void plan_forward(struct plan *p, uint32_t rows, uint64_t key, const struct exec *x)
{
    BUG(rows == 0 || rows > p->batch);
    p->key = key;
    for (uint32_t i = 0; i < p->n_forward; i++) {
        struct pass pass = {p, &p->forward[i], rows};
        exec_run(x, p->forward[i].n_tile, forward_tile, &pass);
    }
}

void plan_backward(struct plan *p, uint32_t rows, const struct exec *x)
{
    struct buf *loss = &p->buf[p->graph->n - 1];
    BUG(!loss->d || loss->rows != 1 || loss->cols != 1);
    loss->d[0] = 1;
    for (uint32_t i = 0; i < p->n_backward; i++) {
        struct pass pass = {p, &p->backward[i], rows};
        exec_run(x, p->backward[i].n_tile, backward_tile, &pass);
    }
}

static bool all_finite(const real *v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!isfinite(v[i]))
            return false;
    return true;
}

const char *plan_first_broken(const struct plan *p, uint32_t rows)
{
    for (uint32_t i = 0; i < p->graph->n; i++) {
        const struct node *n = &p->graph->node[i];
        if (!all_finite(p->buf[i].v, (size_t)(batched(n) ? rows : n->rows) * n->cols))
            return n->name;
    }
    return NULL;
}
