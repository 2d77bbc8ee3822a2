// SPDX-License-Identifier: MIT
#include "server/store/store.h"

#include "tests/server/lab.h"

#include <string.h>

static struct dataset_row put(struct lab *l, const char *name, const char *digest)
{
    struct dataset_new d = {name, digest, "[{\"name\":\"x\"}]", 100, 3, 4096};
    struct dataset_row row;
    bool ok = store_dataset_put(l->store, &d, &row, &l->arena, &l->err);
    ck_assert_msg(ok, "%s", l->err.text);
    return row;
}

TEST(a_dataset_uploaded_again_is_the_next_version)
{
    struct lab l;
    struct dataset_row row;
    lab_init(&l);
    ck_assert_int_eq(put(&l, "a", lab_digest).version, 1);
    ck_assert_int_eq(put(&l, "b", lab_digest).version, 1);
    row = put(&l, "a", lab_other_digest);
    ck_assert_int_eq(row.version, 2);
    ck_assert_str_eq(row.summary, "[{\"name\":\"x\"}]");
    ck_assert(row.n_row == 100 && row.n_column == 3 && row.bytes == 4096);
    ck_assert_int_eq(row.created_at, l.wall);
    OK(store_dataset_get(l.store, "a", 1, &row, &l.arena, &l.err));
    ck_assert_str_eq(row.digest, lab_digest);
    OK(store_dataset_get(l.store, "a", 0, &row, &l.arena, &l.err));
    ck_assert_str_eq(row.digest, lab_other_digest);
    REFUSED(ERR_NOT_FOUND, store_dataset_get(l.store, "a", 3, &row, &l.arena, &e));
    REFUSED(ERR_NOT_FOUND, store_dataset_get(l.store, "A", 0, &row, &l.arena, &e));
    lab_release(&l);
}

TEST(datasets_are_listed_once_each_newest_first)
{
    struct lab l;
    struct dataset_list list;
    lab_init(&l);
    put(&l, "a", lab_digest);
    put(&l, "b", lab_digest);
    put(&l, "a", lab_other_digest);
    OK(store_dataset_list(l.store, 10, 0, &list, &l.arena, &l.err));
    ck_assert(list.n == 2 && !list.more);
    ck_assert_str_eq(list.row[0].name, "a");
    ck_assert_int_eq(list.row[0].version, 2);
    OK(store_dataset_list(l.store, 1, 0, &list, &l.arena, &l.err));
    ck_assert(list.n == 1 && list.more);
    OK(store_dataset_list(l.store, 1, list.row[0].id, &list, &l.arena, &l.err));
    ck_assert(list.n == 1 && !list.more);
    ck_assert_str_eq(list.row[0].name, "b");
    lab_release(&l);
}

TEST(deleting_a_dataset_tells_which_files_may_go)
{
    struct lab l;
    struct digest_list unused;
    struct dataset_row row;
    char third[65];
    memset(third, '3', 64);
    third[64] = '\0';
    lab_init(&l);
    put(&l, "b", third);
    put(&l, "a", lab_digest);
    put(&l, "a", lab_other_digest);
    put(&l, "b", lab_digest);
    OK(store_dataset_delete(l.store, "a", &unused, &l.arena, &l.err));
    ck_assert_int_eq(unused.n, 1);
    ck_assert_str_eq(unused.digest[0], lab_other_digest);
    REFUSED(ERR_NOT_FOUND, store_dataset_get(l.store, "a", 0, &row, &l.arena, &e));
    REFUSED(ERR_NOT_FOUND, store_dataset_delete(l.store, "a", &unused, &l.arena, &e));
    OK(store_dataset_delete(l.store, "b", &unused, &l.arena, &l.err));
    ck_assert_int_eq(unused.n, 2);
    lab_release(&l);
}

TEST(a_dataset_that_a_job_still_needs_cannot_be_deleted)
{
    struct lab l;
    struct digest_list unused;
    struct dataset_row row;
    lab_init(&l);
    put(&l, "a", lab_digest);
    put(&l, "a", lab_other_digest);
    int64_t id = lab_submit(&l, "n"); // on lab_digest, the older version
    REFUSED(ERR_CONFLICT, store_dataset_delete(l.store, "a", &unused, &l.arena, &e));
    struct lease k = lab_claim(&l);
    REFUSED(ERR_CONFLICT, store_dataset_delete(l.store, "a", &unused, &l.arena, &e));
    OK(store_dataset_get(l.store, "a", 1, &row, &l.arena, &l.err));
    OK(store_job_finish(l.store, &k, &(struct job_end){.state = JOB_CANCELLED}, &l.err));
    OK(store_dataset_delete(l.store, "a", &unused, &l.arena, &l.err));
    ck_assert_int_eq(unused.n, 2);
    ck_assert_int_eq(lab_job(&l, id).state, JOB_CANCELLED);
    lab_release(&l);
}
