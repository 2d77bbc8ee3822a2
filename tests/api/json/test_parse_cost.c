// SPDX-License-Identifier: MIT
// What it costs to read a body: all memory taken from the heap while it is read, trees and arenas
// and the body itself included, is at most FACTOR times the body, and FLOOR for tables of fixed
// size. What is answered does not count. Bodies are of the worst shapes there are.

#include "api/files/import.h"
#include "api/schema/inline.h"
#include "api/schema/job_schema.h"
#include "engine/model/predict.h"
#include "api/views/predict_json.h"
#include "api/views/views.h"

#include "tests/harness.h"
#include "tests/heap.h"
#include "engine/table/task.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef MLPD_CHECKED // where every allocation has a header of its own

enum { FACTOR = 4, FLOOR = 4 << 20, MAX = 1 << 30, SIZES = 3 };

static const size_t sizes[SIZES] = {60 << 10, 1000 << 10, 8 << 20};

typedef void cost_work(const char *text, size_t len, struct arena *a);

static void read_job(const char *text, size_t len, struct arena *a)
{
    struct job_spec spec;
    struct faults f;
    struct err e = {0};
    faults_init(&f, a);
    job_spec_read(text, len, &spec, a, &f, &e);
}

static bool drop(void *ctx, const char *text, size_t len, struct err *e)
{
    (void)ctx, (void)text, (void)len, (void)e;
    return true;
}

static void read_data(const char *text, size_t len, struct arena *a)
{
    struct job_spec spec;
    struct faults f;
    struct err e = {0};
    faults_init(&f, a);
    if (job_spec_read(text, len, &spec, a, &f, &e) && spec.data.at)
        inline_to_csv(spec.data, drop, NULL, a, &f, &e);
}

static void read_model(const char *text, size_t len, struct arena *a)
{
    struct model_file m;
    struct faults f;
    struct err e = {0};
    faults_init(&f, a);
    import_read(text, len, &(struct import_query){0}, &m, a, &f, &e);
}

// A model of so many numeric columns, each with a mark for gaps.
enum { COLUMNS = 1000, LEVELS = 2000 };

static void read_instances(const struct prep *p, const char *text, size_t len, struct arena *a)
{
    struct predict_request r;
    struct faults f;
    struct err e = {0};
    struct instances in;
    faults_init(&f, a);
    if (!schema_read(&predict_request_schema, text, len, &r, a, &f, &e) ||
        !instances_begin(&in, r.instances, p, a, &f, &e))
        return;
    real *x = arena_alloc(a, PREDICT_ROWS * p->n_feature, sizeof *x);
    while (instances_next(&in, x, PREDICT_ROWS) > 0)
        ;
}

static void read_wide(const char *text, size_t len, struct arena *a)
{
    static struct prep_column column[COLUMNS];
    static char name[COLUMNS][8];
    for (size_t i = 0; i < COLUMNS; i++) {
        sprintf(name[i], "c%zu", i);
        column[i] = (struct prep_column){
            .name = name[i], .at = 2 * i, .width = 2, .indicator = true, .std = 1};
    }
    struct prep p = {.column = column, .n_column = COLUMNS, .n_feature = 2 * COLUMNS};
    struct err e = {0};
    ck_assert(prep_index(&p, NULL, a, &e));
    read_instances(&p, text, len, a);
}

static void read_level(const char *text, size_t len, struct arena *a)
{
    static const char *level[LEVELS];
    static char name[LEVELS][8];
    for (size_t i = 0; i < LEVELS; i++) {
        sprintf(name[i], "x%zu", i);
        level[i] = name[i];
    }
    static struct prep_column column = {.name = "a",
                                        .type = COLUMN_CATEGORICAL,
                                        .level = level,
                                        .n_level = LEVELS,
                                        .width = LEVELS + 1};
    struct prep p = {.column = &column, .n_column = 1, .n_feature = LEVELS + 1};
    struct err e = {0};
    ck_assert(prep_index(&p, NULL, a, &e));
    read_instances(&p, text, len, a);
}

#define ZEROS                                                                                      \
    "0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0," \
    "0,0,"                                                                                         \
    "0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0," \
    "0,0"

// Shapes: what stands in front, a piece that is repeated (%zu is its number), what stands behind.
static const struct shape {
    const char *name;
    cost_work *read;
    const char *head, *piece, *last, *tail;
} shape_list[] = {
    {"short keys", read_job, "{", "\"%zx\":0,", "\"\":0", "}"},
    {"keys with escapes", read_job, "{", "\"\\n%zx\":0,", "\"\":0", "}"},
    {"short keys, closed", read_job, "{\"metadata\":{\"a\":[{\"", "%zx\":0},{\"", "\":0", "}]}}"},
    {"the same key", read_job, "{", "\"a\":0,", "\"\":0", "}"},
    {"zeros in metadata", read_job, "{\"metadata\":{\"a\":[", "0,", "0", "]}}"},
    {"nothing in metadata", read_job, "{\"metadata\":{\"a\":[", "[],", "0", "]}}"},
    {"a long text in metadata", read_job, "{\"metadata\":{\"a\":\"", "ab", "", "\"}}"},
    {"escapes in metadata", read_job, "{\"metadata\":{\"a\":\"", "\\u0001", "", "\"}}"},
    {"zeros in a list", read_job, "{\"features\":{\"exclude\":[", "0,", "0", "]}}"},
    {"texts in a list", read_job, "{\"features\":{\"exclude\":[", "\"\",", "0", "]}}"},
    {"columns to leave out", read_job, "{\"features\":{\"exclude\":[", "\"%zx\",", "\"\"", "]}}"},
    {"types of columns", read_job, "{\"features\":{\"types\":{", "\"%zx\":1,", "\"\":1", "}}}"},
    {"layers", read_job, "{\"model\":{\"layers\":[", "{},", "{}", "]}}"},
    {"a long name", read_job, "{\"name\":\"", "\\n", "", "\"}"},
    {"deep", read_job, "{\"metadata\":", "[", "", ""},
    {"blanks", read_job, "{", "\n", "", "}"},
    {"x and y", read_data, "{\"data\":{\"x\":[", "[0],", "[0]", "],\"y\":[0]}}"},
    {"rows", read_data, "{\"data\":{\"columns\":[\"a\"],\"rows\":[", "[0],", "[0]", "]}}"},
    {"rows of nothing", read_data, "{\"data\":{\"columns\":[\"a\"],\"rows\":[", "[],", "[]", "]}}"},
    {"rows of objects", read_data, "{\"data\":{\"columns\":[\"a\"],\"rows\":[", "{\"%zx\":0},",
     "{}", "]}}"},
    {"texts of escapes", read_data, "{\"data\":{\"columns\":[\"a\"],\"rows\":[", "[\"\\n\"],",
     "[0]", "]}}"},
    {"names of columns", read_data, "{\"data\":{\"columns\":[", "\"\\n%zx\",", "\"a\"",
     "],\"rows\":[[0]]}}"},
    {"members of data", read_data, "{\"data\":{", "\"%zx\":0,", "\"x\":0", "}}"},
    {"weights", read_model, "{\"name\":\"m\",\"layers\":[{\"weight\":[[", "0,", "0", "]]}]}"},
    {"weights in rows", read_model, "{\"name\":\"m\",\"layers\":[{\"weight\":[", "[0],", "[0]",
     "]}]}"},
    {"weights of a model", read_model, "{\"name\":\"m\",\"layers\":[{\"weight\":[", "[" ZEROS "],",
     "[" ZEROS "]", "]}]}"},
    {"a bias", read_model, "{\"name\":\"m\",\"layers\":[{\"weight\":[[0]],\"bias\":[", "0,", "0",
     "]}]}"},
    {"imported layers", read_model, "{\"name\":\"m\",\"layers\":[", "{},", "{}", "]}"},
    {"layers of much", read_model, "{\"name\":\"m\",\"layers\":[{\"weight\":[[1]],\"x\":[", "0,",
     "0", "]}]}"},
    {"names of inputs", read_model, "{\"name\":\"m\",\"inputs\":[", "\"%zx\",", "\"\"",
     "],\"layers\":[]}"},
    {"instances of nothing", read_wide, "{\"instances\":[", "[],", "[]", "]}"},
    {"instances of gaps", read_level, "{\"instances\":[", "[0],", "[0]", "]}"},
    {"one wide instance", read_wide, "{\"instances\":[[", "0,", "0", "]]}"},
    {"instances by name", read_level, "{\"instances\":[", "{\"a\":0},", "{\"a\":0}", "]}"},
    {"instances with other names", read_level, "{\"instances\":[{", "\"%zx\":0,", "\"a\":0", "}]}"},
    {"instances with escapes", read_level, "{\"instances\":[", "{\"\\u0061\":0},", "{\"a\":0}",
     "]}"},
};

static char *make_body(const struct shape *s, size_t size, size_t *len)
{
    char *text = malloc(size + 1024), *to = text + sprintf(text, "%s", s->head);
    for (size_t i = 0; (size_t)(to - text) < size; i++)
        to += sprintf(to, s->piece, i);
    to += sprintf(to, "%s%s", s->last, s->tail);
    *len = (size_t)(to - text);
    return text;
}

// Of a model that is taken: a layer of many rows, and one of as many inputs.
TEST(importing_costs_a_small_multiple_of_the_body)
{
    enum { ROWS = 40000, ROW = 256 };
    static const char head[] = "{\"name\":\"m\",\"layers\":[{\"weight\":[";
    char *text = malloc(ROWS * ROW), *to = text + sprintf(text, "%s", head);
    for (int i = 0; i < ROWS; i++)
        to += sprintf(to, "%s[" ZEROS "]", i ? "," : "");
    to += sprintf(to, "]},{\"weight\":[[");
    for (int i = 0; i < ROWS; i++)
        to += sprintf(to, "%s0", i ? "," : "");
    to += sprintf(to, "]]}]}");
    size_t len = (size_t)(to - text);
    struct arena a;
    struct model_file m;
    struct faults f;
    struct err e = {0};
    arena_init(&a, MAX);
    faults_init(&f, &a);
    heap_watch();
    bool ok = import_read(text, len, &(struct import_query){0}, &m, &a, &f, &e);
    size_t all = heap_most() + len;
    ck_assert_msg(ok, "%s", e.text);
    ck_assert_uint_ge(m.model.n_value, ROWS * 90);
    ck_assert_msg(all <= FACTOR * len + FLOOR, "%.1f times", (double)all / (double)len);
    if (getenv("MLPD_COSTS"))
        printf("%-28s %9zu bytes: %5.1f times\n", "a model", len, (double)all / (double)len);
    arena_release(&a);
    free(text);
}

// A file of ours with columns of many short levels.
TEST(reading_a_file_costs_a_small_multiple_of_it)
{
    enum { WIDE = 800, EACH = 250, SPACE = 8 << 20 };
    static struct prep_column column[WIDE];
    static const char *level[EACH];
    static char name[EACH][8], of[WIDE][8];
    static double mean = 0, std = 1;
    static const char *const target[] = {"y"};
    static const char job[] = "{\"dataset\":\"d\",\"target\":\"y\",\"model\":{\"layers\":[]}}";
    struct prep p = {
        .column = column,
        .n_column = WIDE,
        .answer = {
            .task = &task_regression, .target = target, .n_target = 1, .mean = &mean, .std = &std}};
    for (size_t i = 0; i < EACH; i++) {
        sprintf(name[i], "%zx", i);
        level[i] = name[i];
    }
    for (size_t k = 0; k < WIDE; k++) {
        sprintf(of[k], "c%zu", k);
        column[k] = (struct prep_column){.name = of[k],
                                         .type = COLUMN_CATEGORICAL,
                                         .level = level,
                                         .n_level = EACH,
                                         .at = p.n_feature,
                                         .width = EACH + 1};
        p.n_feature += EACH + 1;
    }
    struct arena a;
    struct faults f;
    struct err e = {0};
    struct job_spec spec;
    struct model m;
    struct model_file again;
    arena_init(&a, MAX);
    faults_init(&f, &a);
    const struct model_task task = {
        .answer = &p.answer, .n_in = (uint32_t)p.n_feature, .loss = &spec.train.loss};
    ck_assert(job_spec_read(job, sizeof job - 1, &spec, &a, &f, &e));
    ck_assert(model_build(&m, &spec.model, &task, &a, &e));
    size_t head;
    const char *header = model_file_header(&m, &p, "m", job, &head, &a, &e);
    size_t len = head + m.n_value * sizeof *m.value;
    char *file = calloc(1, len + 1);
    memcpy(file, header, head);
    arena_release(&a);
    heap_watch();
    bool ok = model_file_read(&again, file, len, &a, &e);
    size_t all = heap_most() + len;
    ck_assert_msg(ok && strcmp(again.prep.column[3].level[249], "f9") == 0, "%s", e.text);
    if (getenv("MLPD_COSTS"))
        printf("%-28s %9zu bytes: %5.1f times\n", "a file", len, (double)all / (double)len);
    ck_assert_msg(all <= FACTOR * len + FLOOR, "%.1f times", (double)all / (double)len);
    arena_release(&a);
    free(file);
}

LOOP_TEST(reading_costs_a_small_multiple_of_the_body, sizeof shape_list / sizeof *shape_list)
{
    const struct shape *s = &shape_list[_i];
    for (size_t i = 0; i < SIZES; i++) {
        struct arena a;
        size_t len;
        char *text = make_body(s, sizes[i], &len);
        arena_init(&a, MAX);
        heap_watch();
        s->read(text, len, &a);
        size_t all = heap_most() + len;
        arena_release(&a);
        free(text);
        if (getenv("MLPD_COSTS"))
            printf("%-28s %9zu bytes: %5.1f times\n", s->name, len, (double)all / (double)len);
        ck_assert_msg(all <= FACTOR * len + FLOOR, "%s: %zu bytes cost %zu, %.1f times as much",
                      s->name, len, all, (double)all / (double)len);
    }
}
#endif
