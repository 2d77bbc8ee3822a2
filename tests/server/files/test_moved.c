// SPDX-License-Identifier: MIT
// A data folder that is moved away under its daemon, and another daemon's at the path.

#include "tests/server/plant.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char CSV[] = "x,y\n1,2\n3,4\n", OTHER[] = "x,y\n5,6\n7,8\n";

struct pair {
    struct plant moved, now;
    char away[80];
};

static void move_away(struct pair *d)
{
    plant_init(&d->moved);
    snprintf(d->away, sizeof d->away, "%s.moved", d->moved.dir);
    ck_assert_int_eq(rename(d->moved.dir, d->away), 0);
    d->now = (struct plant){.log = {2, LEVEL_OFF}};
    strcpy(d->now.dir, d->moved.dir);
    arena_init(&d->now.arena, 256 << 20);
    plant_open(&d->now);
}

static void end(struct pair *d)
{
    plant_release(&d->now);
    strcpy(d->moved.dir, d->away);
    plant_release(&d->moved);
}

static bool upload(struct plant *p, const char *name, const char *csv)
{
    char digest[DATASET_DIGEST];
    p->err = (struct err){0};
    return plant_upload(p, name, csv, digest, &p->arena, &p->err);
}

TEST(files_go_to_the_folder_that_was_opened)
{
    struct pair d;
    char digest[DATASET_DIGEST];
    struct stat st[2];
    move_away(&d);
    ck_assert(upload(&d.now, "a", CSV));
    struct dataset_list list;
    NEED_IN(&d.now, store_dataset_list(d.now.store, 1, 0, &list, &d.now.arena, &d.now.err));
    memcpy(digest, list.row[0].digest, DATASET_DIGEST);
    char col[256];
    snprintf(col, sizeof col, "%s/datasets/%s.col", d.now.dir, digest);
    ck_assert_int_eq(stat(col, &st[0]), 0);
    ck_assert(!upload(&d.moved, "a", CSV) && !upload(&d.moved, "b", OTHER));
    ck_assert_msg(strstr(d.moved.err.text, "removed or replaced"), "%s", d.moved.err.text);
    catalog_forget(d.moved.catalog, digest, &d.moved.err);
    ck_assert(stat(col, &st[1]) == 0 && st[0].st_ino == st[1].st_ino);
    ck_assert_int_eq(plant_files(&d.now, "datasets"), 2);
    ck_assert_int_eq(plant_files(&d.now, "tmp"), 0);
    end(&d);
}

TEST(the_end_of_one_whose_folder_was_moved_leaves_the_others_log)
{
    struct pair d;
    struct dataset_row row;
    char wal[128];
    move_away(&d);
    snprintf(wal, sizeof wal, "%s/mlpd.db-wal", d.now.dir);
    ck_assert(upload(&d.now, "a", CSV));
    plant_close(&d.moved);
    ck_assert_int_eq(access(wal, F_OK), 0);
    ck_assert(upload(&d.now, "b", OTHER));
    NEED_IN(&d.now, store_dataset_get(d.now.store, "b", 0, &row, &d.now.arena, &d.now.err));
    strcpy(d.moved.dir, d.away);
    plant_open(&d.moved);
    end(&d);
}

TEST(a_folder_that_is_put_back_is_used_again)
{
    struct pair d;
    plant_init(&d.moved);
    snprintf(d.away, sizeof d.away, "%s.moved", d.moved.dir);
    ck_assert_int_eq(rename(d.moved.dir, d.away), 0);
    ck_assert(!upload(&d.moved, "a", CSV));
    ck_assert_int_eq(rename(d.away, d.moved.dir), 0);
    ck_assert(upload(&d.moved, "a", CSV));
    ck_assert_int_eq(plant_files(&d.moved, "datasets"), 2);
    plant_release(&d.moved);
}
