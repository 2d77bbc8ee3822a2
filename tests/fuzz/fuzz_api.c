// SPDX-License-Identifier: MIT
// Targets of api/: bodies of requests, stored definitions, model files.

#include "tests/fuzz/fuzz_api.h"

#include "engine/model/gradcheck.h"
#include "api/files/import.h"
#include "api/schema/inline.h"
#include "api/schema/job_schema.h"
#include "api/json/json_in.h"
#include "api/files/model_file.h"
#include "engine/model/predict.h"
#include "api/views/predict_json.h"
#include "api/files/prep_json.h"
#include "api/views/problem.h"
#include "api/views/trace_json.h"
#include "api/views/views.h"
#include "engine/table/task.h"

#include <stdlib.h>
#include <string.h>

enum { MEMORY = 64 << 20 };

const char *const fuzz_job_words[] = {"dataset",
                                      "target",
                                      "data",
                                      "x",
                                      "y",
                                      "columns",
                                      "rows",
                                      "model",
                                      "layers",
                                      "units",
                                      "init",
                                      "from",
                                      "version",
                                      "optimizer",
                                      "type",
                                      "lr",
                                      "adamw",
                                      "sgd",
                                      "lbfgs",
                                      "muon",
                                      "schedule",
                                      "plateau",
                                      "training",
                                      "epochs",
                                      "steps",
                                      "early_stopping",
                                      "metric",
                                      "val_loss",
                                      "metadata",
                                      "features",
                                      "exclude",
                                      "types",
                                      "numeric",
                                      "categorical",
                                      "class_weight",
                                      "balanced",
                                      "split",
                                      "seed",
                                      "regularization",
                                      "param_groups",
                                      "match",
                                      "*.bias",
                                      "kind",
                                      "lr_finder",
                                      "activation",
                                      "relu",
                                      "norm",
                                      "batch",
                                      "residual",
                                      "hidden_layer_sizes",
                                      "solver",
                                      "alpha",
                                      "max_iter",
                                      "learning_rate",
                                      "adaptive",
                                      "beta_1",
                                      "null",
                                      "true",
                                      "{}",
                                      "[]",
                                      "\\u0000",
                                      NULL};
const char *const fuzz_rows_words[] = {"model", "instances", "targets", "version", "job",
                                       "age",   "city",      "sex",     "Bern",    "Rome",
                                       "a",     "b",         "null",    "true",    "false",
                                       "{}",    "[]",        "[null]",  "\\u0041", "\\ud83d\\ude00",
                                       "1e39",  NULL};
const char *const fuzz_import_words[] = {"name",
                                         "inputs",
                                         "targets",
                                         "task",
                                         "classes",
                                         "loss",
                                         "layers",
                                         "weight",
                                         "bias",
                                         "activation",
                                         "norm",
                                         "residual",
                                         "parameters",
                                         "norm.weight",
                                         "norm.running_var",
                                         "regression",
                                         "multilabel",
                                         "classification",
                                         "distribution",
                                         "cross_entropy",
                                         "huber",
                                         "quantile",
                                         "prelu",
                                         "maxout",
                                         "glu",
                                         "softmax",
                                         "sigmoid",
                                         "identity",
                                         "batch",
                                         "layer",
                                         "[[1]]",
                                         "[1,2]",
                                         "[]",
                                         "null",
                                         NULL};
const char *const fuzz_file_words[] = {"dtype",
                                       "F32",
                                       "F64",
                                       "shape",
                                       "data_offsets",
                                       "__metadata__",
                                       "format",
                                       "mlpd/1",
                                       "job",
                                       "preprocessing",
                                       "0.weight",
                                       "0.bias",
                                       "layers.0.weight",
                                       "output.bias",
                                       "[1,1]",
                                       "[0,4]",
                                       "\\\"numeric\\\"",
                                       "\\\"categorical\\\"",
                                       "\\\"classes\\\"",
                                       "\\\"y\\\"",
                                       "[]",
                                       "{}",
                                       NULL};

// ---- Definitions ----

static const char *const definitions[] = {
    "{\"dataset\":\"iris\",\"target\":\"species\"}",
    "{\"data\":{\"x\":[[0,0],[0,1],[1,0],[1,1]],\"y\":[0,1,1,0]}}",
    "{\"data\":{\"columns\":[\"a\",\"b\"],\"rows\":[[1,\"x\"],[null,true]]},"
    "\"target\":\"b\",\"metadata\":{\"a\":[1,{\"b\":null}]}}",
    "{\"data\":{\"x\":[[1],[2]],\"y\":[[1,2],[3,4]]},\"task\":\"distribution\"}",
    "{\"dataset\":\"d\",\"target\":[\"a\",\"b\"],\"model\":{\"layers\":[8,{\"units\""
    ":4,\"norm\":\"batch\",\"activation\":{\"type\":\"leaky_relu\",\"slope\":0.1},"
    "\"residual\":1,\"dropout\":0.5}],\"init\":\"orthogonal\"},\"optimizer\":{\"type\""
    ":\"muon\",\"lr\":0.01,\"sam\":0.05},\"schedule\":{\"type\":\"plateau\"},"
    "\"training\":{\"epochs\":3,\"early_stopping\":{\"metric\":\"val_rmse\"}},"
    "\"param_groups\":[{\"match\":\"*.bias\",\"lr\":0.1}],\"seed\":\"123456789\"}",
    "{\"dataset\":\"d\",\"target\":\"y\",\"features\":{\"exclude\":[\"a\"],\"types\":{"
    "\"c\":\"numeric\"}},\"class_weight\":{\"x\":2},\"split\":{\"validation\":0.2,"
    "\"stratify\":false},\"regularization\":{\"mixup\":0.2},\"init\":{\"from\":\"m\"}}",
    "{\"dataset\":\"d\",\"target\":\"y\",\"hidden_layer_sizes\":[4,5],\"solver\":"
    "\"adam\",\"alpha\":0.01,\"learning_rate\":\"adaptive\",\"beta_1\":0.8,"
    "\"activation\":\"tanh_with_dropout\",\"max_w2\":4,\"max_iter\":9}",
    "{\"kind\":\"lr_finder\",\"dataset\":\"d\",\"target\":\"y\",\"lr_finder\":"
    "{\"min\":1e-6,\"max\":1,\"steps\":50}}",
};
enum { DEFINITIONS = sizeof definitions / sizeof *definitions };

void fuzz_job_seeds(struct fuzz_seeds *s)
{
    for (int i = 0; i < DEFINITIONS; i++)
        fuzz_seed_text(s, definitions[i]);
}

static bool drop(void *ctx, const char *text, size_t len, struct err *e)
{
    (void)ctx, (void)text, (void)len, (void)e;
    return true;
}

static const char *written(const struct job_spec *spec, struct arena *a)
{
    struct jsonw w;
    struct err e = {0};
    jsonw_init(&w, a);
    job_spec_write(&w, NULL, spec);
    return jsonw_text(&w, NULL, &e);
}

// As a job is stored: without its data.
void fuzz_stored_seeds(struct fuzz_seeds *s)
{
    for (int i = 0; i < DEFINITIONS; i++) {
        struct arena a;
        struct faults f;
        struct err e = {0};
        struct job_spec spec;
        arena_init(&a, MEMORY);
        faults_init(&f, &a);
        BUG(!job_spec_read(definitions[i], strlen(definitions[i]), &spec, &a, &f, &e));
        spec.data = (struct json_span){0};
        fuzz_seed_text(s, written(&spec, &a));
        arena_release(&a);
    }
}

// What was read is written, and the same is read from that.
static void read_back(const struct job_spec *spec, struct arena *a)
{
    struct job_spec again;
    struct err e = {0};
    struct job_spec shown = *spec;
    shown.data = (struct json_span){0};
    const char *text = written(&shown, a);
    BUG(!text || !job_spec_read_stored(text, JOB_STORED_VERSION, &again, a, &e));
    const char *second = written(&again, a);
    BUG(!second || strcmp(text, second) != 0);
}

static void tell(const struct err *e, const struct faults *f, struct arena *a)
{
    int status;
    size_t len;
    BUG(e->kind == ERR_NONE || e->kind == ERR_BUSY);
    problem_body(e, f, a, &status, &len);
}

static void read_job(const char *text, size_t len, bool stored)
{
    struct arena a;
    struct faults f;
    struct err e = {0};
    struct job_spec spec;
    arena_init(&a, MEMORY);
    faults_init(&f, &a);
    bool ok = stored ? job_spec_read_stored(text, JOB_STORED_VERSION, &spec, &a, &e)
                     : job_spec_read(text, len, &spec, &a, &f, &e);
    if (ok) {
        read_back(&spec, &a);
        if (spec.data.at)
            inline_to_csv(spec.data, drop, NULL, &a, &f, &e);
    } else {
        tell(&e, &f, &a);
    }
    arena_release(&a);
}

void fuzz_job_run(const char *text, size_t len)
{
    read_job(text, len, false);
}

void fuzz_stored_run(const char *text, size_t len)
{
    (void)len;
    read_job(text, 0, true);
}

// ---- A model to ask ----

static const char
    DEFINITION[] = "{\"dataset\":\"d\",\"target\":\"sex\",\"model\":{\"layers\":[{"
                   "\"units\":3,\"norm\":\"layer\"}]}}",
    PREPARATION[] = "{\"version\":1,\"columns\":[[\"age\",\"numeric\",30,5,28,true],[\"city\","
                    "\"categorical\",[\"Bern\",\"Rome\",\"7\"]],[\"w\",\"numeric\",0,1,0,false]]}";

static const char *const aim[] = {"sex"}, *const sexes[] = {"a", "b", "c"};
static double zero = 0, one = 1;
static const struct answer ANSWER = {.task = &task_classification,
                                     .target = aim,
                                     .n_target = 1,
                                     .class_name = sexes,
                                     .n_class = 3,
                                     .mean = &zero,
                                     .std = &one};

static struct model_file model;

static void make_model(void)
{
    static struct arena a;
    struct faults f;
    struct err e = {0};
    if (a.head)
        return;
    arena_init(&a, MEMORY);
    faults_init(&f, &a);
    char *text = arena_text(&a, PREPARATION, sizeof PREPARATION - 1);
    struct job_spec spec;
    bool ok = job_spec_read(DEFINITION, strlen(DEFINITION), &spec, &a, &f, &e) &&
              prep_read(&model.prep, text, &a, &e);
    model.prep.answer = ANSWER;
    const struct model_task task = {.answer = &model.prep.answer,
                                    .n_in = (uint32_t)model.prep.n_feature,
                                    .loss = &spec.train.loss};
    BUG(!ok || !model_build(&model.model, &spec.model, &task, &a, &e));
    BUG(!model_init_weights(&model.model, 1, NULL, &e));
}

void fuzz_predict_seeds(struct fuzz_seeds *s)
{
    fuzz_seed_text(s, "{\"model\":\"m\",\"instances\":[[31,\"Bern\",1.5],[null,null,\"2\"]]}");
    fuzz_seed_text(s, "{\"job\":3,\"instances\":[{\"age\":1e3,\"city\":7,\"w\":null},"
                      "{\"w\":\"0.1\",\"city\":\"\\u0052ome\",\"age\":true}]}");
    fuzz_seed_text(s, "{\"model\":\"m\",\"version\":2,\"instances\":[]}");
}

void fuzz_predict_run(const char *text, size_t len)
{
    struct arena a;
    struct faults f;
    struct err e = {0};
    struct predict_request r;
    struct instances in;
    struct predictor p;
    struct jsonw w;
    make_model();
    arena_init(&a, MEMORY);
    faults_init(&f, &a);
    jsonw_init(&w, &a);
    jsonw_array(&w, NULL);
    bool ok = schema_read(&predict_request_schema, text, len, &r, &a, &f, &e) &&
              instances_begin(&in, r.instances, &model.prep, &a, &f, &e);
    if (ok && predictor_init(&p, &model.model, PREDICT_ROWS, &a, &e)) {
        real *x = arena_need(&a, PREDICT_ROWS * model.prep.n_feature, sizeof *x);
        double out[PREDICT_ROWS * 3];
        for (size_t n; (n = instances_next(&in, x, PREDICT_ROWS));)
            if (!f.total) {
                predictor_run(&p, x, NULL, n, out, NULL);
                predictions_write(&w, &model.prep.answer, out, n);
            }
        ok = faults_none(&f, &e);
    }
    if (!ok)
        tell(&e, &f, &a);
    arena_release(&a);
}

void fuzz_inspect_seeds(struct fuzz_seeds *s)
{
    fuzz_seed_text(s, "{\"instances\":[[31,\"Bern\",1.5]],\"targets\":[\"a\"]}");
    fuzz_seed_text(s, "{\"version\":1,\"instances\":[{\"age\":1,\"city\":\"x\",\"w\":2},[1,2,3]],"
                      "\"targets\":[\"c\",\"\\u0062\"]}");
    fuzz_seed_text(s, "{\"instances\":[[1,2,3]],\"targets\":null}");
}

void fuzz_inspect_run(const char *text, size_t len)
{
    struct arena a;
    struct faults f;
    struct err e = {0};
    struct inspect_request r;
    struct trace t;
    struct jsonw w;
    real *x, *y = NULL;
    size_t n;
    make_model();
    arena_init(&a, MEMORY);
    faults_init(&f, &a);
    bool ok = schema_read(&inspect_request_schema, text, len, &r, &a, &f, &e) &&
              instances_read(r.instances, &model.prep, &x, &n, &a, &f, &e) &&
              (!r.targets.at || targets_read(r.targets, &model.model, n, &y, &a, &f, &e));
    if (!ok) {
        tell(&e, &f, &a);
    } else if (n <= TRACE_ROWS && trace_run(&t, &model.model, x, y, n, NULL, &a, &e)) {
        const struct trace_reply out = {
            .model = "m", .nodes = trace_view_nodes(&t, &a), .n_nodes = trace_nodes(&t)};
        jsonw_init(&w, &a);
        if (out.nodes)
            schema_write(&trace_view, &out, &w, NULL);
    }
    arena_release(&a);
}

// ---- Models from outside ----

void fuzz_import_seeds(struct fuzz_seeds *s)
{
    fuzz_seed_text(s, "{\"name\":\"m\",\"layers\":[{\"weight\":[[1,2],[3,4]],\"bias\":[0,1],"
                      "\"activation\":\"tanh\"},{\"weight\":[[1,-1]],\"activation\":\"sigmoid\"}],"
                      "\"classes\":[\"no\",\"yes\"],\"inputs\":[\"a\",\"b\"]}");
    fuzz_seed_text(
        s, "{\"name\":\"m\",\"layers\":[{\"weight\":[[1],[2]],\"norm\":\"batch\","
           "\"parameters\":{\"norm.running_mean\":[1,2],\"norm.weight\":[1,1]},"
           "\"activation\":{\"type\":\"prelu\"},\"residual\":0},{\"weight\":[[1,2],[1,2]]}],"
           "\"targets\":[\"a\",\"b\"],\"loss\":\"huber\"}");
    fuzz_seed_text(s,
                   "{\"name\":\"m\",\"task\":\"multilabel\",\"layers\":[{\"weight\":[[1],[2],[3]],"
                   "\"activation\":\"sigmoid\"}]}");
}

static void read_model(const char *bytes, size_t len, const struct import_query *q)
{
    struct arena a;
    struct faults f;
    struct err e = {0};
    struct model_file m;
    struct predictor p;
    arena_init(&a, MEMORY);
    faults_init(&f, &a);
    if (!import_read(bytes, len, q, &m, &a, &f, &e)) {
        tell(&e, &f, &a);
    } else if (predictor_init(&p, &m.model, PREDICT_ROWS, &a, &e)) {
        real *x = arena_zalloc(&a, m.prep.n_feature, sizeof *x);
        double *out = arena_alloc(&a, answer_width(&m.model.answer), sizeof *out);
        if (x && out)
            predictor_run(&p, x, NULL, 1, out, NULL);
    }
    arena_release(&a);
}

void fuzz_import_run(const char *text, size_t len)
{
    read_model(text, len, &(struct import_query){0});
}

static void seed_file(struct fuzz_seeds *s, const char *header, const float *data, size_t n)
{
    static char file[FUZZ_LENGTH];
    size_t len = strlen(header);
    memset(file, 0, 8);
    file[0] = (char)(len & 0xff);
    file[1] = (char)(len >> 8);
    memcpy(file + 8, header, len);
    memcpy(file + 8 + len, data, n * sizeof *data);
    fuzz_seed(s, file, 8 + len + n * sizeof *data);
}

static void seed_own(struct fuzz_seeds *s)
{
    struct arena a;
    struct err e = {0};
    size_t len;
    make_model();
    arena_init(&a, MEMORY);
    const char *header =
        model_file_header(&model.model, &model.prep, "m", DEFINITION, &len, &a, &e);
    size_t size = model.model.n_value * sizeof *model.model.value;
    char *file = arena_need(&a, len + size, 1);
    memcpy(file, header, len);
    memcpy(file + len, model.model.value, size);
    fuzz_seed(s, file, len + size);
    arena_release(&a);
}

void fuzz_file_seeds(struct fuzz_seeds *s)
{
    static const float data[9] = {1, 2, 3, 4, 5, 6, 7, 8, 9};
    seed_own(s);
    seed_file(
        s,
        "{\"0.weight\":{\"dtype\":\"F32\",\"shape\":[2,2],\"data_offsets\":[0,16]},\"0.bias\":{"
        "\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[16,24]},\"2.weight\":{\"dtype\":"
        "\"F32\",\"shape\":[1,2],\"data_offsets\":[24,32]}}",
        data, 8);
    seed_file(
        s,
        "{\"__metadata__\":{\"format\":\"pt\"},\"a.weight\":{\"dtype\":\"F32\",\"shape\":[1,1],"
        "\"data_offsets\":[0,4]}}",
        data, 1);
}

// As an upload of a model, and as what the cache reads.
void fuzz_file_run(const char *bytes, size_t len)
{
    struct arena a;
    struct err e = {0};
    struct model_file m;
    read_model(bytes, len, &(struct import_query){"m", "relu"});
    arena_init(&a, MEMORY);
    bool ok = model_file_read(&m, bytes, len, &a, &e);
    BUG(!ok && e.kind != ERR_INVALID && e.kind != ERR_TOO_LARGE && e.kind != ERR_MALFORMED);
    arena_release(&a);
}

// ---- JSON as such ----

void fuzz_json_seeds(struct fuzz_seeds *s)
{
    fuzz_seed_text(
        s,
        "{\"a\":[1,-2.5e3,true,false,null],\"b\":{\"\":\"\\u00e9\\n\"},\"c\":\"\\ud83d\\ude00\"}");
    fuzz_seed_text(s, " [ [ ] , { } , \"\\\"\\\\\\/\" , 1E+2 , 0.1 ] ");
    fuzz_seed_text(s, "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"");
    fuzz_seed_text(s, "{\"a\":{\"b\":[{\"c\":[[[[1]]]]}],\"a\":0},\"b\":1}");
}

static void walk(struct json_in *in, struct jsonw *w, const char *key, struct arena *a)
{
    struct json_text t;
    switch (json_kind(in)) {
    case JSON_NULL:
        json_null(in);
        jsonw_null(w, key);
        break;
    case JSON_BOOL:
        jsonw_bool(w, key, json_bool(in));
        break;
    case JSON_NUMBER:
        jsonw_real(w, key, json_number(in));
        break;
    case JSON_STRING:
        BUG(!json_string(in, &t, a));
        jsonw_chars(w, key, t.at, t.len);
        break;
    case JSON_ARRAY:
        jsonw_array(w, key);
        for (json_enter(in); json_more(in);)
            walk(in, w, NULL, a);
        jsonw_end(w);
        break;
    case JSON_OBJECT:
        jsonw_object(w, key);
        for (json_enter(in); json_key(in, &t, a);)
            walk(in, w, arena_text(a, t.at, t.len), a);
        jsonw_end(w);
        break;
    }
}

static const char *rewritten(const char *text, size_t len, struct arena *a, size_t *out)
{
    struct faults f;
    struct err e = {0};
    struct jsonw w;
    faults_init(&f, a);
    if (!json_scan(text, len, NULL, 0, a, &f, &e))
        return NULL;
    struct json_in in = json_in((struct json_span){text, len});
    jsonw_init(&w, a);
    walk(&in, &w, NULL, a);
    const char *again = jsonw_text(&w, out, &e);
    BUG(!again);
    return again;
}

// What is accepted is read, written, and read as the same.
void fuzz_json_run(const char *text, size_t len)
{
    struct arena a;
    size_t n, again;
    arena_init(&a, MEMORY);
    const char *once = rewritten(text, len, &a, &n);
    const char *twice = once ? rewritten(once, n, &a, &again) : NULL;
    BUG(once && (!twice || strcmp(once, twice) != 0));
    arena_release(&a);
}
