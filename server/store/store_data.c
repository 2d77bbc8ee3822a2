// SPDX-License-Identifier: MIT
// Datasets: see store.h. A name holds one row for each upload; the newest is what the name means,
// and jobs keep the digest of the one they were submitted with.

#include "server/store/store_work.h"

#include <inttypes.h>

#define DATASET_COLUMNS(X)                                                                         \
    X(id, "d.id")                                                                                  \
    X(name, "d.name")                                                                              \
    X(version, "d.version")                                                                        \
    X(digest, "d.digest", DIGEST)                                                                  \
    X(n_row, "d.n_row")                                                                            \
    X(n_column, "d.n_column")                                                                      \
    X(bytes, "d.bytes")                                                                            \
    X(created_at, "d.created_at")

#define X(member, sql, ...) COLUMN_ROW(dataset_row, member, __VA_ARGS__)
static const struct sql_column one_column[] = {DATASET_COLUMNS(X) COLUMN_ROW(dataset_row, summary)};
static const struct sql_column listed_column[] = {DATASET_COLUMNS(X)};
#undef X

static const char one_dataset[] = "SELECT " DATASET_COLUMNS(
    COLUMN_SQL) "d.summary FROM datasets d WHERE d.name = ?1 AND d.version = " NEWEST("datasets");
static const char newest_datasets[] =
    "SELECT " DATASET_COLUMNS(COLUMN_SQL) "0 FROM datasets d WHERE d.id < ? AND d.newest = 1 "
                                          "ORDER BY d.id DESC LIMIT ?";

struct dataset {
    const char *name;
    int64_t version;
    const struct dataset_new *fresh;
    struct dataset_row *out;
    struct digest_list *files;
    struct arena *a;
};

static bool data_get(struct store *s, struct conn *c, void *arg, struct err *e)
{
    (void)s;
    const struct dataset *w = arg;
    struct sql_rows rows = ROWS(one_column, w->out, 1, w->a);
    int64_t n =
        SQL(c, e, sql_take_rows, &rows, one_dataset, BIND_TEXT(w->name), BIND_INT(w->version));
    return n > 0 || (n == 0 && sql_no_version("dataset", w->name, w->version, e));
}

static bool store_data_put(struct store *s, struct conn *c, void *arg, struct err *e)
{
    const struct dataset *w = arg;
    const struct dataset_new *d = w->fresh;
    return SQL(c, e, NULL, NULL,
               "INSERT INTO datasets (name, version, digest, n_row, n_column, bytes, created_at, "
               "summary) VALUES (?, (SELECT coalesce(max(version), 0) + 1 FROM datasets "
               "WHERE name = ?), ?, ?, ?, ?, ?, ?)",
               BIND_TEXT(d->name), BIND_TEXT(d->name), BIND_TEXT(d->digest), BIND_INT(d->n_row),
               BIND_INT(d->n_column), BIND_INT(d->bytes), BIND_INT(store_now(s)),
               BIND_TEXT(d->summary)) >= 0 &&
           data_get(s, c, arg, e);
}

bool store_dataset_put(struct store *s, const struct dataset_new *d, struct dataset_row *out,
                       struct arena *a, struct err *e)
{
    struct dataset w = {.name = d->name, .fresh = d, .out = out, .a = a};
    return store_write(s, store_data_put, &w, e);
}

bool store_dataset_get(struct store *s, const char *name, int64_t version, struct dataset_row *out,
                       struct arena *a, struct err *e)
{
    struct dataset w = {.name = name, .version = version, .out = out, .a = a};
    return store_read(s, data_get, &w, e);
}

struct dataset_page {
    size_t limit;
    int64_t before;
    struct dataset_list *out;
    struct arena *a;
};

static bool data_list(struct store *s, struct conn *c, void *arg, struct err *e)
{
    (void)s;
    const struct dataset_page *w = arg;
    struct sql_rows rows = ROWS(listed_column, w->out->row, w->limit, w->a);
    int64_t n = SQL(c, e, sql_take_rows, &rows, newest_datasets, BIND_INT(w->before),
                    BIND_INT((int64_t)w->limit + 1));
    sql_page(&rows, &w->out->n, &w->out->more);
    return n >= 0;
}

bool store_dataset_list(struct store *s, size_t limit, int64_t after, struct dataset_list *out,
                        struct arena *a, struct err *e)
{
    BUG(limit > STORE_PAGE);
    out->row = arena_zalloc(a, limit, sizeof *out->row);
    struct dataset_page w = {limit, after ? after : INT64_MAX, out, a};
    return out->row ? store_read(s, data_list, &w, e) : sql_no_memory(e);
}

static bool not_pinned(struct conn *c, const char *name, struct err *e)
{
    int64_t job = 0;
    int64_t n = SQL(c, e, sql_take_int, &job,
                    "SELECT id FROM jobs INDEXED BY jobs_pins WHERE state IN ('queued', 'running', "
                    "'paused') AND "
                    "digest IN (SELECT digest FROM datasets WHERE name = ?) LIMIT 1",
                    BIND_TEXT(name));
    return n == 0 || (n > 0 && fail(e, ERR_CONFLICT,
                                    "dataset \"%s\" cannot be deleted: job %" PRId64
                                    ", which has not ended, needs it",
                                    name, job));
}

static bool take_digest(struct sqlite3_stmt *st, void *ctx, struct err *e)
{
    const struct dataset *w = ctx;
    struct text_out out = {NULL, w->a};
    if (!sql_take_text(st, &out, e))
        return false;
    w->files->digest[w->files->n++] = out.text;
    return true;
}

static bool list_files(struct store *s, struct conn *c, void *arg, struct err *e)
{
    (void)s;
    struct dataset *w = arg;
    int64_t n = 0;
    if (SQL(c, e, sql_take_int, &n, "SELECT count(*) FROM datasets WHERE name = ?",
            BIND_TEXT(w->name)) < 0)
        return false;
    *w->files = (struct digest_list){arena_alloc(w->a, (size_t)n, sizeof(char *)), 0};
    return w->files->digest
               ? SQL(c, e, take_digest, w, "SELECT DISTINCT digest FROM datasets WHERE name = ?",
                     BIND_TEXT(w->name)) >= 0
               : sql_no_memory(e);
}

static bool list_files_snapshot(struct store *s, struct conn *c, void *arg, struct err *e)
{
    return sql_snapshot(s, c, list_files, arg, e);
}

bool store_dataset_files(struct store *s, const char *name, struct digest_list *files,
                         struct arena *a, struct err *e)
{
    struct dataset w = {.name = name, .files = files, .a = a};
    return store_read(s, list_files_snapshot, &w, e);
}

// Of the files listed, those that no row needs.
static bool keep_unused(struct conn *c, struct digest_list *files, struct err *e)
{
    size_t kept = 0;
    for (size_t i = 0; i < files->n; i++) {
        int64_t n = SQL(c, e, NULL, NULL, "SELECT 1 FROM datasets WHERE digest = ? LIMIT 1",
                        BIND_TEXT(files->digest[i]));
        if (n < 0)
            return false;
        if (n == 0)
            files->digest[kept++] = files->digest[i];
    }
    files->n = kept;
    return true;
}

static bool delete (struct store *s, struct conn *c, void *arg, struct err *e)
{
    struct dataset *w = arg;
    if (!not_pinned(c, w->name, e) || !list_files(s, c, arg, e))
        return false;
    int64_t n = SQL(c, e, NULL, NULL, "DELETE FROM datasets WHERE name = ? RETURNING id",
                    BIND_TEXT(w->name));
    return n > 0 ? keep_unused(c, w->files, e)
                 : n == 0 && sql_no_version("dataset", w->name, w->version, e);
}

bool store_dataset_delete(struct store *s, const char *name, struct digest_list *unused,
                          struct arena *a, struct err *e)
{
    struct dataset w = {.name = name, .files = unused, .a = a};
    return store_write(s, delete, &w, e);
}

bool store_digest_used(struct store *s, const char *digest, bool *used, struct err *e)
{
    return sql_any(s,
                   SQL_TEXT("SELECT 1 FROM datasets WHERE digest = ?1 UNION ALL "
                            "SELECT 1 FROM jobs WHERE digest = ?1 AND "
                            "state IN ('queued', 'running', 'paused') LIMIT 1"),
                   digest, used, e);
}

bool store_digest_named(struct store *s, const char *digest, bool *named, struct err *e)
{
    return sql_any(s, SQL_TEXT("SELECT 1 FROM datasets WHERE digest = ? LIMIT 1"), digest, named,
                   e);
}

struct over {
    int64_t id, created_at;
    bool *over;
};

static bool over(struct store *s, struct conn *c, void *arg, struct err *e)
{
    (void)s;
    const struct over *w = arg;
    int64_t n = SQL(c, e, NULL, NULL,
                    "SELECT 1 FROM jobs WHERE id = ? AND created_at = ? AND "
                    "state NOT IN ('queued', 'running', 'paused')",
                    BIND_INT(w->id), BIND_INT(w->created_at));
    *w->over = n > 0;
    return n >= 0;
}

bool store_job_over(struct store *s, int64_t id, int64_t created_at, bool *is, struct err *e)
{
    struct over w = {id, created_at, is};
    return store_read(s, over, &w, e);
}
