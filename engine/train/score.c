// SPDX-License-Identifier: MIT
// See score.h.

#include "engine/train/score.h"

bool scorer_init(struct scorer *c, const struct model *m, const struct train_rows *rows,
                 uint32_t batch, const struct halt *halt, struct run_state *run, struct err *e)
{
    *c = (struct scorer){.rows = rows};
    STATE_SCRATCH(run, "scorer.answers", c->answer, rows->n * answer_width(&m->answer));
    STATE_SCRATCH(run, "scorer.targets", c->target, rows->n * m->answer.n_target);
    STATE_SCRATCH(run, "scorer.scratch", c->scratch, 2 * rows->n);
    run_state_other(run, "scorer.plan", plan_bytes(&m->serve, batch, false));
    if (!run_state_granted(run))
        return fail(e, ERR_TOO_LARGE, "scoring %zu rows needs more memory than allowed", rows->n);
    if (run_state_sizing(run))
        return true;
    predict_targets(m, rows->y, rows->n, c->target, halt);
    if (!predictor_init(&c->predictor, m, batch, run->arena, e))
        return false;
    c->predictor.weight = rows->w;
    return true;
}

double scorer_run(struct scorer *c, const struct exec *x)
{
    return predictor_run(&c->predictor, c->rows->x, c->rows->y, c->rows->n, c->answer, x);
}

bool scorer_finite(const struct scorer *c)
{
    return predict_finite(c->answer, c->rows->n * answer_width(&c->predictor.model->answer));
}

void scorer_metrics(const struct scorer *c, const struct halt *halt, double *metric)
{
    const struct model *m = c->predictor.model;
    const struct metric *row;
    struct scored s = {.answer = c->answer,
                       .target = c->target,
                       .n = c->rows->n,
                       .k = answer_width(&m->answer),
                       .n_target = m->answer.n_target,
                       .scratch = c->scratch,
                       .halt = halt};
    for (size_t i = 0; (row = metric_for(&m->answer, i)); i++)
        metric[i] = row->value(&s);
}

bool score_answers(struct score *s, const struct model *m, const struct train_rows *rows,
                   const double **answer, const struct halt *halt, struct arena *a, struct err *e)
{
    const struct exec here = {.halt = halt};
    struct run_state run;
    struct scorer c;
    run_state_init(&run, a);
    if (!scorer_init(&c, m, rows, SCORE_ROWS, halt, &run, e))
        return false;
    s->loss = scorer_run(&c, &here);
    if (!halt_go_on(halt, e))
        return false;
    if (!scorer_finite(&c))
        return fail_at(e, ERR_INVALID, "/dataset",
                       "the model's answer to one of these rows is not finite");
    scorer_metrics(&c, halt, s->metric);
    *answer = c.answer;
    return halt_go_on(halt, e);
}

bool score_rows(struct score *s, const struct model *m, const struct train_rows *rows,
                const struct halt *halt, struct arena *a, struct err *e)
{
    const double *answer;
    return score_answers(s, m, rows, &answer, halt, a, e);
}
