// SPDX-License-Identifier: MIT
#include "server/files/dataset.h"
#include "tests/server/files/flush.h"
#include "tests/harness.h"
#include "server/files/levels.h"

#include <dirent.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define CALIFORNIA "tests/data/california_housing_test.csv"

// A data folder of its own for each test.
struct place {
    char dir[64];
    int fd; // of dir
    struct files *files;
    struct arena arena;
    struct err e;
};

static void need(bool ok, const struct err *e)
{
    ck_assert_msg(ok, "%s", e->text);
}

static void set_up(struct place *p)
{
    *p = (struct place){.dir = "/tmp/mlpd-test-XXXXXX"};
    ck_assert_ptr_nonnull(mkdtemp(p->dir));
    arena_init(&p->arena, 64 << 20);
    p->fd = open(p->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    p->files = files_new(p->fd);
    need(files_prepare(p->files, &p->e), &p->e);
}

static const char *path_in(const struct place *p, const char *name)
{
    static char path[512];
    snprintf(path, sizeof path, "%s/%s", p->dir, name);
    return path;
}

// How many files a folder of the place holds; removes them when asked to.
static int files(const struct place *p, const char *folder, bool remove)
{
    DIR *d = opendir(path_in(p, folder));
    int n = 0;
    for (const struct dirent *entry; (entry = readdir(d));) {
        if (*entry->d_name == '.')
            continue;
        n++;
        if (remove)
            unlinkat(dirfd(d), entry->d_name, 0);
    }
    closedir(d);
    return n;
}

static void tear_down(struct place *p)
{
    files(p, "tmp", true);
    files(p, "datasets", true);
    rmdir(path_in(p, "tmp"));
    rmdir(path_in(p, "datasets"));
    rmdir(path_in(p, "models"));
    files_free(p->files);
    rmdir(p->dir);
    close(p->fd);
    arena_release(&p->arena);
}

static bool ingest(struct place *p, const char *csv, size_t len, size_t piece,
                   struct dataset_info *out)
{
    struct ingest *in = ingest_begin(p->files, NULL, &p->e);
    need(in, &p->e);
    for (size_t at = 0; at < len; at += piece)
        if (!ingest_piece(in, csv + at, len - at < piece ? len - at : piece, &p->e)) {
            ingest_abort(in);
            return false;
        }
    char digest[DATASET_DIGEST];
    if (ingest_digest(in, digest, &p->e))
        return ingest_end(in, out, NULL, &p->arena, &p->e);
    ingest_abort(in);
    return false;
}

static char *file_text(const char *path, size_t *len)
{
    FILE *f = fopen(path, "rb");
    ck_assert_msg(f, "could not open \"%s\"", path);
    char *text = malloc(4 << 20);
    *len = fread(text, 1, 4 << 20, f);
    fclose(f);
    return text;
}

static const char *stored_file(const struct place *p, const char *digest, const char *suffix)
{
    char name[128];
    snprintf(name, sizeof name, "datasets/%s%s", digest, suffix);
    return path_in(p, name);
}

static const char SMALL[] = "n,c\n1,red\n,blue\n3,red\n-2.5,?\n";

TEST(dataset_comes_back_as_it_was_uploaded)
{
    struct place p;
    struct dataset_info info;
    struct frame f;
    set_up(&p);
    need(ingest(&p, SMALL, sizeof SMALL - 1, 5, &info), &p.e);
    ck_assert_str_eq(info.digest,
                     "fb0ac3e9d7c1bd608943ed13fa4ceec574153de3c1f848dc78a541a30df5fcb7");
    ck_assert(info.n_row == 4 && info.n_column == 2 && info.bytes == sizeof SMALL - 1);
    need(dataset_load(p.files, info.digest, &f, NULL, &p.arena, &p.e), &p.e);
    const struct column *n = frame_find(&f, "n"), *c = frame_find(&f, "c");
    ck_assert(n->number[0] == 1 && isnan(n->number[1]) && n->number[3] == -2.5);
    ck_assert(n->n_missing == 1 && n->min == -2.5 && n->max == 3 && n->mean == .5);
    ck_assert_double_eq_tol(n->std, 2.27303028283, 1e-10);
    ck_assert(c->n_missing == 1 && c->n_level == 2);
    ck_assert_str_eq(c->level[0], "red");
    ck_assert_str_eq(c->level[1], "blue");
    ck_assert(c->code[0] == 0 && c->code[1] == 1 && c->code[2] == 0 && c->code[3] == LEVEL_MISSING);
    ck_assert_int_eq(files(&p, "tmp", false), 0);
    ck_assert_int_eq(files(&p, "datasets", false), 3); // with its mark
    tear_down(&p);
}

TEST(dataset_keeps_every_byte_and_cell_of_a_real_table)
{
    struct place p;
    struct dataset_info info, again;
    struct frame f;
    set_up(&p);
    size_t len, kept_len;
    char *csv = file_text(CALIFORNIA, &len);
    need(ingest(&p, csv, len, 1460, &info), &p.e);
    char *kept = file_text(stored_file(&p, info.digest, ".csv"), &kept_len);
    ck_assert(kept_len == len && memcmp(kept, csv, len) == 0);
    need(dataset_load(p.files, info.digest, &f, NULL, &p.arena, &p.e), &p.e);
    need(dataset_describe(p.files, info.digest, &again, &p.arena, &p.e), &p.e);
    ck_assert(f.n_row == 4128 && f.n_column == 10 && again.n_row == 4128);
    char *line = strtok(kept, "\n");
    for (size_t i = 0; i < f.n_row; i++) {
        char *cell = line = strtok(NULL, "\n");
        for (size_t k = 0; k < 9; k++, cell = strchr(cell, ',') + 1) {
            double v = f.column[k].number[i];
            ck_assert(*cell == ',' ? isnan(v) : v == strtod(cell, NULL));
        }
        ck_assert_str_eq(f.column[9].level[f.column[9].code[i]], cell);
    }
    free(csv);
    free(kept);
    tear_down(&p);
}

// Of its text, of its columns, of their folder.
LOOP_TEST(a_dataset_that_cannot_be_flushed_is_not_stored, 3)
{
    struct place p;
    struct dataset_info info;
    struct frame f;
    set_up(&p);
    flush_fail(_i + 1);
    ck_assert(!ingest(&p, SMALL, sizeof SMALL - 1, 100, &info));
    ck_assert_int_eq(p.e.kind, ERR_NO_SPACE);
    ck_assert_int_eq(files(&p, "tmp", false), 0);
    p.e = (struct err){0};
    flush_fail(0);
    need(ingest(&p, SMALL, sizeof SMALL - 1, 100, &info), &p.e);
    ck_assert_int_eq(flush_count(), _i < 2 ? 3 : 1); // found there, its folder is made sure of
    need(dataset_load(p.files, info.digest, &f, NULL, &p.arena, &p.e), &p.e);
    tear_down(&p);
}

TEST(dataset_of_the_same_bytes_is_stored_once_and_repaired_when_damaged)
{
    struct place p;
    struct dataset_info info, again;
    struct stat before, after;
    struct frame f;
    set_up(&p);
    need(ingest(&p, SMALL, sizeof SMALL - 1, 100, &info), &p.e);
    stat(stored_file(&p, info.digest, ".col"), &before);
    need(ingest(&p, SMALL, sizeof SMALL - 1, 1, &again), &p.e);
    stat(stored_file(&p, info.digest, ".col"), &after);
    ck_assert(before.st_ino == after.st_ino && again.n_row == 4);
    ck_assert_str_eq(again.digest, info.digest);
    ck_assert_str_eq(again.column[1].level[1], "blue");
    ck_assert_int_eq(truncate(stored_file(&p, info.digest, ".col"), 100), 0);
    need(ingest(&p, SMALL, sizeof SMALL - 1, 100, &again), &p.e);
    need(dataset_load(p.files, info.digest, &f, NULL, &p.arena, &p.e), &p.e);
    ck_assert_int_eq(files(&p, "tmp", false), 0);
    tear_down(&p);
}

static const struct {
    const char *csv;
    enum err_kind kind;
    const char *text;
} REFUSED[] = {
    {"", ERR_INVALID, "the table is empty"},
    {"a,b\n", ERR_INVALID, "the table has a header and no rows"},
    {"a,b\n1,2\n3\n", ERR_INVALID, "line 3 has 1 cell where the first has 2"},
    {"a,b\n1,\"2\n", ERR_INVALID, "line 2: a quote is opened here and never closed"},
    {"a,b\n1,1e999\n", ERR_INVALID, "line 2: the number in column \"b\" is infinite or too large"},
    {"a,b\n1,1e308\n2,-1e308\n", ERR_INVALID, "the numbers of column \"b\" are too large"},
};

LOOP_TEST(dataset_refuses_a_bad_table_and_leaves_nothing, sizeof REFUSED / sizeof *REFUSED)
{
    struct place p;
    struct dataset_info info;
    set_up(&p);
    ck_assert(!ingest(&p, REFUSED[_i].csv, strlen(REFUSED[_i].csv), 7, &info));
    ck_assert_int_eq(p.e.kind, REFUSED[_i].kind);
    ck_assert_str_eq(p.e.text, REFUSED[_i].text);
    ck_assert_int_eq(files(&p, "tmp", false), 0);
    ck_assert_int_eq(files(&p, "datasets", false), 0);
    tear_down(&p);
}

TEST(dataset_cut_off_midway_leaves_nothing)
{
    struct place p;
    set_up(&p);
    for (size_t len = 0; len < sizeof SMALL; len++) {
        struct ingest *in = ingest_begin(p.files, NULL, &p.e);
        need(ingest_piece(in, SMALL, len, &p.e), &p.e);
        ck_assert_int_eq(files(&p, "tmp", false), 1);
        ingest_abort(in);
        ck_assert_int_eq(files(&p, "tmp", false), 0);
    }
    ck_assert_int_eq(files(&p, "datasets", false), 0);
    tear_down(&p);
}

// It may be the only copy of a table that another database knows.
TEST(dataset_that_is_made_whole_again_gets_no_mark)
{
    struct place p;
    struct dataset_info info;
    char name[128];
    set_up(&p);
    need(ingest(&p, SMALL, sizeof SMALL - 1, 100, &info), &p.e);
    snprintf(name, sizeof name, "datasets/%s.mark", info.digest);
    ck_assert_int_eq(unlink(path_in(&p, name)), 0);
    snprintf(name, sizeof name, "datasets/%s.col", info.digest);
    ck_assert_int_eq(unlink(path_in(&p, name)), 0);
    need(ingest(&p, SMALL, sizeof SMALL - 1, 100, &info), &p.e);
    ck_assert_int_eq(files(&p, "datasets", false), 2);
    tear_down(&p);
}

#define HEX32 "0123456789abcdef0123456789abcdef"

static void put_file(const struct place *p, const char *name)
{
    int fd = open(path_in(p, name), O_CREAT | O_WRONLY, 0600);
    ck_assert_int_ge(fd, 0);
    close(fd);
}

TEST(dataset_sweep_removes_what_a_crash_left)
{
    static const char *const left[] = {"tmp/" HEX32 ".csv", "tmp/" HEX32 ".col",
                                       "tmp/" HEX32 ".safetensors"};
    struct place p;
    set_up(&p);
    struct dataset_info info;
    need(ingest(&p, SMALL, sizeof SMALL - 1, 100, &info), &p.e);
    for (size_t i = 0; i < sizeof left / sizeof *left; i++)
        put_file(&p, left[i]);
    need(files_prepare(p.files, &p.e), &p.e);
    ck_assert_int_eq(files(&p, "tmp", false), 0);
    ck_assert_int_eq(files(&p, "datasets", false), 3); // with its mark
    tear_down(&p);
}

TEST(dataset_sweep_leaves_what_is_somebody_elses)
{
    static const char *const theirs[] = {
        "tmp/notes.csv",    "tmp/" HEX32,     "tmp/" HEX32 "0.csv", "tmp/0" HEX32 ".col",
        "tmp/" HEX32 ".md", "tmp/.gitignore", "tmp/" HEX32 ".csv2", "tmp/left0.csv",
    };
    enum { THEIRS = sizeof theirs / sizeof *theirs };
    struct place p;
    set_up(&p);
    for (size_t i = 0; i < THEIRS; i++)
        put_file(&p, theirs[i]);
    ck_assert_int_eq(mkdir(path_in(&p, "tmp/cache"), 0700), 0);
    ck_assert_int_eq(symlink("notes.csv", path_in(&p, "tmp/0" HEX32)), 0);
    ck_assert_int_eq(mkdir(path_in(&p, "tmp/" HEX32 ".col"), 0700), 0);
    ck_assert_int_eq(symlink("notes.csv", path_in(&p, "tmp/" HEX32 ".csv")), 0);
    need(files_prepare(p.files, &p.e), &p.e);
    for (size_t i = 0; i < THEIRS; i++)
        ck_assert_msg(access(path_in(&p, theirs[i]), F_OK) == 0, "%s is gone", theirs[i]);
    ck_assert_int_eq(files(&p, "tmp", false), THEIRS - 1 + 4); // .gitignore is not counted
    unlink(path_in(&p, "tmp/.gitignore"));
    rmdir(path_in(&p, "tmp/cache"));
    rmdir(path_in(&p, "tmp/" HEX32 ".col"));
    tear_down(&p);
}

TEST(dataset_sweep_does_not_follow_a_link)
{
    struct place p;
    set_up(&p);
    ck_assert_int_eq(rmdir(path_in(&p, "tmp")), 0);
    ck_assert_int_eq(mkdir(path_in(&p, "elsewhere"), 0700), 0);
    ck_assert_int_eq(symlink("elsewhere", path_in(&p, "tmp")), 0);
    put_file(&p, "elsewhere/" HEX32 ".csv");
    need(files_prepare(p.files, &p.e), &p.e);
    ck_assert_int_eq(files(&p, "elsewhere", true), 1);
    unlink(path_in(&p, "tmp"));
    rmdir(path_in(&p, "elsewhere"));
    need(files_prepare(p.files, &p.e), &p.e);
    tear_down(&p);
}

TEST(what_lies_where_a_folder_of_ours_should_be_is_named)
{
    struct place p;
    set_up(&p);
    ck_assert_int_eq(rmdir(path_in(&p, "tmp")), 0);
    put_file(&p, "tmp");
    ck_assert(!files_prepare(p.files, &p.e));
    ck_assert_msg(p.e.kind == ERR_INVALID &&
                      strstr(p.e.text, "\"tmp\" in the data folder: File exists"),
                  "%s", p.e.text);
    ck_assert(unlink(path_in(&p, "tmp")) == 0 && mkdir(path_in(&p, "tmp"), 0700) == 0);
    tear_down(&p);
}

// Files may not pass `limit` bytes: the nearest thing to a full disk that needs no privileges.
static struct rlimit limit_files(rlim_t limit)
{
    struct rlimit before;
    getrlimit(RLIMIT_FSIZE, &before);
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &(struct rlimit){limit, before.rlim_max});
    return before;
}

TEST(dataset_that_does_not_fit_on_the_disk_leaves_nothing)
{
    char csv[1000];
    size_t len = (size_t)sprintf(csv, "a,b,c\n");
    while (len < 300) // 6 bytes a row here, 24 in columns
        len += (size_t)sprintf(csv + len, "1,2,3\n");
    static const rlim_t LIMIT[] = {0, 100, 299, 301, 600, 1200};
    for (size_t i = 0; i < sizeof LIMIT / sizeof *LIMIT; i++) {
        struct place p;
        struct dataset_info info;
        set_up(&p);
        struct rlimit before = limit_files(LIMIT[i]);
        bool ok = ingest(&p, csv, len, 64, &info);
        setrlimit(RLIMIT_FSIZE, &before);
        ck_assert(!ok);
        ck_assert_int_eq(p.e.kind, ERR_NO_SPACE);
        ck_assert_int_eq(files(&p, "tmp", false), 0);
        ck_assert_int_eq(files(&p, "datasets", false), 0);
        tear_down(&p);
    }
}

static bool loads(struct place *p, const char *digest)
{
    struct arena a;
    struct frame f;
    struct err e = {0};
    arena_init(&a, 1 << 20);
    bool ok = dataset_load(p->files, digest, &f, NULL, &a, &e);
    ck_assert(ok || e.kind == ERR_INTERNAL);
    arena_release(&a);
    return ok;
}

TEST(dataset_file_with_any_byte_changed_or_missing_is_refused)
{
    struct place p;
    struct dataset_info info;
    size_t len;
    set_up(&p);
    need(ingest(&p, SMALL, sizeof SMALL - 1, 100, &info), &p.e);
    char *good = file_text(stored_file(&p, info.digest, ".col"), &len);
    int fd = open(stored_file(&p, info.digest, ".col"), O_RDWR);
    ck_assert(loads(&p, info.digest));
    size_t accepted = 0;
    for (size_t at = 0; at < len; at++)
        for (int bit = 0; bit < 8; bit++) {
            char bad = (char)(good[at] ^ 1 << bit);
            ck_assert_int_eq(pwrite(fd, &bad, 1, (off_t)at), 1);
            accepted += loads(&p, info.digest);
            ck_assert_int_eq(pwrite(fd, &good[at], 1, (off_t)at), 1);
        }
    ck_assert_uint_eq(accepted, 0);
    for (size_t cut = len; cut-- > 0;) {
        ck_assert_int_eq(ftruncate(fd, (off_t)cut), 0);
        ck_assert(!loads(&p, info.digest));
    }
    ck_assert_int_eq(pwrite(fd, good, len, 0), (ssize_t)len);
    ck_assert(loads(&p, info.digest));
    ck_assert_int_eq(pwrite(fd, good, 8, (off_t)len), 8);
    ck_assert(!loads(&p, info.digest));
    close(fd);
    free(good);
    tear_down(&p);
}

TEST(dataset_too_large_for_its_arena_is_an_error)
{
    struct place p;
    struct dataset_info info;
    set_up(&p);
    size_t len;
    char *csv = file_text(CALIFORNIA, &len);
    need(ingest(&p, csv, len, 65536, &info), &p.e);
    for (size_t max = 0; max < 200000; max += 20000) {
        struct arena small;
        struct frame f;
        struct err e = {0};
        arena_init(&small, max);
        ck_assert(!dataset_load(p.files, info.digest, &f, NULL, &small, &e));
        ck_assert_int_eq(e.kind, ERR_TOO_LARGE);
        arena_release(&small);
    }
    free(csv);
    tear_down(&p);
}

TEST(dataset_removed_or_never_stored_is_not_found)
{
    struct place p;
    struct dataset_info info;
    struct frame f;
    set_up(&p);
    need(ingest(&p, SMALL, sizeof SMALL - 1, 100, &info), &p.e);
    need(files_remove(p.files, SHELF_DATASETS, info.digest, &p.e), &p.e);
    need(files_remove(p.files, SHELF_DATASETS, info.digest, &p.e), &p.e);
    ck_assert_int_eq(files(&p, "datasets", false), 0);
    close(open(path_in(&p, "tmp/x.col"), O_CREAT | O_WRONLY, 0600));
    const char *const unknown[] = {info.digest, "../tmp/x", "", "../../../etc/passwd", "abc"};
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++) {
        struct err e = {0};
        ck_assert(!dataset_load(p.files, unknown[i], &f, NULL, &p.arena, &e));
        ck_assert_int_eq(e.kind, ERR_NOT_FOUND);
    }
    tear_down(&p);
}

TEST(dataset_takes_16384_columns_in_bounded_memory)
{
    struct place p;
    struct dataset_info info;
    set_up(&p);
    char *csv = malloc(4 << 20);
    size_t len = 0;
    for (int row = 0; row < 70; row++)
        for (int k = 0; k < FRAME_MAX_COLUMNS; k++)
            len += (size_t)sprintf(csv + len, "%d%c", row ^ (k & 7),
                                   k + 1 < FRAME_MAX_COLUMNS ? ',' : '\n');
    need(ingest(&p, csv, len, 1 << 16, &info), &p.e);
    ck_assert(info.n_column == FRAME_MAX_COLUMNS && info.n_row == 70);
    struct frame f;
    need(dataset_load(p.files, info.digest, &f, NULL, &p.arena, &p.e), &p.e);
    for (size_t k = 0; k < f.n_column; k++)
        for (size_t row = 0; row < f.n_row; row++)
            ck_assert(f.column[k].number[row] == (double)(row ^ (k & 7)));
    // The rows fill more than one block, so the statistics were merged.
    ck_assert_double_eq(info.column[0].mean, 34.5);
    ck_assert_double_eq_tol(info.column[0].std, sqrt((70 * 70 - 1) / 12.0), 1e-12);
    free(csv);
    tear_down(&p);
}

// ---- The memory of all uploads ----

static const struct {
    const char *what;
    size_t memory, held; // of the budget; by others
    int rows;
    bool texts; // all different
    enum err_kind kind;
} shares[] = {
    {"a small table", 1 << 20, 1 << 20, 1000, true, ERR_NONE},
    {"a larger one", 4 << 20, 4 << 20, 50000, false, ERR_BUSY},
    {"the same with room for its parser and a block", 4 << 20, 0, 50000, false, ERR_NONE},
    {"the same with many texts", 4 << 20, 0, 50000, true, ERR_BUSY},
    {"the same when others have what they need", 24 << 20, 20 << 20, 50000, true, ERR_BUSY},
    {"the same with room", 24 << 20, 0, 50000, true, ERR_NONE},
};

LOOP_TEST(dataset_takes_no_more_memory_than_there_is, sizeof shares / sizeof *shares)
{
    struct place p;
    struct dataset_info info;
    struct arena_budget memory = {
        .max = shares[_i].memory, .used = shares[_i].held, .name = "all requests"};
    set_up(&p);
    char text[64] = "n,word\n";
    size_t len = strlen(text);
    bool ok = true;
    struct ingest *in = ingest_begin(p.files, &memory, &p.e);
    need(in, &p.e);
    for (int i = 0; i < shares[_i].rows && ok; i++) {
        len += (size_t)sprintf(text + len, "%d,w%d\n", i, shares[_i].texts ? i : i % 5);
        ok = ingest_piece(in, text, len, &p.e);
        len = 0;
    }
    char digest[DATASET_DIGEST];
    ok = ok && ingest_digest(in, digest, &p.e);
    if (ok)
        ok = ingest_end(in, &info, NULL, &p.arena, &p.e);
    else
        ingest_abort(in);
    ck_assert_msg(p.e.kind == shares[_i].kind, "%s: %s", shares[_i].what, p.e.text);
    ck_assert(ok == (shares[_i].kind == ERR_NONE));
    if (ok)
        ck_assert_uint_eq(info.column[1].n_level, shares[_i].texts ? (size_t)shares[_i].rows : 5);
    ck_assert_uint_eq(files(&p, "tmp", false), 0);
    ck_assert_uint_eq(memory.used, shares[_i].held);
    tear_down(&p);
}

TEST(levels_past_the_maximum_of_a_column_share_the_last_code)
{
    struct levels *l = levels_new(2, NULL);
    char text[16];
    size_t n;
    for (int pass = 0; pass < 2; pass++)
        for (uint32_t i = 0; i < 70000; i++) {
            int len = sprintf(text, "t%u", i);
            uint32_t most = FRAME_MAX_LEVELS - 1, code = levels_code(l, 1, text, (size_t)len);
            ck_assert_uint_eq(code, i < most ? i : most);
        }
    ck_assert_uint_eq(levels_code(l, 0, "t5", 2), 0);
    const char *const *list = levels_list(l, 1, &n);
    ck_assert_uint_eq(n, FRAME_MAX_LEVELS);
    ck_assert_str_eq(list[65533], "t65533");
    ck_assert_str_eq(list[65534], "");
    levels_free(l);
}

TEST(levels_say_when_there_was_no_memory_for_a_text)
{
    struct arena_budget memory = {.max = 1 << 20, .name = "all requests"};
    struct levels *l = levels_new(1, &memory);
    enum { LONG = 100000 };
    char text[LONG];
    struct err e = {0};
    int n = 0;
    memset(text, 'x', LONG);
    for (; n < 100 && levels_sound(l, &e); n++) {
        text[0] = (char)('!' + n);
        levels_code(l, 0, text, LONG);
    }
    ck_assert_int_gt(n, 5);
    ck_assert_int_lt(n, 20);
    ck_assert(e.kind == ERR_TOO_LARGE || e.kind == ERR_BUSY);
    levels_free(l);
    ck_assert_uint_eq(memory.used, 0);
}

TEST(levels_stay_within_their_memory)
{
    struct levels *l = levels_new(1, NULL);
    enum { LONG = 1 << 20 };
    char *text = calloc(1, LONG);
    memset(text, 'x', LONG);
    uint32_t code = 0;
    for (int i = 0; i < 100; i++) {
        text[0] = (char)('!' + i);
        code = levels_code(l, 0, text, LONG - 1);
    }
    ck_assert_uint_le(code, LEVELS_MAX_BYTES / LONG);
    ck_assert_uint_ge(code, LEVELS_MAX_BYTES / LONG - 2);
    ck_assert_uint_eq(levels_code(l, 0, "new", 3), code);
    size_t n;
    ck_assert_str_eq(levels_list(l, 0, &n)[code], "");
    free(text);
    levels_free(l);
}

// It may be all that is left of somebody's table.
TEST(columns_without_their_table_are_not_marked_as_ours)
{
    struct place p;
    struct dataset_info info;
    char path[128];
    set_up(&p);
    need(ingest(&p, SMALL, sizeof SMALL - 1, 5, &info), &p.e);
    files_unmark(p.files, SHELF_DATASETS, info.digest);
    snprintf(path, sizeof path, "datasets/%s.csv", info.digest);
    ck_assert_int_eq(unlinkat(p.fd, path, 0), 0);
    need(ingest(&p, SMALL, sizeof SMALL - 1, 5, &info), &p.e);
    ck_assert_int_eq(files_mark_of(p.files, SHELF_DATASETS, info.digest), NO_MARK);
    tear_down(&p);
}

static bool says_yes(void *ctx)
{
    (void)ctx;
    return true;
}

// The second reading of a long upload, at its end, can be left; so can a load.
TEST(storing_and_loading_a_table_stop_when_asked)
{
    const struct halt halt = {says_yes, NULL};
    struct place p;
    struct dataset_info info;
    struct frame f;
    set_up(&p);
    struct ingest *in = ingest_begin(p.files, NULL, &p.e);
    char digest[DATASET_DIGEST];
    need(in && ingest_piece(in, SMALL, sizeof SMALL - 1, &p.e) && ingest_digest(in, digest, &p.e),
         &p.e);
    ck_assert(!ingest_end(in, &info, &halt, &p.arena, &p.e));
    ck_assert_int_eq(p.e.kind, ERR_CANCELLED);
    ck_assert_int_eq(files(&p, "tmp", false) + files(&p, "datasets", false), 0);
    p.e = (struct err){0};
    need(ingest(&p, SMALL, sizeof SMALL - 1, 5, &info), &p.e);
    ck_assert(!dataset_load(p.files, info.digest, &f, &halt, &p.arena, &p.e));
    ck_assert_int_eq(p.e.kind, ERR_CANCELLED);
    tear_down(&p);
}
