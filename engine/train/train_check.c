// SPDX-License-Identifier: MIT
// What can be told about a run before it begins: sizes, memory, choices that do not go together. A
// job is refused here when it is submitted, rather than failing hours later; the worker asks again,
// since data may differ from what it was.

#include "engine/train/train_check.h"

#include "engine/model/predict.h"
#include "engine/optim/optimizer.h"
#include "engine/optim/schedule.h"
#include "engine/train/average.h"
#include "engine/train/mix.h"
#include "engine/train/observe.h"

#include <limits.h>
#include <math.h>
#include <string.h>

static const struct optim *optimizer_of(const struct train_spec *s)
{
    return (const struct optim *)(const void *)s->optimizer.row;
}

// It compares losses with each other, which must be of the same rows.
static bool searches(const struct train_spec *s)
{
    return s->optimizer.row && optimizer_of(s)->all;
}

uint32_t train_batch_size(const struct train_spec *s, size_t n)
{
    static const struct {
        size_t rows;
        uint32_t batch;
    } rule[] = {{1024, 64}, {8192, 128}, {30000, 256}, {100000, 512}, {SIZE_MAX, 1024}};
    size_t i = 0;
    while (n > rule[i].rows)
        i++;
    size_t batch = s->batch_size > 0 ? (size_t)s->batch_size : searches(s) ? n : rule[i].batch;
    return (uint32_t)(batch < n ? batch : n);
}

bool train_lone_row(size_t n, uint32_t batch, bool by_column)
{
    return by_column && batch > 1 && n > batch && n % batch == 1;
}

uint32_t train_batches(size_t n, uint32_t batch, bool by_column)
{
    return (uint32_t)((n + batch - 1) / batch) - train_lone_row(n, batch, by_column);
}

uint64_t train_steps(const struct train_spec *s, uint32_t batches)
{
    return s->steps > 0 ? (uint64_t)s->steps : (uint64_t)batches * (uint64_t)s->epochs;
}

int train_epochs(const struct train_spec *s, uint32_t batches)
{
    uint64_t epochs = (train_steps(s, batches) - 1) / batches + 1;
    return epochs < INT_MAX ? (int)epochs : INT_MAX;
}

const struct metric *train_metric(const char *monitor, const struct model *model, size_t *at)
{
    const struct metric *m;
    bool val = strncmp(monitor, "val_", 4) == 0;
    for (*at = 0; val && (m = metric_for(&model->answer, *at)); ++*at)
        if (strcmp(m->row.name, monitor + 4) == 0)
            return m;
    return NULL;
}

static bool check_monitor(const struct model *m, const struct train_spec *s, struct err *e)
{
    size_t at;
    return strcmp(s->monitor, "val_loss") == 0 || train_metric(s->monitor, m, &at) ||
           fail_at(e, ERR_INVALID, "/training/early_stopping/metric",
                   "there is no metric \"%s\" for this target; val_loss always is", s->monitor);
}

static bool check_batch(const struct model *m, const struct train_spec *s, size_t n, struct err *e)
{
    uint32_t batch = train_batch_size(s, n);
    if (m->by_column && n < 2)
        return fail_at(e, ERR_INVALID, "/split",
                       "batch normalization needs at least 2 training rows");
    if (m->by_column && batch < 2)
        return fail_at(e, ERR_INVALID, "/training/batch_size",
                       "batch normalization needs at least 2 rows in a batch");
    if (mix_wanted(s) && batch < 2)
        return fail_at(e, ERR_INVALID, n < 2 ? "/split" : "/training/batch_size",
                       "rows cannot be mixed with each other in batches of 1 row");
    return !searches(s) || batch == n ||
           fail_at(e, ERR_INVALID, "/training/batch_size",
                   "optimizer \"%s\" needs all %zu training rows in a batch; leave batch_size out",
                   s->optimizer.row->name, n);
}

static bool check_gradient(const struct train_spec *s, struct err *e)
{
    if (searches(s) && s->regularization.gradient_noise > 0)
        return fail_at(e, ERR_INVALID, "/regularization/gradient_noise",
                       "optimizer \"%s\" needs the loss's own gradient; leave the noise out",
                       s->optimizer.row->name);
    return !searches(s) || s->regularization.clip_value == 0 ||
           fail_at(e, ERR_INVALID, "/regularization/gradient_clip_value",
                   "optimizer \"%s\" needs the loss's own gradient; leave the limit out",
                   s->optimizer.row->name);
}

static bool check_mixing(const struct model *m, const struct train_spec *s, struct err *e)
{
    BUG(mix_wanted(s) && m->train_share == GRAPH_NONE);
    return s->mixup == 0 || s->cutmix == 0 ||
           fail_at(e, ERR_INVALID, "/regularization/cutmix",
                   "mixup and cutmix cannot both mix the rows; choose one");
}

static bool check_average(const struct train_spec *s, int epochs, struct err *e)
{
    const char *at = s->swa > 0 ? "/training/swa" : "/training/ema";
    if (s->ema > 0 && s->swa > 0)
        return fail_at(e, ERR_INVALID, at, "ema and swa cannot both average; choose one");
    if ((s->ema > 0 || s->swa > 0) && optimizer_of(s)->swap_in)
        return fail_at(e, ERR_INVALID, at,
                       "optimizer \"%s\" averages the weights itself; leave this out",
                       s->optimizer.row->name);
    return s->swa == 0 || average_epochs(s, epochs) > 1 ||
           fail_at(e, ERR_INVALID, at,
                   "a share of %g of %d epochs leaves nothing to average; raise it or train longer",
                   s->swa, epochs);
}

static bool check_max_norm(const struct model *m, const struct train_spec *s, struct err *e)
{
    for (size_t i = 0; s->regularization.max_norm > 0 && i < m->spec.n_layer; i++) {
        const struct pick *norm = &m->spec.layer[i].norm;
        if (norm->row && pick_norm(norm)->on_weight)
            return fail_at(
                e, ERR_INVALID, "/regularization/max_norm",
                "norm \"%s\" of layer %zu sets the norm of its weights itself; leave max_norm out",
                norm->row->name, i);
    }
    return true;
}

bool train_check(const struct model *m, const struct train_spec *s, size_t n, struct err *e)
{
    if (!check_monitor(m, s, e) || !check_batch(m, s, n, e))
        return false;
    uint32_t batches = train_batches(n, train_batch_size(s, n), m->by_column);
    return optimizer_check(&s->optimizer, m->param, m->n_param, s->group, s->n_group, e) &&
           check_gradient(s, e) && check_mixing(m, s, e) &&
           check_average(s, train_epochs(s, batches), e) && check_max_norm(m, s, e) &&
           schedule_check(&s->schedule, train_steps(s, batches), batches, e);
}
