// SPDX-License-Identifier: MIT
// Outside in: head against the file's size, table against the head, each column against the table.
// A count is believed only once the bytes it stands for are known to be there.

#include "server/files/colfile.h"

#include "server/files/colfile_own.h"
#include "server/files/file.h"

#include <math.h>
#include <string.h>
#include <sys/stat.h>

uint64_t colfile_sum(uint64_t sum, const uint64_t *word, size_t n)
{
    for (size_t i = 0; i < n; i++)
        sum = colfile_mix(sum, word[i]);
    return sum;
}

uint64_t colfile_sum_cells(uint64_t sum, enum column_type type, const void *cell, size_t n)
{
    if (type == COLUMN_NUMERIC)
        return colfile_sum(sum, cell, n);
    for (size_t i = 0; i < n; i++)
        sum = colfile_mix(sum, ((const uint32_t *)cell)[i]);
    return sum;
}

static bool read_damaged(struct err *e, const char *what)
{
    return fail(e, ERR_INTERNAL, "the stored dataset is damaged (%s); upload it again", what);
}

static bool read_no_room(struct err *e)
{
    return fail(e, ERR_TOO_LARGE, "the dataset does not fit into the memory allowed");
}

static bool read_head(int fd, struct colfile_head *h, struct err *e)
{
    struct stat s;
    if (fstat(fd, &s) != 0)
        return file_failed(e, "could not read the dataset");
    uint64_t size = (uint64_t)s.st_size;
    if (size < sizeof *h)
        return read_damaged(e, "cut off");
    if (!file_get(fd, h, sizeof *h, 0, e))
        return false;
    if (h->magic != COLFILE_MAGIC)
        return read_damaged(e, "not a table of this version and machine");
    if (h->sum != colfile_sum(1, &h->magic, sizeof *h / 8 - 1))
        return read_damaged(e, "head");
    bool sane = h->n_row && h->n_row < UINT32_MAX && h->n_column &&
                h->n_column <= FRAME_MAX_COLUMNS && h->table_at >= sizeof *h &&
                h->table_at <= size && h->table_len == size - h->table_at && h->table_len % 8 == 0;
    return sane || read_damaged(e, "size");
}

// What is left of the table.
struct file_cursor {
    const char *at, *end;
};

static bool read_take(struct file_cursor *c, void *to, size_t len)
{
    if ((size_t)(c->end - c->at) < len)
        return false;
    memcpy(to, c->at, len);
    c->at += len;
    return true;
}

// A text in place, or NULL.
static const char *read_take_text(struct file_cursor *c)
{
    uint32_t len;
    if (!read_take(c, &len, sizeof len) || (size_t)(c->end - c->at) <= len)
        return NULL;
    const char *text = c->at;
    c->at += (size_t)len + 1;
    return memchr(text, '\0', (size_t)len + 1) == text + len ? text : NULL;
}

static bool statistics_are_sane(const struct colfile_column *c, uint64_t n_row)
{
    return c->n_missing <= n_row && isfinite(c->min) && isfinite(c->max) && isfinite(c->mean) &&
           isfinite(c->std);
}

static bool colfile_read_column(struct file_cursor *at, uint64_t n_row, struct column *out,
                                uint64_t *sum, struct arena *a, struct err *e)
{
    struct colfile_column c;
    if (!read_take(at, &c, sizeof c) || c.type > COLUMN_CATEGORICAL ||
        c.n_level > FRAME_MAX_LEVELS || c.n_level > (size_t)(at->end - at->at) ||
        !statistics_are_sane(&c, n_row))
        return read_damaged(e, "column");
    const char **level = arena_alloc(a, c.n_level, sizeof *level);
    if (!level)
        return read_no_room(e);
    *out = (struct column){.name = read_take_text(at),
                           .type = (enum column_type)c.type,
                           .level = level,
                           .n_level = c.n_level,
                           .n_missing = c.n_missing,
                           .min = c.min,
                           .max = c.max,
                           .mean = c.mean,
                           .std = c.std};
    *sum = c.sum;
    for (size_t i = 0; i < c.n_level; i++)
        if (!(level[i] = read_take_text(at)))
            return read_damaged(e, "level");
    return out->name || read_damaged(e, "name");
}

struct contents {
    struct colfile_head head;
    struct column *column;
    uint64_t *sum; // of each column's cells
};

static bool parse_table(struct contents *t, const char *bytes, struct arena *a, struct err *e)
{
    struct file_cursor at = {bytes, bytes + t->head.table_len};
    uint64_t cells = sizeof t->head;
    t->column = arena_alloc(a, t->head.n_column, sizeof *t->column);
    t->sum = arena_alloc(a, t->head.n_column, sizeof *t->sum);
    if (!t->column || !t->sum)
        return read_no_room(e);
    for (size_t k = 0; k < t->head.n_column; k++) {
        if (!colfile_read_column(&at, t->head.n_row, &t->column[k], &t->sum[k], a, e))
            return false;
        cells += colfile_cells(t->column[k].type, t->head.n_row);
    }
    return cells == t->head.table_at || read_damaged(e, "size");
}

static bool read_table(int fd, struct contents *t, struct arena *a, struct err *e)
{
    if (!read_head(fd, &t->head, e))
        return false;
    char *bytes = arena_alloc(a, t->head.table_len, 1);
    if (!bytes)
        return read_no_room(e);
    if (!file_get(fd, bytes, t->head.table_len, t->head.table_at, e))
        return false;
    if (colfile_sum(1, (const uint64_t *)bytes, t->head.table_len / 8) != t->head.table_sum)
        return read_damaged(e, "table");
    return parse_table(t, bytes, a, e);
}

bool colfile_describe(int fd, struct colfile_size *size, struct column **column, struct arena *a,
                      struct err *e)
{
    struct contents t;
    if (!read_table(fd, &t, a, e))
        return false;
    *size = (struct colfile_size){t.head.n_row, t.head.n_column, t.head.bytes};
    *column = t.column;
    return true;
}

static bool cells_are_sane(const struct column *c, const void *cell, size_t n)
{
    const double *number = c->type == COLUMN_NUMERIC ? cell : NULL;
    const uint32_t *code = number ? NULL : cell;
    bool ok = true;
    for (size_t i = 0; number && i < n; i++)
        ok &= !isinf(number[i]);
    for (size_t i = 0; code && i < n; i++)
        ok &= code[i] < c->n_level || code[i] == LEVEL_MISSING;
    return ok;
}

// In pieces, each of which is checked while it is in cache.
static bool load_column(int fd, struct column *c, size_t n_row, uint64_t at, uint64_t sum,
                        const struct halt *halt, struct arena *a, struct err *e)
{
    size_t size = c->type == COLUMN_NUMERIC ? sizeof *c->number : sizeof *c->code;
    char *cell = arena_alloc(a, n_row, size);
    uint64_t found = 1;
    bool sane = true;
    if (!cell)
        return read_no_room(e);
    for (size_t i = 0; i < n_row; i += HALT_EVERY) {
        size_t n = n_row - i < HALT_EVERY ? n_row - i : HALT_EVERY;
        char *piece = cell + i * size;
        if (!halt_go_on(halt, e) || !file_get(fd, piece, n * size, at + i * size, e))
            return false;
        found = colfile_sum_cells(found, c->type, piece, n);
        sane = sane && cells_are_sane(c, piece, n);
    }
    if (c->type == COLUMN_NUMERIC)
        c->number = (const double *)(const void *)cell;
    else
        c->code = (const uint32_t *)(const void *)cell;
    return (found == sum && sane) || read_damaged(e, "cells");
}

bool colfile_load(int fd, struct frame *f, const struct halt *halt, struct arena *a, struct err *e)
{
    struct contents t;
    if (!read_table(fd, &t, a, e))
        return false;
    uint64_t at = sizeof t.head;
    for (size_t k = 0; k < t.head.n_column; k++) {
        if (!load_column(fd, &t.column[k], t.head.n_row, at, t.sum[k], halt, a, e))
            return false;
        at += colfile_cells(t.column[k].type, t.head.n_row);
    }
    *f = (struct frame){t.column, t.head.n_column, t.head.n_row};
    return true;
}
