// SPDX-License-Identifier: MIT
// See store_exec.h.

#include "tests/server/store/store_exec.h"

#include "server/store/store_work.h"

#include <sqlite3.h>

struct statement {
    const char *text;
    int64_t *out;
};

static bool run_statement(struct store *s, struct conn *c, void *arg, struct err *e)
{
    (void)s;
    const struct statement *w = arg;
    struct sqlite3_stmt *st = NULL;
    int rc = sqlite3_prepare_v2(c->db, w->text, -1, &st, NULL);
    while (rc == SQLITE_OK || rc == SQLITE_ROW) {
        rc = sqlite3_step(st);
        if (rc == SQLITE_ROW && w->out)
            *w->out = sqlite3_column_int64(st, 0);
    }
    sqlite3_finalize(st);
    e->kind = rc == SQLITE_DONE ? ERR_NONE : ERR_INTERNAL;
    return rc == SQLITE_DONE;
}

bool store_exec(struct store *s, const char *text, int64_t *out)
{
    struct statement w = {text, out};
    struct err e = {0};
    return store_write(s, run_statement, &w, &e);
}
