// SPDX-License-Identifier: MIT
// A model as a file: what is read back predicts with the same bits, and nothing damaged is read.

#include "api/files/import.h"
#include "api/files/model_file.h"
#include "tests/harness.h"
#include "engine/model/predict.h"
#include "api/files/prep_json.h"
#include "engine/base/rng.h"
#include "api/files/safetensors.h"
#include "engine/table/task.h"
#include "api/schema/job_schema.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const levels[] = {"Bern", "Rome"};
static const char *const classes[] = {"no", "yes", "may\"be"};
static struct prep_column column[] = {
    {.name = "age",
     .at = 0,
     .width = 2,
     .mean = 1. / 3,
     .std = .1,
     .fill = 1. / 3,
     .indicator = true},
    {.name = "city",
     .type = COLUMN_CATEGORICAL,
     .at = 2,
     .width = 3,
     .level = levels,
     .n_level = 2},
};
enum { FEATURES = 5, ROWS = 19 };

static struct arena arena;
static struct err err;

static const struct {
    size_t n_class;
    const char *job;
} kinds[] = {
    {0, "{\"dataset\":\"d\",\"target\":\"t\"}"},
    {2,
     "{\"dataset\":\"d\",\"target\":\"t\",\"model\":{\"layers\":[{\"units\":3,\"norm\":null}]}}"},
    {3, "{\"dataset\":\"d\",\"target\":\"t\",\"model\":{\"layers\":[]}}"},
    {3, "{\"dataset\":\"d\",\"target\":\"t\",\"model\":{\"layers\":[{\"units\":1,\"activation\":"
        "\"gelu\"},{\"units\":7,\"activation\":{\"type\":\"leaky_relu\",\"slope\":0.2}}]}}"},
    {2, "{\"dataset\":\"d\",\"target\":\"t\",\"loss\":\"cross_entropy\"}"},
};
enum { KINDS = sizeof kinds / sizeof *kinds };

static const char *const target[] = {"t"};
static double scale[] = {1e5, 1. / 7};

static struct prep prep_for(size_t n_class)
{
    return (struct prep){.column = column,
                         .n_column = 2,
                         .n_feature = FEATURES,
                         .answer = {.task = n_class ? &task_classification : &task_regression,
                                    .target = target,
                                    .n_target = 1,
                                    .class_name = classes,
                                    .n_class = n_class,
                                    .mean = &scale[0],
                                    .std = &scale[1]}};
}

// A model with random weights, batch norm's statistics included, and its file.
static void make(int kind, struct model *m, char **file, size_t *len)
{
    struct job_spec spec;
    struct faults faults;
    struct prep prep = prep_for(kinds[kind].n_class);
    const char *job = kinds[kind].job;
    arena_release(&arena);
    arena_init(&arena, 256 << 20);
    err = (struct err){0};
    faults_init(&faults, &arena);
    ck_assert_msg(job_spec_read(job, strlen(job), &spec, &arena, &faults, &err), "%s", err.text);
    const struct model_task task = {
        .answer = &prep.answer, .n_in = FEATURES, .loss = &spec.train.loss};
    ck_assert_msg(model_build(m, &spec.model, &task, &arena, &err), "%s", err.text);
    model_init_weights(m, 3, NULL, NULL);
    for (size_t i = m->n_trained; i < m->n_value; i++)
        m->value[i] += (real)(.5 * rng_unit(rng_key(1, RNG_PROBE, 1, 0), i));
    size_t head, body = m->n_value * sizeof *m->value;
    const char *header = model_file_header(m, &prep, "n", job, &head, &arena, &err);
    ck_assert_msg(header, "%s", err.text);
    *len = head + body;
    *file = calloc(1, *len + 1);
    memcpy(*file, header, head);
    memcpy(*file + head, m->value, body);
}

static void answers(const struct model *m, double *answer)
{
    struct predictor p;
    real x[ROWS * FEATURES];
    for (size_t i = 0; i < ROWS * FEATURES; i++)
        x[i] = (real)rng_normal(rng_key(2, RNG_PROBE, 1, 0), i);
    ck_assert(predictor_init(&p, m, PREDICT_ROWS, &arena, &err));
    predictor_run(&p, x, NULL, ROWS, answer, NULL);
}

LOOP_TEST(what_is_read_back_predicts_with_the_same_bits, KINDS)
{
    struct model m;
    struct model_file f;
    char *file;
    size_t len;
    double before[ROWS * 3] = {0}, after[ROWS * 3] = {0};
    make(_i, &m, &file, &len);
    answers(&m, before);
    ck_assert_msg(model_file_read(&f, file, len, &arena, &err), "%s", err.text);
    memset(file, 0, len); // everything has been copied
    free(file);
    answers(&f.model, after);
    ck_assert_mem_eq(before, after, sizeof before);
    ck_assert_mem_eq(f.model.value, m.value, m.n_value * sizeof *m.value);
    ck_assert_str_eq(f.model.answer.target[0], "t");
    ck_assert_str_eq(f.name, "n");
    ck_assert_str_eq(f.job, kinds[_i].job);
    ck_assert(f.prep.answer.n_class == kinds[_i].n_class &&
              f.model.answer.n_class == kinds[_i].n_class);
    ck_assert_uint_eq(prep_find(&f.prep, "city", 4), 1);
}

TEST(a_tensor_has_the_rank_that_pytorch_gives_it)
{
    struct model m;
    struct safetensors s;
    char *file;
    size_t len;
    make(3, &m, &file, &len);
    ck_assert(safetensors_read(&s, file, len, &arena, &err));
    for (size_t i = 0; i < s.n; i++) {
        const char *name = s.tensor[i].name;
        bool matrix = strstr(name, ".weight") && !strstr(name, ".norm.");
        ck_assert_msg(s.tensor[i].vector == !matrix, "\"%s\" is a %s", name,
                      s.tensor[i].vector ? "vector" : "matrix");
    }
    free(file);
}

static bool read_copy(const char *file, size_t len)
{
    static struct arena own;
    struct model_file f;
    char *copy = malloc(len + 1);
    memcpy(copy, file, len);
    copy[len] = '\0';
    arena_release(&own);
    arena_init(&own, 64 << 20);
    err = (struct err){0};
    bool ok = model_file_read(&f, copy, len, &own, &err);
    free(copy);
    return ok;
}

TEST(a_file_cut_off_anywhere_is_refused)
{
    struct model m;
    char *file;
    size_t len;
    make(1, &m, &file, &len);
    for (size_t cut = 0; cut < len; cut++)
        ck_assert_msg(!read_copy(file, cut) && err.kind == ERR_INVALID, "%zu of %zu bytes", cut,
                      len);
    free(file);
}

// Every bit of the header: what is still read must be a network that fits its weights.
TEST(one_wrong_bit_in_the_header_does_no_harm)
{
    struct model m;
    char *file;
    size_t len;
    make(1, &m, &file, &len);
    for (size_t i = 0; i < len - m.n_value * sizeof *m.value; i++)
        for (int bit = 0; bit < 8; bit++) {
            file[i] ^= (char)(1 << bit);
            if (!read_copy(file, len))
                ck_assert_msg(err.kind == ERR_INVALID || err.kind == ERR_TOO_LARGE ||
                                  err.kind == ERR_MALFORMED,
                              "byte %zu: %s", i, err.text);
            file[i] ^= (char)(1 << bit);
        }
    ck_assert(read_copy(file, len));
    free(file);
}

static const real broken[] = {NAN, INFINITY, -INFINITY};

LOOP_TEST(a_weight_that_is_not_finite_is_refused_by_name, 3 * 2)
{
    struct model m;
    char *file;
    size_t len;
    make(0, &m, &file, &len);
    const struct model_param *p = &m.param[_i / 3 ? m.n_param - 1 : 2];
    memcpy(file + len - (m.n_value - p->at) * sizeof(real), &broken[_i % 3], sizeof(real));
    ck_assert(!read_copy(file, len));
    ck_assert_int_eq(err.kind, ERR_INVALID);
    ck_assert_msg(strstr(err.text, p->name), "%s", err.text);
    free(file);
}

// Files that are whole, but not of one piece.
static bool assemble(const struct metadata_entry *meta, size_t n_meta,
                     const struct tensor_entry *tensor, size_t n)
{
    size_t head, floats = 0;
    char file[8192] = {0};
    for (size_t i = 0; i < n; i++)
        floats += (size_t)tensor[i].rows * tensor[i].cols;
    const char *header = safetensors_header(meta, n_meta, tensor, n, &head, &arena, &err);
    ck_assert_uint_lt(head + floats * 4, sizeof file);
    memcpy(file, header, head);
    return read_copy(file, head + floats * 4);
}

#define NETWORK                                                                                    \
    "\"layers\":[],\"init\":\"kaiming_uniform\",\"input_noise\":0,\"input_dropout\":0,"            \
    "\"loss\":\"cross_entropy\"}"
#define ANSWER                                                                                     \
    "\"task\":\"classification\",\"targets\":[\"t\"],\"classes\":[\"a\",\"b\",\"c\"],"             \
    "\"scale\":[0,1]}"
#define INPUTS                                                                                     \
    "\"columns\":[[\"age\",\"numeric\",0,1,0,true],[\"city\",\"categorical\",[\"x\",\"y\"]]]}"
static const struct metadata_entry whole[] = {{"format", "mlpd/2"},
                                              {"network", "{\"version\":1," NETWORK},
                                              {"answer", "{\"version\":1," ANSWER},
                                              {"preprocessing", "{\"version\":1," INPUTS}};
enum { SECTIONS = sizeof whole / sizeof *whole };

static void begin(void)
{
    arena_release(&arena);
    arena_init(&arena, 16 << 20);
    err = (struct err){0};
}

TEST(tensors_that_do_not_belong_to_the_network_are_refused)
{
    const struct tensor_entry fits[] = {{"output.weight", 3, 5, false, 0},
                                        {"output.bias", 1, 3, true, 15},
                                        {"extra", 1, 1, true, 18}};
    const struct tensor_entry turned[] = {{"output.weight", 5, 3, false, 0},
                                          {"output.bias", 1, 3, true, 15}};
    const struct tensor_entry renamed[] = {{"output.weights", 3, 5, false, 0},
                                           {"output.bias", 1, 3, true, 15}};
    begin();
    ck_assert_msg(assemble(whole, SECTIONS, fits, 2), "%s", err.text);
    ck_assert(!assemble(whole, SECTIONS, fits, 3) && strstr(err.text, "3 tensors"));
    ck_assert(!assemble(whole, SECTIONS, fits, 1) && strstr(err.text, "\"output.bias\""));
    ck_assert(!assemble(whole, SECTIONS, turned, 2) && strstr(err.text, "shape 3 x 5"));
    ck_assert(!assemble(whole, SECTIONS, renamed, 2) && strstr(err.text, "\"output.weight\""));
}

static const struct {
    int section;
    const char *value, *says;
} odd[] = {
    {0, "pt", "not a model of this program"},
    {0, "mlpd/1", "not a model of this program"},
    {1, NULL, "not a model of this program"},
    {2, NULL, "not a model of this program"},
    {3, NULL, "not a model of this program"},
    {1, "{\"version\":2," NETWORK, "\"network\""},
    {1, "{" NETWORK, "\"network\""},
    {1, "{\"version\":1,\"width\":1," NETWORK, "\"network\""},
    {1, "{\"version\":1", "\"network\""},
    {2, "{\"version\":2," ANSWER, "\"answer\" has version 2, and this program reads version 1"},
    {2, "{\"version\":1", "\"answer\" is damaged"},
    {3, "{\"version\":0," INPUTS, "\"preprocessing\" has version 0"},
    {3, "[]", "\"preprocessing\" has version 0"},
    {3, "[", "\"preprocessing\" is damaged"},
};

// Each section is looked at by itself, and says so when it is another version's.
LOOP_TEST(a_section_that_is_missing_odd_or_of_another_version_is_named, sizeof odd / sizeof *odd)
{
    const struct tensor_entry fits[] = {{"output.weight", 3, 5, false, 0},
                                        {"output.bias", 1, 3, true, 15}};
    struct metadata_entry meta[SECTIONS];
    size_t n = 0;
    begin();
    for (int i = 0; i < SECTIONS; i++)
        if (i != odd[_i].section)
            meta[n++] = whole[i];
        else if (odd[_i].value)
            meta[n++] = (struct metadata_entry){whole[i].key, odd[_i].value};
    ck_assert(!assemble(meta, n, fits, 2));
    ck_assert_int_eq(err.kind, ERR_INVALID);
    ck_assert_msg(strstr(err.text, odd[_i].says), "%s", err.text);
}

// The definition is there for people: a setting that has gone since does no harm.
TEST(the_job_definition_is_never_looked_at)
{
    const struct tensor_entry fits[] = {{"output.weight", 3, 5, false, 0},
                                        {"output.bias", 1, 3, true, 15}};
    struct metadata_entry meta[SECTIONS + 1];
    begin();
    memcpy(meta, whole, sizeof whole);
    meta[SECTIONS] = (struct metadata_entry){"job", "{\"a setting of last year\":1}"};
    ck_assert_msg(assemble(meta, SECTIONS + 1, fits, 2), "%s", err.text);
}

#define CLASSES(target, classes)                                                                   \
    "{\"version\":1,\"task\":\"classification\",\"targets\":[\"" target                            \
    "\"],\"classes\":[" classes "],\"scale\":[0,1]}"
static const struct {
    int section;
    const char *value, *pointer;
} imports[] = {
    {2, CLASSES("age", "\"a\",\"b\",\"c\""), "/targets/0"},
    {2, CLASSES("", "\"a\",\"b\",\"c\""), "/targets/0"},
    {2, CLASSES("t", "\"a\",\"b\",\"a\""), "/classes/2"},
    {3,
     "{\"version\":1,\"columns\":[[\"\",\"numeric\",0,1,0,true],[\"city\",\"categorical\",[\"x\","
     "\"y\"]]]}",
     "/inputs/0"},
};

// What an import in JSON may not say, a file may not either.
LOOP_TEST(an_import_is_checked_in_whichever_form_it_comes, sizeof imports / sizeof *imports)
{
    const struct tensor_entry fits[] = {{"output.weight", 3, 5, false, 0},
                                        {"output.bias", 1, 3, true, 15}};
    struct metadata_entry meta[SECTIONS];
    struct model_file f;
    struct faults faults;
    size_t head;
    char file[8192] = {0};
    begin();
    faults_init(&faults, &arena);
    memcpy(meta, whole, sizeof whole);
    meta[imports[_i].section].value = imports[_i].value;
    const char *header = safetensors_header(meta, SECTIONS, fits, 2, &head, &arena, &err);
    memcpy(file, header, head);
    ck_assert(!import_read(file, head + 18 * 4, &(struct import_query){.name = "m"}, &f, &arena,
                           &faults, &err));
    ck_assert_int_eq(err.kind, ERR_INVALID);
    ck_assert_msg(faults.n && strcmp(faults.item[0].pointer, imports[_i].pointer) == 0, "%s",
                  err.text);
}
