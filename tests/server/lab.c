// SPDX-License-Identifier: MIT
#include "tests/server/lab.h"

#include "tests/server/http/raw.h"

#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char lab_digest[65] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
const char lab_other_digest[65] =
    "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210";

static int64_t wall(void *ctx)
{
    return ((struct lab *)ctx)->wall;
}

static int64_t mono(void *ctx)
{
    return ((struct lab *)ctx)->mono;
}

void lab_init(struct lab *l)
{
    *l = (struct lab){.dir = "/tmp/mlpd-test-XXXXXX", .wall = 1000000, .mono = 5000};
    ck_assert_ptr_nonnull(mkdtemp(l->dir));
    l->clock = (struct clock){wall, mono, l};
    arena_init(&l->arena, 64 << 20);
    l->store = store_open(l->dir, &l->clock, &l->err);
    ck_assert_msg(l->store != NULL, "%s", l->err.text);
}

void lab_reopen(struct lab *l)
{
    store_close(l->store);
    l->store = store_open(l->dir, &l->clock, &l->err);
    ck_assert_msg(l->store != NULL, "%s", l->err.text);
}

void lab_release(struct lab *l)
{
    static const char *const file[] = {"mlpd.db", "mlpd.db-wal", "mlpd.db-shm", "mlpd.lock",
                                       "mlpd.stopped"};
    store_close(l->store);
    arena_release(&l->arena);
    for (size_t i = 0; i < sizeof file / sizeof *file; i++) {
        char path[128];
        snprintf(path, sizeof path, "%s/%s", l->dir, file[i]);
        unlink(path);
    }
    ck_assert_int_eq(rmdir(l->dir), 0);
}

void lab_move(struct lab *l, int64_t ms)
{
    l->wall += ms;
    l->mono += ms;
}

int64_t lab_submit(struct lab *l, const char *name)
{
    struct arena a;
    arena_init(&a, 1 << 20);
    struct err e = {0};
    struct job_row row;
    bool replayed;
    struct job_new job = {.name = name, .digest = lab_digest, .spec = "{}", .metadata = "{}"};
    bool ok = store_job_submit(l->store, &job, &row, &replayed, &a, &e);
    ck_assert_msg(ok, "%s", e.text);
    arena_release(&a);
    return row.id;
}

struct lease lab_claim(struct lab *l)
{
    struct job_claim claim;
    bool ok = store_job_claim(l->store, "test", &claim, &l->arena, &l->err);
    ck_assert_msg(ok, "%s", l->err.text);
    ck_assert_int_ne(claim.lease.job, 0);
    return claim.lease;
}

void lab_damage(struct lab *l, int64_t id, const char *set)
{
    char path[96], text[1024];
    snprintf(path, sizeof path, "%.64s/mlpd.db", l->dir);
    ck_assert(raw_sql_closed(path, "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = "
                                   "replace(sql, ') STRICT', ')') WHERE name = 'jobs'"));
    snprintf(text, sizeof text,
             "PRAGMA ignore_check_constraints = ON; UPDATE jobs SET %s WHERE id = %" PRId64, set,
             id);
    ck_assert(raw_sql_closed(path, text));
}

struct job_row lab_job(struct lab *l, int64_t id)
{
    struct job_row row;
    bool ok = store_job_get(l->store, id, &row, &l->arena, &l->err);
    ck_assert_msg(ok, "%s", l->err.text);
    return row;
}
