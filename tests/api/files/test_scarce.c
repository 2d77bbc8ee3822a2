// SPDX-License-Identifier: MIT
// The system refuses memory, once, at every place in turn: what is read then fails for want of
// memory, whatever the place, or it reads the same as ever. The text is never at fault.

#include "api/schema/foreign.h"
#include "api/files/import.h"
#include "api/schema/inline.h"
#include "api/schema/job_schema.h"
#include "api/files/model_file.h"
#include "api/views/predict_json.h"
#include "api/views/problem.h"
#include "api/files/safetensors.h"
#include "api/views/views.h"

#include "tests/harness.h"
#include "tests/heap.h"
#include "engine/table/task.h"

#include <stdlib.h>
#include <string.h>

// Reads or writes something and returns what became of it as text in the arena, the same each time;
// NULL with an error.
typedef const char *scarce_work(const char *text, struct arena *a, struct err *e);

static const char *job_text(const struct job_spec *spec, const struct faults *f, struct arena *a,
                            struct err *e)
{
    struct jsonw w;
    jsonw_init(&w, a);
    jsonw_object(&w, NULL);
    job_spec_write(&w, "job", spec);
    jsonw_int(&w, "notes", (int64_t)f->n_note);
    jsonw_end(&w);
    return jsonw_text(&w, NULL, e);
}

static const char *work_job(const char *text, struct arena *a, struct err *e)
{
    struct job_spec spec;
    struct faults f;
    faults_init(&f, a);
    return job_spec_read(text, strlen(text), &spec, a, &f, e) ? job_text(&spec, &f, a, e) : NULL;
}

// Written as a job is stored, and read back.
static const char *work_stored(const char *text, struct arena *a, struct err *e)
{
    struct job_spec spec;
    struct faults f;
    struct jsonw w;
    faults_init(&f, a);
    if (!job_spec_read(text, strlen(text), &spec, a, &f, e))
        return NULL;
    jsonw_init(&w, a);
    job_spec_write(&w, NULL, &spec);
    const char *stored = jsonw_text(&w, NULL, e);
    return stored && job_spec_read_stored(stored, JOB_STORED_VERSION, &spec, a, e)
               ? job_text(&spec, &f, a, e)
               : NULL;
}

// A request with faults: the document tells of all of them.
static const char *work_problem(const char *text, struct arena *a, struct err *e)
{
    struct job_spec spec;
    struct faults f;
    struct err why = {0};
    int status;
    size_t len;
    faults_init(&f, a);
    if (job_spec_read(text, strlen(text), &spec, a, &f, &why) || why.kind != ERR_INVALID)
        return *e = why, NULL;
    bool lacked = a->lack == ARENA_NO_MEMORY;
    const char *body = problem_body(&why, &f, a, &status, &len);
    if (lacked || body != problem_of(ERR_INVALID)->plain)
        return lacked ? NULL : body;
    *e = why;
    return NULL;
}

static const char *work_inspect(const char *text, struct arena *a, struct err *e)
{
    struct inspect_request r;
    struct faults f;
    faults_init(&f, a);
    return schema_read(&inspect_request_schema, text, strlen(text), &r, a, &f, e)
               ? arena_printf(a, "%d %.*s", r.version, (int)r.instances.len, r.instances.at)
               : NULL;
}

struct gathered {
    char text[4096];
    size_t len;
};

static bool gather(void *ctx, const char *text, size_t len, struct err *e)
{
    struct gathered *g = ctx;
    (void)e;
    memcpy(g->text + g->len, text, len);
    g->len += len;
    return true;
}

static const char *work_inline(const char *text, struct arena *a, struct err *e)
{
    struct gathered g = {.len = 0};
    struct faults f;
    faults_init(&f, a);
    const struct json_span span = {text, strlen(text)};
    return inline_to_csv(span, gather, &g, a, &f, e) ? arena_printf(a, "%.*s", (int)g.len, g.text)
                                                     : NULL;
}

static const char *model_text(const struct model_file *m, struct arena *a, struct err *e)
{
    size_t len;
    const char *header = model_file_header(&m->model, &m->prep, m->name, m->job, &len, a, e);
    return header ? arena_printf(a, "%.*s %g", (int)len - 8, header + 8, (double)m->model.value[0])
                  : NULL;
}

static const char *import_text(const char *body, size_t len, const struct import_query *q,
                               struct arena *a, struct err *e)
{
    struct model_file m;
    struct faults f;
    faults_init(&f, a);
    return import_read(body, len, q, &m, a, &f, e) ? model_text(&m, a, e) : NULL;
}

static const char *work_import(const char *text, struct arena *a, struct err *e)
{
    return import_text(text, strlen(text), &(struct import_query){0}, a, e);
}

// Two linear layers of another program.
static const char *work_tensors(const char *text, struct arena *a, struct err *e)
{
    char file[512] = {0};
    const float weight[] = {1, 2, 3, 4, 5, 6};
    size_t n = strlen(text);
    file[0] = (char)n;
    memcpy(file + 8, text, n);
    memcpy(file + 8 + n, weight, sizeof weight);
    const struct import_query q = {"m", "tanh"};
    return import_text(file, 8 + n + sizeof weight, &q, a, e);
}

// A model of ours, made of the text, written and read again.
static const char *work_file(const char *text, struct arena *a, struct err *e)
{
    struct model_file m, again;
    struct faults f;
    size_t len;
    faults_init(&f, a);
    if (!import_read(text, strlen(text), &(struct import_query){0}, &m, a, &f, e))
        return NULL;
    const char *header = model_file_header(&m.model, &m.prep, m.name, text, &len, a, e);
    size_t size = m.model.n_value * sizeof *m.model.value;
    char *bytes = header ? arena_alloc(a, len + size + 1, 1) : NULL;
    if (!bytes)
        return fail(e, ERR_TOO_LARGE, "no room"), NULL;
    memcpy(bytes, header, len);
    memcpy(bytes + len, m.model.value, size);
    bytes[len + size] = '\0';
    return model_file_read(&again, bytes, len + size, a, e) ? model_text(&again, a, e) : NULL;
}

static const char *work_instances(const char *text, struct arena *a, struct err *e)
{
    static struct prep_column column[] = {
        {.name = "a", .at = 0, .width = 1, .std = 1},
        {.name = "city", .at = 1, .width = 1, .std = 1, .type = COLUMN_NUMERIC}};
    static const char *const target[] = {"y"};
    static double zero[1] = {0}, one[1] = {1};
    const struct prep p = {
        .column = column,
        .n_column = 2,
        .n_feature = 2,
        .answer = {
            .task = &task_regression, .target = target, .n_target = 1, .mean = zero, .std = one}};
    struct faults f;
    struct jsonw w;
    real *x;
    size_t n;
    faults_init(&f, a);
    if (!instances_read((struct json_span){text, strlen(text)}, &p, &x, &n, a, &f, e))
        return NULL;
    double answer[8];
    for (size_t i = 0; i < n; i++)
        answer[i] = (double)x[2 * i] + (double)x[2 * i + 1];
    jsonw_init(&w, a);
    jsonw_array(&w, NULL);
    predictions_write(&w, &p.answer, answer, n);
    jsonw_end(&w);
    return jsonw_text(&w, NULL, e);
}

#define KEYS                                                                                       \
    "\"k00\":0,\"k01\":0,\"k02\":0,\"k03\":0,\"k04\":0,\"k05\":0,\"k06\":0,\"k07\":0,\"k08\":0,"   \
    "\"k09\":0,\"k10\":0,\"k11\":0,\"k12\":0,\"k13\":0,\"k14\":0,\"k15\":0,\"k16\":0,\"k17\":0"

static const struct {
    const char *name;
    scarce_work *work;
    const char *text;
} scarce[] = {
    {"a job", work_job,
     "{\"dataset\":\"d\",\"target\":\"y\",\"model\":{\"layers\":[8,{\"units\":4,\"norm\":\"layer\"}"
     "]"
     ",\"init\":{\"type\":\"normal\",\"std\":0.1}},\"metadata\":{\"a\":{" KEYS "}},"
     "\"features\":{\"exclude\":[\"\\u0061\",\"b\"],\"types\":{\"c\":\"numeric\"}}}"},
    {"a job in the words of others", work_job,
     "{\"dataset\":\"d\",\"target\":\"y\",\"hidden_layer_sizes\":[4,5],\"solver\":\"adam\","
     "\"activation\":\"tanh_with_dropout\",\"alpha\":0.01,\"learning_rate\":\"adaptive\","
     "\"beta_1\":0.8,\"hidden_dropout_ratios\":[0.1,0.2],\"stopping_rounds\":0,\"max_w2\":4,"
     "\"initial_weight_distribution\":\"normal\",\"initial_weight_scale\":2,\"max_iter\":9}"},
    {"a job with its data", work_job,
     "{\"target\":\"y\",\"data\":{\"columns\":[\"x\",\"y\"],\"rows\":[[1,2],[3,4]]}}"},
    {"a job with targets", work_job, "{\"data\":{\"x\":[[1],[2]],\"y\":[[1,2],[3,4]]}}"},
    {"a stored job", work_stored,
     "{\"kind\":\"train\",\"dataset\":\"d\",\"target\":\"y\",\"model\":{\"layers\":[{\"units\":8}]}"
     ","
     "\"optimizer\":{\"type\":\"adamw\"}}"},
    {"faults", work_problem,
     "{\"datasets\":\"d\",\"target\":7,\"model\":{\"layers\":[0,{\"unit\":1}]},\"optimizer\":"
     "\"adm\"}"},
    {"a request to look inside", work_inspect,
     "{\"version\":3,\"instances\":[[1,2],{\"a\":1}],\"targets\":null}"},
    {"data", work_inline,
     "{\"columns\":[\"x\\u00e9\",\"y\"],\"rows\":[[1,\"\\u00e4\"],[true,null],[\"a\\\"b\",-1e5]]}"},
    {"an imported model", work_import,
     "{\"name\":\"m\",\"inputs\":[\"a\",\"b\"],\"classes\":[\"n\",\"\\u0079\"],\"layers\":["
     "{\"weight\":[[1,2],[3,4]],\"bias\":[0.5,1],\"activation\":\"tanh\",\"norm\":\"layer\","
     "\"parameters\":{\"norm.weight\":[2,2]}},{\"weight\":[[1,2]],\"activation\":\"sigmoid\"}]}"},
    {"an imported model without names", work_import,
     "{\"name\":\"m\",\"layers\":[{\"weight\":[[1,2],[3,4]],\"activation\":\"relu\"}]}"},
    {"a file of others", work_tensors,
     "{\"0.weight\":{\"dtype\":\"F32\",\"shape\":[2,2],\"data_offsets\":[0,16]},"
     "\"2.weight\":{\"dtype\":\"F32\",\"shape\":[1,2],\"data_offsets\":[16,24]}}"},
    {"a file of ours", work_file,
     "{\"name\":\"m\",\"inputs\":[\"a\",\"b\"],\"classes\":[\"n\",\"y\"],\"layers\":["
     "{\"weight\":[[1,2]],\"activation\":\"sigmoid\"}]}"},
    {"instances", work_instances, "[[1,2],{\"a\":3,\"city\":\"\\u0034\"},[null,\"5\"]]"},
};

static const char *outcome(int i, unsigned long k, struct arena *a, struct err *e)
{
    arena_init(a, 8 << 20);
    heap_fail(k);
    const char *text = scarce[i].work(scarce[i].text, a, e);
    heap_fail(0);
    if (!text)
        arena_correct(a, e);
    return text;
}

LOOP_TEST(whatever_is_read_without_memory_fails_for_want_of_memory, sizeof scarce / sizeof *scarce)
{
    struct arena full, a;
    struct err e = {0};
    const char *whole = outcome(_i, 0, &full, &e);
    ck_assert_msg(whole, "%s: %s", scarce[_i].name, e.text);
    unsigned long k = 0, failed = 0;
    do {
        struct err why = {0};
        const char *text = outcome(_i, ++k, &a, &why);
        if (text)
            ck_assert_str_eq(text, whole);
        else
            ck_assert_msg(why.kind == ERR_BUSY, "%s, allocation %lu: %s: %s", scarce[_i].name, k,
                          err_word(why.kind), why.text);
        failed += !text;
        arena_release(&a);
    } while (heap_has_failed());
    ck_assert_msg(failed > 0, "%s", scarce[_i].name);
    arena_release(&full);
}
