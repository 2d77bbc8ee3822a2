// SPDX-License-Identifier: MIT
// An upload is read twice. While its bytes arrive they are written to a temporary file, hashed and
// tokenised, which settles names and types; nothing else is kept, so memory does not depend on the
// length. At the end the file is read once more, now knowing each column's type, and the columnar
// file is written (colfile_write.c).
//
// The CSV is renamed into place before the columnar file: where there is a .col there is a .csv.

#include "server/files/dataset.h"

#include "engine/base/number.h"
#include "engine/table/csv.h"
#include "engine/table/infer.h"
#include "server/files/colfile.h"
#include "server/files/file.h"
#include "server/files/file_mark.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <nettle/sha2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PIECE = 256 << 10, PATH = 96, INFER_ARENA = 64 << 20, ALLOWANCE = 256 << 10 };

static const char CANNOT_STORE[] = "could not store the dataset";

struct ingest {
    int dir; // the data folder
    int csv_fd, col_fd;
    char csv_tmp[PATH], col_tmp[PATH]; // below the data folder; "" when there is none
    uint64_t bytes;
    struct sha256_ctx sha;
    char digest[DATASET_DIGEST]; // from ingest_digest() on
    struct csv *csv;
    struct arena arena;
    bool counted; // the parser is charged to it: a short table uses little of it
    struct infer infer;
    struct colfile_writer *writer;
    bool skip; // the record at hand is the header
};

static bool make_folder(int dir, const char *name, struct err *e)
{
    struct stat st;
    if (mkdirat(dir, name, 0700) == 0 ||
        (errno == EEXIST && fstatat(dir, name, &st, 0) == 0 && S_ISDIR(st.st_mode)))
        return true;
    return fail(e, ERR_INVALID, "could not make folder \"%s\" in the data folder: %s", name,
                strerror(errno));
}

bool dataset_prepare(int dir, struct err *e)
{
    return make_folder(dir, "tmp", e) && make_folder(dir, "datasets", e);
}

static bool dataset_sweep_file(int fd, const char *name, struct err *e)
{
    struct stat st;
    return !file_is_temporary(name) || fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0 ||
           !S_ISREG(st.st_mode) || unlinkat(fd, name, 0) == 0 ||
           file_failed(e, "could not remove what an upload left behind");
}

// A link leads to a folder that is not ours alone.
bool dataset_sweep_tmp(int dir, struct err *e)
{
    int fd = openat(dir, "tmp", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *d = fd < 0 ? NULL : fdopendir(fd);
    if (!d) {
        bool ok = errno == ENOENT || errno == ENOTDIR || errno == ELOOP ||
                  file_failed(e, "could not open the folder of uploads");
        if (fd >= 0)
            close(fd);
        return ok;
    }
    bool ok = true;
    for (const struct dirent *entry; ok && (entry = readdir(d));)
        ok = dataset_sweep_file(fd, entry->d_name, e);
    closedir(d);
    return ok;
}

// A new file tmp/<random><suffix>; its path stays "" when it could not be made.
static int new_file(int dir, const char *suffix, char path[static PATH], struct err *e)
{
    char name[FILE_RANDOM], tried[PATH];
    file_random_name(name);
    snprintf(tried, sizeof tried, "tmp/%s%s", name, suffix);
    int fd = openat(dir, tried, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        file_failed(e, CANNOT_STORE);
    else
        strcpy(path, tried);
    return fd;
}

struct ingest *ingest_begin(int dir, struct arena_budget *budget, struct err *e)
{
    struct ingest *in = calloc(1, sizeof *in);
    if (!in)
        return err_no_memory(e), NULL;
    in->dir = dir;
    in->col_fd = -1;
    sha256_init(&in->sha);
    arena_init(&in->arena, INFER_ARENA);
    arena_share(&in->arena, budget, ALLOWANCE);
    infer_init(&in->infer, &in->arena);
    in->csv = csv_new(infer_record, &in->infer);
    in->csv_fd = in->csv ? new_file(dir, ".csv", in->csv_tmp, e) : (err_no_memory(e), -1);
    if (in->csv_fd >= 0)
        return in;
    ingest_abort(in);
    return NULL;
}

static void drop_file(int dir, int fd, const char *path)
{
    if (fd >= 0)
        close(fd);
    if (*path)
        unlinkat(dir, path, 0);
}

void ingest_abort(struct ingest *in)
{
    if (!in)
        return;
    drop_file(in->dir, in->csv_fd, in->csv_tmp);
    drop_file(in->dir, in->col_fd, in->col_tmp);
    csv_free(in->csv);
    colfile_free(in->writer);
    arena_refund(&in->arena, in->counted ? csv_memory() : 0);
    arena_release(&in->arena);
    free(in);
}

static bool count_parser(struct ingest *in, struct err *e)
{
    in->counted = in->counted || arena_charge(&in->arena, csv_memory());
    return in->counted || arena_fail(&in->arena, e, "the upload needs too much memory");
}

bool ingest_piece(struct ingest *in, const char *bytes, size_t len, struct err *e)
{
    if (in->bytes + len > ALLOWANCE && !count_parser(in, e))
        return false;
    if (!file_put(in->csv_fd, bytes, len, in->bytes, e))
        return false;
    sha256_update(&in->sha, len, (const uint8_t *)bytes);
    in->bytes += len;
    if (csv_feed(in->csv, bytes, len, e))
        return true;
    arena_correct(&in->arena, e);
    return false;
}

static void print_digest(struct ingest *in, char out[static DATASET_DIGEST])
{
    uint8_t sha[SHA256_DIGEST_SIZE];
    sha256_digest(&in->sha, sizeof sha, sha);
    for (size_t i = 0; i < sizeof sha; i++)
        snprintf(out + 2 * i, 3, "%02x", sha[i]);
}

static bool write_record(void *ingest, const struct csv_cell *cell, size_t n,
                         size_t line __attribute__((unused)), struct err *e)
{
    struct ingest *in = ingest;
    double v;
    if (in->skip)
        return in->skip = false, true;
    for (size_t k = 0; k < n; k++) {
        enum number_kind kind = number_parse(cell[k].text, cell[k].len, &v);
        if (kind == NUMBER_MISSING)
            colfile_missing(in->writer, k);
        else if (in->infer.column[k].type == COLUMN_CATEGORICAL)
            colfile_text(in->writer, k, cell[k].text, cell[k].len);
        else
            colfile_number(in->writer, k, v);
    }
    return colfile_row(in->writer, e);
}

static bool read_again(struct ingest *in, struct csv *csv, const struct halt *halt, struct err *e)
{
    char *piece = malloc(PIECE);
    bool ok = piece || err_no_memory(e);
    for (uint64_t at = 0; ok && at < in->bytes; at += PIECE) {
        size_t len = in->bytes - at < PIECE ? (size_t)(in->bytes - at) : PIECE;
        ok = halt_go_on(halt, e) && file_get(in->csv_fd, piece, len, at, e) &&
             csv_feed(csv, piece, len, e);
    }
    free(piece);
    return ok && csv_end(csv, e);
}

static bool write_columns(struct ingest *in, const struct halt *halt, struct err *e)
{
    in->col_fd = new_file(in->dir, ".col", in->col_tmp, e);
    if (in->col_fd < 0 || !(in->writer = colfile_begin(in->col_fd, &in->infer, e)))
        return false;
    in->skip = in->infer.header;
    csv_free(in->csv);
    in->csv = csv_new(write_record, in);
    return (in->csv || err_no_memory(e)) && read_again(in, in->csv, halt, e) &&
           colfile_end(in->writer, in->bytes, e);
}

static void stored_path(char out[static PATH], const char *digest, const char *suffix)
{
    snprintf(out, PATH, "datasets/%.64s%s", digest, suffix);
}

// Rename a temporary file; from then on it is not ours to remove.
static bool keep_file(int dir, char tmp[static PATH], const char *path, struct err *e)
{
    if (renameat(dir, tmp, dir, path) != 0)
        return file_failed(e, CANNOT_STORE);
    *tmp = '\0';
    return true;
}

static bool is_there(const struct ingest *in, const char *path)
{
    return faccessat(in->dir, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

// Whatever was there before under one of the names is somebody's.
static bool keep_both(struct ingest *in, const char *digest, struct err *e)
{
    char csv[PATH], col[PATH];
    stored_path(csv, digest, ".csv");
    stored_path(col, digest, ".col");
    bool repair = is_there(in, csv) || is_there(in, col);
    return file_sync(in->csv_fd, e) && file_sync(in->col_fd, e) &&
           (repair || file_mark(in->dir, "datasets", digest, e)) &&
           keep_file(in->dir, in->csv_tmp, csv, e) && keep_file(in->dir, in->col_tmp, col, e) &&
           file_sync_folder(in->dir, "datasets", e);
}

static bool is_digest(const char *s)
{
    return strspn(s, "0123456789abcdef") == DATASET_DIGEST - 1 && strlen(s) == DATASET_DIGEST - 1;
}

static int open_columns(int dir, const char *digest, struct err *e)
{
    char path[PATH];
    stored_path(path, digest, ".col");
    int fd = is_digest(digest) ? openat(dir, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC) : -1;
    if (fd < 0 && (errno == ENOENT || !is_digest(digest)))
        fail(e, ERR_NOT_FOUND, "the dataset is not stored here");
    else if (fd < 0)
        file_failed(e, "could not open the dataset");
    return fd;
}

bool dataset_describe(int dir, const char *digest, struct dataset_info *out, struct arena *a,
                      struct err *e)
{
    struct colfile_size size;
    int fd = open_columns(dir, digest, e);
    if (fd < 0)
        return false;
    bool ok = colfile_describe(fd, &size, &out->column, a, e);
    close(fd);
    if (!ok)
        return false;
    memcpy(out->digest, digest, DATASET_DIGEST);
    out->n_row = size.n_row;
    out->n_column = size.n_column;
    out->bytes = size.bytes;
    return true;
}

// Whether both files of the digest are there already and sound.
static bool is_stored(int dir, const char *digest, struct dataset_info *out, struct arena *a)
{
    struct err ignored = {0};
    struct arena_mark mark = arena_mark(a);
    char csv[PATH];
    stored_path(csv, digest, ".csv");
    if (faccessat(dir, csv, R_OK, 0) == 0 && dataset_describe(dir, digest, out, a, &ignored))
        return true;
    arena_rewind(a, mark);
    return false;
}

// Whoever brings the same bytes may have come no further than giving the files their names.
static bool keep_stored(const struct ingest *in, const char *digest, struct err *e)
{
    return file_mark_of(in->dir, "datasets", digest) != UNSETTLED ||
           file_sync_folder(in->dir, "datasets", e);
}

bool ingest_digest(struct ingest *in, char digest[DATASET_DIGEST], struct err *e)
{
    bool ok = csv_end(in->csv, e) && infer_end(&in->infer, e);
    if (ok && in->infer.n_row >= UINT32_MAX)
        ok = fail(e, ERR_TOO_LARGE, "the table has more than %u rows", UINT32_MAX - 1);
    if (!ok) {
        arena_correct(&in->arena, e);
        return false;
    }
    print_digest(in, in->digest);
    memcpy(digest, in->digest, DATASET_DIGEST);
    return true;
}

bool ingest_end(struct ingest *in, struct dataset_info *out, const struct halt *halt,
                struct arena *a, struct err *e)
{
    const char *digest = in->digest;
    bool ok = is_stored(in->dir, digest, out, a)
                  ? keep_stored(in, digest, e)
                  : write_columns(in, halt, e) && keep_both(in, digest, e) &&
                        dataset_describe(in->dir, digest, out, a, e);
    if (!ok)
        arena_correct(&in->arena, e);
    ingest_abort(in);
    return ok;
}

bool dataset_load(int dir, const char *digest, struct frame *f, const struct halt *halt,
                  struct arena *a, struct err *e)
{
    int fd = open_columns(dir, digest, e);
    bool ok = fd >= 0 && colfile_load(fd, f, halt, a, e);
    if (fd >= 0)
        close(fd);
    return ok;
}

static bool remove_file(int dir, const char *digest, const char *suffix, struct err *e)
{
    char path[PATH];
    stored_path(path, digest, suffix);
    return unlinkat(dir, path, 0) == 0 || errno == ENOENT ||
           file_failed(e, "could not remove the dataset");
}

bool dataset_remove(int dir, const char *digest, struct err *e)
{
    if (!is_digest(digest))
        return fail(e, ERR_NOT_FOUND, "the dataset is not stored here");
    bool ok = remove_file(dir, digest, ".col", e) && remove_file(dir, digest, ".csv", e) &&
              file_sync_folder(dir, "datasets", e);
    if (ok)
        file_unmark(dir, "datasets", digest);
    return ok;
}
