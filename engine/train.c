// SPDX-License-Identifier: MIT
// The training loop: see train.h. struct trainer holds all memory of a run; after trainer_init() a
// step allocates nothing.

#include "train.h"

#include "rng.h"
#include "schedule.h"
#include "tables.h"

#include <math.h>
#include <string.h>

struct trainer {
    struct model *m;
    const struct train_spec *spec;
    const struct train_rows *train, *val;
    const struct train_hooks *hooks;
    const struct exec *x;
    struct plan plan;
    struct optimizer optimizer;
    struct predictor scorer;
    real *grad, *best;       // [n_trained], [n_value]
    double *answer, *target; // validation: answers, targets in their own units
    double *scratch;         // metrics' memory
    uint32_t *order;         // this epoch's permutation of the training rows
    uint32_t batch, batches;
    uint64_t step, steps;
    double lr;
    const struct metric *watched; // NULL: the validation loss
    size_t watched_at;
    double best_value;
    int best_epoch;
    int improved; // epoch of the last strict improvement: what patience counts from
};

uint32_t train_batch_size(const struct train_spec *s, size_t n)
{
    static const struct {
        size_t rows;
        uint32_t batch;
    } rule[] = {{1024, 64}, {8192, 128}, {30000, 256}, {100000, 512}, {SIZE_MAX, 1024}};
    size_t i = 0;
    while (n > rule[i].rows)
        i++;
    size_t batch = s->batch_size > 0 ? (size_t)s->batch_size : rule[i].batch;
    return (uint32_t)(batch < n ? batch : n);
}

static bool lone_row(size_t n, uint32_t batch, bool by_column)
{
    return by_column && batch > 1 && n > batch && n % batch == 1;
}

uint32_t train_batches(size_t n, uint32_t batch, bool by_column)
{
    return (uint32_t)((n + batch - 1) / batch) - lone_row(n, batch, by_column);
}

static const struct metric *find_metric(const char *monitor, const struct model *model, size_t *at)
{
    const struct metric *m;
    bool val = strncmp(monitor, "val_", 4) == 0;
    for (*at = 0; val && (m = metric_for(metric_task(model->task, model->n_class), *at)); ++*at)
        if (strcmp(m->row.name, monitor + 4) == 0)
            return m;
    return NULL;
}

bool train_check(const struct model *m, const struct train_spec *s, size_t n, struct err *e)
{
    size_t at;
    if (strcmp(s->monitor, "val_loss") != 0 && !find_metric(s->monitor, m, &at))
        return fail_at(e, ERR_INVALID, "/training/early_stopping/metric",
                       "there is no metric \"%s\" for this target; val_loss always is", s->monitor);
    if (m->by_column && n < 2)
        return fail_at(e, ERR_INVALID, "/split",
                       "batch normalisation needs at least 2 training rows");
    return !m->by_column || train_batch_size(s, n) > 1 ||
           fail_at(e, ERR_INVALID, "/training/batch_size",
                   "batch normalisation needs at least 2 rows in a batch");
}

// Values of a pass, and their gradients where there are any.
static double graph_memory(const struct graph *g, double batch, double copies)
{
    double cells = 0;
    for (uint32_t i = 0; i < g->n; i++)
        if (g->node[i].rows == 0)
            cells += batch * g->node[i].cols * (g->node[i].kind == NODE_OP ? copies : 1);
    return cells;
}

// Answers, targets and the metrics' scratch for rows that are scored: while training those that are
// watched, afterwards one part after the other; never more than twice all of them.
static double scoring_memory(const struct model *m, size_t rows)
{
    return 2 * (double)rows * ((double)(model_answers(m) + m->n_target) + 2) * sizeof(double);
}

double train_memory(const struct model *m, const struct train_spec *s, size_t rows, size_t train)
{
    double parameters = 2.0 * (double)m->n_value + (double)m->n_trained +
                        optimizer_memory(&s->optimizer, m->n_trained);
    double encoded = (double)rows * ((double)m->n_in + (double)m->n_target + 1) + (double)train;
    double passes = graph_memory(&m->train, train_batch_size(s, train), 2) +
                    graph_memory(&m->serve, SCORE_ROWS, 1);
    return (parameters + encoded + passes) * sizeof(real) + scoring_memory(m, rows - train);
}

static bool out_of_memory(struct err *e)
{
    return fail(
        e, ERR_TOO_LARGE,
        "training needs more memory than a job may use; use fewer units or a smaller batch");
}

static bool init_scoring(struct trainer *t, struct arena *a, struct err *e)
{
    const struct model *m = t->m;
    size_t n = t->val->n;
    t->watched = find_metric(t->spec->monitor, m, &t->watched_at);
    t->best_value = NAN;
    if (n == 0)
        return true;
    t->best = arena_alloc(a, m->n_value, sizeof *t->best);
    t->answer = arena_alloc(a, n * model_answers(m), sizeof *t->answer);
    t->target = arena_alloc(a, n * m->n_target, sizeof *t->target);
    t->scratch = arena_alloc(a, 2 * n, sizeof *t->scratch);
    if (!t->best || !t->answer || !t->target || !t->scratch)
        return out_of_memory(e);
    predict_targets(m, t->val->y, n, t->target);
    return predictor_init(&t->scorer, m, n < SCORE_ROWS ? (uint32_t)n : SCORE_ROWS, a, e);
}

static bool trainer_init(struct trainer *t, struct arena *a, struct err *e)
{
    struct model *m = t->m;
    size_t n = t->train->n;
    t->batch = train_batch_size(t->spec, n);
    t->batches = train_batches(n, t->batch, m->by_column);
    t->steps = (uint64_t)t->batches * (uint64_t)t->spec->epochs;
    t->grad = arena_zalloc(a, m->n_trained, sizeof *t->grad);
    t->order = arena_alloc(a, n, sizeof *t->order);
    if (!t->grad || !t->order)
        return out_of_memory(e);
    struct plan_memory memory = {m->value, t->grad, m->value + m->n_trained};
    const struct optim_setup setup = {&t->spec->optimizer, m->value,        t->grad,
                                      m->n_trained,        m->param,        m->n_param,
                                      t->spec->group,      t->spec->n_group};
    uint32_t most = t->batch + lone_row(n, t->batch, m->by_column);
    return plan_init(&t->plan, &m->train, most, memory, a, e) &&
           optimizer_init(&t->optimizer, &setup, a, e) && init_scoring(t, a, e);
}

// Copy the rows of a batch, in this epoch's order, into the plan's inputs.
static uint32_t load_batch(struct trainer *t, uint32_t b)
{
    size_t first = (size_t)b * t->batch, end = b + 1 == t->batches ? t->train->n : first + t->batch;
    size_t width = t->m->n_in, targets = t->m->n_target;
    real *x = t->plan.buf[t->m->train_x].v, *y = t->plan.buf[t->m->train_y].v;
    real *w = t->m->train_w == GRAPH_NONE ? NULL : t->plan.buf[t->m->train_w].v;
    for (size_t i = first; i < end; i++) {
        size_t row = t->order[i];
        memcpy(x + (i - first) * width, t->train->x + row * width, width * sizeof *x);
        memcpy(y + (i - first) * targets, t->train->y + row * targets, targets * sizeof *y);
        if (w)
            w[i - first] = t->train->w[row];
    }
    return (uint32_t)(end - first);
}

// The parameter with the first gradient that is not finite; where only their sum is not, with the
// largest.
static const char *broken_gradient(const struct trainer *t)
{
    const char *largest = NULL;
    real most = 0;
    for (size_t i = 0; i < t->m->n_param; i++) {
        const struct model_param *p = &t->m->param[i];
        for (size_t k = 0; p->trained && k < (size_t)p->rows * p->cols; k++) {
            real g = fabs(t->grad[p->at + k]);
            if (!isfinite(g))
                return p->name;
            if (g > most) {
                most = g;
                largest = p->name;
            }
        }
    }
    return largest;
}

static bool diverged(const struct trainer *t, const char *what, const char *where, struct err *e)
{
    return fail(e, ERR_DIVERGED,
                "diverged at step %llu: %s is not finite, first in %s; lower optimizer.lr (the "
                "rate was %g), lengthen schedule.warmup or set regularization.gradient_clip_norm",
                (unsigned long long)t->step + 1, what, where ? where : "the network", t->lr);
}

static bool train_step(struct trainer *t, uint32_t rows, double *loss, double *norm, struct err *e)
{
    uint64_t key = rng_key(t->spec->seed, RNG_DROPOUT, t->step, 0);
    t->lr = optimizer_lr(&t->spec->optimizer) *
            schedule_factor(&t->spec->schedule, t->step, t->steps, t->batches);
    plan_forward(&t->plan, rows, key, t->x);
    *loss = (double)t->plan.buf[t->m->train.n - 1].v[0];
    if (!isfinite(*loss))
        return diverged(t, "the loss", plan_first_broken(&t->plan, rows), e);
    plan_backward(&t->plan, rows, t->x);
    *norm = optimizer_grad_norm(&t->optimizer, t->x);
    if (!isfinite(*norm))
        return diverged(t, "the gradient", broken_gradient(t), e);
    double longest = t->spec->clip_norm;
    double clip = longest > 0 && *norm > longest ? longest / (*norm + 1e-6) : 1;
    if (!optimizer_step(&t->optimizer, t->lr, *loss, clip, NULL, t->x, e))
        return false;
    t->step++;
    return true;
}

static void shuffle(struct trainer *t, int epoch)
{
    for (size_t i = 0; i < t->train->n; i++)
        t->order[i] = (uint32_t)i;
    rng_shuffle(rng_key(t->spec->seed, RNG_SHUFFLE, (uint64_t)epoch, 0), t->order, t->train->n);
}

static bool stop_wanted(const struct trainer *t)
{
    return t->hooks->stop && t->hooks->stop(t->hooks->ctx, t->step);
}

static bool train_epoch(struct trainer *t, struct train_epoch *r, struct err *e)
{
    double sum = 0, loss = 0, norm = 0;
    shuffle(t, r->epoch);
    for (uint32_t b = 0; b < t->batches; b++) {
        if (stop_wanted(t))
            return fail(e, ERR_CANCELLED, "stopped at step %llu of %llu",
                        (unsigned long long)t->step, (unsigned long long)t->steps);
        uint32_t rows = load_batch(t, b);
        if (!train_step(t, rows, &loss, &norm, e))
            return false;
        sum += loss * rows;
        r->grad_norm = norm > r->grad_norm ? norm : r->grad_norm;
    }
    r->train_loss = sum / (double)t->train->n;
    return true;
}

// Score the validation rows; the watched value decides whether this epoch is the best so far. Ties
// go to the later epoch.
static bool validate(struct trainer *t, struct train_epoch *r, struct err *e)
{
    const struct metric *metric;
    size_t n = t->val->n;
    r->val_loss = predictor_run(&t->scorer, t->val->x, t->val->y, n, t->answer, t->x);
    if (!isfinite(r->val_loss) || !predict_finite(t->answer, n * model_answers(t->m)))
        return diverged(t, "the validation loss",
                        plan_first_broken(&t->scorer.plan, t->scorer.plan.batch), e);
    struct scored s = {t->answer, t->target, n, model_answers(t->m), t->m->n_target, t->scratch};
    for (size_t i = 0; (metric = metric_for(metric_task(t->m->task, t->m->n_class), i)); i++)
        r->metric[i] = metric->value(&s);
    double value = t->watched ? r->metric[t->watched_at] : r->val_loss;
    bool larger = t->watched && t->watched->larger_better;
    bool better = isnan(t->best_value) || (larger ? value > t->best_value : value < t->best_value);
    r->best = better || value == t->best_value;
    r->watched = value;
    if (better)
        t->improved = r->epoch;
    if (r->best) {
        t->best_value = value;
        t->best_epoch = r->epoch;
        memcpy(t->best, t->m->value, t->m->n_value * sizeof *t->best);
    }
    return true;
}

static bool run_epoch(struct trainer *t, int epoch, struct err *e)
{
    struct train_epoch r = {.epoch = epoch, .steps = t->steps, .val_loss = NAN, .watched = NAN};
    for (int i = 0; i < METRICS_MAX; i++)
        r.metric[i] = NAN;
    if (!train_epoch(t, &r, e) || (t->val->n && !validate(t, &r, e)))
        return false;
    r.step = t->step;
    r.lr = t->lr;
    if (t->hooks->epoch)
        t->hooks->epoch(t->hooks->ctx, &r);
    return true;
}

static bool finish(struct trainer *t, int epochs, struct train_result *result, struct err *e)
{
    struct model *m = t->m;
    if (t->val->n)
        memcpy(m->value, t->best, m->n_value * sizeof *t->best);
    const char *broken = model_first_broken(m, m->value);
    if (broken)
        return diverged(t, "a parameter", broken, e);
    *result = (struct train_result){.epochs = epochs,
                                    .best_epoch = t->val->n ? t->best_epoch : epochs,
                                    .steps = t->step,
                                    .best_value = t->best_value,
                                    .stopped_early = epochs < t->spec->epochs};
    return true;
}

bool train_run(struct model *m, const struct train_spec *s, const struct train_rows *train,
               const struct train_rows *val, const struct train_hooks *hooks, const struct exec *x,
               struct train_result *result, struct arena *a, struct err *e)
{
    BUG(train->n == 0 || train->n > UINT32_MAX);
    struct trainer t = {.m = m, .spec = s, .train = train, .val = val, .hooks = hooks, .x = x};
    if (!train_check(m, s, train->n, e) || !trainer_init(&t, a, e))
        return false;
    int epoch = 0;
    bool patient = true;
    while (epoch < s->epochs && patient) {
        if (!run_epoch(&t, ++epoch, e))
            return false;
        patient = !val->n || !s->patience || epoch - t.improved < s->patience;
    }
    return finish(&t, epoch, result, e);
}
