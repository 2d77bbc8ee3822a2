// SPDX-License-Identifier: MIT
// See store_work.h.

#include "server/store/store_work.h"

#include <inttypes.h>
#include <sqlite3.h>

struct any {
    const struct sql_text *text;
    const char *value;
    bool *any;
};

static bool any(struct store *s, struct conn *c, void *arg, struct err *e)
{
    (void)s;
    const struct any *w = arg;
    int64_t n = sql_run(c, e, NULL, NULL, w->text, &BIND_TEXT(w->value), w->value != NULL);
    *w->any = n > 0;
    return n >= 0;
}

bool sql_any(struct store *s, const struct sql_text *text, const char *value, bool *found,
             struct err *e)
{
    struct any w = {text, value, found};
    return store_read(s, any, &w, e);
}

bool sql_snapshot(struct store *s, struct conn *c, store_fn *fn, void *arg, struct err *e)
{
    bool ok = SQL(c, e, NULL, NULL, "BEGIN") >= 0 && fn(s, c, arg, e);
    if (!sqlite3_get_autocommit(c->db) && sqlite3_exec(c->db, "ROLLBACK", NULL, NULL, NULL))
        c->bad = true; // closing it ends the snapshot
    return ok;
}

bool sql_no_version(const char *what, const char *name, int64_t version, struct err *e)
{
    if (version)
        return fail(e, ERR_NOT_FOUND, "no such %s: \"%s\" version %" PRId64, what, name, version);
    return fail(e, ERR_NOT_FOUND, "no such %s: \"%s\"", what, name);
}
