// SPDX-License-Identifier: MIT
#include "tests/engine/nn/oplab.h"

#include "tests/harness.h"
#include "engine/base/rng.h"
#include "engine/nn/role.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_ROWS = 9, MOST_COLS = 40, TRIES = 64, MOST_TILES = 64 };
enum { SHAPE = 100, PROJECTION }; // streams of random numbers, after those of the inputs

static uint64_t stream(uint64_t seed, uint64_t what, uint64_t which)
{
    return rng_key(seed, RNG_PROBE, what, which);
}

static real draw(const struct op *op, int k, uint32_t classes, uint64_t seed, uint64_t cell)
{
    const struct probe *p = &op->probe[k];
    bool class = p->cols == 1 && p->hi == op->probe[0].cols - 1;
    double u = rng_unit(stream(seed, (uint64_t)k, 0), cell);
    if (p->whole)
        return (real)(p->lo + floor(u * ((class ? classes - 1 : p->hi) - p->lo + 1)));
    double x = p->lo + u * (p->hi - p->lo);
    for (int i = 0; i < 2; i++)
        if (fabs(x - p->kink[i]) < p->gap)
            x = p->kink[i] + (x < p->kink[i] ? -p->gap : p->gap);
    return (real)x;
}

static uint32_t another(uint32_t size, uint64_t seed, uint64_t try)
{
    return size > 1 ? 1 + (uint32_t)rng_below(stream(seed, SHAPE, try), size, MOST_COLS) : size;
}

static bool shape(struct step *s, uint32_t rows, uint64_t seed, uint64_t try)
{
    for (int k = 0; k < s->op->arity; k++) {
        const struct probe *p = &s->op->probe[k];
        uint32_t cols = try ? another(p->cols, seed, try) : p->cols;
        uint32_t own = try ? another(p->rows, seed, try) : p->rows;
        s->in[k] = (struct buf){.rows = own ? own : rows, .cols = cols};
    }
    if (s->op->misfit && s->op->misfit(s->value, s->in[0].cols))
        return false;
    return step_cols(s) > 0;
}

static void shapes(struct step *s, uint32_t rows, uint64_t seed)
{
    if (rows) {
        ck_assert(shape(s, rows, seed, 0));
        return;
    }
    rows = 1 + (uint32_t)rng_below(stream(seed, SHAPE, 0), 0, MOST_ROWS);
    for (uint64_t try = 1; try <= TRIES; try++)
        if (shape(s, rows, seed, try))
            return;
    ck_assert(shape(s, rows, seed, 0));
}

static real *room(size_t n)
{
    real *p = calloc(n, sizeof *p);
    ck_assert_ptr_nonnull(p);
    return p;
}

static void room_for_output(struct oplab *lab)
{
    struct step *s = &lab->s;
    const struct op *op = s->op;
    uint32_t rows = 1;
    for (int k = 0; k < op->arity; k++)
        rows = op->probe[k].rows == 0 ? s->in[k].rows : rows;
    s->out = (struct buf){.rows = op->reduces ? 1
                                  : op->rows  ? op->rows(s->in)
                                              : rows,
                          .cols = step_cols(s)};
    s->out.v = room(oplab_cells(s->out));
    s->out.d = room(oplab_cells(s->out));
    lab->weight = room(oplab_cells(s->out));
    if (op->save)
        s->save = room(op->save(s->in));
}

struct oplab oplab_new(const struct op *op, uint32_t rows, uint64_t seed)
{
    struct oplab lab = {.s = {.op = op}, .key = seed};
    const struct table own = {.what = "op"};
    struct pick pick = pick_row(&own, &op->row);
    memcpy(lab.s.value, pick.value, sizeof pick.value);
    shapes(&lab.s, rows, seed);
    for (int k = 0; k < op->arity; k++) {
        struct buf *b = &lab.s.in[k];
        b->v = room(oplab_cells(*b));
        b->d = op->no_grad >> k & 1 ? NULL : room(oplab_cells(*b));
        for (size_t i = 0; i < oplab_cells(*b); i++)
            b->v[i] = draw(op, k, lab.s.in[0].cols, seed, i);
    }
    room_for_output(&lab);
    for (size_t i = 0; i < oplab_cells(lab.s.out); i++)
        lab.weight[i] = (real)(rng_unit(stream(seed, PROJECTION, 0), i) * 2 - 1);
    return lab;
}

void oplab_free(struct oplab *lab)
{
    for (int k = 0; k < lab->s.op->arity; k++) {
        free(lab->s.in[k].v);
        free(lab->s.in[k].d);
        free(lab->first[k]);
    }
    free(lab->s.out.v);
    free(lab->s.out.d);
    free(lab->weight);
    free(lab->s.save);
}

static void run(struct oplab *lab, void (*cut)(const struct step *, struct tiling *),
                void (*kernel)(const struct step *, struct tile))
{
    struct tile tile[MOST_TILES];
    struct tiling t = {.tile = tile};
    lab->s.key = &lab->key;
    cut(&lab->s, &t);
    ck_assert_uint_le(t.n, MOST_TILES);
    for (uint32_t i = 0; i < t.n; i++)
        kernel(&lab->s, tile[i]);
}

void oplab_rewind(struct oplab *lab)
{
    for (int k = 1; k < lab->s.op->arity; k++) {
        const struct buf *b = &lab->s.in[k];
        size_t size = oplab_cells(*b) * sizeof *b->v;
        if (!lab->s.op->param[k - 1].buffer)
            continue;
        if (lab->first[k])
            memcpy(b->v, lab->first[k], size);
        else
            lab->first[k] = memcpy(room(oplab_cells(*b)), b->v, size);
    }
}

double oplab_loss(struct oplab *lab)
{
    double sum = 0;
    oplab_rewind(lab);
    run(lab, step_forward_tiles, lab->s.op->forward);
    for (size_t i = 0; i < oplab_cells(lab->s.out); i++)
        sum += (double)lab->weight[i] * (double)lab->s.out.v[i];
    return sum;
}

void oplab_backward(struct oplab *lab)
{
    oplab_loss(lab);
    memcpy(lab->s.out.d, lab->weight, oplab_cells(lab->s.out) * sizeof *lab->weight);
    run(lab, step_backward_tiles, lab->s.op->backward);
}

// The whole line, small and large alike: ± 10^-9 ... 100, and now and then a kink itself.
static double anywhere(const struct op *op, uint64_t seed, uint64_t cell)
{
    double u = rng_unit(stream(seed, SHAPE, 1), 2 * cell);
    double v = rng_unit(stream(seed, SHAPE, 1), 2 * cell + 1);
    if (v < .05)
        return op->probe[0].kink[u < .5];
    double size = v < .6 ? pow(10, 11 * u - 9) : 100 * u;
    return v < .3 || v > .8 ? size : -size;
}

static void copy(const real *from, size_t n, bool can_move, double **x, bool **movable)
{
    for (size_t i = 0; i < n; i++) {
        *(*x)++ = (double)from[i];
        *(*movable)++ = can_move;
    }
}

size_t oplab_draw(size_t op, uint64_t seed, bool wide, double *x, bool *movable)
{
    double *at = x;
    struct oplab lab = oplab_new(op_table[op], 0, seed);
    struct buf in = lab.s.in[0];
    bool any = activation_of(lab.s.op) || lab.s.op == op_rrelu.serve;
    for (size_t i = 0; wide && any && i < oplab_cells(in); i++)
        in.v[i] = (real)anywhere(lab.s.op, seed, i);
    for (int k = 0; k < lab.s.op->arity; k++)
        copy(lab.s.in[k].v, oplab_cells(lab.s.in[k]), !lab.s.op->probe[k].whole, &at, &movable);
    copy(lab.weight, oplab_cells(lab.s.out), true, &at, &movable);
    oplab_free(&lab);
    ck_assert_int_le(at - x, OPLAB_MOST);
    return (size_t)(at - x);
}

static const double *load(real *to, size_t n, const double *x)
{
    for (size_t i = 0; i < n; i++)
        to[i] = (real)x[i];
    return x + n;
}

static double *store(const real *from, size_t n, double *y)
{
    for (size_t i = 0; from && i < n; i++)
        *y++ = (double)from[i];
    return y;
}

size_t oplab_eval(size_t op, uint64_t seed, const double *x, double *y)
{
    double *at = y;
    struct oplab lab = oplab_new(op_table[op], 0, seed);
    for (int k = 0; k < lab.s.op->arity; k++)
        x = load(lab.s.in[k].v, oplab_cells(lab.s.in[k]), x);
    load(lab.weight, oplab_cells(lab.s.out), x);
    oplab_backward(&lab);
    at = store(lab.s.out.v, oplab_cells(lab.s.out), at);
    for (int k = 0; k < lab.s.op->arity; k++)
        at = store(lab.s.in[k].d, oplab_cells(lab.s.in[k]), at);
    oplab_free(&lab);
    ck_assert_int_le(at - y, OPLAB_MOST);
    return (size_t)(at - y);
}
