// SPDX-License-Identifier: MIT
#include "server/jobs/prepare.h"
#include "tests/server/plant.h"
#include "engine/table/task.h"

#include <string.h>

static bool prepare(struct plant *p, const char *digest, const char *body, struct prepared *out)
{
    struct job_spec spec;
    struct faults faults;
    p->err = (struct err){0};
    faults_init(&faults, &p->arena);
    ck_assert_msg(job_spec_read(body, strlen(body), &spec, &p->arena, &faults, &p->err), "%s: %s",
                  p->err.at, p->err.text);
    return prepare_job(out, p->files, digest, &spec, NULL, NULL, &p->arena, &faults, &p->err);
}

TEST(a_job_is_prepared_from_its_data)
{
    struct plant p;
    struct prepared r;
    char digest[DATASET_DIGEST];
    plant_init(&p);
    NEED(plant_upload(&p, "d", plant_table(&p, 100), digest, &p.arena, &p.err));
    NEED(prepare(&p, digest,
                 "{\"dataset\":\"d\",\"target\":\"y\",\"split\":{\"validation\":0.2,\"test\":0.1},"
                 "\"model\":{\"layers\":[8]}}",
                 &r));
    ck_assert_uint_eq(r.frame.n_row, 100);
    ck_assert(r.split.n_train == 70 && r.split.n_val == 20 && r.split.n_test == 10);
    ck_assert(r.prep.answer.task == &task_regression && r.prep.answer.n_class == 0);
    ck_assert_uint_eq(r.prep.n_feature, 1 + 4);
    ck_assert(r.model.n_in == 5 && r.model.n_out == 1 && r.model.spec.n_layer == 1);
    NEED(prepare(&p, digest, "{\"dataset\":\"d\",\"target\":\"group\"}", &r));
    ck_assert(r.prep.answer.n_class == 3 && r.model.answer.n_class == 3 && r.model.n_in == 2);
    plant_release(&p);
}

#define JOB(rest) "{\"dataset\":\"d\"," rest "}"

static const struct {
    const char *body, *at;
} faults[] = {
    {JOB("\"target\":\"z\""), "/target"},
    {JOB("\"target\":\"y\",\"features\":{\"exclude\":[\"z\"]}"), "/features/exclude/0"},
    {JOB("\"target\":\"y\",\"features\":{\"exclude\":[\"x\",\"group\"]}"), "/features/exclude"},
    {JOB("\"target\":\"y\",\"features\":{\"types\":{\"z\":\"numeric\"}}"), "/features/types/z"},
    {JOB("\"target\":\"y\",\"features\":{\"types\":{\"group\":\"numeric\"}}"), "/features/types"},
    {JOB("\"target\":\"group\",\"task\":\"regression\""), "/task"},
    {JOB("\"target\":\"y\",\"loss\":\"cross_entropy\""), "/loss"},
    {JOB("\"target\":[\"y\",\"z\"]"), "/target/1"},
    {JOB("\"target\":[\"y\",\"group\"]"), "/target/1"},
    {JOB("\"target\":\"y\",\"weights\":\"z\""), "/weights"},
    {JOB("\"target\":\"y\",\"weights\":\"group\""), "/weights"},
    {JOB("\"target\":\"group\",\"class_weight\":{\"a\":2,\"z/y\":1}"), "/class_weight/z~1y"},
    {JOB("\"target\":\"y\",\"class_weight\":\"balanced\""), "/class_weight"},
    {JOB("\"target\":\"group\",\"loss\":\"mse\""), "/loss"},
    {JOB("\"target\":\"y\",\"training\":{\"batch_size\":1}"), "/training/batch_size"},
    {JOB("\"target\":\"y\",\"training\":{\"early_stopping\":{\"metric\":\"val_auc\"}}"),
     "/training/early_stopping/metric"},
    {JOB("\"target\":\"y\",\"split\":{\"validation\":0.9,\"test\":0.09}"), "/split"},
};

LOOP_TEST(a_fault_that_only_the_data_shows_carries_its_pointer, sizeof faults / sizeof *faults)
{
    struct plant p;
    struct prepared r;
    char digest[DATASET_DIGEST];
    plant_init(&p);
    NEED(plant_upload(&p, "d", plant_table(&p, 30), digest, &p.arena, &p.err));
    ck_assert_msg(!prepare(&p, digest, faults[_i].body, &r), "%s", faults[_i].body);
    ck_assert_msg(p.err.kind == ERR_INVALID && strcmp(p.err.at, faults[_i].at) == 0,
                  "%s: \"%s\": %s", faults[_i].body, p.err.at, p.err.text);
    plant_release(&p);
}

TEST(data_that_is_gone_or_too_large_is_told)
{
    struct plant p;
    struct prepared r;
    char digest[DATASET_DIGEST];
    plant_init(&p);
    NEED(plant_upload(&p, "d", plant_table(&p, 3000), digest, &p.arena, &p.err));
    size_t max = p.arena.max;
    p.arena.max = p.arena.used + 20000;
    ck_assert(!prepare(&p, digest, "{\"dataset\":\"d\",\"target\":\"y\"}", &r));
    ck_assert_int_eq(p.err.kind, ERR_TOO_LARGE);
    p.arena.max = max;
    NEED(files_remove(p.files, SHELF_DATASETS, digest, &(struct err){0}));
    ck_assert(!prepare(&p, digest, "{\"dataset\":\"d\",\"target\":\"y\"}", &r));
    ck_assert_int_eq(p.err.kind, ERR_NOT_FOUND);
    plant_release(&p);
}

// Whatever allocation is the one that fails.
LOOP_TEST(a_shortage_of_memory_anywhere_is_too_large, 2)
{
    static const char *const job[] = {
        JOB("\"target\":\"y\",\"model\":{\"layers\":[4,4]},\"features\":{\"types\":{\"x\":"
            "\"categorical\"}}"),
        JOB("\"target\":\"group\",\"model\":{\"layers\":[4,4]},\"features\":{\"exclude\":[\"y\"]}"),
    };
    struct plant p;
    struct job_spec spec;
    struct faults none;
    char digest[DATASET_DIGEST];
    plant_init(&p);
    NEED(plant_upload(&p, "d", plant_table(&p, 30), digest, &p.arena, &p.err));
    faults_init(&none, &p.arena);
    NEED(job_spec_read(job[_i], strlen(job[_i]), &spec, &p.arena, &none, &p.err));
    bool enough = false;
    for (size_t max = 0; !enough; max += 256) {
        struct prepared r;
        struct arena small;
        struct err e = {0};
        arena_init(&small, max);
        faults_init(&none, &p.arena);
        enough = prepare_job(&r, p.files, digest, &spec, NULL, NULL, &small, &none, &e);
        ck_assert_msg(enough || e.kind == ERR_TOO_LARGE, "%zu bytes: %s", max, e.text);
        ck_assert_uint_lt(max, 4 << 20);
        arena_release(&small);
    }
    plant_release(&p);
}

TEST(every_misspelt_column_is_reported)
{
    struct plant p;
    struct prepared r;
    struct faults all;
    struct job_spec spec;
    char digest[DATASET_DIGEST];
    static const char body[] = JOB("\"target\":\"yy\",\"features\":{\"exclude\":[\"x\",\"xx\"],"
                                   "\"types\":{\"a/b\":\"numeric\"}}");
    plant_init(&p);
    NEED(plant_upload(&p, "d", plant_table(&p, 30), digest, &p.arena, &p.err));
    faults_init(&all, &p.arena);
    NEED(job_spec_read(body, strlen(body), &spec, &p.arena, &all, &p.err));
    ck_assert(!prepare_job(&r, p.files, digest, &spec, NULL, NULL, &p.arena, &all, &p.err));
    ck_assert_uint_eq(all.n, 3);
    ck_assert_str_eq(all.item[0].pointer, "/target");
    ck_assert_str_eq(all.item[1].pointer, "/features/exclude/1");
    ck_assert_str_eq(all.item[2].pointer, "/features/types/a~1b");
    plant_release(&p);
}

TEST(a_network_too_large_for_the_memory_is_refused_before_it_is_queued)
{
    struct plant p;
    struct prepared r;
    char digest[DATASET_DIGEST];
    plant_init(&p);
    NEED(plant_upload(&p, "d", plant_table(&p, 30), digest, &p.arena, &p.err));
    ck_assert(
        !prepare(&p, digest, JOB("\"target\":\"y\",\"model\":{\"layers\":[40000,40000]}"), &r));
    ck_assert_int_eq(p.err.kind, ERR_TOO_LARGE);
    ck_assert_str_eq(p.err.at, "/model/layers");
    plant_release(&p);
}

// A yes to any question: reading the table, preparing it, encoding its rows.
TEST(preparing_a_job_stops_when_asked)
{
    static const char body[] = "{\"dataset\":\"d\",\"target\":\"y\",\"model\":{\"layers\":[8]}}";
    struct plant p;
    struct plant_halt h;
    char digest[DATASET_DIGEST];
    plant_init(&p);
    NEED(plant_upload(&p, "d", plant_table(&p, 500), digest, &p.arena, &p.err));
    bool whole = false;
    int last = 0;
    while (!whole && ++last < 1000) {
        const struct halt halt = plant_halt(&h, last);
        struct prepared r;
        struct job_spec spec;
        struct faults own;
        struct train_rows rows;
        struct err e = {0};
        faults_init(&own, &p.arena);
        NEED(job_spec_read(body, strlen(body), &spec, &p.arena, &own, &p.err));
        whole = prepare_job(&r, p.files, digest, &spec, NULL, &halt, &p.arena, &own, &e) &&
                prepare_rows(&r, r.split.train, r.split.n_train, &rows, &halt, &p.arena, &e);
        ck_assert_msg(whole || e.kind == ERR_CANCELLED, "question %d: %s", last, e.text);
        ck_assert_msg(!whole || h.asked < last, "question %d: it went on to its end", last);
    }
    ck_assert_int_gt(last, 20);
    ck_assert(whole);
    plant_release(&p);
}
