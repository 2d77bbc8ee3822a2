// SPDX-License-Identifier: MIT
// Datasets over HTTP: uploads go straight to disk while they arrive. The row is written after the
// files, so a listed table can be read; between the two the catalog knows that the files are on
// their way.

#include "api/schema/schema.h"
#include "server/base/settings.h"
#include "server/files/catalog.h"
#include "server/files/dataset.h"
#include "server/handlers/handlers.h"
#include "server/handlers/reply.h"
#include "server/handlers/server.h"

#include <string.h>

enum { LEVELS_SHOWN = 20 };

bool dataset_upload_begin(struct call *c, struct err *e)
{
    const char *name = call_query(c, "name");
    if (!name || !schema_is_name(name))
        return fail(e, ERR_INVALID,
                    "query parameter \"name\" must be 1 to 64 of A-Z, a-z, 0-9, '.', '_', '-', the "
                    "first a letter or digit, got \"%.64s\"",
                    name ? name : "");
    c->stream = ingest_begin(c->server->files, &c->server->requests, e);
    return c->stream;
}

bool dataset_upload_piece(struct call *c, const char *bytes, size_t len, struct err *e)
{
    return ingest_piece(c->stream, bytes, len, e);
}

void dataset_upload_undo(struct call *c)
{
    ingest_abort(c->stream);
    c->stream = NULL;
}

static void data_write_column(struct jsonw *w, const struct column *c)
{
    bool numeric = c->type == COLUMN_NUMERIC;
    jsonw_object(w, NULL);
    jsonw_string(w, "name", c->name);
    jsonw_string(w, "type", numeric ? "numeric" : "categorical");
    jsonw_int(w, "missing", (int64_t)c->n_missing);
    if (numeric) {
        jsonw_real(w, "min", c->min);
        jsonw_real(w, "max", c->max);
        jsonw_real(w, "mean", c->mean);
        jsonw_real(w, "std", c->std);
    } else {
        jsonw_int(w, "distinct", (int64_t)c->n_level);
        jsonw_array(w, "levels");
        for (size_t i = 0; i < c->n_level && i < LEVELS_SHOWN; i++)
            jsonw_string(w, NULL, c->level[i]);
        jsonw_end(w);
    }
    jsonw_end(w);
}

static const char *data_summary(const struct dataset_info *info, struct arena *a, struct err *e)
{
    struct jsonw w;
    jsonw_init(&w, a);
    jsonw_object(&w, NULL);
    jsonw_array(&w, "columns");
    for (size_t i = 0; i < info->n_column; i++)
        data_write_column(&w, &info->column[i]);
    jsonw_end(&w);
    jsonw_end(&w);
    return jsonw_text(&w, NULL, e);
}

static void write_dataset(struct jsonw *w, const struct dataset_row *d, struct arena *a)
{
    jsonw_string(w, "name", d->name);
    jsonw_string(w, "object", "dataset");
    jsonw_int(w, "version", d->version);
    jsonw_string(w, "digest", d->digest);
    jsonw_int(w, "bytes", d->bytes);
    reply_time(w, "created_at", d->created_at);
    jsonw_int(w, "rows", d->n_row);
    if (d->summary)
        reply_members(w, d->summary, a);
}

static bool reply_dataset(struct call *c, const struct dataset_row *d, struct err *e)
{
    struct jsonw w = reply_begin(c);
    write_dataset(&w, d, c->arena);
    return reply_end(c, &w, e);
}

static bool data_put(struct call *c, struct ingest *in, struct dataset_row *row, struct err *e)
{
    struct dataset_info info;
    if (!ingest_end(in, &info, c->halt, c->arena, e))
        return false;
    const struct dataset_new d = {.name = call_query(c, "name"),
                                  .digest = info.digest,
                                  .summary = data_summary(&info, c->arena, e),
                                  .n_row = (int64_t)info.n_row,
                                  .n_column = (int64_t)info.n_column,
                                  .bytes = (int64_t)info.bytes};
    return d.summary && store_dataset_put(c->server->store, &d, row, c->arena, e);
}

bool dataset_upload_end(struct call *c, struct err *e)
{
    struct dataset_row row;
    struct catalog_file file;
    char digest[DATASET_DIGEST];
    struct ingest *in = c->stream;
    if (!ingest_digest(in, digest, e))
        return false; // undo() aborts
    c->stream = NULL;
    catalog_begin(c->server->catalog, SHELF_DATASETS, digest, &file);
    bool ok = data_put(c, in, &row, e);
    store_watch(NULL); // what is left to tidy does not depend on the client
    catalog_end(c->server->catalog, &file, ok ? CATALOG_STORED : CATALOG_UNSTORED,
                &(struct err){0});
    if (!ok)
        return false;
    c->location = arena_printf(c->arena, "/datasets/%s", row.name);
    return reply_dataset(c, &row, e);
}

bool dataset_list(struct call *c, struct err *e)
{
    size_t limit;
    int64_t after;
    struct dataset_list list;
    if (!query_page(c, &limit, &after, e) ||
        !store_dataset_list(c->server->store, limit, after, &list, c->arena, e))
        return false;
    struct jsonw w = reply_list_begin(c);
    for (size_t i = 0; i < list.n; i++) {
        jsonw_object(&w, NULL);
        jsonw_int(&w, "id", list.row[i].id);
        write_dataset(&w, &list.row[i], c->arena);
        jsonw_end(&w);
    }
    return reply_list_end(c, &w, list.more, list.n ? list.row[0].id : 0,
                          list.n ? list.row[list.n - 1].id : 0, e);
}

bool dataset_get(struct call *c, struct err *e)
{
    int64_t version;
    struct dataset_row row;
    return query_int(c, "version", 0, 1, INT64_MAX, &version, e) &&
           store_dataset_get(c->server->store, c->segment[0], version, &row, c->arena, e) &&
           reply_stored(row.summary, true, c->arena, e) && reply_dataset(c, &row, e);
}

bool dataset_delete(struct call *c, struct err *e)
{
    return catalog_delete(c->server->catalog, c->segment[0], c->arena, e) && call_reply(c, "", 0);
}
