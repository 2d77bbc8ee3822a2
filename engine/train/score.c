// SPDX-License-Identifier: MIT
// See score.h.

#include "engine/train/score.h"

bool score_rows(struct score *s, const struct model *m, const struct train_rows *rows,
                const struct halt *halt, struct arena *a, struct err *e)
{
    const struct exec here = {.halt = halt};
    struct predictor p;
    size_t n = rows->n, k = answer_width(&m->answer);
    double *answer = arena_alloc(a, n * k, sizeof *answer),
           *target = arena_alloc(a, n * m->answer.n_target, sizeof *target);
    double *scratch = arena_alloc(a, 2 * n, sizeof *scratch);
    if (!answer || !target || !scratch)
        return fail(e, ERR_TOO_LARGE, "scoring %zu rows needs more memory than allowed", n);
    if (!predictor_init(&p, m, SCORE_ROWS, a, e))
        return false;
    p.weight = rows->w;
    s->loss = predictor_run(&p, rows->x, rows->y, n, answer, &here);
    if (!halt_go_on(halt, e))
        return false;
    if (!predict_finite(answer, n * k))
        return fail_at(e, ERR_INVALID, "/dataset",
                       "the model's answer to one of these rows is not finite");
    predict_targets(m, rows->y, n, target, halt);
    struct scored scored = {answer, target, n, k, m->answer.n_target, scratch, halt};
    const struct metric *metric;
    for (size_t i = 0; (metric = metric_for(&m->answer, i)); i++)
        s->metric[i] = metric->value(&scored);
    return halt_go_on(halt, e);
}
