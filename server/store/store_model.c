// SPDX-License-Identifier: MIT
// Models: see store.h. Those that a job has trained are written at its end (store_run.c), in the
// transaction that ends the job. Which version is the newest is kept in a column, so that a list
// needs no look at all the others.

#include "server/store/notice.h"
#include "server/store/store_work.h"

#include <inttypes.h>

#define MODEL_COLUMNS(X)                                                                           \
    X(id, "m.id")                                                                                  \
    X(name, "m.name")                                                                              \
    X(version, "m.version")                                                                        \
    X(job, "m.job_id", OPTIONAL)                                                                   \
    X(digest, "m.digest", DIGEST)                                                                  \
    X(bytes, "m.bytes")                                                                            \
    X(task, "m.task")                                                                              \
    X(created_at, "m.created_at")

#define X(member, sql, ...) COLUMN_ROW(model_row, member, __VA_ARGS__)
static const struct sql_column one_column[] = {MODEL_COLUMNS(X) COLUMN_ROW(model_row, summary)};
static const struct sql_column listed_column[] = {MODEL_COLUMNS(X)};
#undef X

static const char one_model[] = "SELECT " MODEL_COLUMNS(
    COLUMN_SQL) "m.summary FROM models m WHERE m.name = ?1 AND m.version = " NEWEST("models");
static const char model_of_job[] =
    "SELECT " MODEL_COLUMNS(COLUMN_SQL) "m.summary FROM models m WHERE m.job_id = ?";
static const char newest_models[] =
    "SELECT " MODEL_COLUMNS(COLUMN_SQL) "0 FROM models m WHERE m.id < ? AND m.newest = 1 "
                                        "ORDER BY m.id DESC LIMIT ?";

struct model_get {
    const char *name;
    int64_t version, job;
    struct model_row *out;
    struct arena *a;
};

static bool get_model(struct store *s, struct conn *c, void *arg, struct err *e)
{
    (void)s;
    const struct model_get *w = arg;
    struct sql_rows rows = ROWS(one_column, w->out, 1, w->a);
    int64_t n =
        SQL(c, e, sql_take_rows, &rows, one_model, BIND_TEXT(w->name), BIND_INT(w->version));
    return n > 0 || (n == 0 && sql_no_version("model", w->name, w->version, e));
}

bool store_model_get(struct store *s, const char *name, int64_t version, struct model_row *out,
                     struct arena *a, struct err *e)
{
    struct model_get w = {.name = name, .version = version, .out = out, .a = a};
    return store_read(s, get_model, &w, e);
}

static bool of_job(struct store *s, struct conn *c, void *arg, struct err *e)
{
    const struct model_get *w = arg;
    struct sql_rows rows = ROWS(one_column, w->out, 1, w->a);
    int64_t n = SQL(c, e, sql_take_rows, &rows, model_of_job, BIND_INT(w->job));
    if (n != 0)
        return n > 0;
    struct job_row job;
    return job_load(s, c, w->job, &job, w->a, e) &&
           fail(e, ERR_CONFLICT, "job %" PRId64 " has no model: it is %s", w->job,
                job_state_word(job.state));
}

bool store_model_of_job(struct store *s, int64_t job, struct model_row *out, struct arena *a,
                        struct err *e)
{
    struct model_get w = {.job = job, .out = out, .a = a};
    return store_read(s, of_job, &w, e);
}

struct model_page {
    size_t limit;
    int64_t before;
    struct model_list *out;
    struct arena *a;
};

static bool list_models(struct store *s, struct conn *c, void *arg, struct err *e)
{
    (void)s;
    const struct model_page *w = arg;
    struct sql_rows rows = ROWS(listed_column, w->out->row, w->limit, w->a);
    int64_t n = SQL(c, e, sql_take_rows, &rows, newest_models, BIND_INT(w->before),
                    BIND_INT((int64_t)w->limit + 1));
    sql_page(&rows, &w->out->n, &w->out->more);
    return n >= 0;
}

bool store_model_list(struct store *s, size_t limit, int64_t after, struct model_list *out,
                      struct arena *a, struct err *e)
{
    BUG(limit > STORE_PAGE);
    out->row = arena_zalloc(a, limit, sizeof *out->row);
    struct model_page w = {limit, after ? after : INT64_MAX, out, a};
    return out->row ? store_read(s, list_models, &w, e) : sql_no_memory(e);
}

bool store_model_digest_used(struct store *s, const char *digest, bool *used, struct err *e)
{
    return sql_any(s, SQL_TEXT("SELECT 1 FROM models WHERE digest = ? LIMIT 1"), digest, used, e);
}

struct put {
    const struct model_new *model;
    int64_t version;
};

static bool model_put(struct store *s, struct conn *c, void *arg, struct err *e)
{
    struct put *w = arg;
    return model_add(s, c, w->model, 0, &w->version, e);
}

bool store_model_put(struct store *s, const struct model_new *m, struct model_row *out,
                     struct arena *a, struct err *e)
{
    struct put w = {m, 0};
    return store_write(s, model_put, &w, e) && store_model_get(s, m->name, w.version, out, a, e);
}

bool model_add(struct store *s, struct conn *c, const struct model_new *m, int64_t job,
               int64_t *version, struct err *e)
{
    notice_model(store_notice(s), m->name);
    return SQL(c, e, sql_take_int, version,
               "INSERT INTO models (name, version, job_id, digest, bytes, task, created_at, "
               "summary) VALUES (?, (SELECT coalesce(max(version), 0) + 1 FROM models "
               "WHERE name = ?), ?, ?, ?, ?, ?, ?) RETURNING version",
               BIND_TEXT(m->name), BIND_TEXT(m->name), job ? BIND_INT(job) : BIND_NULL,
               BIND_TEXT(m->digest), BIND_INT(m->bytes), BIND_TEXT(m->task), BIND_INT(store_now(s)),
               BIND_TEXT(m->summary)) > 0;
}
