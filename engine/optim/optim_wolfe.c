// SPDX-License-Identifier: MIT
// See optim_wolfe.h. Two phases, as Nocedal and Wright describe them: step out until two points
// have a minimum between them, then narrow that bracket by cubic interpolation. Every choice
// follows torch.optim.LBFGS, so that trajectories can be compared point by point.

#include "engine/optim/optim_wolfe.h"

#include "engine/base/vmath.h"

enum { SEARCH_MAX = 25 };
static const double c1 = 1e-4, c2 = .9;

// One vector operation over all spans.
struct vector_job {
    struct optimizer *o;
    real *to;
    const real *a, *b;
    double f, g;
};

// Σ a b. Eight running sums keep the loop in vector registers and the order fixed.
KERNEL static double dot(const real *a, const real *b, size_t n)
{
    enum { SUMS = 8 };
    double sum[SUMS] = {0}, total = 0;
    size_t k = 0;
    for (; k + SUMS <= n; k += SUMS)
        for (size_t w = 0; w < SUMS; w++)
            sum[w] += (double)a[k + w] * (double)b[k + w];
    for (; k < n; k++)
        total += (double)a[k] * (double)b[k];
    for (size_t w = 0; w < SUMS; w++)
        total += sum[w];
    return total;
}

static void dot_span(void *arg, uint32_t i)
{
    const struct vector_job *t = arg;
    const struct optim_span *s = &t->o->span[i];
    t->o->partial[i] = dot(t->a + s->at, t->b + s->at, s->n);
}

// The same with the optimizer's gradient, scaled.
static void slope_span(void *arg, uint32_t i)
{
    const struct vector_job *t = arg;
    const struct optim_span *s = &t->o->span[i];
    t->o->partial[i] = (double)s->coef[C_ROOT] * dot(s->g, t->a + s->at, s->n);
}

static void size_span(void *arg, uint32_t i)
{
    const struct vector_job *t = arg;
    const struct optim_span *s = &t->o->span[i];
    double sum = 0;
    for (size_t k = 0; k < s->n; k++)
        sum += (double)fabs(t->a[s->at + k]);
    t->o->partial[i] = sum;
}

static void largest_span(void *arg, uint32_t i)
{
    const struct vector_job *t = arg;
    const struct optim_span *s = &t->o->span[i];
    real most = 0;
    for (size_t k = 0; k < s->n; k++)
        most = fabs(t->a[s->at + k]) > most ? fabs(t->a[s->at + k]) : most;
    t->o->partial[i] = (double)most;
}

KERNEL static void combine_span(void *arg, uint32_t i)
{
    const struct vector_job *t = arg;
    const struct optim_span *s = &t->o->span[i];
    const real f = (real)t->f, g = (real)t->g, *a = t->a + s->at, *b = t->b + s->at;
    real *to = t->to + s->at;
    LANES for (size_t k = 0; k < s->n; k++) to[k] = g == 0 ? f * a[k] : f * a[k] + g * b[k];
}

KERNEL static void move_span(void *arg, uint32_t i)
{
    const struct vector_job *t = arg;
    const struct optim_span *s = &t->o->span[i];
    const real f = (real)t->f * s->coef[C_ROOT], *a = t->a + s->at, *b = t->b + s->at;
    real *p = s->p;
    LANES for (size_t k = 0; k < s->n; k++) p[k] = a[k] + f * b[k];
}

KERNEL static void gradient_span(void *arg, uint32_t i)
{
    const struct vector_job *t = arg;
    const struct optim_span *s = &t->o->span[i];
    const real f = s->coef[C_ROOT], *g = s->g;
    real *to = t->to + s->at;
    LANES for (size_t k = 0; k < s->n; k++) to[k] = f * g[k];
}

// One number a span, summed in order.
static double sum_spans(struct wolfe *w, void (*span)(void *arg, uint32_t i), const real *a,
                        const real *b)
{
    exec_run(w->x, w->o->n_span, span, &(struct vector_job){.o = w->o, .a = a, .b = b});
    double sum = 0;
    for (uint32_t i = 0; i < w->o->n_span; i++)
        sum += w->o->partial[i];
    return sum;
}

double wolfe_dot(struct wolfe *w, const real *a, const real *b)
{
    return sum_spans(w, dot_span, a, b);
}

double wolfe_size(struct wolfe *w, const real *a)
{
    return sum_spans(w, size_span, a, NULL);
}

double wolfe_largest(struct wolfe *w, const real *a)
{
    exec_run(w->x, w->o->n_span, largest_span, &(struct vector_job){.o = w->o, .a = a});
    double most = 0;
    for (uint32_t i = 0; i < w->o->n_span; i++)
        most = fmax(most, w->o->partial[i]);
    return most;
}

void wolfe_combine(struct wolfe *w, real *to, double f, const real *a, double g, const real *b)
{
    struct vector_job t = {w->o, to, a, b, f, g};
    exec_run(w->x, w->o->n_span, combine_span, &t);
}

void wolfe_begin(struct wolfe *w)
{
    wolfe_combine(w, w->start, 1, w->o->param, 0, w->o->param);
}

void wolfe_move(struct wolfe *w, double t)
{
    exec_run(w->x, w->o->n_span, move_span,
             &(struct vector_job){.o = w->o, .a = w->start, .b = w->direction, .f = t});
}

void wolfe_gradient(struct wolfe *w, real *to)
{
    exec_run(w->x, w->o->n_span, gradient_span, &(struct vector_job){.o = w->o, .to = to});
}

// The minimum of the cubic through a and b within [low, high]; their middle where there is none.
static double cubic(const struct wolfe_point *a, const struct wolfe_point *b, double low,
                    double high)
{
    double d1 = a->slope + b->slope - 3 * (a->f - b->f) / (a->t - b->t),
           square = d1 * d1 - a->slope * b->slope, d2 = sqrt(square);
    const struct wolfe_point *l = a->t <= b->t ? a : b, *r = l == a ? b : a;
    double t = r->t - (r->t - l->t) * ((r->slope + d2 - d1) / (r->slope - l->slope + 2 * d2));
    if (!(square >= 0) || isnan(t))
        return (low + high) / 2;
    return fmin(fmax(t, low), high);
}

// The search's state: the point it starts from, and the bracket.
struct hunt {
    struct wolfe *w;
    struct wolfe_point zero, at[2];
    struct wolfe_point new; // the one evaluated last; its gradient is the optimizer's
    int rounds;             // evaluations after the first
    bool done, slow;        // slow: the last round made little progress
};

static bool wolfe_evaluate(struct hunt *h, double t)
{
    struct wolfe *w = h->w;
    struct err e = {0};
    h->new = (struct wolfe_point){.t = t, .f = INFINITY, .slope = NAN};
    wolfe_move(w, t);
    if (!w->closure->evaluate(w->closure->ctx, &h->new.f, &e)) {
        h->new.f = INFINITY;
        return e.kind == ERR_DIVERGED || fail_at(w->e, e.kind, e.at, "%s", e.text);
    }
    h->new.slope = sum_spans(w, slope_span, w->direction, NULL);
    return true;
}

// The newest point with its gradient in the memory that `other` does not use.
static struct wolfe_point wolfe_keep(struct hunt *h, const struct wolfe_point *other)
{
    struct wolfe_point p = h->new;
    p.g = other->g == h->w->g[0] ? h->w->g[1] : h->w->g[0];
    wolfe_gradient(h->w, p.g);
    return p;
}

static bool too_high(const struct hunt *h)
{
    return h->new.f > h->zero.f + c1 * h->new.t * h->zero.slope;
}

static bool is_flat(const struct hunt *h)
{
    return fabs(h->new.slope) <= -c2 * h->zero.slope;
}

// Step out until two points have a minimum between them. at[0] is the point before.
static bool bracket(struct hunt *h)
{
    h->at[0] = h->zero;
    while (h->rounds < SEARCH_MAX) {
        struct wolfe_point *last = &h->at[0];
        if (too_high(h) || (h->rounds > 1 && h->new.f >= last->f)) {
            h->at[1] = wolfe_keep(h, last);
            return true;
        }
        h->done = is_flat(h);
        h->at[1] = wolfe_keep(h, last);
        if (h->done || h->new.slope >= 0)
            return true;
        double t = h->new.t;
        t = cubic(last, &h->new, t + .01 * (t - last->t), t * 10);
        h->at[0] = h->at[1];
        if (!wolfe_evaluate(h, t))
            return false;
        h->rounds++;
    }
    h->at[1] = wolfe_keep(h, &h->at[0]);
    h->at[0] = h->zero;
    return true;
}

// Where to look next within the bracket: the cubic's minimum, kept away from the ends when it stays
// close to them twice or leaves.
static double trial(struct hunt *h)
{
    const struct wolfe_point *a = &h->at[0], *b = &h->at[1];
    double low = fmin(a->t, b->t), high = fmax(a->t, b->t), margin = .1 * (high - low);
    double t = cubic(a, b, low, high);
    bool close = fmin(high - t, t - low) < margin;
    if (close && (h->slow || t >= high || t <= low)) {
        h->slow = false;
        return fabs(t - high) < fabs(t - low) ? high - margin : low + margin;
    }
    h->slow = close;
    return t;
}

static int wolfe_lower(const struct hunt *h)
{
    return h->at[0].f <= h->at[1].f ? 0 : 1;
}

// Put the newest point in place of an end of the bracket. Returns which end is the lower one.
static int narrow(struct hunt *h, int low)
{
    int high = 1 - low;
    if (too_high(h) || h->new.f >= h->at[low].f) {
        h->at[high] = wolfe_keep(h, &h->at[low]);
        return wolfe_lower(h);
    }
    h->done = is_flat(h);
    if (!h->done && h->new.slope *(h->at[high].t - h->at[low].t) >= 0)
        h->at[high] = h->at[low];
    h->at[low] = wolfe_keep(h, &h->at[high]);
    return low;
}

bool wolfe_search(struct wolfe *w, struct wolfe_point *at, double t, double tolerance, int *evals)
{
    struct hunt h = {.w = w, .zero = *at};
    double step = wolfe_largest(w, w->direction);
    if (!wolfe_evaluate(&h, t) || !bracket(&h))
        return false;
    int low = h.done ? 1 : wolfe_lower(&h);
    while (!h.done && h.rounds < SEARCH_MAX && fabs(h.at[1].t - h.at[0].t) * step >= tolerance) {
        if (!wolfe_evaluate(&h, trial(&h)))
            return false;
        h.rounds++;
        low = narrow(&h, low);
    }
    *at = h.at[low];
    *evals = h.rounds + 1;
    return true;
}
