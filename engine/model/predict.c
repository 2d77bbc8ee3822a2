// SPDX-License-Identifier: MIT
// Prediction block by block: see predict.h.

#include "engine/model/predict.h"

#include <string.h>

bool predictor_init(struct predictor *p, const struct model *m, uint32_t batch, struct arena *a,
                    struct err *e)
{
    p->model = m;
    p->weight = NULL;
    struct plan_memory memory = {.param = m->value, .buffer = m->value + m->n_trained};
    return plan_init(&p->plan, &m->serve, batch, memory, a, e);
}

static void predict_load(const struct buf *to, const real *from, size_t rows)
{
    size_t n = rows * to->cols;
    memcpy(to->v, from, n * sizeof *from);
    memset(to->v + n, 0, ((size_t)to->rows * to->cols - n) * sizeof *from);
}

// From the network's output to an answer: one probability becomes two, a scaled value gets its
// units back (in double: a target may be large against its standard deviation).
static void unload(const struct answer *a, const struct buf *out, size_t rows, double *answer)
{
    bool one_of_two = a->n_class == 2 && out->cols == 1;
    for (size_t r = 0; one_of_two && r < rows; r++) {
        answer[2 * r] = 1 - (double)out->v[r];
        answer[2 * r + 1] = (double)out->v[r];
    }
    for (size_t i = 0; !one_of_two && i < rows * answer_width(a); i++)
        answer[i] =
            a->n_class ? (double)out->v[i] : answer_unscale(a, i % a->n_target, (double)out->v[i]);
}

double predictor_run(struct predictor *p, const real *x, const real *target, size_t n,
                     double *answer, const struct exec *ex)
{
    const struct model *m = p->model;
    const struct buf *buf = p->plan.buf;
    double loss = 0, weight = 0;
    for (size_t at = 0; at < n && !halt_asked(exec_halt(ex)); at += p->plan.batch) {
        size_t rows = n - at < p->plan.batch ? n - at : p->plan.batch;
        predict_load(&buf[m->serve_x], x + at * m->n_in, rows);
        if (target)
            predict_load(&buf[m->serve_y], target + at * m->answer.n_target, rows);
        plan_forward(&p->plan, p->plan.batch, 0, ex);
        unload(&m->answer, &buf[m->serve_out], rows, answer + at * answer_width(&m->answer));
        for (size_t r = 0; target && r < rows; r++) {
            double w = p->weight ? (double)p->weight[at + r] : 1;
            loss += w * (double)buf[m->serve_loss].v[r];
            weight += w;
        }
    }
    return weight > 0 ? loss / weight : 0;
}

void predict_targets(const struct model *m, const real *y, size_t n, double *out,
                     const struct halt *halt)
{
    const struct answer *a = &m->answer;
    for (size_t i = 0; i < n * a->n_target && !halt_due(halt, i); i++)
        out[i] = a->n_class ? (double)y[i] : answer_unscale(a, i % a->n_target, (double)y[i]);
}

bool predict_finite(const double *answer, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!isfinite(answer[i]))
            return false;
    return true;
}
