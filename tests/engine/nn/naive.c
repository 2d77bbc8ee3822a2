// SPDX-License-Identifier: MIT
// See naive.h.

#include "tests/engine/nn/naive.h"

#include <string.h>

enum { MOST_TILES = 64 };

struct naive naive_new(const struct graph *g, uint32_t rows, struct plan_memory m, uint64_t key,
                       struct arena *a)
{
    struct naive n = {g, arena_need(a, g->n, sizeof *n.buf), arena_zalloc(a, g->n, sizeof *n.save),
                      key, a};
    for (uint32_t i = 0; i < g->n; i++) {
        const struct node *node = &g->node[i];
        struct buf b = {.rows = node->rows ? node->rows : rows, .cols = node->cols};
        const real *from = node->kind == NODE_PARAM    ? m.param + node->at
                           : node->kind == NODE_BUFFER ? m.buffer + node->at
                                                       : NULL;
        b.v = arena_zalloc(a, naive_cells(b), sizeof *b.v);
        b.d = arena_zalloc(a, naive_cells(b), sizeof *b.d);
        if (from)
            memcpy(b.v, from, naive_cells(b) * sizeof *b.v);
        n.buf[i] = b;
    }
    return n;
}

static struct step naive_step(struct naive *n, uint32_t i)
{
    const struct node *node = &n->g->node[i];
    struct step s = {.op = node->op, .out = n->buf[i], .key = &n->key, .node = i};
    memcpy(s.value, node->value, sizeof s.value);
    for (int k = 0; k < node->op->arity; k++) {
        s.in[k] = n->buf[node->in[k]];
        s.add[k] = true;
        if (node->op->no_grad >> k & 1)
            s.in[k].d = NULL;
    }
    if (node->op->save && !n->save[i])
        n->save[i] = arena_need(n->arena, node->op->save(s.in), sizeof **n->save);
    s.save = n->save[i];
    return s;
}

// The whole step at once; an op that cuts backward into parts gets each of them whole.
static uint32_t backward_parts(const struct step *s, struct tile *part)
{
    struct tile tile[MOST_TILES];
    struct tiling t = {.tile = tile};
    uint32_t n = 0;
    step_backward_tiles(s, &t);
    BUG(t.n > MOST_TILES);
    for (uint32_t i = 0; i < t.n; i++) {
        if (i > 0 && tile[i].part == part[n - 1].part) {
            part[n - 1].r1 = tile[i].r1;
            part[n - 1].c1 = tile[i].c1;
        } else {
            part[n++] = tile[i];
        }
    }
    return n;
}

void naive_run(struct naive *n)
{
    for (uint32_t i = 0; i < n->g->n; i++)
        if (n->g->node[i].kind == NODE_OP) {
            struct step s = naive_step(n, i);
            s.op->forward(&s, (struct tile){0, 0, s.in[0].rows, 0, s.out.cols});
        }
    n->buf[n->g->n - 1].d[0] = 1;
    for (uint32_t i = n->g->n; i-- > 0;)
        if (n->g->node[i].kind == NODE_OP) {
            struct step s = naive_step(n, i);
            struct tile part[MOST_TILES];
            uint32_t parts = backward_parts(&s, part);
            for (uint32_t k = 0; k < parts; k++)
                s.op->backward(&s, part[k]);
        }
}
