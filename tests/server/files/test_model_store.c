// SPDX-License-Identifier: MIT
#include "tests/server/files/flush.h"
#include "server/files/model_store.h"
#include "tests/server/plant.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char HEAD[] = "header", BODY[] = "weights, many of them";

static bool save(struct plant *p, char digest[DIGEST_TEXT])
{
    const struct digest_part file[] = {{HEAD, sizeof HEAD}, {BODY, sizeof BODY}};
    digest_of(file, 2, digest);
    return model_store_save(p->files, file, digest, NULL, &p->err);
}

static const char *file_of(const struct plant *p, const char *digest)
{
    char name[128];
    snprintf(name, sizeof name, "models/%s.safetensors", digest);
    return plant_path(p, name);
}

TEST(what_is_stored_is_loaded_under_its_digest)
{
    struct plant p;
    char digest[DIGEST_TEXT], want[DIGEST_TEXT];
    size_t len;
    plant_init(&p);
    NEED(save(&p, digest));
    const struct digest_part part[] = {{HEAD, sizeof HEAD}, {BODY, sizeof BODY}};
    digest_of(part, 2, want);
    ck_assert_str_eq(digest, want);
    const char *file = model_store_load(p.files, digest, &len, NULL, &p.arena, &p.err);
    NEED(file);
    ck_assert_uint_eq(len, sizeof HEAD + sizeof BODY);
    ck_assert_mem_eq(file, HEAD, sizeof HEAD);
    ck_assert_mem_eq(file + sizeof HEAD, BODY, sizeof BODY);
    plant_release(&p);
}

TEST(equal_models_are_one_file_and_nothing_else_is_left)
{
    struct plant p;
    char digest[DIGEST_TEXT];
    plant_init(&p);
    NEED(save(&p, digest) && save(&p, digest));
    ck_assert_int_eq(plant_files(&p, "models"), 2); // with its mark
    ck_assert_int_eq(plant_files(&p, "tmp"), 0);
    plant_release(&p);
}

// A byte changed, one missing, one more, the file gone, another's name, a link to the file.
LOOP_TEST(a_file_that_is_not_what_its_name_says_is_refused, 6)
{
    struct plant p;
    char digest[DIGEST_TEXT];
    size_t len;
    plant_init(&p);
    NEED(save(&p, digest));
    const char *path = file_of(&p, digest);
    FILE *f = fopen(path, _i == 2 ? "ab" : "r+b");
    ck_assert_ptr_nonnull(f);
    if (_i == 0 || _i == 2)
        fputc('x', f);
    fclose(f);
    if (_i == 1)
        ck_assert_int_eq(truncate(path, sizeof HEAD + sizeof BODY - 1), 0);
    if (_i == 3)
        unlink(path);
    if (_i == 4)
        digest[0] ^= 1;
    if (_i == 5) {
        char link[256];
        snprintf(link, sizeof link, "%s", path);
        path = plant_path(&p, "moved");
        ck_assert(rename(link, path) == 0 && symlink(path, link) == 0);
    }
    ck_assert_ptr_null(model_store_load(p.files, digest, &len, NULL, &p.arena, &p.err));
    ck_assert_msg(p.err.kind == ERR_INTERNAL, "%s", p.err.text);
    plant_release(&p);
}

TEST(a_model_beyond_the_arena_is_too_large)
{
    struct plant p;
    struct arena small;
    char digest[DIGEST_TEXT];
    size_t len;
    plant_init(&p);
    NEED(save(&p, digest));
    arena_init(&small, 10);
    ck_assert_ptr_null(model_store_load(p.files, digest, &len, NULL, &small, &p.err));
    ck_assert_int_eq(p.err.kind, ERR_TOO_LARGE);
    arena_release(&small);
    plant_release(&p);
}

TEST(without_its_folder_nothing_is_stored_or_left)
{
    struct plant p;
    char digest[DIGEST_TEXT];
    plant_init(&p);
    ck_assert_int_eq(rmdir(plant_path(&p, "models")), 0);
    ck_assert(!save(&p, digest));
    ck_assert_int_eq(plant_files(&p, "tmp"), 0);
    NEED(files_prepare(p.files, &(struct err){0}) && files_prepare(p.files, &p.err));
    plant_release(&p);
}

// Of the file and of its folder.
LOOP_TEST(a_model_that_cannot_be_flushed_is_not_stored, 2)
{
    struct plant p;
    char digest[DIGEST_TEXT];
    plant_init(&p);
    flush_fail(_i + 1);
    ck_assert(!save(&p, digest));
    ck_assert_int_eq(p.err.kind, ERR_NO_SPACE);
    ck_assert_int_eq(plant_files(&p, "tmp"), 0);
    flush_fail(0);
    NEED(save(&p, digest));
    ck_assert_int_eq(flush_count(), 2);
    plant_release(&p);
}

static int open_files(void)
{
    int n = 0;
    DIR *d = opendir("/proc/self/fd");
    while (readdir(d))
        n++;
    closedir(d);
    return n;
}

TEST(no_file_stays_open)
{
    struct plant p;
    struct plant_halt h;
    char digest[DIGEST_TEXT];
    size_t len;
    plant_init(&p);
    int before = open_files();
    NEED(files_prepare(p.files, &p.err) && save(&p, digest));
    NEED(model_store_load(p.files, digest, &len, NULL, &p.arena, &p.err) != NULL);
    const struct halt halt = plant_halt(&h, 1);
    ck_assert(!model_store_load(p.files, digest, &len, &halt, &p.arena, &(struct err){0}));
    NEED(files_remove(p.files, SHELF_MODELS, digest, &p.err));
    ck_assert(!model_store_load(p.files, digest, &len, NULL, &p.arena, &(struct err){0}));
    ck_assert_int_eq(open_files(), before);
    plant_release(&p);
}

// A yes to any question while a file is written or read; nothing of it is left.
TEST(saving_and_loading_stop_when_asked)
{
    struct plant p;
    struct plant_halt h;
    char digest[DIGEST_TEXT];
    size_t len;
    plant_init(&p);
    NEED(save(&p, digest));
    const struct digest_part file[] = {{HEAD, sizeof HEAD}, {"other", 5}};
    for (int last = 1; last <= 2; last++) {
        const struct halt halt = plant_halt(&h, last);
        struct err e = {0};
        ck_assert(!model_store_save(p.files, file, digest, &halt, &e));
        ck_assert_int_eq(e.kind, ERR_CANCELLED);
    }
    ck_assert_int_eq(plant_files(&p, "models"), 2); // the first one and its mark
    ck_assert_int_eq(plant_files(&p, "tmp"), 0);
    NEED(save(&p, digest));
    for (int last = 1; last <= 2; last++) {
        const struct halt halt = plant_halt(&h, last);
        struct err e = {0};
        ck_assert_ptr_null(model_store_load(p.files, digest, &len, &halt, &p.arena, &e));
        ck_assert_int_eq(e.kind, ERR_CANCELLED);
    }
    plant_release(&p);
}
