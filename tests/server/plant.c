// SPDX-License-Identifier: MIT
// See plant.h.

#include "tests/server/plant.h"

#include "api/files/model_file.h"
#include "api/schema/job_schema.h"
#include "engine/table/task.h"

#include <dirent.h>
#include <ftw.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static void need(bool ok, const struct err *e)
{
    ck_assert_msg(ok, "%s", e->text);
}

void plant_open(struct plant *p)
{
    int64_t requeued;
    p->err = (struct err){0};
    p->store = store_open(p->dir, &clock_system, &p->err);
    need(p->store, &p->err);
    p->files = files_new(store_dir(p->store));
    need(files_prepare(p->files, &p->err), &p->err);
    need(catalog_check(p->store, p->files, &p->err), &p->err);
    p->catalog = catalog_open(p->store, p->files, &p->strangers, &p->err);
    need(p->catalog, &p->err);
    p->queue = queue_new(p->store, &clock_system, &requeued, &p->err);
    need(p->queue, &p->err);
    p->cache = cache_new(p->store, p->files, 8, (size_t)1 << 30);
}

void plant_init(struct plant *p)
{
    *p = (struct plant){.dir = "/tmp/mlpd-test-XXXXXX", .log = {2, LEVEL_OFF}};
    ck_assert_ptr_nonnull(mkdtemp(p->dir));
    settings_default(&p->settings);
    p->settings.data = p->dir;
    arena_init(&p->arena, 256 << 20);
    plant_open(p);
}

void plant_work(struct plant *p, int workers)
{
    const struct worker_config c = {&p->settings, &p->log,  p->store, p->files,
                                    p->catalog,   p->queue, 4};
    p->settings.workers = workers;
    p->workers = workers_start(&c, &p->err);
    need(p->workers, &p->err);
}

void plant_close(struct plant *p)
{
    queue_drain(p->queue);
    workers_join(p->workers);
    cache_free(p->cache);
    queue_free(p->queue);
    catalog_close(p->catalog);
    files_free(p->files);
    store_close(p->store);
    p->workers = NULL;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st;
    (void)type;
    (void)at;
    return remove(path);
}

void plant_release(struct plant *p)
{
    plant_close(p);
    arena_release(&p->arena);
    ck_assert_int_eq(nftw(p->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

bool plant_upload(struct plant *p, const char *name, const char *csv, char digest[DATASET_DIGEST],
                  struct arena *a, struct err *e)
{
    struct dataset_info info;
    struct dataset_row row;
    struct ingest *in = ingest_begin(p->files, NULL, e);
    if (!in)
        return false;
    if (!ingest_piece(in, csv, strlen(csv), e)) {
        ingest_abort(in);
        return false;
    }
    struct catalog_file file;
    if (!ingest_digest(in, digest, e)) {
        ingest_abort(in);
        return false;
    }
    if (name)
        catalog_begin(p->catalog, SHELF_DATASETS, digest, &file);
    bool ok = ingest_end(in, &info, NULL, a, e);
    const struct dataset_new d = {
        name, info.digest, "{}", (int64_t)info.n_row, (int64_t)info.n_column, (int64_t)info.bytes};
    ok = ok && (!name || store_dataset_put(p->store, &d, &row, a, e));
    return !name ? ok
                 : catalog_end(p->catalog, &file, ok ? CATALOG_STORED : CATALOG_UNSTORED, e) && ok;
}

const char *plant_table(struct plant *p, int rows)
{
    char *csv = arena_need(&p->arena, (size_t)rows + 1, 32), *at = csv;
    at += sprintf(at, "x,group,y\n");
    for (int i = 0; i < rows; i++)
        at += sprintf(at, "%.3f,%c,%.3f\n", i * .01, 'a' + i % 3, sin(i * .01));
    return csv;
}

const char *plant_definition(struct plant *p, const char *request)
{
    struct job_spec spec;
    struct faults f;
    struct jsonw w;
    faults_init(&f, &p->arena);
    need(job_spec_read(request, strlen(request), &spec, &p->arena, &f, &p->err), &p->err);
    jsonw_init(&w, &p->arena);
    job_spec_write(&w, NULL, &spec);
    const char *text = jsonw_text(&w, NULL, &p->err);
    need(text != NULL, &p->err);
    return text;
}

int64_t plant_submit(struct plant *p, const char *dataset, const char *digest, const char *request)
{
    struct job_row row;
    bool replayed;
    const struct job_new job = {.name = dataset ? dataset : "inline",
                                .dataset = dataset,
                                .digest = digest,
                                .spec = strcmp(request, "{}") == 0 ? request
                                                                   : plant_definition(p, request),
                                .spec_version = JOB_STORED_VERSION,
                                .metadata = "{}"};
    need(store_job_submit(p->store, &job, &row, &replayed, &p->arena, &p->err), &p->err);
    if (!dataset) {
        struct catalog_file file;
        catalog_begin(p->catalog, SHELF_DATASETS, digest, &file);
        file.job = (struct file_job){row.id, row.created_at};
        need(catalog_end(p->catalog, &file, CATALOG_WITH_JOB, &p->err), &p->err);
    }
    return row.id;
}

struct job_row plant_job(struct plant *p, int64_t id)
{
    struct job_row row;
    need(store_job_get(p->store, id, &row, &p->arena, &p->err), &p->err);
    return row;
}

static bool ended(const struct job_row *row)
{
    return row->state == JOB_SUCCEEDED || row->state == JOB_FAILED || row->state == JOB_CANCELLED;
}

struct job_row plant_await(struct plant *p, int64_t id, enum job_state state, int64_t epochs)
{
    const struct timespec pause = {.tv_nsec = 2000000};
    for (;;) {
        struct arena_mark mark = arena_mark(&p->arena);
        struct job_row row = plant_job(p, id);
        if (row.state == state && row.epoch >= epochs)
            return row;
        ck_assert_msg(!ended(&row), "job %d is %d: %s", (int)id, row.state,
                      row.error_text ? row.error_text : "");
        arena_rewind(&p->arena, mark);
        nanosleep(&pause, NULL);
    }
}

#define SPEC_OF(layers) "{\"dataset\":\"d\",\"target\":\"t\",\"model\":{\"layers\":[" layers "]}}"

// One input; weights 0 and the value as the last bias.
static const char *constant_model(struct plant *p, double value, const char *text, struct model *m,
                                  size_t *len)
{
    struct job_spec spec;
    struct faults faults;
    struct prep_column *column = arena_zalloc(&p->arena, 1, sizeof *column);
    *column = (struct prep_column){.name = "x", .width = 1, .std = 1};
    static double scale[2] = {0, 1};
    static const char *const target[] = {"t"};
    const struct prep prep = {.column = column,
                              .n_column = 1,
                              .n_feature = 1,
                              .answer = {.task = &task_regression,
                                         .target = target,
                                         .n_target = 1,
                                         .mean = &scale[0],
                                         .std = &scale[1]}};
    faults_init(&faults, &p->arena);
    need(job_spec_read(text, strlen(text), &spec, &p->arena, &faults, &p->err), &p->err);
    const struct model_task task = {.answer = &prep.answer, .n_in = 1, .loss = &spec.train.loss};
    need(model_build(m, &spec.model, &task, &p->arena, &p->err), &p->err);
    m->value[m->n_trained - 1] = (real)value;
    return model_file_header(m, &prep, "m", text, len, &p->arena, &p->err);
}

static int64_t publish(struct plant *p, const char *name, double value, const char *spec)
{
    struct model m;
    struct job_claim claim;
    char digest[DIGEST_TEXT], data[DATASET_DIGEST];
    struct model_new made = {name, digest, "regression", "{}", 0};
    size_t len;
    const char *header = constant_model(p, value, spec, &m, &len);
    need(header != NULL, &p->err);
    const struct digest_part file[] = {{header, len}, {m.value, m.n_value * sizeof *m.value}};
    made.bytes = (int64_t)(file[0].len + file[1].len);
    digest_of(file, 2, digest);
    struct catalog_file coming;
    catalog_begin(p->catalog, SHELF_MODELS, digest, &coming);
    need(model_store_save(p->files, file, digest, NULL, &p->err), &p->err);
    memset(data, 'a', sizeof data);
    data[sizeof data - 1] = '\0';
    int64_t id = plant_submit(p, NULL, data, spec);
    need(store_job_claim(p->store, "test", &claim, &p->arena, &p->err) && claim.job.id == id,
         &p->err);
    struct job_end end = {.state = JOB_SUCCEEDED, .model = &made};
    need(store_job_finish(p->store, &claim.lease, &end, &p->err), &p->err);
    need(catalog_end(p->catalog, &coming, CATALOG_STORED, &p->err), &p->err);
    return id;
}

int64_t plant_publish(struct plant *p, const char *name, double value)
{
    return publish(p, name, value, SPEC_OF(""));
}

int64_t plant_publish_wide(struct plant *p, const char *name, double value)
{
    return publish(p, name, value, SPEC_OF("65536"));
}

const char *plant_path(const struct plant *p, const char *name)
{
    static char path[256];
    snprintf(path, sizeof path, "%s/%s", p->dir, name);
    return path;
}

int plant_files(const struct plant *p, const char *folder)
{
    int n = 0;
    DIR *d = opendir(plant_path(p, folder));
    ck_assert_ptr_nonnull(d);
    for (const struct dirent *entry; (entry = readdir(d));)
        n += *entry->d_name != '.';
    closedir(d);
    return n;
}

static bool count_question(void *ctx)
{
    struct plant_halt *h = ctx;
    return ++h->asked >= h->last && h->last;
}

struct halt plant_halt(struct plant_halt *h, int last)
{
    *h = (struct plant_halt){.last = last};
    return (struct halt){count_question, h};
}
