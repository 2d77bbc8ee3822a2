// SPDX-License-Identifier: MIT
#pragma once

// A push tokenizer for comma-separated values (RFC 4180): bytes go in, cut anywhere, complete
// records come out of a callback. Used while an upload arrives and while a stored file is read
// again; one thread at a time. The parser owns one block of fixed size (about 1.7 MiB) and
// allocates nothing else.
//
// Accepted beyond the RFC: lines ending in LF, CRLF or CR, a byte order mark, a missing last line
// end, blank lines (skipped), blanks around a cell (dropped; quotes keep them), a quote inside an
// unquoted cell (an ordinary character), and ; tab or | as the separator when the first record has
// more of it than of the others.
//
// Refused, naming the line: a record with another number of cells than the first, text after a
// closing quote, a quote never closed, NUL, invalid UTF-8, and anything past the limits below.

#include "engine/base/err.h"

#include <stdbool.h>
#include <stddef.h>

enum { CSV_MAX_RECORD = 1 << 20, CSV_MAX_COLUMNS = 16384 }; // bytes, cells

struct csv_cell {
    const char *text; // valid UTF-8, not NUL-terminated, gone when the callback returns
    size_t len;
    bool quoted;
};

// One record. `line` counts from 1 and is where the record starts. Returning false stops the
// parser.
typedef bool csv_record(void *to, const struct csv_cell *cell, size_t n, size_t line,
                        struct err *e);

struct csv;

// The caller owns the parser; NULL when there is no memory for it. `record` is called with `to` for
// every record, the header included.
struct csv *csv_new(csv_record *record, void *to);
void csv_free(struct csv *p); // NULL is fine
size_t csv_memory(void);      // bytes of one parser; a short table touches few of them

// After a failure only csv_free() may follow.
bool csv_feed(struct csv *p, const char *bytes, size_t len, struct err *e);

// No more bytes: hands over the last record.
bool csv_end(struct csv *p, struct err *e);
