// SPDX-License-Identifier: MIT
// Models in and out over HTTP: an imported one is stored as the same file that a worker writes, so
// from then on nothing asks where it came from.

#include "api/files/import.h"
#include "api/views/data_view.h"
#include "api/views/query.h"
#include "engine/table/task.h"
#include "server/base/digest.h"
#include "server/base/settings.h"
#include "server/files/catalog.h"
#include "server/files/model_store.h"
#include "server/handlers/handlers.h"
#include "server/handlers/model_reply.h"
#include "server/handlers/reply.h"
#include "server/handlers/server.h"
#include "server/jobs/model_summary.h"

#include <string.h>

static const char *import_summary(const struct model_file *f, struct arena *a, struct err *e)
{
    struct model_summary_reply out = {0};
    struct input_reply *input = arena_alloc(a, f->prep.n_column + 1, sizeof *input);
    if (!input) {
        fail(e, ERR_TOO_LARGE, "the model has more inputs than a request may show");
        return NULL;
    }
    for (size_t i = 0; i < f->prep.n_column; i++) {
        const struct prep_column *c = &f->prep.column[i];
        input[i] = (struct input_reply){
            .name = c->name, .type = column_type_words[c->type], .distinct = -1};
    }
    out.inputs = input;
    out.n_inputs = f->prep.n_column;
    return summary_of_model(&out, &f->model, NULL, a, e) ? summary_text(&out, a, e) : NULL;
}

static bool import_put(struct call *c, const struct digest_part file[static 2],
                       const struct model_new *m, struct model_row *row, struct err *e)
{
    struct catalog_file coming;
    catalog_begin(c->server->catalog, SHELF_MODELS, m->digest, &coming);
    bool ok = model_store_save(c->server->files, file, m->digest, c->halt, e) &&
              store_model_put(c->server->store, m, row, c->arena, e);
    store_watch(NULL); // what is left to tidy does not depend on the client
    catalog_end(c->server->catalog, &coming, ok ? CATALOG_STORED : CATALOG_UNSTORED,
                &(struct err){0});
    return ok;
}

static bool import_save(struct call *c, const struct model_file *f, struct model_row *row,
                        struct err *e)
{
    char digest[DIGEST_TEXT];
    size_t len;
    struct model_new m = {.name = f->name,
                          .digest = digest,
                          .task = f->model.answer.task->row.name,
                          .summary = import_summary(f, c->arena, e)};
    const char *header =
        m.summary ? model_file_header(&f->model, &f->prep, f->name, f->job, &len, c->arena, e)
                  : NULL;
    if (!header)
        return false;
    const struct digest_part file[] = {{header, len},
                                       {f->model.value, f->model.n_value * sizeof *f->model.value}};
    m.bytes = (int64_t)(file[0].len + file[1].len);
    return digest_long(file, 2, digest, c->halt, e) && import_put(c, file, &m, row, e);
}

bool model_import(struct call *c, struct err *e)
{
    struct model_file file;
    struct model_row row;
    if (!import_read(c->body, c->body_len, c->query, &file, c->arena, &c->faults, e) ||
        !import_save(c, &file, &row, e))
        return false;
    c->location = arena_printf(c->arena, "/models/%s", row.name);
    struct model_reply out;
    return model_fill(c, &row, &out, e) && reply_view(c, &out, e);
}

bool model_export(struct call *c, struct err *e)
{
    const struct version_query *q = c->query;
    struct model_row row;
    if (!store_model_get(c->server->store, c->segment[0], q->version, &row, c->arena, e))
        return false;
    size_t len;
    const char *bytes = model_store_load(c->server->files, row.digest, &len, c->halt, c->arena, e);
    return bytes && call_reply(c, bytes, len);
}
