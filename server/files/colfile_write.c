// SPDX-License-Identifier: MIT
// Rows come in, columns go out: a block holds as many rows as fit into BLOCK_BYTES, column by
// column, and when it is full each column's part goes to its place in the file. Memory is that
// block, and the dictionaries. Statistics are taken per block (two passes over numbers that are in
// cache) and merged with Chan's formula, which keeps their digits where plain sums lose them.

#include "server/files/colfile.h"

#include "engine/table/infer.h"
#include "server/files/colfile_own.h"
#include "server/files/file.h"
#include "server/files/levels.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_BYTES = 8 << 20, CELL = 8, ALLOWANCE = 1 << 20 };

struct out {
    enum column_type type;
    uint64_t at; // place in the file of the first cell
    uint64_t sum;
    char *block; // cells not written yet
    size_t n;    // present numbers so far
    double min, max, mean;
    double square; // sum of squared differences from the mean
};

struct colfile_writer {
    int fd;
    const struct infer *in;
    struct arena arena; // of the columns; block and table are charged to it
    struct out *out;
    char *block;
    struct levels *levels;
    size_t per_block; // rows
    size_t done, n;   // rows written, rows in the block
    uint64_t table_at;
};

static bool write_no_memory(const struct colfile_writer *w, struct err *e)
{
    return arena_fail(&w->arena, e, "the columns need too much memory");
}

static size_t block_bytes(const struct colfile_writer *w)
{
    return w->block ? w->per_block * w->in->n_column * CELL : 0;
}

static bool write_make_room(struct colfile_writer *w, struct err *e)
{
    size_t n = w->in->n_column;
    w->out = arena_alloc(&w->arena, n, sizeof *w->out);
    w->block = arena_resize(&w->arena, NULL, 0, w->per_block * n * CELL);
    if (!w->out || !w->block)
        return write_no_memory(w, e);
    w->levels = levels_new(n, w->arena.budget);
    return w->levels || fail(e, ERR_BUSY, "no memory is left to store a dataset");
}

struct colfile_writer *colfile_begin(int fd, const struct infer *in, struct err *e)
{
    struct colfile_writer *w = calloc(1, sizeof *w);
    if (!w)
        return err_no_memory(e), NULL;
    size_t per_block = BLOCK_BYTES / CELL / in->n_column;
    *w = (struct colfile_writer){.fd = fd, .in = in, .table_at = sizeof(struct colfile_head)};
    w->per_block = per_block < in->n_row ? per_block : in->n_row;
    arena_init(&w->arena, SIZE_MAX);
    arena_share(&w->arena, in->arena->budget, ALLOWANCE);
    if (!write_make_room(w, e)) {
        colfile_free(w);
        return NULL;
    }
    for (size_t k = 0; k < in->n_column; k++) {
        char *block = w->block + k * w->per_block * CELL;
        w->out[k] =
            (struct out){.type = in->column[k].type, .at = w->table_at, .sum = 1, .block = block};
        w->table_at += colfile_cells(w->out[k].type, in->n_row);
    }
    return w;
}

void colfile_free(struct colfile_writer *w)
{
    if (!w)
        return;
    levels_free(w->levels);
    arena_resize(&w->arena, w->block, block_bytes(w), 0);
    arena_release(&w->arena);
    free(w);
}

void colfile_number(struct colfile_writer *w, size_t k, double v)
{
    ((double *)w->out[k].block)[w->n] = v;
}

static void put_code(struct colfile_writer *w, size_t k, uint32_t code)
{
    ((uint32_t *)w->out[k].block)[w->n] = code;
}

void colfile_text(struct colfile_writer *w, size_t k, const char *text, size_t len)
{
    put_code(w, k, levels_code(w->levels, k, text, len));
}

void colfile_missing(struct colfile_writer *w, size_t k)
{
    if (w->out[k].type == COLUMN_NUMERIC)
        colfile_number(w, k, NAN);
    else
        put_code(w, k, LEVEL_MISSING);
}

// Statistics of the present numbers of a block.
static struct out write_describe(const double *v, size_t n)
{
    struct out s = {.min = INFINITY, .max = -INFINITY};
    for (size_t i = 0; i < n; i++) {
        if (isnan(v[i]))
            continue;
        s.n++;
        s.min = v[i] < s.min ? v[i] : s.min;
        s.max = v[i] > s.max ? v[i] : s.max;
        s.mean += (v[i] - s.mean) / (double)s.n;
    }
    for (size_t i = 0; i < n; i++)
        s.square += isnan(v[i]) ? 0 : (v[i] - s.mean) * (v[i] - s.mean);
    return s;
}

static void merge(struct out *to, const struct out *more)
{
    if (!more->n)
        return;
    double n = (double)(to->n + more->n), apart = more->mean - to->mean;
    to->square += more->square + apart * apart * (double)to->n * (double)more->n / n;
    to->mean += apart * (double)more->n / n;
    to->min = !to->n || more->min < to->min ? more->min : to->min;
    to->max = !to->n || more->max > to->max ? more->max : to->max;
    to->n += more->n;
}

static bool write_block(struct colfile_writer *w, struct err *e)
{
    for (size_t k = 0; k < w->in->n_column; k++) {
        struct out *o = &w->out[k];
        bool numeric = o->type == COLUMN_NUMERIC;
        size_t size = numeric ? sizeof(double) : sizeof(uint32_t);
        o->sum = colfile_sum_cells(o->sum, o->type, o->block, w->n);
        if (!file_put(w->fd, o->block, w->n * size, o->at + w->done * size, e))
            return false;
        if (numeric) {
            struct out more = write_describe((const double *)o->block, w->n);
            merge(o, &more);
        }
    }
    w->done += w->n;
    w->n = 0;
    return true;
}

bool colfile_row(struct colfile_writer *w, struct err *e)
{
    return levels_sound(w->levels, e) && (++w->n < w->per_block || write_block(w, e));
}

static size_t text_size(const char *s)
{
    return sizeof(uint32_t) + strlen(s) + 1;
}

// 0 when there is no memory.
static size_t table_size(const struct colfile_writer *w)
{
    size_t size = 0, n;
    for (size_t k = 0; k < w->in->n_column; k++) {
        size += sizeof(struct colfile_column) + text_size(w->in->column[k].name);
        const char *const *level = levels_list(w->levels, k, &n);
        if (!level)
            return 0;
        for (size_t i = 0; i < n; i++)
            size += text_size(level[i]);
    }
    return (size + 7) / 8 * 8;
}

static char *write_put(char *to, const void *from, size_t len)
{
    memcpy(to, from, len);
    return to + len;
}

static char *write_put_text(char *to, const char *s)
{
    uint32_t len = (uint32_t)strlen(s);
    return write_put(write_put(to, &len, sizeof len), s, len + 1);
}

static char *write_put_column(const struct colfile_writer *w, size_t k, char *to)
{
    const struct out *o = &w->out[k];
    size_t n;
    const char *const *level = levels_list(w->levels, k, &n);
    struct colfile_column c = {.type = o->type,
                               .n_level = n,
                               .n_missing = w->in->column[k].n_missing,
                               .min = o->min,
                               .max = o->max,
                               .mean = o->mean,
                               .std = o->n ? sqrt(o->square / (double)o->n) : 0,
                               .sum = o->sum};
    to = write_put_text(write_put(to, &c, sizeof c), w->in->column[k].name);
    for (size_t i = 0; i < n; i++)
        to = write_put_text(to, level[i]);
    return to;
}

static bool spreads_too_far(const struct colfile_writer *w, struct err *e)
{
    for (size_t k = 0; k < w->in->n_column; k++)
        if (!isfinite(w->out[k].mean) || !isfinite(w->out[k].square))
            return !fail(e, ERR_INVALID, "the numbers of column \"%s\" are too large",
                         w->in->column[k].name);
    return false;
}

bool colfile_end(struct colfile_writer *w, uint64_t bytes, struct err *e)
{
    BUG(w->done + w->n != w->in->n_row);
    if ((w->n && !write_block(w, e)) || spreads_too_far(w, e))
        return false;
    size_t len = table_size(w);
    char *table = len ? arena_resize(&w->arena, NULL, 0, len) : NULL, *to = table;
    if (!table)
        return len ? write_no_memory(w, e) : err_no_memory(e);
    memset(table, 0, len);
    for (size_t k = 0; k < w->in->n_column; k++)
        to = write_put_column(w, k, to);
    struct colfile_head head = {.magic = COLFILE_MAGIC,
                                .n_row = w->in->n_row,
                                .n_column = w->in->n_column,
                                .bytes = bytes,
                                .table_at = w->table_at,
                                .table_len = len,
                                .table_sum = colfile_sum(1, (uint64_t *)table, len / 8)};
    head.sum = colfile_sum(1, &head.magic, sizeof head / 8 - 1);
    bool ok =
        file_put(w->fd, table, len, w->table_at, e) && file_put(w->fd, &head, sizeof head, 0, e);
    arena_resize(&w->arena, table, len, 0);
    return ok;
}
