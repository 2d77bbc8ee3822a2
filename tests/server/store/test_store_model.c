// SPDX-License-Identifier: MIT
#include "server/store/store.h"

#include "tests/server/lab.h"

static int64_t publish(struct lab *l, const char *name, const char *digest)
{
    struct model_new m = {name, digest, "regression", "{\"r2\":0.5}", 777};
    struct job_end end = {.state = JOB_SUCCEEDED, .model = &m};
    int64_t id = lab_submit(l, "n");
    struct lease k = lab_claim(l);
    bool ok = store_job_finish(l->store, &k, &end, &l->err);
    ck_assert_msg(ok, "%s", l->err.text);
    return id;
}

TEST(a_model_is_found_by_name_by_version_and_by_job)
{
    struct lab l;
    struct model_row row;
    lab_init(&l);
    int64_t first = publish(&l, "m", lab_digest);
    publish(&l, "m", lab_other_digest);
    OK(store_model_get(l.store, "m", 0, &row, &l.arena, &l.err));
    ck_assert(row.version == 2 && row.bytes == 777);
    ck_assert_str_eq(row.digest, lab_other_digest);
    OK(store_model_get(l.store, "m", 1, &row, &l.arena, &l.err));
    ck_assert_str_eq(row.digest, lab_digest);
    OK(store_model_of_job(l.store, first, &row, &l.arena, &l.err));
    ck_assert(row.version == 1 && row.job == first);
    ck_assert_str_eq(row.summary, "{\"r2\":0.5}");
    ck_assert_str_eq(row.task, "regression");
    REFUSED(ERR_NOT_FOUND, store_model_get(l.store, "m", 3, &row, &l.arena, &e));
    REFUSED(ERR_NOT_FOUND, store_model_get(l.store, "x", 0, &row, &l.arena, &e));
    lab_release(&l);
}

TEST(a_job_without_a_model_is_told_from_no_job)
{
    struct lab l;
    struct model_row row;
    lab_init(&l);
    int64_t id = lab_submit(&l, "n");
    REFUSED(ERR_CONFLICT, store_model_of_job(l.store, id, &row, &l.arena, &e));
    REFUSED(ERR_NOT_FOUND, store_model_of_job(l.store, 99, &row, &l.arena, &e));
    lab_release(&l);
}

TEST(models_are_listed_once_each_newest_first)
{
    struct lab l;
    struct model_list list;
    lab_init(&l);
    publish(&l, "a", lab_digest);
    publish(&l, "b", lab_digest);
    publish(&l, "a", lab_other_digest);
    OK(store_model_list(l.store, 10, 0, &list, &l.arena, &l.err));
    ck_assert(list.n == 2 && !list.more && list.row[0].version == 2);
    ck_assert_str_eq(list.row[0].name, "a");
    ck_assert_str_eq(list.row[1].name, "b");
    ck_assert_ptr_null(list.row[0].summary);
    OK(store_model_list(l.store, 10, list.row[0].id, &list, &l.arena, &l.err));
    ck_assert_int_eq(list.n, 1);
    lab_release(&l);
}
