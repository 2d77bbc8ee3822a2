// SPDX-License-Identifier: MIT
// What a start makes of files that a crash or another database has left.
#include "server/files/catalog.h"
#include "tests/server/files/shelf.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

// What a crash leaves, at each place where files and rows can part.

static void before_the_row_of_a_dataset(struct plant *p)
{
    shelf_upload(p, NULL, SHELF_CSV);
}

static void before_the_file_of_a_dataset(struct plant *p)
{
    shelf_put(p, "datasets/" SHELF_HEX ".mark");
}

static void between_the_files_of_a_dataset(struct plant *p)
{
    shelf_put(p, "datasets/" SHELF_HEX ".mark");
    shelf_put(p, "datasets/" SHELF_HEX ".csv");
}

// The columns cannot be removed while they are a folder.
static void after_the_rows_of_a_dataset(struct plant *p)
{
    char file[256], away[256];
    snprintf(file, sizeof file, "%s/datasets/%s.col", p->dir, shelf_upload(p, "gone", SHELF_CSV));
    snprintf(away, sizeof away, "%s/away", p->dir);
    ck_assert(rename(file, away) == 0 && mkdir(file, 0700) == 0);
    ck_assert(!catalog_delete(p->catalog, "gone", &p->arena, &(struct err){0}));
    ck_assert(rmdir(file) == 0 && rename(away, file) == 0);
}

static void before_the_data_of_a_job_goes(struct plant *p)
{
    struct job_row row;
    int64_t id = plant_submit(p, NULL, shelf_upload(p, NULL, SHELF_CSV), "{}");
    ck_assert(queue_cancel(p->queue, id, &row, &p->arena, &p->err));
}

static void before_a_dataset_is_settled(struct plant *p)
{
    char name[128];
    snprintf(name, sizeof name, "datasets/%s.mark", shelf_upload(p, "a", SHELF_OTHER));
    shelf_put(p, name);
}

static void before_the_row_of_a_model(struct plant *p)
{
    shelf_save(p, "body");
}

static void (*const crash[])(struct plant *) = {
    before_the_row_of_a_dataset,    before_the_file_of_a_dataset, before_the_row_of_a_model,
    between_the_files_of_a_dataset, after_the_rows_of_a_dataset,  before_the_data_of_a_job_goes,
    before_a_dataset_is_settled,
};

LOOP_TEST(what_a_crash_left_is_removed_and_nothing_else, sizeof crash / sizeof *crash)
{
    static const char *const foreign[] = {"datasets/README", "datasets/0123.csv",
                                          "datasets/" SHELF_HEX "0.csv",
                                          "datasets/X" SHELF_HEX ".csv"};
    struct plant p;
    plant_init(&p);
    const char *named = shelf_upload(&p, "a", SHELF_OTHER),
               *waiting = shelf_upload(&p, NULL, "x,y\n9,9\n8,8\n");
    plant_publish(&p, "m", 1);
    plant_submit(&p, NULL, waiting, "{}");
    for (int i = 0; i < 4; i++)
        shelf_put(&p, foreign[i]);
    crash[_i](&p);
    plant_close(&p);
    plant_open(&p);
    ck_assert(shelf_has(&p, named) && shelf_has(&p, waiting));
    for (int i = 0; i < 4; i++)
        ck_assert_msg(access(plant_path(&p, foreign[i]), F_OK) == 0, "%s", foreign[i]);
    ck_assert_int_eq(plant_files(&p, "datasets"), 4 + 1 + 4); // the waiting job's with its mark
    ck_assert_int_eq(plant_files(&p, "models"), 1);
    ck_assert_int_eq(p.strangers.files, 0);
    plant_release(&p);
}

// What the user has, but for the database: two datasets and a model.
static void fill(struct plant *p)
{
    shelf_upload(p, "a", SHELF_CSV);
    shelf_upload(p, "b", SHELF_OTHER);
    plant_publish(p, "m", 1);
}

static void move(const struct plant *p, const char *from, const char *to)
{
    char a[256];
    snprintf(a, sizeof a, "%s", plant_path(p, from));
    ck_assert_int_eq(rename(a, plant_path(p, to)), 0);
}

static void copy(const struct plant *p, const char *from, const char *to)
{
    int fd[2] = {open(plant_path(p, from), O_RDONLY), -1};
    fd[1] = open(plant_path(p, to), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    char piece[4096];
    for (ssize_t n; (n = read(fd[0], piece, sizeof piece)) > 0;)
        ck_assert_int_eq(write(fd[1], piece, (size_t)n), n);
    close(fd[0]);
    close(fd[1]);
}

static void check_full(struct plant *p)
{
    struct dataset_row row;
    struct model_row model;
    size_t len;
    NEED_IN(p, store_dataset_get(p->store, "b", 0, &row, &p->arena, &p->err));
    ck_assert(shelf_has(p, row.digest));
    NEED_IN(p, store_model_get(p->store, "m", 0, &model, &p->arena, &p->err));
    ck_assert(model_store_load(p->files, model.digest, &len, NULL, &p->arena, &p->err));
}

static struct catalog *open_again(struct plant *p, struct err *e)
{
    p->store = store_open(p->dir, &clock_system, e);
    ck_assert_msg(p->store != NULL, "%s", e->text);
    p->files = files_new(store_dir(p->store));
    if (!catalog_check(p->store, p->files, e))
        return NULL;
    return catalog_open(p->store, p->files, &p->strangers, e);
}

// Missing, empty, or made by a start that was refused.
LOOP_TEST(a_new_database_beside_files_is_refused_and_nothing_removed, 3)
{
    struct plant p;
    plant_init(&p);
    fill(&p);
    plant_close(&p);
    move(&p, "mlpd.db", "kept.db");
    if (_i == 1)
        shelf_put(&p, "mlpd.db");
    for (int start = 0; start < (_i == 2 ? 2 : 1); start++) {
        struct err e = {0};
        ck_assert_ptr_null(open_again(&p, &e));
        ck_assert_msg(e.kind == ERR_CONFLICT && strstr(e.text, "put their mlpd.db back"), "%s",
                      e.text);
        files_free(p.files);
        store_close(p.store);
    }
    ck_assert(plant_files(&p, "datasets") == 4 && plant_files(&p, "models") == 1);
    move(&p, "kept.db", "mlpd.db");
    plant_open(&p);
    check_full(&p);
    plant_release(&p);
}

// Made and nothing stored, made and used, not made by this opening.
LOOP_TEST(a_database_is_discarded_only_while_it_is_new, 3)
{
    struct plant p;
    plant_init(&p);
    if (_i == 1)
        shelf_upload(&p, "a", SHELF_CSV);
    if (_i == 2) {
        plant_close(&p);
        plant_open(&p);
    }
    struct store *s = p.store;
    queue_drain(p.queue);
    cache_free(p.cache);
    queue_free(p.queue);
    catalog_close(p.catalog);
    files_free(p.files);
    store_discard(s);
    ck_assert_int_eq(access(plant_path(&p, "mlpd.db"), F_OK) == 0, _i != 0);
    ck_assert_int_ne(access(plant_path(&p, "mlpd.db-wal"), F_OK), 0);
    plant_open(&p);
    plant_release(&p);
}

TEST(a_new_database_is_fine_once_the_files_are_moved_away)
{
    struct plant p;
    plant_init(&p);
    fill(&p);
    plant_close(&p);
    move(&p, "mlpd.db", "kept.db");
    move(&p, "datasets", "kept");
    move(&p, "models", "kept.too");
    plant_open(&p);
    plant_release(&p);
}

TEST(files_that_an_older_database_does_not_know_outlive_its_visit)
{
    struct plant p;
    plant_init(&p);
    shelf_upload(&p, "old", "x,y\n9,9\n8,8\n");
    plant_close(&p);
    move(&p, "mlpd.db", "old.db");
    struct err e = {0};
    copy(&p, "old.db", "mlpd.db");
    plant_open(&p);
    fill(&p);
    plant_close(&p);
    move(&p, "mlpd.db", "new.db");
    move(&p, "old.db", "mlpd.db");
    plant_open(&p);
    ck_assert_int_eq(p.strangers.files, 5);
    ck_assert_int_gt(p.strangers.bytes, 0);
    ck_assert(!store_dataset_get(p.store, "b", 0, &(struct dataset_row){0}, &p.arena, &e));
    plant_close(&p);
    move(&p, "new.db", "mlpd.db");
    plant_open(&p);
    ck_assert_int_eq(p.strangers.files, 0);
    check_full(&p);
    plant_release(&p);
}

// The bytes of a table were, in the database that comes back, those of data that came with a job.

static const char *inline_job(struct plant *p, int64_t *id)
{
    const char *digest = shelf_upload(p, NULL, SHELF_CSV);
    *id = plant_submit(p, NULL, digest, "{}");
    return digest;
}

static void end_job(struct plant *p, int64_t id, const char *digest)
{
    struct job_row row;
    NEED_IN(p, queue_cancel(p->queue, id, &row, &p->arena, &p->err));
    NEED_IN(p, catalog_forget(p->catalog, digest, &p->err));
}

static void keep_database(struct plant *p)
{
    plant_close(p);
    copy(p, "mlpd.db", "old.db");
    plant_open(p);
}

static void bring_it_back(struct plant *p)
{
    plant_close(p);
    move(p, "old.db", "mlpd.db");
    plant_open(p);
}

TEST(an_upload_of_the_bytes_of_an_ended_job_outlives_the_visit_of_an_older_database)
{
    struct plant p;
    int64_t id;
    plant_init(&p);
    shelf_upload(&p, "other", SHELF_OTHER);
    const char *digest = inline_job(&p, &id);
    end_job(&p, id, digest);
    ck_assert(!shelf_has(&p, digest));
    keep_database(&p);
    shelf_upload(&p, "mine", SHELF_CSV);
    bring_it_back(&p);
    ck_assert(shelf_has(&p, digest));
    ck_assert_int_eq(p.strangers.files, 2);
    plant_release(&p);
}

TEST(an_upload_of_the_bytes_of_a_waiting_job_outlives_the_end_of_the_job_in_an_older_database)
{
    struct plant p;
    int64_t id;
    plant_init(&p);
    const char *digest = inline_job(&p, &id);
    keep_database(&p);
    shelf_upload(&p, "mine", SHELF_CSV); // while the job waits: the file is the same
    end_job(&p, id, digest);
    bring_it_back(&p);
    ck_assert_int_eq(p.strangers.files, 0);
    end_job(&p, id, digest);
    ck_assert(shelf_has(&p, digest));
    plant_release(&p);
}

TEST(the_data_of_a_waiting_job_outlives_the_visit_of_a_database_that_does_not_know_the_job)
{
    struct plant p;
    int64_t id;
    plant_init(&p);
    shelf_upload(&p, "other", SHELF_OTHER);
    keep_database(&p);
    const char *digest = inline_job(&p, &id);
    bring_it_back(&p);
    ck_assert(shelf_has(&p, digest));
    ck_assert_int_eq(p.strangers.files, 3); // with its mark
    plant_release(&p);
}

// The database that visits knows an earlier job of the same table, which has ended.
TEST(the_data_of_a_waiting_job_outlives_the_visit_of_a_database_that_knows_another)
{
    struct plant p;
    int64_t id, before;
    plant_init(&p);
    const char *digest = inline_job(&p, &before);
    end_job(&p, before, digest);
    keep_database(&p);
    usleep(2000); // a job of the same number has another time
    inline_job(&p, &id);
    bring_it_back(&p);
    ck_assert(shelf_has(&p, digest));
    plant_release(&p);
}

TEST(the_data_of_jobs_that_have_ended_is_swept_when_it_could_not_be_removed)
{
    struct plant p;
    int64_t id[2];
    struct job_row row;
    plant_init(&p);
    inline_job(&p, &id[0]);
    const char *digest = inline_job(&p, &id[1]);
    NEED(queue_cancel(p.queue, id[0], &row, &p.arena, &p.err));
    plant_close(&p);
    plant_open(&p);
    ck_assert(shelf_has(&p, digest));
    NEED(queue_cancel(p.queue, id[1], &row, &p.arena, &p.err));
    plant_close(&p);
    plant_open(&p);
    ck_assert_int_eq(plant_files(&p, "datasets"), 0);
    plant_release(&p);
}

TEST(data_of_a_job_whose_row_came_just_before_a_crash_goes_with_the_job)
{
    struct plant p;
    char mark[128], job[128];
    int64_t id;
    plant_init(&p);
    const char *digest = inline_job(&p, &id);
    snprintf(mark, sizeof mark, "datasets/%s.mark", digest);
    snprintf(job, sizeof job, "datasets/%s.job", digest);
    move(&p, job, mark);
    plant_close(&p);
    plant_open(&p);
    ck_assert_int_eq(access(plant_path(&p, job), F_OK), 0);
    end_job(&p, id, digest);
    ck_assert_int_eq(plant_files(&p, "datasets"), 0);
    plant_release(&p);
}
