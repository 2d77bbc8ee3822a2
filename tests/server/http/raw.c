// SPDX-License-Identifier: MIT
// See raw.h.

#include "tests/server/http/raw.h"

#include "server/store/store_work.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

static bool run(struct store *s, struct conn *c, void *arg, struct err *e)
{
    (void)s;
    return sqlite3_exec(c->db, arg, NULL, NULL, NULL) == SQLITE_OK ||
           fail(e, ERR_INTERNAL, "%s", sqlite3_errmsg(c->db));
}

bool raw_sql(struct store *s, const char *text)
{
    struct err e = {0};
    return store_write(s, run, (void *)text, &e);
}

struct columns {
    const char *table;
    char (*name)[RAW_NAME];
    int n;
};

static int take_name(void *ctx, int n, char **value, char **title)
{
    struct columns *w = ctx;
    (void)n, (void)title;
    if (w->n == RAW_NAMES)
        abort();
    snprintf(w->name[w->n++], RAW_NAME, "%s", value[0]);
    return 0;
}

static bool list(struct store *s, struct conn *c, void *arg, struct err *e)
{
    struct columns *w = arg;
    char text[128];
    (void)s, (void)e;
    snprintf(text, sizeof text, "SELECT name FROM pragma_table_info('%s')", w->table);
    return sqlite3_exec(c->db, text, take_name, w, NULL) == SQLITE_OK;
}

int raw_columns(struct store *s, const char *table, char name[RAW_NAMES][RAW_NAME])
{
    struct columns w = {table, name, 0};
    struct err e = {0};
    return store_write(s, list, &w, &e) ? w.n : 0;
}

bool raw_sql_closed(const char *path, const char *text)
{
    struct sqlite3 *db;
    bool ok = sqlite3_open(path, &db) == SQLITE_OK &&
              sqlite3_exec(db, text, NULL, NULL, NULL) == SQLITE_OK;
    sqlite3_close(db);
    return ok;
}
