// SPDX-License-Identifier: MIT
// See reply.h. What several handlers print or ask: a job, a page of a list, numbers of the query.
// Text that was stored as JSON is looked through before it becomes part of a reply, since a damaged
// database holds anything.

#include "server/handlers/reply.h"

#include "api/json/json_in.h"
#include "api/schema/rendering.h"
#include "server/base/clock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct jsonw reply_begin(struct call *c)
{
    struct jsonw w;
    jsonw_init(&w, c->arena);
    jsonw_object(&w, NULL);
    return w;
}

bool reply_text(struct call *c, struct jsonw *w, struct err *e)
{
    size_t len;
    const char *text = jsonw_line(w, &len, e);
    return text && call_reply(c, text, len);
}

bool reply_end(struct call *c, struct jsonw *w, struct err *e)
{
    jsonw_end(w);
    return reply_text(c, w, e);
}

bool reply_render(struct call *c, const void *model, struct err *e)
{
    size_t len;
    const char *text = c->rendering->write(model, &len, c->arena, e);
    return text && call_reply(c, text, len);
}

void reply_time(struct jsonw *w, const char *key, int64_t ms)
{
    if (ms)
        jsonw_real(w, key, (double)ms / 1000);
    else
        jsonw_null(w, key);
}

bool reply_stored(const char *json, bool object, struct arena *a, struct err *e)
{
    struct err why = {0};
    struct faults faults;
    faults_init(&faults, a);
    if (!json_scan(json, strlen(json), NULL, 0, a, &faults, &why))
        return fail(e, why.kind == ERR_MALFORMED ? ERR_INTERNAL : why.kind,
                    "the database is damaged, restore a backup: stored JSON: %s", why.text);
    struct json_in in = json_in((struct json_span){json, strlen(json)});
    return !object || json_kind(&in) == JSON_OBJECT ||
           fail(e, ERR_INTERNAL, "the database is damaged, restore a backup: stored JSON is %s",
                json_kind_name(json_kind(&in)));
}

void reply_members(struct jsonw *w, const char *json, struct arena *a)
{
    struct json_in in = json_in((struct json_span){json, strlen(json)});
    struct json_text key;
    for (json_enter(&in); json_key(&in, &key, a);) {
        struct json_span value = json_skip(&in);
        if (key.at)
            jsonw_raw(w, arena_text(a, key.at, key.len), value);
    }
}

void reply_member(struct jsonw *w, const char *json, const char *key, struct arena *a)
{
    struct json_in in = json_in((struct json_span){json, strlen(json)});
    struct json_text k;
    for (json_enter(&in); json_key(&in, &k, a);) {
        struct json_span value = json_skip(&in);
        if (k.at && strlen(key) == k.len && memcmp(key, k.at, k.len) == 0)
            jsonw_raw(w, key, value);
    }
}

bool query_int(const struct call *c, const char *name, int64_t def, int64_t min, int64_t max,
               int64_t *out, struct err *e)
{
    const char *text = call_query(c, name);
    char *end;
    *out = def;
    if (!text)
        return true;
    errno = 0;
    long long n = strtoll(text, &end, 10);
    *out = n;
    return (*text && !*end && !errno && n >= min && n <= max) ||
           fail(e, ERR_INVALID,
                "query parameter \"%s\" must be a whole number from %lld to %lld, got \"%.32s\"",
                name, (long long)min, (long long)max, text);
}

bool query_page(struct call *c, size_t *limit, int64_t *after, struct err *e)
{
    enum { PAGE = 20, QUICK_PAGE = 100 }; // rows, of some kilobytes each
    int64_t n;
    bool ok = query_int(c, "limit", PAGE, 1, STORE_PAGE, &n, e) &&
              query_int(c, "after", 0, 0, INT64_MAX, after, e);
    *limit = (size_t)n;
    return ok && (c->pace || n <= QUICK_PAGE || call_defer(c, PACE_SECONDS));
}

struct jsonw reply_list_begin(struct call *c)
{
    struct jsonw w = reply_begin(c);
    jsonw_string(&w, "object", "list");
    jsonw_array(&w, "data");
    return w;
}

static void id_or_null(struct jsonw *w, const char *key, int64_t id)
{
    if (id)
        jsonw_int(w, key, id);
    else
        jsonw_null(w, key);
}

bool reply_list_end(struct call *c, struct jsonw *w, bool more, int64_t first, int64_t last,
                    struct err *e)
{
    jsonw_end(w);
    jsonw_bool(w, "has_more", more);
    id_or_null(w, "first_id", first);
    id_or_null(w, "last_id", last);
    return reply_end(c, w, e);
}

static void job_progress(struct jsonw *w, const struct job_row *j)
{
    jsonw_object(w, "progress");
    jsonw_real(w, "fraction",
               j->state == JOB_SUCCEEDED ? 1
               : j->steps                ? (double)j->step / (double)j->steps
                                         : 0);
    jsonw_int(w, "epoch", j->epoch);
    jsonw_int(w, "epochs", j->epochs);
    jsonw_int(w, "step", j->step);
    jsonw_int(w, "steps", j->steps);
    jsonw_end(w);
}

// What is left at the pace so far. Both the steps and the time they took are the run's own report,
// so no change of the clock gets in.
static void job_eta(struct jsonw *w, const struct job_row *j)
{
    if (j->state != JOB_RUNNING || j->step == 0) {
        jsonw_null(w, "eta_seconds");
        jsonw_null(w, "estimated_finish");
        return;
    }
    double left = (double)j->elapsed / 1000 * (double)(j->steps - j->step) / (double)j->step;
    jsonw_real(w, "eta_seconds", left);
    jsonw_real(w, "estimated_finish", (double)clock_wall(&clock_system) / 1000 + left);
}

static void job_best(struct jsonw *w, const struct job_row *j)
{
    if (!j->best_epoch) {
        jsonw_null(w, "best");
        return;
    }
    jsonw_object(w, "best");
    jsonw_int(w, "epoch", j->best_epoch);
    jsonw_string(w, "metric", j->best_metric);
    jsonw_real(w, "value", j->best_value);
    jsonw_end(w);
}

static void job_error(struct jsonw *w, const struct job_row *j)
{
    if (!j->error_kind) {
        jsonw_null(w, "error");
        return;
    }
    jsonw_object(w, "error");
    jsonw_string(w, "code", j->error_kind);
    jsonw_string(w, "message", j->error_text);
    jsonw_string(w, "param", j->error_at && *j->error_at ? j->error_at : NULL);
    jsonw_end(w);
}

static void job_model(struct jsonw *w, const struct job_row *j)
{
    if (!j->model) {
        jsonw_null(w, "model");
        return;
    }
    jsonw_object(w, "model");
    jsonw_string(w, "name", j->model);
    jsonw_int(w, "version", j->version);
    jsonw_end(w);
}

static void job_urls(struct jsonw *w, const struct job_row *j, struct arena *a)
{
    static const char below[] = "/jobs/{id}/";
    const char *self = arena_printf(a, "/jobs/%lld", (long long)j->id);
    jsonw_object(w, "urls");
    jsonw_string(w, "self", self);
    for (size_t i = 0; i < route_count; i++) {
        const char *path = route_table[i].path, *what = path + sizeof below - 1;
        if (strncmp(path, below, sizeof below - 1) == 0 && !strchr(what, '/'))
            jsonw_string(w, what, arena_printf(a, "%s/%s", self, what));
    }
    jsonw_end(w);
}

static void job_notes(struct jsonw *w, const struct faults *f)
{
    jsonw_array(w, "notes");
    for (size_t i = 0; i < f->n_note; i++)
        jsonw_string(w, NULL, f->note[i]);
    jsonw_end(w);
}

void reply_job(struct jsonw *w, const char *key, const struct job_row *j, const struct faults *f,
               struct arena *a)
{
    bool stopping = j->state == JOB_RUNNING && j->cancel_requested;
    jsonw_object(w, key);
    jsonw_int(w, "id", j->id);
    jsonw_string(w, "object", "job");
    jsonw_string(w, "name", j->name);
    jsonw_string(w, "status", stopping ? "cancelling" : job_state_word(j->state));
    jsonw_string(w, "dataset", j->dataset);
    jsonw_string(w, "dataset_digest", j->digest);
    reply_time(w, "created_at", j->created_at);
    reply_time(w, "queued_at", j->queued_at);
    reply_time(w, "started_at", j->started_at);
    reply_time(w, "finished_at", j->finished_at);
    reply_time(w, "run_at", j->run_at);
    if (j->position)
        jsonw_int(w, "queue_position", j->position - 1);
    else
        jsonw_null(w, "queue_position");
    jsonw_int(w, "attempt", j->attempt);
    jsonw_int(w, "crashes", j->crashes);
    jsonw_int(w, "deaths", j->deaths);
    jsonw_bool(w, "runs_alone", j->blame >= BLAME_SUSPECT && !job_ended(j->state));
    job_progress(w, j);
    jsonw_real(w, "elapsed_seconds", (double)j->elapsed / 1000);
    job_eta(w, j);
    job_best(w, j);
    job_error(w, j);
    job_model(w, j);
    jsonw_int(w, "priority", j->priority);
    jsonw_json(w, "metadata", j->metadata);
    if (j->spec)
        jsonw_json(w, "definition", j->spec);
    if (f && f->n_note)
        job_notes(w, f);
    job_urls(w, j, a);
    jsonw_end(w);
}
