// SPDX-License-Identifier: MIT
#pragma once

// Datasets on disk. Uploaded bytes are kept as they came in <data>/datasets/<sha256>.csv; beside
// them <sha256>.col holds the same table column by column, with dictionaries and statistics, which
// is what training reads. The digest is the dataset's version: equal bytes are stored once.
//
// HTTP handlers ingest (each upload its own struct ingest, used by one thread at a time); workers
// and handlers load, from any thread.
//
// Errors: ERR_INVALID for a table that cannot be used (with line and column), ERR_TOO_LARGE for a
// limit, ERR_NO_SPACE for a full disk, ERR_CANCELLED after a halt, ERR_NOT_FOUND, ERR_INTERNAL.

#include "engine/base/arena.h"
#include "engine/base/err.h"
#include "engine/base/halt.h"
#include "engine/table/frame.h"
#include "server/files/files.h"

#include <stdint.h>

enum { DATASET_DIGEST = 65 }; // 64 lower-case hexadecimal digits and NUL

struct dataset_info {
    char digest[DATASET_DIGEST];
    size_t n_row, n_column;
    uint64_t bytes;        // of the upload
    struct column *column; // names, types, levels, statistics; number and code are NULL
};

struct ingest; // one upload under way

// The caller owns the result and hands it to exactly one of ingest_end() and ingest_abort(). NULL
// on failure. Memory is charged to the budget, which may be NULL: ERR_BUSY from any of the three
// when it has none left. A table of less than 256 KiB needs none of it.
struct ingest *ingest_begin(struct files *f, struct arena_budget *budget, struct err *e);

// The next bytes of the CSV, cut anywhere. Memory stays bounded whatever the total. After a failure
// only ingest_abort() may follow.
bool ingest_piece(struct ingest *in, const char *bytes, size_t len, struct err *e);

// No more bytes: what they are called. After a failure only ingest_abort() may follow.
bool ingest_digest(struct ingest *in, char digest[DATASET_DIGEST], struct err *e);

// Then: store, describe in `out` (arrays in `a`), and free `in`, in success and in failure. To be
// called between catalog_begin() and _end(), which removes what a failure has left; a file that was
// not there before is marked (file_mark.h) until then.
bool ingest_end(struct ingest *in, struct dataset_info *out, const struct halt *halt,
                struct arena *a, struct err *e);

// Forget the upload and remove its files. NULL is fine.
void ingest_abort(struct ingest *in);

// Describe a stored dataset without reading its cells.
bool dataset_describe(struct files *f, const char *digest, struct dataset_info *out,
                      struct arena *a, struct err *e);

// Read the whole table into `a`. Its file is checked from end to end and refused (ERR_INTERNAL) at
// the first doubt; ERR_TOO_LARGE when it does not fit.
bool dataset_load(struct files *f, const char *digest, struct frame *frame, const struct halt *halt,
                  struct arena *a, struct err *e);
