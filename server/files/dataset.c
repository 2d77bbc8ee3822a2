// SPDX-License-Identifier: MIT
// An upload is read twice. While its bytes arrive they are written to a temporary file, hashed and
// tokenised, which settles names and types; nothing else is kept, so memory does not depend on the
// length. At the end the file is read once more, now knowing each column's type, and the columnar
// file is written (colfile_write.c).
//
// The CSV is put before the columnar file: where there is a .col there is a .csv.

#include "server/files/dataset.h"

#include "engine/base/number.h"
#include "engine/table/csv.h"
#include "engine/table/infer.h"
#include "server/files/colfile.h"
#include "server/files/file.h"

#include <errno.h>
#include <nettle/sha2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PIECE = 256 << 10, INFER_ARENA = 64 << 20, ALLOWANCE = 256 << 10 };
enum { CSV, COLUMNS, FILES };

struct ingest {
    struct files *files;
    struct file_new file[FILES];
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

struct ingest *ingest_begin(struct files *f, struct arena_budget *budget, struct err *e)
{
    struct ingest *in = calloc(1, sizeof *in);
    if (!in)
        return err_no_memory(e), NULL;
    in->files = f;
    for (int i = 0; i < FILES; i++)
        in->file[i].fd = -1;
    sha256_init(&in->sha);
    arena_init(&in->arena, INFER_ARENA);
    arena_share(&in->arena, budget, ALLOWANCE);
    infer_init(&in->infer, &in->arena);
    in->csv = csv_new(infer_record, &in->infer);
    if ((in->csv || err_no_memory(e)) && files_begin(f, FILE_CSV, &in->file[CSV], e))
        return in;
    ingest_abort(in);
    return NULL;
}

void ingest_abort(struct ingest *in)
{
    if (!in)
        return;
    for (int i = 0; i < FILES; i++)
        files_drop(in->files, &in->file[i]);
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
    if (!file_put(in->file[CSV].fd, bytes, len, in->bytes, e))
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
        ok = halt_go_on(halt, e) && file_get(in->file[CSV].fd, piece, len, at, e) &&
             csv_feed(csv, piece, len, e);
    }
    free(piece);
    return ok && csv_end(csv, e);
}

static bool write_columns(struct ingest *in, const struct halt *halt, struct err *e)
{
    struct file_new *columns = &in->file[COLUMNS];
    if (!files_begin(in->files, FILE_COLUMNS, columns, e) ||
        !(in->writer = colfile_begin(columns->fd, &in->infer, e)))
        return false;
    in->skip = in->infer.header;
    csv_free(in->csv);
    in->csv = csv_new(write_record, in);
    return (in->csv || err_no_memory(e)) && read_again(in, in->csv, halt, e) &&
           colfile_end(in->writer, in->bytes, e);
}

static int open_columns(struct files *f, const char *digest, struct err *e)
{
    int fd = files_open(f, FILE_COLUMNS, digest);
    if (fd < 0 && errno == ENOENT)
        fail(e, ERR_NOT_FOUND, "the dataset is not stored here");
    else if (fd < 0)
        file_failed(e, "could not open the dataset");
    return fd;
}

bool dataset_describe(struct files *f, const char *digest, struct dataset_info *out,
                      struct arena *a, struct err *e)
{
    struct colfile_size size;
    int fd = open_columns(f, digest, e);
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
static bool is_stored(struct files *f, const char *digest, struct dataset_info *out,
                      struct arena *a)
{
    struct err ignored = {0};
    struct arena_mark mark = arena_mark(a);
    if (files_readable(f, FILE_CSV, digest) && dataset_describe(f, digest, out, a, &ignored))
        return true;
    arena_rewind(a, mark);
    return false;
}

// Whoever brings the same bytes may have come no further than giving the files their names.
static bool keep_stored(const struct ingest *in, const char *digest, struct err *e)
{
    return files_mark_of(in->files, SHELF_DATASETS, digest) != UNSETTLED ||
           files_sync(in->files, SHELF_DATASETS, e);
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
    bool ok = is_stored(in->files, digest, out, a)
                  ? keep_stored(in, digest, e)
                  : write_columns(in, halt, e) &&
                        files_put(in->files, in->file, FILES, digest, e) &&
                        dataset_describe(in->files, digest, out, a, e);
    if (!ok)
        arena_correct(&in->arena, e);
    ingest_abort(in);
    return ok;
}

bool dataset_load(struct files *f, const char *digest, struct frame *frame, const struct halt *halt,
                  struct arena *a, struct err *e)
{
    int fd = open_columns(f, digest, e);
    bool ok = fd >= 0 && colfile_load(fd, frame, halt, a, e);
    if (fd >= 0)
        close(fd);
    return ok;
}
