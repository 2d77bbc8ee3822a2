// SPDX-License-Identifier: MIT
#include "catalog.h"
#include "plant.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char CSV[] = "x,y\n1,2\n3,4\n", OTHER[] = "x,y\n5,6\n7,8\n";

static const char *upload(struct plant *p, const char *name, const char *csv)
{
    char *digest = arena_need(&p->arena, DATASET_DIGEST, 1);
    ck_assert_msg(plant_upload(p, name, csv, digest, &p->arena, &p->err), "%s", p->err.text);
    return digest;
}

static bool remains(struct plant *p, const char *digest)
{
    struct dataset_info info;
    return dataset_describe(p->dir, digest, &info, &p->arena, &(struct err){0});
}

TEST(equal_uploads_share_files_until_the_last_name_goes)
{
    struct plant p;
    plant_init(&p);
    const char *digest = upload(&p, "a", CSV);
    ck_assert_str_eq(upload(&p, "b", CSV), digest);
    upload(&p, "b", CSV); // a second version of the same bytes
    ck_assert_int_eq(plant_files(&p, "datasets"), 2);
    NEED(catalog_delete(p.catalog, "a", &p.arena, &p.err));
    ck_assert(remains(&p, digest));
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
    const char *first = upload(&p, "a", CSV), *second = upload(&p, "a", OTHER);
    ck_assert_int_eq(plant_files(&p, "datasets"), 4);
    upload(&p, "b", OTHER);
    NEED(catalog_delete(p.catalog, "a", &p.arena, &p.err));
    ck_assert(!remains(&p, first) && remains(&p, second));
    plant_release(&p);
}

TEST(what_a_job_needs_is_not_deleted_before_it_has_ended)
{
    struct plant p;
    struct job_row row;
    plant_init(&p);
    const char *digest = upload(&p, "a", CSV);
    int64_t id = plant_submit(&p, "a", digest, "{}");
    ck_assert(!catalog_delete(p.catalog, "a", &p.arena, &p.err));
    ck_assert_int_eq(p.err.kind, ERR_CONFLICT);
    p.err = (struct err){0};
    ck_assert(remains(&p, digest));
    NEED(queue_cancel(p.queue, id, &row, &p.arena, &p.err));
    NEED(catalog_delete(p.catalog, "a", &p.arena, &p.err));
    ck_assert(!remains(&p, digest));
    plant_release(&p);
}

TEST(data_that_came_with_a_job_goes_when_nobody_needs_it)
{
    struct plant p;
    struct job_row row;
    plant_init(&p);
    const char *digest = upload(&p, NULL, CSV);
    int64_t id = plant_submit(&p, NULL, digest, "{}");
    NEED(catalog_forget(p.catalog, digest, &p.err));
    ck_assert(remains(&p, digest)); // the job waits for it
    NEED(queue_cancel(p.queue, id, &row, &p.arena, &p.err));
    upload(&p, "same", CSV);
    NEED(catalog_forget(p.catalog, digest, &p.err));
    ck_assert(remains(&p, digest)); // a dataset is the same bytes
    NEED(catalog_delete(p.catalog, "same", &p.arena, &p.err));
    ck_assert(!remains(&p, digest));
    NEED(catalog_forget(p.catalog, digest, &p.err)); // gone already
    plant_release(&p);
}

TEST(data_is_forgotten_at_once_or_not_now)
{
    struct plant p;
    plant_init(&p);
    const char *digest = upload(&p, NULL, CSV);
    catalog_hold(p.catalog);
    ck_assert(!catalog_forget_now(p.catalog, digest, &p.err));
    ck_assert_int_eq(p.err.kind, ERR_BUSY);
    ck_assert(remains(&p, digest));
    catalog_let_go(p.catalog);
    p.err = (struct err){0};
    NEED(catalog_forget_now(p.catalog, digest, &p.err));
    ck_assert(!remains(&p, digest));
    plant_release(&p);
}

static void put_file(const struct plant *p, const char *name)
{
    FILE *f = fopen(plant_path(p, name), "w");
    ck_assert_ptr_nonnull(f);
    fclose(f);
}

#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

TEST(opening_removes_files_without_a_row_and_nothing_else)
{
    static const char *const orphan[] = {"datasets/" HEX ".csv", "datasets/" HEX ".col"};
    static const char *const foreign[] = {"datasets/README", "datasets/0123.csv",
                                          "datasets/" HEX "0.csv", "datasets/X" HEX ".csv"};
    struct plant p;
    plant_init(&p);
    const char *named = upload(&p, "a", CSV), *waiting = upload(&p, NULL, OTHER);
    const char *litter = upload(&p, NULL, "x,y\n9,9\n8,8\n");
    plant_submit(&p, NULL, waiting, "{}");
    for (int i = 0; i < 2; i++)
        put_file(&p, orphan[i]);
    for (int i = 0; i < 4; i++)
        put_file(&p, foreign[i]);
    plant_close(&p);
    plant_open(&p);
    ck_assert(remains(&p, named) && remains(&p, waiting) && !remains(&p, litter));
    for (int i = 0; i < 2; i++)
        ck_assert_int_ne(access(plant_path(&p, orphan[i]), F_OK), 0);
    for (int i = 0; i < 4; i++)
        ck_assert_msg(access(plant_path(&p, foreign[i]), F_OK) == 0, "%s", foreign[i]);
    ck_assert_int_eq(plant_files(&p, "datasets"), 4 + 4);
    plant_release(&p);
}

enum { THREADS = 8, ROUNDS = 12 };

struct crowd {
    struct plant *p;
    atomic_int next, lost, failed;
};

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
        if (!plant_upload(c->p, name, CSV, digest, &a, &e))
            atomic_fetch_add(&c->failed, 1);
        else if (!dataset_describe(c->p->dir, digest, &info, &a, &e) ||
                 !dataset_load(c->p->dir, digest, &frame, &a, &e))
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
    ck_assert(remains(&p, list.row[0].digest));
    ck_assert_int_eq(plant_files(&p, "datasets"), 2);
    ck_assert_int_eq(plant_files(&p, "tmp"), 0);
    plant_release(&p);
}
