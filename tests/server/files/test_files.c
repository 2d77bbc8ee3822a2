// SPDX-License-Identifier: MIT
#include "server/files/files.h"

#include "server/files/file.h"
#include "tests/server/plant.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const enum file_kind table[] = {FILE_CSV, FILE_COLUMNS};

static void begin(struct plant *p, struct file_new file[2])
{
    for (int i = 0; i < 2; i++) {
        NEED_IN(p, files_begin(p->files, table[i], &file[i], &p->err));
        NEED_IN(p, file_put(file[i].fd, "bytes", 5, 0, &p->err));
    }
}

static void drop(struct plant *p, struct file_new file[2])
{
    for (int i = 0; i < 2; i++)
        files_drop(p->files, &file[i]);
    ck_assert_int_eq(plant_files(p, "tmp"), 0);
}

static bool have(struct plant *p, enum file_kind kind)
{
    return files_have(p->files, kind, HEX);
}

TEST(files_of_a_digest_come_together_with_a_mark_and_go_together)
{
    struct plant p;
    struct file_new file[2];
    char bytes[5];
    plant_init(&p);
    begin(&p, file);
    ck_assert(!have(&p, FILE_CSV) && plant_files(&p, "tmp") == 2);
    NEED(files_put(p.files, file, 2, HEX, &p.err));
    drop(&p, file); // takes nothing back
    ck_assert(have(&p, FILE_CSV) && have(&p, FILE_COLUMNS) && !have(&p, FILE_MODEL));
    ck_assert_int_eq(files_mark_of(p.files, SHELF_DATASETS, HEX), UNSETTLED);
    int fd = files_open(p.files, FILE_COLUMNS, HEX);
    ck_assert_int_ge(fd, 0);
    NEED(file_get(fd, bytes, 5, 0, &p.err));
    close(fd);
    ck_assert_int_eq(memcmp(bytes, "bytes", 5), 0);
    NEED(files_remove(p.files, SHELF_MODELS, HEX, &p.err)); // another shelf
    ck_assert(have(&p, FILE_CSV));
    NEED(files_remove(p.files, SHELF_DATASETS, HEX, &p.err));
    NEED(files_remove(p.files, SHELF_DATASETS, HEX, &p.err)); // gone already
    ck_assert_int_eq(plant_files(&p, "datasets"), 0);
    plant_release(&p);
}

TEST(what_is_dropped_leaves_nothing)
{
    struct plant p;
    struct file_new file[2];
    plant_init(&p);
    begin(&p, file);
    drop(&p, file);
    drop(&p, file);
    ck_assert_int_eq(plant_files(&p, "datasets"), 0);
    plant_release(&p);
}

LOOP_TEST(what_is_no_regular_file_is_not_opened_and_nobody_waits_for_it, FILE_KIND_COUNT * 2)
{
    static const char *const name[] = {[FILE_CSV] = "datasets/" HEX ".csv",
                                       [FILE_COLUMNS] = "datasets/" HEX ".col",
                                       [FILE_MODEL] = "models/" HEX ".safetensors"};
    enum file_kind kind = (enum file_kind)(_i / 2);
    struct plant p;
    plant_init(&p);
    const char *path = plant_path(&p, name[kind]);
    ck_assert_int_eq(_i % 2 ? mkfifo(path, 0600) : mkdir(path, 0700), 0);
    ck_assert_int_eq(files_open(p.files, kind, HEX), -1);
    ck_assert_int_eq(errno, EMEDIUMTYPE);
    remove(path);
    plant_release(&p);
}

// Somebody's file of that name is not taken for litter because it was written again.
LOOP_TEST(what_was_there_before_is_not_marked, 2)
{
    struct plant p;
    struct file_new file[2];
    plant_init(&p);
    begin(&p, file);
    NEED(files_put(p.files, &file[_i], 1, HEX, &p.err));
    files_unmark(p.files, SHELF_DATASETS, HEX);
    drop(&p, file);
    begin(&p, file);
    NEED(files_put(p.files, file, 2, HEX, &p.err));
    ck_assert_int_eq(files_mark_of(p.files, SHELF_DATASETS, HEX), NO_MARK);
    NEED(files_remove(p.files, SHELF_DATASETS, HEX, &p.err));
    plant_release(&p);
}

static const char *const no_digest[] = {
    "",
    "..",
    "0123",
    HEX "0",
    HEX "/../../x",
    "../../../../../../../../../../../../../../etc/passwd",
    "0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF"};

LOOP_TEST(a_name_that_is_no_digest_is_no_files, sizeof no_digest / sizeof *no_digest)
{
    struct plant p;
    struct file_new file[2];
    struct err e = {0}, put = {0};
    plant_init(&p);
    errno = 0;
    ck_assert_int_eq(files_open(p.files, FILE_CSV, no_digest[_i]), -1);
    ck_assert_int_eq(errno, ENOENT);
    ck_assert(!files_remove(p.files, SHELF_DATASETS, no_digest[_i], &e) && e.kind == ERR_NOT_FOUND);
    begin(&p, file);
    ck_assert(!files_put(p.files, file, 2, no_digest[_i], &put) && put.kind == ERR_INTERNAL);
    drop(&p, file);
    ck_assert_int_eq(plant_files(&p, "datasets"), 0);
    plant_release(&p);
}

struct count {
    int files;
    int64_t bytes;
};

static bool count_one(void *ctx, const struct file_seen *file, struct err *e)
{
    struct count *c = ctx;
    (void)e;
    ck_assert_str_eq(file->digest, HEX);
    c->files++;
    c->bytes += file_seen_bytes(file);
    return c->files < 3;
}

TEST(a_walk_sees_what_is_named_by_a_digest_until_it_is_ended)
{
    struct plant p;
    struct file_new file[2];
    struct count all = {0};
    char path[256];
    plant_init(&p);
    begin(&p, file);
    NEED(files_put(p.files, file, 2, HEX, &p.err));
    snprintf(path, sizeof path, "%s", plant_path(&p, "datasets/README"));
    FILE *f = fopen(path, "w");
    ck_assert(f && fclose(f) == 0);
    ck_assert(!files_walk(p.files, SHELF_DATASETS, count_one, &all, &p.err)); // the third ends it
    ck_assert(all.files == 3 && all.bytes == 10 && !p.err.kind);
    NEED(files_walk(p.files, SHELF_MODELS, count_one, &all, &p.err));
    ck_assert_int_eq(rmdir(plant_path(&p, "models")), 0);
    NEED(files_walk(p.files, SHELF_MODELS, count_one, &all, &p.err));
    plant_release(&p);
}
