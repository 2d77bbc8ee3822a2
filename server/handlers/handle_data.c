// SPDX-License-Identifier: MIT
// Datasets over HTTP: uploads go straight to disk while they arrive. The row is written after the
// files, so a listed table can be read; between the two the catalog knows that the files are on
// their way.

#include "api/schema/schema.h"
#include "api/views/data_view.h"
#include "api/views/query.h"
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

static struct column_reply data_column(const struct column *c)
{
    bool numeric = c->type == COLUMN_NUMERIC;
    size_t shown = c->n_level < LEVELS_SHOWN ? c->n_level : LEVELS_SHOWN;
    return (struct column_reply){
        .name = c->name,
        .type = column_type_words[c->type],
        .missing = (int64_t)c->n_missing,
        .numeric = numeric,
        .min = c->min,
        .max = c->max,
        .mean = c->mean,
        .std = c->std,
        .distinct = numeric ? -1 : (int64_t)c->n_level,
        .levels = numeric ? NULL : c->level,
        .n_levels = shown,
    };
}

static const char *data_summary(const struct dataset_info *info, struct arena *a, struct err *e)
{
    struct column_reply *column = arena_alloc(a, info->n_column, sizeof *column);
    struct jsonw w;
    if (!column) {
        fail(e, ERR_TOO_LARGE, "the table has more columns than a request may show");
        return NULL;
    }
    for (size_t i = 0; i < info->n_column; i++)
        column[i] = data_column(&info->column[i]);
    jsonw_init(&w, a);
    schema_write(&dataset_summary_view, &(struct dataset_summary_reply){column, info->n_column}, &w,
                 NULL);
    return jsonw_text(&w, NULL, e);
}

static bool data_fill(struct call *c, const struct dataset_row *d, struct dataset_reply *out,
                      struct err *e)
{
    *out = (struct dataset_reply){
        .id = d->id,
        .name = d->name,
        .version = d->version,
        .digest = d->digest,
        .bytes = d->bytes,
        .created_at = d->created_at,
        .rows = d->n_row,
        .summary = d->summary,
    };
    return reply_stored(d->summary, true, c->arena, e);
}

static bool reply_dataset(struct call *c, const struct dataset_row *d, struct err *e)
{
    struct dataset_reply out;
    return data_fill(c, d, &out, e) && reply_view(c, &out, e);
}

static bool data_put(struct call *c, struct ingest *in, struct dataset_row *row, struct err *e)
{
    const struct upload_query *q = c->query;
    struct dataset_info info;
    if (!ingest_end(in, &info, c->halt, c->arena, e))
        return false;
    const struct dataset_new d = {.name = q->name,
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
    const struct page_query *q = c->query;
    struct dataset_list list;
    if (!reply_in_time(c, q) ||
        !store_dataset_list(c->server->store, (size_t)q->limit, q->after, &list, c->arena, e))
        return false;
    struct dataset_reply *item = reply_room(c, list.n, sizeof *item, e);
    for (size_t i = 0; item && i < list.n; i++)
        if (!data_fill(c, &list.row[i], &item[i], e))
            return false;
    return item && reply_list(c, item, list.n, list.more, e);
}

bool dataset_get(struct call *c, struct err *e)
{
    const struct version_query *q = c->query;
    struct dataset_row row;
    return store_dataset_get(c->server->store, c->segment[0], q->version, &row, c->arena, e) &&
           reply_dataset(c, &row, e);
}

bool dataset_delete(struct call *c, struct err *e)
{
    return catalog_delete(c->server->catalog, c->segment[0], c->arena, e) && call_reply(c, "", 0);
}
