// SPDX-License-Identifier: MIT
// Cross-validation by a real worker: what folds are is read off the rows it has stored.

#include "tests/server/plant.h"

#include <cJSON.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define CV(target, folds, rest)                                                                    \
    "{\"dataset\":\"d\",\"target\":\"" target "\",\"kind\":\"cross_validation\","                  \
    "\"cross_validation\":{\"folds\":" #folds "},\"model\":{\"layers\":[{\"units\":8,"             \
    "\"norm\":null,\"dropout\":0}]},\"training\":{\"epochs\":4" rest "}}"

enum { ROWS = 101, COLUMNS_AT = 2 };

// x, a class of three unequal sizes and a number; `odd` is a row that is unlike all others, -1:
// none.
static const char *table(struct plant *p, int odd)
{
    char *csv = arena_need(&p->arena, ROWS + 1, 40), *at = csv;
    at += sprintf(at, "x,group,y\n");
    for (int i = 0; i < ROWS; i++) {
        at += sprintf(at, "%.3f,%c,", i == odd ? 1e6 : i * .01, "aaabbc"[i % 6]);
        at += i % 25 == 7 ? sprintf(at, "\n") : sprintf(at, "%g\n", i == odd ? -777 : i % 7 / 4.);
    }
    return csv;
}

static int64_t submit(struct plant *p, const char *csv, const char *job)
{
    char *digest = arena_need(&p->arena, DATASET_DIGEST, 1);
    NEED_IN(p, plant_upload(p, "d", csv, digest, &p->arena, &p->err));
    return plant_submit(p, "d", digest, job);
}

static struct series_table rows_of(struct plant *p, int64_t id)
{
    struct series_table t;
    bool more;
    plant_await(p, id, JOB_SUCCEEDED, 0);
    NEED_IN(p, store_job_rows(p->store, id, 0, ROWS + 1, &t, &more, &p->arena, &p->err));
    ck_assert(!more);
    return t;
}

static double cell(const struct series_table *t, size_t row, const char *name)
{
    size_t k = series_find(&t->series, "", name);
    ck_assert_uint_lt(k, t->series.n);
    return t->value[row * t->series.n + k];
}

static int fold_of(const struct series_table *t, size_t row)
{
    return (int)cell(t, row, "fold");
}

static void check_balanced(const int *n, int folds)
{
    int least = n[1], most = n[1];
    for (int f = 2; f <= folds; f++) {
        least = n[f] < least ? n[f] : least;
        most = n[f] > most ? n[f] : most;
    }
    ck_assert_msg(most - least <= 1, "folds of %d and of %d rows", least, most);
}

TEST(every_row_is_in_one_fold_and_classes_are_shared_out_evenly)
{
    struct plant p;
    plant_init(&p);
    plant_work(&p, 1);
    struct series_table t = rows_of(&p, submit(&p, table(&p, -1), CV("group", 7, "")));
    int all[8] = {0}, by_class[3][8] = {{0}};
    ck_assert_uint_eq(t.n_row, ROWS);
    for (size_t i = 0; i < t.n_row; i++) {
        int fold = fold_of(&t, i);
        double sum = 0;
        ck_assert_double_eq(cell(&t, i, "row"), (double)i);
        ck_assert(fold >= 1 && fold <= 7);
        all[fold]++;
        by_class["aaabbc"[i % 6] - 'a'][fold]++;
        for (size_t c = 0; c < 3; c++) {
            static const char *const name[] = {"a", "b", "c"};
            size_t k = series_find(&t.series, "predictions", name[c]);
            ck_assert_uint_eq(k, COLUMNS_AT + c);
            sum += t.value[i * t.series.n + k];
        }
        ck_assert_double_eq_tol(sum, 1, 1e-6);
    }
    check_balanced(all, 7);
    for (int c = 0; c < 3; c++)
        check_balanced(by_class[c], 7);
    plant_release(&p);
}

TEST(rows_without_a_target_are_in_no_fold)
{
    struct plant p;
    plant_init(&p);
    plant_work(&p, 1);
    struct series_table t = rows_of(&p, submit(&p, table(&p, -1), CV("y", 4, "")));
    int all[5] = {0};
    ck_assert_uint_eq(t.n_row, ROWS - 4);
    for (size_t i = 0; i < t.n_row; i++) {
        ck_assert((int)cell(&t, i, "row") % 25 != 7);
        all[fold_of(&t, i)]++;
    }
    check_balanced(all, 4);
    plant_release(&p);
}

// Whatever a row holds, nothing of it reaches the training that predicts its fold: not through the
// columns' scales, not through the target's, not through the rows that are watched.
TEST(no_training_knows_anything_of_the_rows_it_predicts)
{
    enum { ODD = 40 };
    struct plant p;
    plant_init(&p);
    plant_work(&p, 1);
    struct series_table t = rows_of(&p, submit(&p, table(&p, -1), CV("y", 5, "")));
    struct series_table u = rows_of(&p, submit(&p, table(&p, ODD), CV("y", 5, "")));
    ck_assert_uint_eq(t.n_row, u.n_row);
    size_t odd = 0;
    while (cell(&t, odd, "row") != ODD)
        odd++;
    for (size_t i = 0; i < t.n_row; i++) {
        const double *v = t.value + i * t.series.n, *w = u.value + i * u.series.n;
        ck_assert(v[0] == w[0] && v[1] == w[1]);
        if (i != odd && fold_of(&t, i) == fold_of(&t, odd))
            ck_assert_msg(v[2] == w[2], "row %g: %.17g and %.17g", v[0], v[2], w[2]);
        else
            ck_assert_msg(v[2] != w[2], "row %g of another fold: %.17g", v[0], v[2]);
    }
    plant_release(&p);
}

TEST(the_result_has_the_same_bits_for_any_number_of_threads)
{
    static const char *const job[] = {CV("group", 3, ",\"threads\":1"),
                                      CV("group", 3, ",\"threads\":4")};
    struct plant p;
    struct series_table t[2];
    const char *result[2];
    plant_init(&p);
    plant_work(&p, 1);
    for (int i = 0; i < 2; i++) {
        int64_t id = submit(&p, table(&p, -1), job[i]);
        t[i] = rows_of(&p, id);
        result[i] = plant_job(&p, id).result;
    }
    ck_assert_str_eq(result[0], result[1]);
    ck_assert_mem_eq(t[0].value, t[1].value, t[0].n_row * t[0].series.n * sizeof(double));
    plant_release(&p);
}

// What is told of the folds is what follows from their rows.
TEST(metrics_are_those_of_the_held_out_rows)
{
    struct plant p;
    double hits[4] = {0}, n[4] = {0}, mean = 0, squares = 0;
    plant_init(&p);
    plant_work(&p, 1);
    int64_t id = submit(&p, table(&p, -1), CV("group", 3, ""));
    struct series_table t = rows_of(&p, id);
    struct job_row row = plant_job(&p, id);
    cJSON *json = cJSON_Parse(row.result);
    const cJSON *accuracy = cJSON_GetObjectItem(cJSON_GetObjectItem(json, "metrics"), "accuracy");
    ck_assert_ptr_nonnull(accuracy);
    for (size_t i = 0; i < t.n_row; i++) {
        const double *v = t.value + i * t.series.n + COLUMNS_AT;
        int best = v[1] > v[0] ? 1 : 0;
        best = v[2] > v[best] ? 2 : best;
        hits[fold_of(&t, i)] += best == "aaabbc"[i % 6] - 'a';
        n[fold_of(&t, i)]++;
    }
    for (int f = 1; f <= 3; f++) {
        double told =
            cJSON_GetArrayItem(cJSON_GetObjectItem(accuracy, "folds"), f - 1)->valuedouble;
        ck_assert_double_eq_tol(told, hits[f] / n[f], 1e-12);
        ck_assert_int_eq(cJSON_GetArrayItem(cJSON_GetObjectItem(json, "rows"), f - 1)->valueint,
                         (int)n[f]);
        mean += told / 3;
    }
    for (int f = 1; f <= 3; f++)
        squares += pow(hits[f] / n[f] - mean, 2);
    ck_assert_double_eq_tol(cJSON_GetObjectItem(accuracy, "mean")->valuedouble, mean, 1e-12);
    ck_assert_double_eq_tol(cJSON_GetObjectItem(accuracy, "std")->valuedouble, sqrt(squares / 2),
                            1e-12);
    cJSON_Delete(json);
    ck_assert(!row.model && !row.best_epoch && plant_files(&p, "models") == 0);
    plant_release(&p);
}

// The curve goes on from fold to fold.
TEST(progress_is_told_over_all_folds)
{
    struct plant p;
    struct series_table t;
    plant_init(&p);
    plant_work(&p, 1);
    int64_t id = submit(&p, table(&p, -1), CV("group", 3, ",\"early_stopping\":null"));
    struct job_row row = plant_await(&p, id, JOB_SUCCEEDED, 12);
    ck_assert(row.epochs == 12 && row.steps > 0 && row.step == row.steps);
    const struct curve_part all = {0, 1, 100, SERIES_RUN};
    NEED(store_job_series(p.store, id, &all, &t, &p.arena, &p.err));
    ck_assert_uint_eq(t.n_row, 12);
    for (size_t i = 0; i < 12; i++) {
        ck_assert_int_eq(t.epoch[i], (int64_t)i + 1);
        ck_assert(i == 0 || t.step[i] > t.step[i - 1]);
        ck_assert_double_eq(cell(&t, i, "fold"), (double)(i / 4 + 1));
        ck_assert_double_eq(cell(&t, i, "fold_epoch"), (double)(i % 4 + 1));
        ck_assert(isfinite(cell(&t, i, "val_loss")) && isfinite(cell(&t, i, "val_accuracy")));
    }
    plant_release(&p);
}

TEST(a_cross_validation_is_cancelled_and_leaves_nothing)
{
    struct plant p;
    struct job_row row;
    plant_init(&p);
    int64_t id = submit(&p, table(&p, -1), CV("group", 3, "0000,\"early_stopping\":null"));
    plant_work(&p, 1);
    plant_await(&p, id, JOB_RUNNING, 1);
    NEED(queue_cancel(p.queue, id, &row, &p.arena, &p.err));
    row = plant_await(&p, id, JOB_CANCELLED, 1);
    ck_assert(!row.result);
    plant_release(&p);
}

TEST(a_drain_releases_a_cross_validation_which_starts_over)
{
    struct plant p;
    plant_init(&p);
    int64_t id = submit(&p, table(&p, -1), CV("group", 3, "00,\"early_stopping\":null"));
    plant_work(&p, 1);
    plant_await(&p, id, JOB_RUNNING, 1);
    plant_close(&p);
    plant_open(&p);
    ck_assert_int_eq(plant_job(&p, id).state, JOB_QUEUED);
    plant_work(&p, 1);
    ck_assert_uint_eq(rows_of(&p, id).n_row, ROWS);
    plant_release(&p);
}
