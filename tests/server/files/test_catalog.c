// SPDX-License-Identifier: MIT
#include "server/files/catalog.h"
#include "server/store/store_access.h"
#include "tests/server/files/shelf.h"
#include "tests/server/store/store_exec.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

TEST(equal_uploads_share_files_until_the_last_name_goes)
{
    struct plant p;
    plant_init(&p);
    const char *digest = shelf_upload(&p, "a", SHELF_CSV);
    ck_assert_str_eq(shelf_upload(&p, "b", SHELF_CSV), digest);
    shelf_upload(&p, "b", SHELF_CSV); // a second version of the same bytes
    ck_assert_int_eq(plant_files(&p, "datasets"), 2);
    NEED(catalog_delete(p.catalog, "a", &p.arena, &p.err));
    ck_assert(shelf_has(&p, digest));
    NEED(catalog_delete(p.catalog, "b", &p.arena, &p.err));
    ck_assert_int_eq(plant_files(&p, "datasets"), 0);
    ck_assert(!catalog_delete(p.catalog, "b", &p.arena, &p.err));
    ck_assert_int_eq(p.err.kind, ERR_NOT_FOUND);
    plant_release(&p);
}

TEST(all_versions_of_a_name_go_with_it)
{
    struct plant p;
    plant_init(&p);
    const char *first = shelf_upload(&p, "a", SHELF_CSV),
               *second = shelf_upload(&p, "a", SHELF_OTHER);
    ck_assert_int_eq(plant_files(&p, "datasets"), 4);
    shelf_upload(&p, "b", SHELF_OTHER);
    NEED(catalog_delete(p.catalog, "a", &p.arena, &p.err));
    ck_assert(!shelf_has(&p, first) && shelf_has(&p, second));
    plant_release(&p);
}

TEST(what_a_job_needs_is_not_deleted_before_it_has_ended)
{
    struct plant p;
    struct job_row row;
    plant_init(&p);
    const char *digest = shelf_upload(&p, "a", SHELF_CSV);
    int64_t id = plant_submit(&p, "a", digest, "{}");
    ck_assert(!catalog_delete(p.catalog, "a", &p.arena, &p.err));
    ck_assert_int_eq(p.err.kind, ERR_CONFLICT);
    p.err = (struct err){0};
    ck_assert(shelf_has(&p, digest));
    NEED(queue_cancel(p.queue, id, &row, &p.arena, &p.err));
    NEED(catalog_delete(p.catalog, "a", &p.arena, &p.err));
    ck_assert(!shelf_has(&p, digest));
    plant_release(&p);
}

TEST(data_that_came_with_a_job_goes_when_nobody_needs_it)
{
    struct plant p;
    struct job_row row;
    plant_init(&p);
    const char *digest = shelf_upload(&p, NULL, SHELF_CSV);
    int64_t id = plant_submit(&p, NULL, digest, "{}");
    NEED(catalog_forget(p.catalog, digest, &p.err));
    ck_assert(shelf_has(&p, digest)); // the job waits for it
    NEED(queue_cancel(p.queue, id, &row, &p.arena, &p.err));
    shelf_upload(&p, "same", SHELF_CSV);
    NEED(catalog_forget(p.catalog, digest, &p.err));
    ck_assert(shelf_has(&p, digest)); // a dataset is the same bytes
    NEED(catalog_delete(p.catalog, "same", &p.arena, &p.err));
    ck_assert(!shelf_has(&p, digest));
    NEED(catalog_forget(p.catalog, digest, &p.err)); // gone already
    plant_release(&p);
}

TEST(a_model_that_does_not_get_its_row_goes)
{
    struct plant p;
    struct catalog_file m, n;
    plant_init(&p);
    catalog_begin(p.catalog, SHELF_MODELS, SHELF_HEX, &n);
    const char *digest = shelf_save(&p, "body");
    catalog_begin(p.catalog, SHELF_MODELS, digest, &m);
    ck_assert_int_eq(plant_files(&p, "models"), 2); // with its mark
    NEED(catalog_end(p.catalog, &m, CATALOG_UNSTORED, &p.err));
    ck_assert_int_eq(plant_files(&p, "models"), 0);
    NEED(catalog_end(p.catalog, &n, CATALOG_UNSTORED, &p.err)); // has no file yet
    plant_release(&p);
}

// The bytes are those of another that is there, or is about to be.
LOOP_TEST(a_model_without_a_row_stays_while_another_is_the_same, 2)
{
    struct plant p;
    struct catalog_file first, second;
    struct model_row row;
    plant_init(&p);
    const char *digest = shelf_save(&p, "body");
    const struct model_new made = {"m", digest, "regression", "{}", 8};
    catalog_begin(p.catalog, SHELF_MODELS, digest, &first);
    catalog_begin(p.catalog, SHELF_MODELS, digest, &second);
    if (_i == 0) {
        NEED(store_model_put(p.store, &made, &row, &p.arena, &p.err));
        NEED(catalog_end(p.catalog, &second, CATALOG_STORED, &p.err));
    }
    NEED(catalog_end(p.catalog, &first, CATALOG_UNSTORED, &p.err));
    ck_assert_int_eq(plant_files(&p, "models"), _i == 0 ? 1 : 2);
    if (_i == 1) {
        NEED(catalog_end(p.catalog, &second, CATALOG_UNSTORED, &p.err));
        ck_assert_int_eq(plant_files(&p, "models"), 0); // nobody is left who wants it
    }
    plant_release(&p);
}

// Several bring the same bytes and fail or not; whoever has saved finds the file until its end.
struct bringer {
    struct plant *p;
    pthread_t thread;
    atomic_int *missing;
};

static void *bring(void *arg)
{
    struct bringer *b = arg;
    char digest[DIGEST_TEXT];
    const struct digest_part file[] = {{"head", 4}, {"same", 4}};
    digest_of(file, 2, digest);
    for (int i = 0; i < 200; i++) {
        struct catalog_file m;
        struct err e = {0};
        struct arena a;
        size_t len;
        arena_init(&a, 1 << 20);
        catalog_begin(b->p->catalog, SHELF_MODELS, digest, &m);
        bool there = model_store_save(b->p->files, file, digest, NULL, &e) &&
                     model_store_load(b->p->files, digest, &len, NULL, &a, &e);
        atomic_fetch_add(b->missing, !there);
        atomic_fetch_add(b->missing, !catalog_end(b->p->catalog, &m, CATALOG_UNSTORED, &e));
        arena_release(&a);
    }
    return NULL;
}

TEST(no_model_is_taken_from_under_one_who_brings_the_same)
{
    struct plant p;
    atomic_int missing = 0;
    struct bringer b[3];
    plant_init(&p);
    for (unsigned i = 0; i < 3; i++) {
        b[i] = (struct bringer){.p = &p, .missing = &missing};
        ck_assert_int_eq(pthread_create(&b[i].thread, NULL, bring, &b[i]), 0);
    }
    for (int i = 0; i < 3; i++)
        pthread_join(b[i].thread, NULL);
    ck_assert_int_eq(missing, 0);
    ck_assert_int_eq(plant_files(&p, "models"), 0);
    plant_release(&p);
}

struct crowd {
    struct plant *p;
    const char *name; // of what all delete; NULL: each its own
    atomic_int next, lost, failed;
};

static bool is_first(void *ctx, const struct file_job *job)
{
    (void)ctx;
    return job->id == 1 && job->created_at == 11;
}

static bool refuse_rows(struct store *s, struct conn *c, void *arg, struct err *e)
{
    (void)s, (void)arg;
    return SQL(c, e, NULL, NULL,
               "CREATE TRIGGER refuse BEFORE INSERT ON datasets "
               "BEGIN SELECT raise(ABORT, 'refused'); END") >= 0;
}

struct waiter {
    struct plant *p;
    const char *digest;
    struct catalog_file m;
    atomic_bool began;
};

static void *begin(void *arg)
{
    struct waiter *w = arg;
    catalog_begin(w->p->catalog, SHELF_MODELS, w->digest, &w->m);
    atomic_store(&w->began, true);
    return NULL;
}

TEST(who_brings_what_is_being_removed_waits_for_the_end_of_that)
{
    struct plant p;
    struct catalog_file going, other;
    pthread_t thread;
    plant_init(&p);
    struct waiter w = {.p = &p, .digest = shelf_save(&p, "body")};
    catalog_begin(p.catalog, SHELF_MODELS, w.digest, &going);
    going.out = true; // as while the file is removed
    ck_assert_int_eq(pthread_create(&thread, NULL, begin, &w), 0);
    catalog_begin(p.catalog, SHELF_MODELS, SHELF_HEX, &other);
    usleep(50000);
    ck_assert(!atomic_load(&w.began));
    NEED(catalog_end(p.catalog, &going, CATALOG_UNSTORED, &p.err));
    pthread_join(thread, NULL);
    NEED(catalog_end(p.catalog, &w.m, CATALOG_UNSTORED, &p.err)); // whoever is last removes it
    ck_assert_int_eq(plant_files(&p, "models"), 0);
    NEED(catalog_end(p.catalog, &other, CATALOG_STORED, &p.err));
    plant_release(&p);
}

// While a large table is on its way in or out, others come and go.
LOOP_TEST(nobody_waits_for_files_of_others, 2)
{
    struct plant p;
    struct catalog_file other;
    plant_init(&p);
    const char *waiting = shelf_upload(&p, NULL, SHELF_OTHER);
    catalog_begin(p.catalog, SHELF_DATASETS, SHELF_HEX, &other);
    other.out = _i;
    const char *digest = shelf_upload(&p, "mine", SHELF_CSV);
    ck_assert(shelf_has(&p, digest));
    NEED(catalog_delete(p.catalog, "mine", &p.arena, &p.err));
    ck_assert(!shelf_has(&p, digest));
    NEED(catalog_forget(p.catalog, waiting, &p.err));
    ck_assert_int_eq(plant_files(&p, "datasets"), 0);
    NEED(catalog_end(p.catalog, &other, CATALOG_UNSTORED, &p.err));
    plant_release(&p);
}

static void *delete_own(void *arg)
{
    struct crowd *c = arg;
    struct arena a;
    struct err e = {0};
    char own[32];
    snprintf(own, sizeof own, "t%d", atomic_fetch_add(&c->next, 1));
    arena_init(&a, 1 << 20);
    atomic_fetch_add(&c->failed, !catalog_delete(c->p->catalog, c->name ? c->name : own, &a, &e));
    arena_release(&a);
    return NULL;
}

// The same table is brought once more while its job has ended and its name is deleted.
LOOP_TEST(what_somebody_brings_stays_until_that_has_come_to_an_end, 2)
{
    struct plant p;
    struct catalog_file file;
    pthread_t thread;
    struct crowd c = {.p = &p};
    plant_init(&p);
    const char *digest = shelf_upload(&p, "t0", SHELF_CSV);
    catalog_begin(p.catalog, SHELF_DATASETS, digest, &file);
    NEED(catalog_forget(p.catalog, digest, &p.err)); // leaves it
    ck_assert_int_eq(pthread_create(&thread, NULL, delete_own, &c), 0);
    usleep(50000);
    ck_assert(shelf_has(&p, digest));
    NEED(catalog_end(p.catalog, &file, _i ? CATALOG_STORED : CATALOG_UNSTORED, &p.err));
    pthread_join(thread, NULL);
    ck_assert_int_eq(c.failed, 0);
    ck_assert_int_eq(plant_files(&p, "datasets"), 0);
    plant_release(&p);
}

// Each marks the file, and may take the other's mark for its own.
LOOP_TEST(names_of_equal_bytes_that_are_deleted_at_once_leave_no_file, 20)
{
    enum { NAMES = 4 };
    struct plant p;
    struct crowd c = {.p = &p};
    pthread_t thread[NAMES];
    char name[32];
    plant_init(&p);
    for (int i = 0; i < NAMES; i++) {
        snprintf(name, sizeof name, "t%d", i);
        shelf_upload(&p, name, SHELF_CSV);
    }
    for (int i = 0; i < NAMES; i++)
        ck_assert_int_eq(pthread_create(&thread[i], NULL, delete_own, &c), 0);
    for (int i = 0; i < NAMES; i++)
        pthread_join(thread[i], NULL);
    ck_assert_int_eq(c.failed, 0);
    ck_assert_int_eq(plant_files(&p, "datasets"), 0);
    plant_release(&p);
}

// What a deletion finds whose rows another has removed, and whose table a job has brought
// meanwhile: the job comes with the removal, after the file was marked and before it is looked at
// again.
TEST(a_deletion_that_comes_too_late_leaves_a_job_its_mark)
{
    struct plant p;
    struct job_row row;
    int64_t id = 0;
    plant_init(&p);
    const char *digest = shelf_upload(&p, "same", SHELF_CSV);
    ck_assert(store_exec(p.store,
                         "CREATE TRIGGER late AFTER DELETE ON datasets BEGIN "
                         "INSERT INTO jobs (name, digest, spec, metadata, created_at, queued_at) "
                         "VALUES ('n', OLD.digest, '{}', '{}', 1, 1); END",
                         NULL));
    NEED(catalog_delete(p.catalog, "same", &p.arena, &p.err));
    ck_assert(store_exec(p.store, "SELECT max(id) FROM jobs", &id));
    ck_assert(shelf_has(&p, digest));
    ck_assert_int_eq(files_mark_of(p.files, SHELF_DATASETS, digest), WITH_JOB);
    NEED(queue_cancel(p.queue, id, &row, &p.arena, &p.err));
    NEED(catalog_forget(p.catalog, digest, &p.err));
    ck_assert_int_eq(plant_files(&p, "datasets"), 0);
    plant_release(&p);
}

// A job brings the same table meanwhile, before, between or after them.
LOOP_TEST(deletions_of_a_name_at_once_leave_a_job_its_data, 40)
{
    enum { DELETIONS = 3 };
    struct plant p;
    struct catalog_file file;
    struct job_row row;
    pthread_t thread[DELETIONS];
    struct crowd c = {.p = &p, .name = "same"};
    plant_init(&p);
    const char *digest = shelf_upload(&p, "same", SHELF_CSV);
    for (int i = 0; i < DELETIONS; i++)
        ck_assert_int_eq(pthread_create(&thread[i], NULL, delete_own, &c), 0);
    catalog_begin(p.catalog, SHELF_DATASETS, digest, &file);
    shelf_upload(&p, NULL, SHELF_CSV);
    int64_t id = plant_submit(&p, NULL, digest, "{}");
    file.job = (struct file_job){id, plant_job(&p, id).created_at};
    NEED(catalog_end(p.catalog, &file, CATALOG_WITH_JOB, &p.err));
    for (int i = 0; i < DELETIONS; i++)
        pthread_join(thread[i], NULL);
    ck_assert(shelf_has(&p, digest));
    NEED(queue_cancel(p.queue, id, &row, &p.arena, &p.err));
    if (c.failed == DELETIONS) // all were refused for the job
        NEED(catalog_delete(p.catalog, "same", &p.arena, &p.err));
    NEED(catalog_forget(p.catalog, digest, &p.err));
    ck_assert_int_eq(plant_files(&p, "datasets"), 0);
    plant_release(&p);
}

TEST(a_mark_that_names_jobs_keeps_them)
{
    const struct file_job first = {1, 11};
    struct plant p;
    plant_init(&p);
    const char *digest = shelf_upload(&p, NULL, SHELF_CSV);
    files_mark_job(p.files, SHELF_DATASETS, digest, &first);
    NEED(files_mark(p.files, SHELF_DATASETS, digest, &p.err));
    files_mark_job(p.files, SHELF_DATASETS, digest, NULL); // as when a deletion gives up
    ck_assert_int_eq(files_mark_of(p.files, SHELF_DATASETS, digest), WITH_JOB);
    ck_assert(files_mark_all(p.files, SHELF_DATASETS, digest, is_first, NULL));
    plant_release(&p);
}

TEST(a_table_whose_row_is_refused_leaves_no_file)
{
    struct plant p;
    char digest[DATASET_DIGEST];
    plant_init(&p);
    NEED(store_write(p.store, refuse_rows, NULL, &p.err));
    ck_assert(!plant_upload(&p, "a", SHELF_CSV, digest, &p.arena, &p.err));
    ck_assert_int_eq(plant_files(&p, "datasets"), 0);
    p.err = (struct err){0};
    plant_release(&p);
}

// Whoever has asked for a deletion has left before it began.
TEST(a_deletion_goes_on_when_nobody_waits_for_it)
{
    static const atomic_bool gone = true;
    struct plant p;
    plant_init(&p);
    shelf_upload(&p, "a", SHELF_CSV);
    shelf_upload(&p, "a", SHELF_OTHER);
    store_watch(&gone);
    NEED(catalog_delete(p.catalog, "a", &p.arena, &p.err));
    store_watch(NULL);
    ck_assert_int_eq(plant_files(&p, "datasets"), 0);
    plant_release(&p);
}

TEST(one_version_that_cannot_be_removed_keeps_no_other)
{
    struct plant p;
    char file[256], away[256];
    plant_init(&p);
    const char *digest[] = {shelf_upload(&p, "a", SHELF_CSV), shelf_upload(&p, "a", SHELF_OTHER)};
    for (int i = 0; i < 2; i++) {
        snprintf(file, sizeof file, "%s/datasets/%s.col", p.dir, digest[i]);
        snprintf(away, sizeof away, "%s/away%d", p.dir, i);
        if (i == 0)
            ck_assert(rename(file, away) == 0 && mkdir(file, 0700) == 0);
    }
    ck_assert(!catalog_delete(p.catalog, "a", &p.arena, &p.err));
    ck_assert(!shelf_has(&p, digest[1]));
    snprintf(file, sizeof file, "%s/datasets/%s.col", p.dir, digest[0]);
    ck_assert_int_eq(rmdir(file), 0);
    p.err = (struct err){0};
    plant_release(&p);
}

TEST(a_model_that_gets_no_row_takes_no_file_along_that_was_there)
{
    struct plant p;
    struct catalog_file m;
    plant_init(&p);
    const char *digest = shelf_save(&p, "body");
    files_unmark(p.files, SHELF_MODELS, digest); // by a row that this database lacks
    catalog_begin(p.catalog, SHELF_MODELS, digest, &m);
    shelf_save(&p, "body");
    NEED(catalog_end(p.catalog, &m, CATALOG_UNSTORED, &p.err));
    ck_assert_int_eq(plant_files(&p, "models"), 1);
    plant_release(&p);
}

// One of its versions cannot be removed, another is also somebody else's.
TEST(a_deletion_that_fails_leaves_no_mark_on_what_is_needed)
{
    struct plant p;
    char file[256], away[256], mark[128];
    plant_init(&p);
    snprintf(mark, sizeof mark, "datasets/%s.mark", shelf_upload(&p, "b", SHELF_OTHER));
    shelf_upload(&p, "a", SHELF_OTHER);
    snprintf(file, sizeof file, "%s/datasets/%s.col", p.dir, shelf_upload(&p, "a", SHELF_CSV));
    snprintf(away, sizeof away, "%s/away", p.dir);
    ck_assert(rename(file, away) == 0 && mkdir(file, 0700) == 0);
    ck_assert(!catalog_delete(p.catalog, "a", &p.arena, &p.err));
    ck_assert_int_ne(access(plant_path(&p, mark), F_OK), 0);
    ck_assert(rmdir(file) == 0 && rename(away, file) == 0);
    p.err = (struct err){0};
    plant_release(&p);
}

enum { THREADS = 8, ROUNDS = 12 };

// Upload the same bytes under a name of one's own, see that they can be read, delete the name.
static void *upload_and_delete(void *arg)
{
    struct crowd *c = arg;
    struct arena a;
    struct dataset_info info;
    struct frame frame;
    char name[32], digest[DATASET_DIGEST];
    snprintf(name, sizeof name, "t%d", atomic_fetch_add(&c->next, 1));
    arena_init(&a, 16 << 20);
    for (int i = 0; i < ROUNDS; i++) {
        struct err e = {0};
        if (!plant_upload(c->p, name, SHELF_CSV, digest, &a, &e))
            atomic_fetch_add(&c->failed, 1);
        else if (!dataset_describe(c->p->files, digest, &info, &a, &e) ||
                 !dataset_load(c->p->files, digest, &frame, NULL, &a, &e))
            atomic_fetch_add(&c->lost, 1);
        if (i + 1 < ROUNDS && !catalog_delete(c->p->catalog, name, &a, &e))
            atomic_fetch_add(&c->failed, 1);
    }
    arena_release(&a);
    return NULL;
}

TEST(threads_that_upload_and_delete_equal_bytes_lose_no_file_that_is_named)
{
    struct plant p;
    pthread_t thread[THREADS];
    struct crowd c = {.p = &p};
    plant_init(&p);
    for (int i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&thread[i], NULL, upload_and_delete, &c), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(thread[i], NULL);
    ck_assert_int_eq(c.failed, 0);
    ck_assert_int_eq(c.lost, 0);
    struct dataset_list list;
    NEED(store_dataset_list(p.store, 100, 0, &list, &p.arena, &p.err));
    ck_assert_uint_eq(list.n, THREADS);
    ck_assert(shelf_has(&p, list.row[0].digest));
    ck_assert_int_eq(plant_files(&p, "datasets"), 2);
    ck_assert_int_eq(plant_files(&p, "tmp"), 0);
    plant_release(&p);
}
