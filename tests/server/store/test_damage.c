// SPDX-License-Identifier: MIT
// A damaged database holds anything anywhere. Every column of every table gets values that it can
// never have by our own doing, and then everything is asked that reads: each GET of the route table
// and what workers ask the store. All must answer, or say that the database is damaged.
#include "server/handlers/handlers.h"
#include "tests/server/plant.h"
#include "tests/server/http/raw.h"
#include "server/http/router.h"
#include "api/schema/job_schema.h"
#include "server/handlers/server.h"

#include <cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const tables[] = {"jobs",       "datasets", "models",    "job_metrics",
                                     "job_series", "job_rows", "job_events"};
enum { TABLES = sizeof tables / sizeof *tables };

static const char *const wrong[] = {"NULL",
                                    "-1",
                                    "9223372036854775807",
                                    "9007199254740992",
                                    "0.5",
                                    "'x'",
                                    "''",
                                    "x'0f'",
                                    "x'00ff'",
                                    "zeroblob(24)",
                                    "zeroblob(40)",
                                    "zeroblob(64)",
                                    "randomblob(56)",
                                    "'a' || char(0) || 'b'",
                                    "CAST(x'ff' AS TEXT)",
                                    "'a b c'",
                                    "'a b c d e'",
                                    "'{'",
                                    "'{\"a\":'",
                                    "'5'",
                                    "'[]'",
                                    "'{}'",
                                    "'{\"epochs\":0}'",
                                    "'{\"\\ud800\":1}'",
                                    "'{\"classes\":{}}'"};
enum { WRONG = sizeof wrong / sizeof *wrong, BLOB_VALUE = 8 };

// Columns that are not read back into a row of ours, or by which rows are found: what is wrong
// there is not found.
static const char *const unread[] = {
    "jobs.owner",         "jobs.run_at",         "jobs.idem_key",      "jobs.idem_print",
    "jobs.lease",         "jobs.lease_until",    "datasets.newest",    "models.newest",
    "job_metrics.job_id", "job_metrics.attempt", "job_series.job_id",  "job_rows.job_id",
    "job_series.attempt", "job_series.list",     "job_series.ordinal", "job_events.job_id"};

static bool sql(struct plant *p, const char *text)
{
    return raw_sql(p->store, text);
}

// A succeeded job with a model, one that waits, and a sweep over learning rates.
static const char fill[] =
    "INSERT INTO jobs (name, digest, spec, metadata, created_at, queued_at, finished_at, state) "
    "SELECT 'n', digest, '', 'null', 1, 1, 1, 'succeeded' FROM datasets LIMIT 1;"
    "INSERT INTO jobs (name, dataset, digest, spec, metadata, created_at, queued_at, idem_key) "
    "SELECT 'n', 'd', digest, '', 'null', 1, 1, 'key' FROM datasets LIMIT 1;"
    "INSERT INTO job_series (job_id, attempt, list, ordinal, scope, name, type) VALUES "
    "(1, 1, 0, 0, '', 'train_loss', 'real'), (1, 1, 0, 1, '', 'lr', 'whole'), "
    "(1, 1, 1, 0, 'output', 'std', 'real'), (2, 1, 0, 0, '', 'lr', 'real'), "
    "(2, 1, 0, 1, '', 'loss', 'real'), (2, 1, 0, 2, '', 'smoothed_loss', 'real');"
    "INSERT INTO job_metrics WITH n(i) AS (VALUES (1), (2), (3)) SELECT 1, 1, i, i, "
    "zeroblob(16), zeroblob(8) FROM n;"
    "INSERT INTO job_metrics WITH n(i) AS (VALUES (1), (2), (3)) SELECT 2, 1, i, i, "
    "zeroblob(24), NULL FROM n;"
    "INSERT INTO job_series (job_id, attempt, list, ordinal, scope, name, type) VALUES "
    "(2, 0, 2, 0, '', 'row', 'whole');"
    "INSERT INTO job_rows (job_id, first, vals) VALUES (2, 0, zeroblob(24))";

// Without constraints, types and triggers, as nothing looks at them when a file is read.
static const char loosen[] =
    "PRAGMA writable_schema = ON;"
    "DELETE FROM sqlite_schema WHERE type = 'trigger';"
    "UPDATE sqlite_schema SET sql = replace(replace(replace(replace(replace(replace(replace("
    "replace(replace(replace(replace(replace(sql, ' IS NOT NULL', ' NOTNULL'), ' NOT NULL', ''), ' "
    "STRICT, WITHOUT', ' WITHOUT'), "
    "') STRICT', ')'), ' REFERENCES jobs (id) ON DELETE CASCADE', ''), "
    "' REFERENCES jobs (id) ON DELETE SET NULL', ''), ' INTEGER PRIMARY', '@'), ' INTEGER', ' '), "
    "' TEXT', ' '), ' BLOB', ' '), ' REAL', ' '), '@', ' INTEGER PRIMARY') WHERE type = 'table' "
    "AND name NOT LIKE 'sqlite_%'";

static const char sweep[] = "{\"kind\":\"lr_finder\",\"dataset\":\"d\",\"target\":\"y\"}",
                  training[] = "{\"dataset\":\"d\",\"target\":\"y\"}";

static void put_definition(struct plant *p, int id, const char *text)
{
    size_t room = strlen(text) + 128;
    char *out = arena_need(&p->arena, room, 1);
    snprintf(out, room, "UPDATE jobs SET spec_version = %d, spec = '%s' WHERE id = %d",
             JOB_STORED_VERSION, text, id);
    ck_assert(sql(p, out));
}

static void damage_schema(struct plant *p)
{
    plant_close(p);
    ck_assert(raw_sql_closed(plant_path(p, "mlpd.db"), loosen));
    plant_open(p);
    ck_assert(sql(p, "PRAGMA ignore_check_constraints = ON"));
}

static void fill_all(struct plant *p)
{
    char digest[DATASET_DIGEST];
    plant_init(p);
    NEED_IN(p, plant_upload(p, "d", "x,y\n1,2\n3,4\n", digest, &p->arena, &p->err));
    plant_publish(p, "m", 1);
    ck_assert(sql(p, fill));
    put_definition(p, 2, plant_definition(p, sweep));
    put_definition(p, 3, plant_definition(p, training));
}

static void set_up(struct plant *p)
{
    char text[128];
    fill_all(p);
    damage_schema(p);
    for (int i = 0; i < TABLES; i++) {
        snprintf(text, sizeof text, "CREATE TABLE kept_%s AS SELECT * FROM %s", tables[i],
                 tables[i]);
        ck_assert(sql(p, text));
    }
}

// Put all tables back and one wrong value in every row of a column. False when SQLite has no place
// for it there.
static bool put_wrong(struct plant *p, const char *table, const char *column, const char *value)
{
    char text[2048];
    size_t n = 0;
    for (int i = 0; i < TABLES; i++)
        n += (size_t)snprintf(text + n, sizeof text - n,
                              "DELETE FROM %s; INSERT INTO %s SELECT * FROM kept_%s;", tables[i],
                              tables[i], tables[i]);
    snprintf(text + n, sizeof text - n, "UPDATE %s SET %s = %s", table, column, value);
    return sql(p, text);
}

// Asking -----------------------------------------------------------------------------------------

struct asked {
    const char *column, *value;
    bool noticed;
};

static void note(struct asked *w, const char *what, bool ok, const struct err *e)
{
    bool told = e->kind == ERR_INTERNAL || e->kind == ERR_NOT_FOUND || e->kind == ERR_CONFLICT ||
                (e->kind == ERR_INVALID && strcmp(w->column, "jobs.idem_print") == 0);
    ck_assert_msg(ok || told, "%s = %s: %s: %s: %s", w->column, w->value, what, err_word(e->kind),
                  e->text);
    w->noticed |= !ok && e->kind == ERR_INTERNAL;
}

static _Alignas(16) char nobody[1 << 16]; // in place of a connection: all zero

static void get_one(struct plant *p, struct asked *w, const struct route *row,
                    const struct rendering *rendering, const char *segment)
{
    struct err e = {0};
    struct server server = {.settings = &p->settings,
                            .log = &p->log,
                            .store = p->store,
                            .files = p->files,
                            .catalog = p->catalog,
                            .queue = p->queue,
                            .cache = p->cache,
                            .routes = {route_table, route_count}};
    struct target target = {.query = ""};
    struct call call = {.route = row,
                        .rendering = rendering,
                        .server = &server,
                        .arena = &p->arena,
                        .segment = {segment},
                        .target = &target,
                        .status = row->status,
                        .conn = nobody};
    struct arena_mark mark = arena_mark(&p->arena);
    faults_init(&call.faults, &p->arena);
    call.query = router_read_query(row, &target, &p->arena, &call.faults, &e);
    bool ok = row->handle(&call, &e);
    note(w, row->path, ok, &e);
    ck_assert_msg(!ok || call.out, "%s = %s: %s answers nothing", w->column, w->value, row->path);
    ck_assert_msg(!e.kind || e.kind != ERR_INTERNAL || call.faults.n == 0, "%s: %s", row->path,
                  e.text);
    arena_rewind(&p->arena, mark);
}

static void get_each_form(struct plant *p, struct asked *w, const struct route *row,
                          const char *segment)
{
    for (size_t r = 0; row->rendering ? row->rendering[r] != NULL : r < 1; r++)
        get_one(p, w, row, row->rendering ? row->rendering[r] : NULL, segment);
}

// All that is told of one job.
static void get_job(struct plant *p, struct asked *w, const char *id)
{
    for (size_t i = 0; i < route_count; i++)
        if (route_table[i].method == GET && strstr(route_table[i].path, "{id}"))
            get_each_form(p, w, &route_table[i], id);
}

static void get_all(struct plant *p, struct asked *w)
{
    static const char *const id[] = {"1", "2", "3"};
    for (size_t i = 0; i < sizeof id / sizeof *id; i++)
        get_job(p, w, id[i]);
    for (size_t i = 0; i < route_count; i++) {
        const struct route *row = &route_table[i];
        if (row->method == GET && !strstr(row->path, "{id}"))
            get_each_form(p, w, row, strstr(row->path, "models") ? "m" : "d");
    }
}

static void work_all(struct plant *p, struct asked *w)
{
    struct job_row row;
    struct job_claim claim;
    struct digest_list files;
    bool replayed;
    struct err e[5] = {0};
    char digest[65];
    memset(digest, 'a', 64);
    digest[64] = '\0';
    const struct job_new job = {
        .name = "n", .digest = digest, .spec = "{}", .metadata = "{}", .key = "key", .most = 9};
    note(w, "submit", store_job_submit(p->store, &job, &row, &replayed, &p->arena, &e[0]), &e[0]);
    note(w, "cancel", store_job_cancel(p->store, 3, &row, &p->arena, &e[1]), &e[1]);
    note(w, "claim", store_job_claim(p->store, "w", &claim, &p->arena, &e[2]), &e[2]);
    note(w, "files", store_dataset_files(p->store, "d", &files, &p->arena, &e[3]), &e[3]);
    note(w, "delete", store_dataset_delete(p->store, "d", &files, &p->arena, &e[4]), &e[4]);
}

static bool is_unread(const char *column)
{
    for (size_t i = 0; i < sizeof unread / sizeof *unread; i++)
        if (strcmp(unread[i], column) == 0)
            return true;
    return false;
}

static void try_column(struct plant *p, const char *table, const char *name)
{
    char column[2 * RAW_NAME];
    snprintf(column, sizeof column, "%.24s.%.31s", table, name);
    for (int i = 0; i < WRONG; i++) {
        struct asked w = {column, wrong[i], false};
        struct arena_mark mark = arena_mark(&p->arena);
        if (!put_wrong(p, table, name, wrong[i])) {
            ck_assert_msg(strstr(name, "id") || strstr(name, "newest") || strstr(name, "name") ||
                              strstr(name, "version") || strstr(name, "epoch") ||
                              strstr(name, "attempt") || strstr(name, "list") ||
                              strstr(name, "ordinal"),
                          "%s = %s", column, wrong[i]); // keys
            continue;
        }
        get_all(p, &w);
        if (strcmp(table, "jobs") == 0 || strcmp(table, "datasets") == 0)
            work_all(p, &w);
        if (i == BLOB_VALUE)
            ck_assert_msg(w.noticed || is_unread(column), "nobody noticed %s", column);
        arena_rewind(&p->arena, mark);
    }
}

LOOP_TEST(whatever_a_damaged_column_holds_is_an_error_and_no_crash, TABLES)
{
    struct plant p;
    char name[RAW_NAMES][RAW_NAME];
    set_up(&p);
    int n = raw_columns(p.store, tables[_i], name);
    ck_assert_int_gt(n, 2);
    for (int i = 0; i < n; i++)
        try_column(&p, tables[_i], name[i]);
    plant_release(&p);
}

// Stored definitions -----------------------------------------------------------------------------

// Between them every field has a value somewhere.
static const char *const request[] = {
    "{\"dataset\":\"d\",\"target\":\"y\",\"weights\":\"w\",\"class_weight\":{\"a\":2},"
    "\"features\":{\"exclude\":[\"u\",\"v\"],\"types\":{\"x\":\"numeric\"}},"
    "\"model\":{\"layers\":[{\"units\":4,\"norm\":\"batch\",\"init\":\"orthogonal\"}]},"
    "\"loss\":\"huber\",\"init\":{\"from\":\"m\",\"version\":1},"
    "\"param_groups\":[{\"match\":\"*.bias\",\"lr\":0.5}],"
    "\"regularization\":{\"max_norm\":3,\"gradient_clip_value\":1}}",
    "{\"kind\":\"lr_finder\",\"dataset\":\"d\",\"target\":[\"x\",\"y\"],"
    "\"class_weight\":\"balanced\",\"training\":{\"early_stopping\":null}}",
    "{\"kind\":\"cross_validation\",\"dataset\":\"d\",\"target\":\"y\"}",
};
enum { REQUESTS = sizeof request / sizeof *request };

struct damaging {
    struct plant *p;
    cJSON *whole;
};

static void definition_refused(struct damaging *d, const char *pointer, const char *what)
{
    struct job_spec spec;
    struct err e = {0};
    struct asked w = {"jobs.spec", pointer, false};
    struct arena_mark mark = arena_mark(&d->p->arena);
    char *text = cJSON_PrintUnformatted(d->whole);
    ck_assert_msg(!job_spec_read_stored(text, JOB_STORED_VERSION, &spec, &d->p->arena, &e) &&
                      e.kind == ERR_INVALID,
                  "%s %s", pointer, what);
    ck_assert_msg(strstr(e.text, "the stored definition is damaged: /") && strstr(e.text, pointer),
                  "%s %s: %s", pointer, what, e.text);
    put_definition(d->p, 2, text);
    get_job(d->p, &w, "2");
    ck_assert_msg(w.noticed, "nobody noticed %s %s", pointer, what);
    free(text);
    arena_rewind(&d->p->arena, mark);
}

// Without the member, and with one of another type: a list, or an object in place of a list.
static void damage_member(struct damaging *d, cJSON *in, const char *key, bool is_list,
                          const char *pointer)
{
    cJSON *own = cJSON_GetObjectItemCaseSensitive(in, key);
    ck_assert_msg(own, "%s is not stored", pointer);
    cJSON_DetachItemViaPointer(in, own);
    definition_refused(d, pointer, "missing");
    cJSON_AddItemToObject(in, key, cJSON_Parse(is_list ? "{\"?\":1}" : "[[]]"));
    definition_refused(d, pointer, "of another type");
    cJSON_DeleteItemFromObject(in, key);
    cJSON_AddItemToObject(in, key, own);
}

static void damage_pick(struct damaging *d, const struct field *f, cJSON *pick, const char *at)
{
    char pointer[128];
    size_t value;
    const struct hyper *hyper;
    const cJSON *type = cJSON_GetObjectItem(pick, "type");
    const struct row *row = table_find(f->table, type->valuestring);
    for (size_t k = 0; (hyper = hyper_at(f->table, row, k, &value)); k++) {
        snprintf(pointer, sizeof pointer, "%.90s/%.30s", at, hyper->name);
        damage_member(d, pick, hyper->name, false, pointer);
    }
    snprintf(pointer, sizeof pointer, "%.90s/type", at);
    damage_member(d, pick, "type", false, pointer);
}

static void damage_object(struct damaging *d, const struct schema *s, cJSON *in, const char *at)
{
    for (const struct field *f = s->field; f->key; f++) {
        char pointer[96], first[100];
        if (f->only && !cJSON_GetObjectItemCaseSensitive(in, f->key))
            continue; // of another kind of job
        snprintf(pointer, sizeof pointer, "%.60s/%.30s", at, f->key);
        snprintf(first, sizeof first, "%s/0", pointer);
        damage_member(d, in, f->key, f->type == FIELD_LIST, pointer);
        cJSON *own = cJSON_GetObjectItemCaseSensitive(in, f->key);
        if (f->type == FIELD_OBJECT && cJSON_IsObject(own))
            damage_object(d, f->sub, own, pointer);
        else if (f->type == FIELD_PICK && cJSON_IsObject(own))
            damage_pick(d, f, own, pointer);
        else if (f->type == FIELD_LIST && f->of == FIELD_OBJECT && cJSON_GetArraySize(own))
            damage_object(d, f->sub, cJSON_GetArrayItem(own, 0), first);
    }
}

LOOP_TEST(a_definition_damaged_in_any_field_is_told_by_its_name, REQUESTS)
{
    struct plant p;
    struct job_spec spec;
    fill_all(&p);
    const char *text = plant_definition(&p, request[_i]);
    NEED(job_spec_read_stored(text, JOB_STORED_VERSION, &spec, &p.arena, &p.err));
    struct damaging d = {&p, cJSON_Parse(text)};
    damage_object(&d, &job_schema, d.whole, "");
    cJSON_Delete(d.whole);
    plant_release(&p);
}

TEST(a_definition_of_another_version_is_told_apart)
{
    struct plant p;
    struct asked w = {"jobs.spec_version", "7", false};
    struct job_row row;
    struct job_spec spec;
    struct err e = {0};
    fill_all(&p);
    ck_assert(sql(&p, "UPDATE jobs SET spec_version = 7"));
    NEED(store_job_get(p.store, 2, &row, &p.arena, &p.err));
    ck_assert(!job_spec_read_stored(row.spec, row.spec_version, &spec, &p.arena, &e));
    ck_assert_str_eq(e.text, "the stored definition was written by another version of mlpd (7), "
                             "this one reads 1");
    get_job(&p, &w, "2");
    ck_assert(w.noticed);
    plant_release(&p);
}

// What a request may say and a stored definition does not.
TEST(a_stored_definition_is_read_as_it_was_written)
{
    static const struct {
        const char *from, *to, *told;
    } change[] = {
        {"\"target\":", "\"label\":", "/label"},
        {"\"type\":\"cosine\"", "\"type\":\"cosine_annealing\"", "/schedule/type"},
        {"\"lr\":", "\"learning_rate\":", "/optimizer/lr"},
        {"\"epochs\":", "\"max_iter\":", "/training/max_iter"},
        {"\"name\":", "\"solver\":\"adam\",\"name\":", "/solver: unknown field"},
        {"\"name\":", "\"version\":1,\"name\":", "/version"},
        {"\"name\":", "\"lr_finder\":{},\"name\":", "/lr_finder"},
        {"\"lr\":", "\"learning_rate\":0.5,\"lr\":", "/optimizer/learning_rate"},
    };
    struct plant p;
    plant_init(&p);
    const char *text = plant_definition(&p, training);
    for (size_t i = 0; i < sizeof change / sizeof *change; i++) {
        struct job_spec spec;
        struct err e = {0};
        const char *at = strstr(text, change[i].from);
        ck_assert_msg(at, "%s", change[i].from);
        const char *changed = arena_printf(&p.arena, "%.*s%s%s", (int)(at - text), text,
                                           change[i].to, at + strlen(change[i].from));
        ck_assert_msg(!job_spec_read_stored(changed, JOB_STORED_VERSION, &spec, &p.arena, &e), "%s",
                      change[i].to);
        ck_assert_msg(strstr(e.text, arena_printf(&p.arena, "is damaged: %s", change[i].told)),
                      "%s: %s", change[i].to, e.text);
    }
    plant_release(&p);
}
