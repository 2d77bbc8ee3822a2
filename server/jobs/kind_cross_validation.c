// SPDX-License-Identifier: MIT
// The kind of job that estimates how well a definition does on rows it has not seen: k trainings,
// each without the rows of one fold, which are then predicted. No model comes of it.
//
// Every row with a target is in exactly one fold. Rows are shuffled class by class (all in one when
// they are not stratified) and dealt out in turn, going on with the next class where the last one
// ended, so that folds differ by one row at most in their sizes and in what they have of each
// class. Of the rows of the other folds a share is watched while training, as the definition's
// split says, dealt out in the same way; split.test has no meaning, since every fold is a test.
// Everything that is learnt, the preparation of columns included, is learnt anew from a fold's
// training rows. A fold's memory is given back before the next begins.
//
// Folds are a function of (split seed, rows), and trainings have the same bits for any number of
// threads, so has the result.

#include "api/schema/job_parts.h"
#include "engine/base/rng.h"
#include "engine/train/score.h"
#include "engine/train/train_check.h"
#include "server/jobs/epoch_series.h"
#include "server/jobs/job_kind.h"
#include "server/jobs/trial.h"

#include <math.h>
#include <string.h>

// Parameters and result ------------------------------------------------------------------------

struct fold_spec {
    int folds;
};

static const struct field fold_fields[] = {
    INT("folds", struct fold_spec, folds, .def = "5", .min = 2, .max = 20,
        .doc =
            "Parts that the rows are divided into; each is predicted by a training on the others."),
    {0},
};
const struct schema job_part_cross_validation = {
    .name = "CrossValidation", .field = fold_fields, .size = sizeof(struct fold_spec)};

// One metric, on the held-out rows.
struct fold_score {
    double mean, std;
    const double *fold; // [n_fold]
    size_t n_fold;
};

struct fold_metric {
    const char *name;
    struct fold_score score;
};

static const struct field score_fields[] = {
    REAL("mean", struct fold_score, mean, .nullable = true, .doc = "Mean over the folds."),
    REAL("std", struct fold_score, std, .nullable = true,
         .doc = "Standard deviation over the folds, of a sample (k - 1)."),
    LIST("folds", struct fold_score, fold, n_fold, double, .of = FIELD_REAL, .gaps = true,
         .doc = "Of each fold; null where its rows do not allow one."),
    {0},
};
static const struct schema score_schema = {.name = "FoldScore",
                                           .doc = "A metric of the rows of each fold, which the "
                                                  "fold's training has not seen.",
                                           .field = score_fields,
                                           .size = sizeof(struct fold_score),
                                           .reply = true};
static const struct field metric_fields[] = {
    STRING("metric", struct fold_metric, name, .doc = "Name of the metric, or loss."),
    OBJECT("score", struct fold_metric, score, struct fold_score, .sub = &score_schema,
           .doc = "Its values."),
    {0},
};
static const struct schema metric_schema = {.name = "FoldMetric",
                                            .field = metric_fields,
                                            .size = sizeof(struct fold_metric),
                                            .reply = true};

struct fold_result {
    int folds;
    const int *rows, *epochs; // [folds] held out; until the weights that were kept
    size_t n_rows, n_epochs, n_metric;
    const struct fold_metric *metric;
};

static const struct field result_fields[] = {
    INT("folds", struct fold_result, folds, .doc = "Number of folds."),
    LIST("rows", struct fold_result, rows, n_rows, int, .of = FIELD_INT,
         .doc = "Rows of each fold."),
    LIST("epochs", struct fold_result, epochs, n_epochs, int, .of = FIELD_INT,
         .doc = "The epoch whose weights predicted each fold."),
    MAP("metrics", struct fold_result, metric, n_metric, struct fold_metric, .sub = &metric_schema,
        .doc = "The loss in training units, and every metric of the task in the target's own."),
    {0},
};
const struct schema job_result_cross_validation = {.name = "CrossValidationResult",
                                                   .doc =
                                                       "How well a definition does on unseen rows.",
                                                   .field = result_fields,
                                                   .size = sizeof(struct fold_result),
                                                   .reply = true};

// The run ------------------------------------------------------------------------------------

enum {
    FOLD_ROWS_MAX = 256 << 20,
    BESIDE_FOLDS = 1 << 20
}; // bytes: of predictions; of curves and texts
enum fold_draw { DRAW_FOLDS = 16, DRAW_ORDER };

struct validation {
    struct run *r;
    int k, at;       // folds, the one at hand (from 0)
    uint32_t *dealt; // [n] rows, class by class; number j is in fold j % k
    size_t n;
    uint32_t *place;                  // [rows of the table] of a usable row among those
    double *found;                    // [n, columns] of r->rows, in the order of the table
    double (*score)[METRICS_MAX + 1]; // [k] the loss, then metrics
    int *rows, *epochs;               // [k]
    int64_t epoch, step;              // of the run, before this fold
    struct fold_result result;
};

static int fold_count(const struct job_spec *s)
{
    return ((const struct fold_spec *)job_part(s))->folds;
}

static size_t usable_rows(const struct prepared *p)
{
    return p->split.n_train + p->split.n_val + p->split.n_test;
}

// Row, fold, and an answer a class or target.
static size_t found_width(const struct prepared *p)
{
    return 2 + answer_width(&p->prep.answer);
}

// Rows that are watched, of m.
static size_t watched_rows(const struct job_spec *s, size_t m)
{
    size_t n = (size_t)llround(s->prep.validation * (double)m);
    return s->prep.validation > 0 && n == 0 ? 1 : n;
}

// A split as that of fold f will be, in its sizes.
static struct split fold_sizes(const struct job_spec *s, size_t n, size_t f)
{
    size_t k = (size_t)fold_count(s), test = n / k + (f < n % k), m = n - test;
    size_t val = watched_rows(s, m);
    return (struct split){.n_test = test, .n_val = val, .n_train = val < m ? m - val : 0};
}

static struct trial_plan fold_plan(const struct job_spec *s, const struct prepared *p, size_t f)
{
    struct prepared fold = *p;
    fold.split = fold_sizes(s, usable_rows(p), f);
    return trial_plan(s, &fold);
}

// The first fold trains on the fewest rows, the last on the most.
static bool check_fold(const struct job_spec *s, const struct prepared *p, size_t f, struct err *e)
{
    struct split split = fold_sizes(s, usable_rows(p), f);
    if (split.n_train == 0)
        return fail_at(
            e, ERR_INVALID, "/split/validation",
            "%d folds of %zu rows leave none to train on beside the %zu that are watched",
            fold_count(s), usable_rows(p), split.n_val);
    return train_check(&p->model, &s->train, split.n_train, e);
}

static bool fold_memory(const struct job_spec *s, const struct prepared *p, const struct arena *a,
                        struct err *e)
{
    size_t n = usable_rows(p);
    double found = (double)n * (double)found_width(p) * sizeof(double);
    double have = (double)(a->max - (a->used < a->max ? a->used : a->max));
    const struct split most = fold_sizes(s, n, (size_t)fold_count(s) - 1);
    double need = BESIDE_FOLDS + found + (double)n * 4 * sizeof(uint32_t) +
                  train_memory(&p->model, &s->train,
                               (struct train_size){most.n_train, most.n_val, most.n_test});
    if (isinf(need))
        return err_no_memory(e);
    if (found > FOLD_ROWS_MAX)
        return fail_at(e, ERR_TOO_LARGE, "/kind",
                       "the predictions of %zu rows take %.0f MB, and at most %d are kept", n,
                       found / 1e6, FOLD_ROWS_MAX / 1000000);
    return need <= have || fail_at(e, ERR_TOO_LARGE, "/model/layers",
                                   "cross-validation needs about %.0f MB, of which a job has %.0f "
                                   "left beside its table; use fewer units or fewer rows",
                                   need / 1e6, have / 1e6);
}

static bool folds_check(const struct job_spec *s, const struct prepared *p, const struct arena *a,
                        struct err *e)
{
    size_t n = usable_rows(p), k = (size_t)fold_count(s);
    if (n < k)
        return fail_at(e, ERR_INVALID, "/cross_validation/folds",
                       "%zu folds need at least as many rows with a target, and there are %zu", k,
                       n);
    return check_fold(s, p, 0, e) && check_fold(s, p, k - 1, e) && fold_memory(s, p, a, e);
}

// A batch that goes by the number of rows goes by those of each fold.
static void folds_resolve(struct job_spec *s, const struct prepared *p)
{
    s->planned = 0;
    for (int f = 0; f < fold_count(s); f++)
        s->planned += fold_plan(s, p, (size_t)f).epochs;
}

// Making folds -----------------------------------------------------------------------------------

// The class of each usable row, or 0; y is scratch [n].
static size_t row_class(const real *y, size_t i, bool stratified)
{
    return stratified ? (size_t)y[i] : 0;
}

// Rows in their order -> rows class by class, those of a class shuffled.
static bool deal(struct validation *v, const uint32_t *row, struct err *e)
{
    struct run *r = v->r;
    const struct prep *p = &r->prepared.prep;
    bool stratified = r->spec.prep.stratify && p->answer.n_class;
    size_t classes = stratified ? p->answer.n_class : 1;
    real *y = arena_alloc(&r->arena, v->n * p->answer.n_target, sizeof *y);
    size_t *at = arena_zalloc(&r->arena, classes + 1, sizeof *at);
    if (!y || !at)
        return fail(e, ERR_TOO_LARGE, "the table has too many rows for the memory allowed");
    prep_encode_target(p, &r->prepared.frame, row, v->n, y, &r->halt);
    if (!halt_go_on(&r->halt, e))
        return false;
    for (size_t i = 0; i < v->n; i++)
        at[row_class(y, i, stratified) + 1]++;
    for (size_t c = 0; c < classes; c++)
        at[c + 1] += at[c];
    for (size_t i = 0; i < v->n; i++)
        v->dealt[at[row_class(y, i, stratified)]++] = row[i];
    for (size_t c = 0, begin = 0; c < classes; begin = at[c++]) // at[c]: now the end of class c
        rng_shuffle(rng_key(r->spec.prep.split_seed, RNG_SPLIT, DRAW_FOLDS, c), v->dealt + begin,
                    at[c] - begin, &r->halt);
    return halt_go_on(&r->halt, e);
}

static bool make_folds(struct validation *v, struct err *e)
{
    struct run *r = v->r;
    const struct prepared *p = &r->prepared;
    v->dealt = arena_alloc(&r->arena, v->n, sizeof *v->dealt);
    v->place = arena_alloc(&r->arena, p->frame.n_row, sizeof *v->place);
    struct arena_mark mark = arena_mark(&r->arena);
    uint32_t *row = arena_alloc(&r->arena, v->n, sizeof *row);
    if (!v->dealt || !v->place || !row)
        return fail(e, ERR_TOO_LARGE, "the table has too many rows for the memory allowed");
    size_t n = 0;
    for (uint32_t i = 0; i < p->frame.n_row && n < v->n && !halt_due(&r->halt, i); i++)
        if (prep_usable(&p->prep, &p->frame, i)) {
            v->place[i] = (uint32_t)n;
            row[n++] = i;
        }
    bool ok = halt_go_on(&r->halt, e) && deal(v, row, e);
    arena_rewind(&r->arena, mark);
    return ok;
}

// The rows of the fold at hand, and of the others those that are watched and those that are trained
// on, each part in random order.
static bool split_fold(struct validation *v, struct split *s, struct err *e)
{
    struct run *r = v->r;
    const struct halt *halt = &r->halt;
    size_t f = (size_t)v->at, k = (size_t)v->k;
    *s = fold_sizes(&r->spec, v->n, f);
    uint32_t **part[] = {&s->test, &s->val, &s->train};
    const size_t size[] = {s->n_test, s->n_val, s->n_train}, others = v->n - s->n_test;
    size_t n[3] = {0}, c = 0;
    for (int i = 0; i < 3; i++)
        if (!(*part[i] = arena_alloc(&r->arena, size[i], sizeof **part[i])))
            return fail(e, ERR_TOO_LARGE, "the table has too many rows for the memory allowed");
    for (size_t j = 0; j < v->n && !halt_due(halt, j); j++) {
        bool watched = j % k != f && (c + 1) * s->n_val / others > c * s->n_val / others;
        int to = j % k == f ? 0 : watched ? 1 : 2;
        c += to != 0;
        (*part[to])[n[to]++] = v->dealt[j];
    }
    for (int i = 0; i < 3; i++)
        rng_shuffle(rng_key(r->spec.prep.split_seed, RNG_SPLIT, DRAW_ORDER, 3 * f + (size_t)i),
                    *part[i], size[i], halt);
    s->n_dropped = r->prepared.split.n_dropped;
    return halt_go_on(halt, e);
}

// Running ----------------------------------------------------------------------------------------

// The columns of the rows: which row of the table, in which fold, and what was predicted.
static bool declare_found(struct validation *v, struct err *e)
{
    struct run *r = v->r;
    const struct answer *a = &r->prepared.prep.answer;
    const char *const *name = a->n_class ? a->class_name : a->target;
    size_t width = found_width(&r->prepared);
    struct series *s = arena_alloc(&r->arena, width, sizeof *s);
    v->found = arena_alloc(&r->arena, v->n, width * sizeof *v->found);
    if (!s || !v->found)
        return fail(e, ERR_TOO_LARGE, "the table has too many rows for the memory allowed");
    s[0] = (struct series){"", "row", SERIES_WHOLE};
    s[1] = (struct series){"", "fold", SERIES_WHOLE};
    for (size_t i = 0; i < answer_width(a); i++)
        s[2 + i] = (struct series){"predictions", name[i], SERIES_REAL};
    r->rows = (struct row_table){{s, width}, v->n, v->found};
    return true;
}

static bool folds_begin(struct run *r, struct err *e)
{
    struct validation *v = r->own = arena_need(&r->arena, 1, sizeof *v);
    int k = fold_count(&r->spec);
    struct job_beat *b = &r->curve.beat;
    r->spec.train.observe = false; // curves of layers would run on from one network to the next
    *v = (struct validation){.r = r, .k = k, .n = usable_rows(&r->prepared)};
    v->score = arena_need(&r->arena, (size_t)k, sizeof *v->score);
    v->rows = arena_need(&r->arena, (size_t)k, sizeof *v->rows);
    v->epochs = arena_need(&r->arena, (size_t)k, sizeof *v->epochs);
    for (int f = 0; f < k; f++) {
        const struct trial_plan plan = fold_plan(&r->spec, &r->prepared, (size_t)f);
        b->epochs += plan.epochs;
        b->steps += plan.steps;
    }
    return epoch_series_declare(&r->curve, &r->prepared.model, &r->spec.train,
                                r->spec.prep.validation > 0, &r->arena, e) &&
           curve_declare(&r->curve, SERIES_RUN, "", "fold", SERIES_WHOLE, &r->arena, e) &&
           curve_declare(&r->curve, SERIES_RUN, "", "fold_epoch", SERIES_WHOLE, &r->arena, e) &&
           declare_found(v, e) && make_folds(v, e);
}

static void on_fold_epoch(void *ctx, const struct train_epoch *t)
{
    struct validation *v = ctx;
    const double more[] = {v->at + 1, t->epoch};
    epoch_series_add(
        &v->r->curve, t,
        &(struct epoch_place){++v->epoch, v->step + (int64_t)t->step, run_seconds(v->r), more, 2});
    run_told(v->r);
}

static void on_fold_step(void *ctx, uint64_t step)
{
    struct validation *v = ctx;
    run_step(v->r, (uint64_t)v->step + step);
}

// What the fold's model says of the rows it has not seen.
static bool predict_fold(struct validation *v, const struct trial *t, struct err *e)
{
    struct run *r = v->r;
    const struct model *m = &t->prepared->model;
    struct score score;
    size_t n = t->test.n, k = answer_width(&m->answer);
    const double *answer;
    if (!score_answers(&score, m, &t->test, &answer, &r->halt, &r->arena, e))
        return false;
    v->score[v->at][0] = score.loss;
    for (size_t i = 0; metric_for(&m->answer, i); i++)
        v->score[v->at][i + 1] = score.metric[i];
    for (size_t i = 0; i < n && !halt_due(&r->halt, i); i++) {
        uint32_t row = t->prepared->split.test[i];
        double *to = v->found + v->place[row] * (k + 2);
        to[0] = row;
        to[1] = v->at + 1;
        memcpy(to + 2, answer + i * k, k * sizeof *to);
    }
    return halt_go_on(&r->halt, e);
}

static bool run_fold(struct validation *v, const struct exec *x, struct err *e)
{
    struct run *r = v->r;
    struct prepared fold = r->prepared;
    struct trial t;
    const struct train_hooks hooks = {.ctx = v, .epoch = on_fold_epoch, .step = on_fold_step};
    if (!split_fold(v, &fold.split, e) ||
        !prepare_network(&fold, &r->spec, &r->from, &r->halt, &r->arena, e) ||
        !trial_begin(&t, &fold, r, e) || !trial_train(&t, r, &hooks, x, e) ||
        !predict_fold(v, &t, e))
        return false;
    v->rows[v->at] = (int)t.test.n;
    v->epochs[v->at] = t.result.best_epoch;
    v->step += fold_plan(&r->spec, &r->prepared, (size_t)v->at).steps;
    run_note(r, arena_printf(&r->arena, "fold %d of %d: loss %.6g on %zu rows, trained on %zu",
                             v->at + 1, v->k, v->score[v->at][0], t.test.n, t.train.n));
    return true;
}

static bool folds_work(struct run *r, const struct exec *x, struct err *e)
{
    struct validation *v = r->own;
    for (v->at = 0; v->at < v->k; v->at++) {
        struct arena_mark mark = arena_mark(&r->arena);
        if (!run_fold(v, x, e))
            return false;
        arena_rewind(&r->arena, mark);
    }
    return true;
}

static struct fold_metric summarise(const struct validation *v, const char *name, size_t metric,
                                    struct arena *a)
{
    double *fold = arena_need(a, (size_t)v->k, sizeof *fold), sum = 0, squares = 0;
    for (int f = 0; f < v->k; f++)
        sum += fold[f] = v->score[f][metric];
    double mean = sum / v->k;
    for (int f = 0; f < v->k; f++)
        squares += (fold[f] - mean) * (fold[f] - mean);
    return (struct fold_metric){name, {mean, sqrt(squares / (v->k - 1)), fold, (size_t)v->k}};
}

static bool folds_conclude(struct run *r, struct err *e)
{
    struct validation *v = r->own;
    const struct model *m = &r->prepared.model;
    const struct metric *metric;
    struct fold_metric *all = arena_need(&r->arena, METRICS_MAX + 1, sizeof *all);
    size_t n = 0;
    all[n++] = summarise(v, "loss", 0, &r->arena);
    for (; (metric = metric_for(&m->answer, n - 1)); n++)
        all[n] = summarise(v, metric->row.name, n, &r->arena);
    v->result = (struct fold_result){.folds = v->k,
                                     .rows = v->rows,
                                     .n_rows = (size_t)v->k,
                                     .epochs = v->epochs,
                                     .n_epochs = (size_t)v->k,
                                     .metric = all,
                                     .n_metric = n};
    r->result = &v->result;
    return run_conclude(r, e);
}

const struct job_kind job_kind_cross_validation = {
    .row = {.name = "cross_validation",
            .doc =
                "Estimate how well a definition does on unseen rows: k trainings, each without the "
                "rows of a fold, which are then predicted. No model comes of it; GET "
                "/jobs/{id}/rows has the predictions, by rows of the table counted from 0."},
    .check = folds_check,
    .resolve = folds_resolve,
    .begin = folds_begin,
    .work = folds_work,
    .conclude = folds_conclude,
    .result = &job_result_cross_validation,
};
