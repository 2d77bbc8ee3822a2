// SPDX-License-Identifier: MIT
// Submitting a job over HTTP. It is queued only when everything that can be known to be wrong with
// it has been looked at: its definition, its data, its network.

#include "api/schema/inline.h"
#include "api/schema/job_schema.h"
#include "engine/base/nearest.h"
#include "engine/model/metric.h"
#include "engine/nn/role.h"
#include "engine/table/task.h"
#include "server/base/digest.h"
#include "server/base/memory.h"
#include "server/base/settings.h"
#include "server/files/catalog.h"
#include "server/files/dataset.h"
#include "server/handlers/handlers.h"
#include "server/handlers/job_reply.h"
#include "server/handlers/server.h"
#include "server/jobs/job_kind.h"
#include "server/jobs/queue.h"
#include "server/jobs/fine_tune.h"

#include <math.h>
#include <string.h>

static const char INLINE_NAME[] = "inline"; // of models whose data came with the job

static const char *submit_nth_name(const void *list, size_t i)
{
    return ((const struct dataset_list *)list)->row[i].name;
}

static bool no_dataset(struct call *c, const char *name, struct err *e)
{
    struct dataset_list list;
    struct err ignored = {0};
    bool listed = store_dataset_list(c->server->store, STORE_PAGE, 0, &list, c->arena, &ignored);
    const char *meant = listed ? nearest(name, submit_nth_name, &list, list.n) : NULL;
    if (meant)
        return fail_at(e, ERR_INVALID, "/dataset",
                       "there is no dataset \"%s\"; did you mean \"%s\"?", name, meant);
    return fail_at(e, ERR_INVALID, "/dataset",
                   "there is no dataset \"%s\"; upload it with POST /datasets?name=%s", name, name);
}

static bool find_dataset(struct call *c, const char *name, struct dataset_row *row, struct err *e)
{
    struct err why = {0};
    if (store_dataset_get(c->server->store, name, 0, row, c->arena, &why))
        return true;
    return why.kind == ERR_NOT_FOUND ? no_dataset(c, name, e) : err_pass(e, &why);
}

static bool to_ingest(void *in, const char *text, size_t len, struct err *e)
{
    return ingest_piece(in, text, len, e);
}

// A table given with the job takes the way of every upload.
static struct ingest *inline_read(struct call *c, struct json_span data, struct err *e)
{
    struct ingest *in = ingest_begin(c->server->files, &c->server->requests, e);
    if (in && inline_to_csv(data, to_ingest, in, c->arena, &c->faults, e))
        return in;
    ingest_abort(in);
    return NULL;
}

// OpenBLAS has a fixed number of buffers: see settings.h.
static bool check_threads(const struct settings *s, int threads, struct err *e)
{
    int64_t most = (SETTINGS_BLAS_CALLERS - s->http_threads) / (s->workers > 0 ? s->workers : 1);
    return threads <= most ||
           fail_at(e, ERR_INVALID, "/training/threads",
                   "must be at most %lld with %lld workers and %lld serving threads, got %d",
                   (long long)most, (long long)s->workers, (long long)s->http_threads, threads);
}

// What was left to be decided by the data, now that it has been looked at.
static void resolve(struct job_spec *spec, const struct prepared *p)
{
    spec->prep.task = task_place(p->prep.answer.task);
    if (!spec->train.loss.row)
        spec->train.loss = pick_row(&loss_table, &p->model.loss->op->row);
    job_kind_of(spec)->resolve(spec, p);
}

static bool check_kind(const struct job_spec *spec, const struct prepared *p, const struct arena *a,
                       struct err *e)
{
    const struct job_kind *kind = job_kind_of(spec);
    return !kind->check || kind->check(spec, p, a, e);
}

// The model to start from, in `a`; without a network of its own the job takes that model's.
static bool take_start(struct call *c, struct job_spec *spec, struct model_file *from,
                       struct arena *a, struct err *e)
{
    if (!fine_tune_load(c->server->store, c->server->files, spec, from, c->halt, a, e))
        return false;
    if (spec->from && !spec->own_model) {
        size_t n = from->model.spec.n_layer;
        struct layer_spec *layer = arena_need(c->arena, n, sizeof *layer);
        memcpy(layer, from->model.spec.layer, n * sizeof *layer);
        spec->model.layer = layer;
        spec->model.n_layer = n;
    }
    return true;
}

// Do all that the worker will do short of training, and throw it away.
static bool check_trainable(struct call *c, const char *digest, struct job_spec *spec,
                            struct err *e)
{
    struct model_file from;
    struct arena a;
    struct prepared prepared;
    arena_init(&a, memory_of_job(c->server->settings));
    bool ok =
        take_start(c, spec, &from, &a, e) &&
        prepare_job(&prepared, c->server->files, digest, spec, &from, c->halt, &a, &c->faults, e) &&
        check_kind(spec, &prepared, &a, e);
    if (ok)
        resolve(spec, &prepared);
    else
        arena_correct(&a, e);
    arena_release(&a);
    return ok;
}

static const char *submit_definition(struct call *c, const struct job_spec *spec, struct err *e)
{
    struct job_spec shown = *spec;
    struct jsonw w;
    if (!spec->name)
        shown.name = INLINE_NAME;
    shown.data = (struct json_span){0};
    jsonw_init(&w, c->arena);
    job_spec_write(&w, NULL, &shown);
    return jsonw_text(&w, NULL, e);
}

static const char *metadata(struct call *c, const struct job_spec *spec)
{
    return spec->metadata.at ? arena_text(c->arena, spec->metadata.at, spec->metadata.len) : "null";
}

// What a repeated Idempotency-Key is compared with.
static const char *print_of(struct call *c)
{
    char *print = arena_need(c->arena, DIGEST_TEXT, 1);
    digest_of(&(struct digest_part){c->body, c->body_len}, 1, print);
    return print;
}

static bool reply_created(struct call *c, const struct job_row *row, bool replayed, struct err *e)
{
    c->status = replayed ? 200 : c->status;
    c->replayed = replayed ? "true" : NULL;
    c->location = arena_printf(c->arena, "/jobs/%lld", (long long)row->id);
    return job_reply_one(c, row, e);
}

// What the request's Idempotency-Key says; NULL when it has none.
struct once {
    const char *key, *print;
};

enum { KEY_MAX = 255 };

// A key that is not one would make two requests one, or one two.
static bool read_once(struct call *c, struct once *out, struct err *e)
{
    int n = call_header(c, "Idempotency-Key", &out->key);
    out->print = print_of(c);
    if (n > 1)
        return fail(e, ERR_INVALID, "header Idempotency-Key may be sent once only");
    return !out->key || (*out->key && strlen(out->key) <= KEY_MAX) ||
           fail(e, ERR_INVALID, "header Idempotency-Key must have 1 to %d characters", KEY_MAX);
}

static bool submit_job(struct call *c, const struct job_spec *spec, const char *digest,
                       const struct once *once, struct job_row *row, struct err *e)
{
    bool replayed;
    struct job_new job = {.name = spec->name ? spec->name : INLINE_NAME,
                          .dataset = spec->dataset,
                          .digest = digest,
                          .spec = submit_definition(c, spec, e),
                          .spec_version = JOB_STORED_VERSION,
                          .metadata = metadata(c, spec),
                          .priority = spec->priority,
                          .epochs = spec->planned,
                          .most = c->server->settings->max_jobs,
                          .key = once->key,
                          .print = once->print};
    if (job.spec && strlen(job.spec) > JOB_DEFINITION_MAX)
        return fail(e, ERR_TOO_LARGE, "the definition with its defaults is over %d bytes",
                    JOB_DEFINITION_MAX);
    return job.spec && store_job_submit(c->server->store, &job, row, &replayed, c->arena, e) &&
           reply_created(c, row, replayed, e);
}

static bool create_from_stored(struct call *c, struct job_spec *spec, const struct once *once,
                               struct err *e)
{
    struct dataset_row row;
    struct job_row job;
    return find_dataset(c, spec->dataset, &row, e) && check_trainable(c, row.digest, spec, e) &&
           submit_job(c, spec, row.digest, once, &job, e);
}

// The file of data that came along must not go before the job that needs it is there; it must go
// when there will be no job, or when the job has been there before and may have ended.
static bool store_inline(struct call *c, struct ingest *in, const char *digest,
                         struct job_spec *spec, const struct once *once, struct err *e)
{
    struct catalog_file file;
    struct dataset_info info;
    struct job_row job = {0};
    catalog_begin(c->server->catalog, SHELF_DATASETS, digest, &file);
    bool ok = ingest_end(in, &info, c->halt, c->arena, e) && check_trainable(c, digest, spec, e) &&
              submit_job(c, spec, digest, once, &job, e);
    file.job = (struct file_job){job.id, job.created_at};
    store_watch(NULL); // tidying is for us, whoever has left
    catalog_end(c->server->catalog, &file,
                job.id && !c->replayed ? CATALOG_WITH_JOB : CATALOG_UNSTORED, &(struct err){0});
    return ok;
}

static bool create_from_inline(struct call *c, struct job_spec *spec, const struct once *once,
                               struct err *e)
{
    char digest[DATASET_DIGEST];
    struct ingest *in = inline_read(c, spec->data, e);
    if (!in)
        return false;
    if (ingest_digest(in, digest, e))
        return store_inline(c, in, arena_text(c->arena, digest, strlen(digest)), spec, once, e);
    ingest_abort(in);
    return false;
}

static bool create(struct call *c, const struct once *once, struct err *e)
{
    struct job_spec spec;
    bool ok = job_spec_read(c->body, c->body_len, &spec, c->arena, &c->faults, e) &&
              check_threads(c->server->settings, spec.train.threads, e) &&
              (spec.dataset ? create_from_stored : create_from_inline)(c, &spec, once, e);
    if (!ok)
        faults_place(&c->faults, e);
    return ok;
}

// The first answer once more. The request is read again only for the notes on it.
static bool answer_again(struct call *c, const struct job_row *row, struct err *e)
{
    struct job_spec spec;
    struct err ignored = {0};
    job_spec_read(c->body, c->body_len, &spec, c->arena, &c->faults, &ignored);
    return reply_created(c, row, true, e);
}

// A key that is known is answered before anything else is looked at: data that the first request
// found may have been deleted since. One that comes twice at the same time is sorted out when the
// second job is stored.
bool job_create(struct call *c, struct err *e)
{
    struct job_row row;
    bool known = false;
    struct once once;
    if (!read_once(c, &once, e))
        return false;
    if (once.key &&
        !store_job_replay(c->server->store, once.key, once.print, &row, &known, c->arena, e))
        return false;
    return known ? answer_again(c, &row, e) : create(c, &once, e);
}
