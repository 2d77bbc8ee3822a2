// SPDX-License-Identifier: MIT
// A job's log: see store.h. Events are numbered through all jobs, so a page goes on behind the last
// one of the page before.

#include "server/store/store_work.h"

#define EVENT_COLUMNS(X)                                                                           \
    X(id, "id")                                                                                    \
    X(job, "job_id")                                                                               \
    X(at, "at")                                                                                    \
    X(level, "level")                                                                              \
    X(type, "type")                                                                                \
    X(message, "message")

#define X(member, sql, ...) COLUMN_ROW(event_row, member, __VA_ARGS__)
static const struct sql_column event_column[] = {EVENT_COLUMNS(X)};
#undef X

struct events {
    int64_t id, after;
    size_t limit;
    struct event_list *out;
    struct arena *a;
};

static bool events(struct store *s, struct conn *c, void *arg, struct err *e)
{
    (void)s;
    const struct events *w = arg;
    struct sql_rows rows = ROWS(event_column, w->out->row, w->limit, w->a);
    if (!job_exists(c, w->id, e) ||
        SQL(c, e, sql_take_rows, &rows,
            "SELECT " EVENT_COLUMNS(COLUMN_SQL) "0 FROM job_events WHERE job_id = ? AND id > ? "
                                                "ORDER BY id LIMIT ?",
            BIND_INT(w->id), BIND_INT(w->after), BIND_INT((int64_t)w->limit + 1)) < 0)
        return false;
    sql_page(&rows, &w->out->n, &w->out->more);
    return true;
}

bool store_job_events(struct store *s, int64_t id, int64_t after, size_t limit,
                      struct event_list *out, struct arena *a, struct err *e)
{
    BUG(limit > STORE_PAGE);
    out->row = arena_alloc(a, limit, sizeof *out->row);
    struct events w = {id, after, limit, out, a};
    return out->row ? store_read(s, events, &w, e) : sql_no_memory(e);
}
