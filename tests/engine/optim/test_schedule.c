// SPDX-License-Identifier: MIT
#include "tests/harness.h"
#include "engine/optim/schedule.h"

#include <math.h>
#include <string.h>

// Factors at known steps of known runs; a row that is not here fails the walk below.
static const struct {
    const char *name;
    double hyper[HYPER_VALUES + 1], warmup; // the row's own hyperparameters in order
    uint64_t k, n;
    uint32_t per_epoch;
    double factor;
} known[] = {
    {"constant", {0}, 0, 0, 100, 10, 1},
    {"constant", {0}, 0, 99, 100, 10, 1},
    {"cosine", {0}, 0, 0, 100, 10, 1},
    {"cosine", {0}, 0, 25, 100, 10, .85355339059327373},
    {"cosine", {0}, 0, 50, 100, 10, .5},
    {"cosine", {0}, 0, 75, 100, 10, .14644660940672627},
    {"cosine", {0}, 0, 99, 100, 10, .00024671981713422},
    {"cosine", {.1}, 0, 50, 100, 10, .55},
    {"cosine", {.1}, 0, 100, 100, 10, .1},
    // warm-up as a share: 5 % of 100 steps are 5
    {"constant", {0}, .05, 0, 100, 10, .2},
    {"constant", {0}, .05, 3, 100, 10, .8},
    {"constant", {0}, .05, 4, 100, 10, 1},
    {"constant", {0}, .05, 5, 100, 10, 1},
    {"cosine", {0}, .05, 4, 100, 10, 1},
    {"cosine", {0}, .05, 5, 100, 10, 1},
    {"cosine", {0}, .2, 60, 100, 10, .5},
    {"cosine", {.5}, .2, 60, 100, 10, .75},
    // warm-up as a number of steps
    {"constant", {0}, 10, 0, 100, 10, .1},
    {"constant", {0}, 10, 8, 100, 10, .9},
    {"cosine", {0}, 20, 60, 100, 10, .5},
    {"cosine", {0}, 1, 0, 100, 10, 1},
    // a warm-up that rounds to no step, and one longer than the run
    {"cosine", {0}, .001, 0, 100, 10, 1},
    {"constant", {0}, 200, 99, 100, 10, .5},
    {"cosine", {0}, 100, 99, 100, 10, 1},
    {"cosine", {0}, 0, 0, 1, 10, 1},
    // epochs count from the end of the warm-up
    {"step", {2, .5}, 10, 29, 100, 10, 1},
    {"step", {2, .5}, 10, 30, 100, 10, .5},
    // torch.optim.lr_scheduler 1.13
    {"step", {10, .1}, 0, 0, 120, 2, 1},
    {"step", {10, .1}, 0, 19, 120, 2, 1},
    {"step", {10, .1}, 0, 20, 120, 2, 0.10000000000000001},
    {"step", {10, .1}, 0, 59, 120, 2, 0.010000000000000002},
    {"step", {10, .1}, 0, 60, 120, 2, 0.0010000000000000002},
    {"step", {10, .1}, 0, 119, 120, 2, 1.0000000000000004e-05},
    {"step", {7, .5}, 0, 13, 120, 2, 1},
    {"step", {7, .5}, 0, 14, 120, 2, 0.5},
    {"step", {7, .5}, 0, 119, 120, 2, 0.00390625},
    {"multi_step", {5, 9, 30, NAN, NAN, NAN, NAN, NAN, .3}, 0, 9, 120, 2, 1},
    {"multi_step", {5, 9, 30, NAN, NAN, NAN, NAN, NAN, .3}, 0, 10, 120, 2, 0.29999999999999999},
    {"multi_step", {5, 9, 30, NAN, NAN, NAN, NAN, NAN, .3}, 0, 17, 120, 2, 0.29999999999999999},
    {"multi_step", {5, 9, 30, NAN, NAN, NAN, NAN, NAN, .3}, 0, 18, 120, 2, 0.089999999999999997},
    {"multi_step", {5, 9, 30, NAN, NAN, NAN, NAN, NAN, .3}, 0, 59, 120, 2, 0.089999999999999997},
    {"multi_step", {5, 9, 30, NAN, NAN, NAN, NAN, NAN, .3}, 0, 60, 120, 2, 0.027},
    {"multi_step", {5, 9, 30, NAN, NAN, NAN, NAN, NAN, .3}, 0, 119, 120, 2, 0.027},
    {"exponential", {.95}, 0, 0, 120, 2, 1},
    {"exponential", {.95}, 0, 1, 120, 2, 1},
    {"exponential", {.95}, 0, 2, 120, 2, 0.94999999999999996},
    {"exponential", {.95}, 0, 61, 120, 2, 0.21463876394293721},
    {"exponential", {.95}, 0, 119, 120, 2, 0.04849452524942309},
    {"polynomial", {1, 0}, 0, 0, 120, 2, 1},
    {"polynomial", {1, 0}, 0, 1, 120, 2, 0.9916666666666667},
    {"polynomial", {1, 0}, 0, 60, 120, 2, 0.5},
    {"polynomial", {1, 0}, 0, 119, 120, 2, 0.0083333333333333055},
    {"polynomial", {2.5, 0}, 0, 0, 120, 2, 1},
    {"polynomial", {2.5, 0}, 0, 1, 120, 2, 0.97929669396623997},
    {"polynomial", {2.5, 0}, 0, 60, 120, 2, 0.17677669529663684},
    {"polynomial", {2.5, 0}, 0, 119, 120, 2, 6.3393814526060308e-06},
    {"polynomial", {1, .2}, 0, 0, 120, 2, 1},
    {"polynomial", {1, .2}, 0, 1, 120, 2, 0.99333333333333329},
    {"polynomial", {1, .2}, 0, 60, 120, 2, 0.6000000000000002},
    {"polynomial", {1, .2}, 0, 119, 120, 2, 0.2066666666666668},
    {"cosine", {0}, 0, 0, 120, 2, 1},
    {"cosine", {0}, 0, 1, 120, 2, 0.99982866248777857},
    {"cosine", {0}, 0, 60, 120, 2, 0.50000000000000011},
    {"cosine", {0}, 0, 119, 120, 2, 0.00017133751222137003},
    {"cosine", {.1}, 0, 0, 120, 2, 1},
    {"cosine", {.1}, 0, 1, 120, 2, 0.99984579623900072},
    {"cosine", {.1}, 0, 60, 120, 2, 0.55000000000000027},
    {"cosine", {.1}, 0, 119, 120, 2, 0.10015420376099923},
    {"cosine_restarts", {10, 1, 0}, 0, 0, 120, 1, 1},
    {"cosine_restarts", {10, 1, 0}, 0, 1, 120, 1, 0.97552825814757682},
    {"cosine_restarts", {10, 1, 0}, 0, 9, 120, 1, 0.024471741852423234},
    {"cosine_restarts", {10, 1, 0}, 0, 10, 120, 1, 1},
    {"cosine_restarts", {10, 1, 0}, 0, 13, 120, 1, 0.79389262614623657},
    {"cosine_restarts", {10, 1, 0}, 0, 119, 120, 1, 0.024471741852423234},
    {"cosine_restarts", {3, 2, .05}, 0, 0, 120, 1, 1},
    {"cosine_restarts", {3, 2, .05}, 0, 2, 120, 1, 0.28750000000000009},
    {"cosine_restarts", {3, 2, .05}, 0, 3, 120, 1, 1},
    {"cosine_restarts", {3, 2, .05}, 0, 8, 120, 1, 0.11363793320239161},
    {"cosine_restarts", {3, 2, .05}, 0, 9, 120, 1, 1},
    {"cosine_restarts", {3, 2, .05}, 0, 20, 120, 1, 0.066185232512692607},
    {"cosine_restarts", {3, 2, .05}, 0, 21, 120, 1, 1},
    {"cosine_restarts", {3, 2, .05}, 0, 44, 120, 1, 0.054063690847440074},
    {"cosine_restarts", {3, 2, .05}, 0, 45, 120, 1, 1},
    {"cosine_restarts", {3, 2, .05}, 0, 119, 120, 1, 0.83818926217253276},
    {"one_cycle", {.3, 25, 1e4}, 0, 0, 120, 2, 0.040000000000000036},
    {"one_cycle", {.3, 25, 1e4}, 0, 1, 120, 2, 0.041932338882285203},
    {"one_cycle", {.3, 25, 1e4}, 0, 20, 120, 2, 0.62681004829903086},
    {"one_cycle", {.3, 25, 1e4}, 0, 35, 120, 2, 1},
    {"one_cycle", {.3, 25, 1e4}, 0, 36, 120, 2, 0.99965035379278977},
    {"one_cycle", {.3, 25, 1e4}, 0, 60, 120, 2, 0.79691090514637963},
    {"one_cycle", {.3, 25, 1e4}, 0, 118, 120, 2, 0.00035364620721027264},
    {"one_cycle", {.3, 25, 1e4}, 0, 119, 120, 2, 3.9999999999999998e-06},
    {"one_cycle", {.25, 10, 100}, 0, 0, 50, 2, 0.099999999999999978},
    {"one_cycle", {.25, 10, 100}, 0, 5, 50, 2, 0.45844479412631467},
    {"one_cycle", {.25, 10, 100}, 0, 11, 50, 2, 0.99580867571634879},
    {"one_cycle", {.25, 10, 100}, 0, 12, 50, 2, 0.99956185363437977},
    {"one_cycle", {.25, 10, 100}, 0, 13, 50, 2, 0.99606129330658177},
    {"one_cycle", {.25, 10, 100}, 0, 49, 50, 2, 0.001},
    {"cyclic", {.1, 5}, 0, 0, 120, 2, 0.10000000000000001},
    {"cyclic", {.1, 5}, 0, 1, 120, 2, 0.19000000000000009},
    {"cyclic", {.1, 5}, 0, 9, 120, 2, 0.90999999999999992},
    {"cyclic", {.1, 5}, 0, 10, 120, 2, 1},
    {"cyclic", {.1, 5}, 0, 11, 120, 2, 0.90999999999999992},
    {"cyclic", {.1, 5}, 0, 19, 120, 2, 0.19000000000000009},
    {"cyclic", {.1, 5}, 0, 20, 120, 2, 0.10000000000000001},
    {"cyclic", {.1, 5}, 0, 33, 120, 2, 0.7300000000000002},
    {"cyclic", {.1, 5}, 0, 119, 120, 2, 0.18999999999999967},
    // a way up of no step or one, and nothing but a way up
    {"one_cycle", {0, 25, 1e4}, 0, 0, 100, 10, 0.99975328116974504},
    {"one_cycle", {.01, 25, 1e4}, 0, 0, 100, 10, 1},
    {"one_cycle", {1, 25, 1e4}, 0, 99, 100, 10, 1},
    {"one_cycle", {.3, 25, 1e4}, 0, 0, 1, 10, 4e-6},
    {"inverse_time", {.1}, 0, 0, 100, 10, 1},
    {"inverse_time", {.1}, 0, 5, 100, 10, .95238095238095238},
    {"inverse_time", {.1}, 0, 100, 1000, 10, .5},
    // without warm-up from step 1 on, else from its end
    {"inverse_sqrt", {0}, 0, 0, 100, 10, 1},
    {"inverse_sqrt", {0}, 0, 4, 100, 10, .5},
    {"inverse_sqrt", {0}, 16, 15, 100, 10, 1},
    {"inverse_sqrt", {0}, 16, 16, 100, 10, 1},
    {"inverse_sqrt", {0}, 16, 64, 100, 10, .5},
    {"plateau", {.1, 10, 1e-4, 0, 0}, 0, 99, 100, 10, 1},
    {"flat_cos", {.5}, 0, 0, 100, 10, 1},
    {"flat_cos", {.5}, 0, 50, 100, 10, 1},
    {"flat_cos", {.5}, 0, 75, 100, 10, .5},
    {"flat_cos", {.2}, 0, 60, 100, 10, .5},
    {"flat_cos", {1}, 0, 99, 100, 10, 1},
    // zeros of four cycles are 0, 1/15, 3/15, 7/15 and 1
    {"coslog", {4}, 0, 0, 100, 10, 0},
    {"coslog", {4}, 0, 10, 150, 10, 0},
    {"coslog", {4}, 0, 30, 150, 10, 0},
    {"coslog", {4}, 0, 70, 150, 10, 0},
    {"coslog", {1}, 0, 41421356, 100000000, 10, 1},
};
enum { KNOWN = sizeof known / sizeof *known };

static struct pick pick_of(const char *name, const double *hyper, double warmup)
{
    struct pick p = pick_row(&schedule_table, table_find(&schedule_table, name));
    const struct hyper *k;
    size_t at, own = 0;
    for (size_t i = 0; (k = hyper_at(&schedule_table, p.row, i, &at)); i++)
        own = at;
    memcpy(p.value, hyper, own * sizeof *hyper);
    p.value[own] = warmup; // the table's only hyperparameter comes last
    return p;
}

LOOP_TEST(a_schedule_gives_its_known_values, KNOWN)
{
    struct pick p = pick_of(known[_i].name, known[_i].hyper, known[_i].warmup);
    double got = schedule_factor(&p, known[_i].k, known[_i].n, known[_i].per_epoch);
    ck_assert_msg(fabs(got - known[_i].factor) < 1e-12, "%s, step %d of %d: %.17g, expected %.17g",
                  known[_i].name, (int)known[_i].k, (int)known[_i].n, got, known[_i].factor);
}

// As published for RealMLP, to their six places.
static const double coslog4[][2] = {
    {.01, .350381}, {.05, .323689}, {.1, .718355}, {.5, .073619}, {.9, .186201},
    {.027614, 1},   {.121895, 1},   {.310457, 1},  {.687581, 1},
};

LOOP_TEST(coslog_gives_its_published_values, sizeof coslog4 / sizeof *coslog4)
{
    struct pick p = pick_of("coslog", (double[]){4}, 0);
    double got = schedule_factor(&p, (uint64_t)round(coslog4[_i][0] * 1e6), 1000000, 10);
    ck_assert_msg(fabs(got - coslog4[_i][1]) < 1e-6, "at %g: %.9g", coslog4[_i][0], got);
}

// Whatever the row: known above, within [0, 1] at every step, past a warm-up or not.
LOOP_TEST(every_schedule_is_known_and_stays_between_nothing_and_the_full_rate, schedule_table.n)
{
    const struct row *row = schedule_table.row[_i];
    int found = 0;
    for (int i = 0; i < KNOWN; i++)
        found += table_find(&schedule_table, known[i].name) == row;
    ck_assert_msg(found, "schedule \"%s\" has no known values here", row->name);
    struct pick p = pick_row(&schedule_table, row);
    for (uint64_t k = 0; k < 1000; k++) {
        double f = schedule_factor(&p, k, 1000, 10);
        ck_assert_msg(f >= 0 && f <= 1, "schedule \"%s\", step %d: %g", row->name, (int)k, f);
    }
}

// torch.optim.lr_scheduler.ReduceLROnPlateau(factor=.5, patience=2, threshold=1e-4, cooldown=1,
// min_lr=.05): what was watched after each epoch, the factor from then on.
static const double watched[][2] = {
    {1, 1},      {.9, 1},     {.8, 1},     {.8, 1},    {.79999, 1}, {.8, .5},    {.8, .5},
    {.8, .5},    {.7, .5},    {.7, .5},    {.7, .5},   {.7, .25},   {.7, .25},   {.7, .25},
    {.7, .25},   {.71, .125}, {.7, .125},  {.7, .125}, {.7, .125},  {.7, .0625}, {.7, .0625},
    {.6, .0625}, {.6, .0625}, {.6, .0625}, {.6, .05},  {.6, .05},
};

TEST(plateau_steps_down_when_pytorch_does)
{
    struct pick p = pick_of("plateau", (double[]){.5, 2, 1e-4, 1, .05}, 0);
    struct schedule_state s = schedule_start();
    for (size_t i = 0; i < sizeof watched / sizeof *watched; i++) {
        schedule_observe(&p, watched[i][0], &s);
        ck_assert_msg(fabs(s.scale - watched[i][1]) < 1e-12, "epoch %zu: %g", i + 1, s.scale);
    }
}

// Scores that grow more negative improve; PyTorch's relative threshold would take every score for
// better.
TEST(plateau_understands_negative_scores)
{
    struct pick p = pick_of("plateau", (double[]){.5, 0, .1, 0, 0}, 0);
    struct schedule_state s = schedule_start();
    schedule_observe(&p, -1, &s);
    schedule_observe(&p, -1.2, &s);
    ck_assert_double_eq(s.scale, 1);
    schedule_observe(&p, -1.25, &s);
    ck_assert_double_eq(s.scale, .5);
}

TEST(schedules_that_do_not_watch_keep_their_scale)
{
    struct pick p = pick_of("cosine", (double[]){0}, 0);
    struct schedule_state s = schedule_start();
    for (int i = 0; i < 50; i++)
        schedule_observe(&p, 1, &s);
    ck_assert_double_eq(s.scale, 1);
}

LOOP_TEST(a_schedule_as_it_comes_passes_its_check, schedule_table.n)
{
    struct err e = {0};
    struct pick p = pick_row(&schedule_table, schedule_table.row[_i]);
    ck_assert_msg(schedule_check(&p, 1, 1, &e) && schedule_check(&p, 100000, 10, &e), "%s: %s",
                  p.row->name, e.text);
}

static const struct {
    const char *name;
    double hyper[HYPER_VALUES + 1], warmup;
    uint64_t n;
    const char *at, *text; // what the text has to contain
} wrong[] = {
    {"constant", {0}, 100, 100, "/schedule/warmup", "takes 100 steps and training has 100"},
    {"cosine", {0}, 1, 1, "/schedule/warmup", "takes 1 steps"},
    {"multi_step",
     {30, 10, NAN, NAN, NAN, NAN, NAN, NAN, .1},
     0,
     100,
     "/schedule/milestones",
     "milestones must ascend, but 10 follows 30"},
    {"multi_step",
     {10, 20, 20, NAN, NAN, NAN, NAN, NAN, .1},
     0,
     100,
     "/schedule/milestones",
     "20 follows 20"},
    {"polynomial", {1, -.5}, 0, 100, "/schedule", "\"polynomial\" multiplies the rate by -0"},
    {"polynomial", {1, -.0001}, 0, 1000000, "/schedule", "at step 1000000 of 1000000"},
    {"inverse_time", {-.1}, 0, 1000, "/schedule", "at step 101 of 1000"},
};

LOOP_TEST(what_cannot_work_is_told_before_training, sizeof wrong / sizeof *wrong)
{
    struct err e = {0};
    struct pick p = pick_of(wrong[_i].name, wrong[_i].hyper, wrong[_i].warmup);
    ck_assert(!schedule_check(&p, wrong[_i].n, 10, &e));
    ck_assert_int_eq(e.kind, ERR_INVALID);
    ck_assert_str_eq(e.at, wrong[_i].at);
    ck_assert_msg(strstr(e.text, wrong[_i].text), "%s", e.text);
}

TEST(the_longest_warm_up_leaves_one_step)
{
    struct err e = {0};
    struct pick p = pick_of("constant", (double[]){0}, 99);
    ck_assert(schedule_check(&p, 100, 10, &e));
}
