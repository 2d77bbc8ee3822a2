// SPDX-License-Identifier: MIT
#include "api/schema/job_schema.h"
#include "tests/harness.h"
#include "engine/optim/optim.h"
#include "engine/optim/optimizer.h"
#include "engine/optim/schedule.h"
#include "engine/table/task.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

// A place where a value of one field can be put: text before, text after, and its pointer.
struct spot {
    const struct field *f;
    char before[256], after[32], pointer[128];
};

static struct spot spot[256];
static size_t n_spot;

static struct arena arena;
static struct faults faults;
static struct err err;
static struct job_spec spec;

static bool read_text(const char *body)
{
    arena_release(&arena);
    arena_init(&arena, 16 << 20);
    faults_init(&faults, &arena);
    err = (struct err){0};
    return job_spec_read(body, strlen(body), &spec, &arena, &faults, &err);
}

static void add_spots(const struct schema *s, const char *before, const char *after,
                      const char *pointer)
{
    for (const struct field *f = s->field; f->key; f++) {
        struct spot *p = &spot[n_spot++];
        ck_assert_uint_lt(n_spot, sizeof spot / sizeof *spot);
        p->f = f;
        bool beside_units = s->bare && strcmp(f->key, s->bare) != 0;
        snprintf(p->before, sizeof p->before, "%s%s\"%s\":", before,
                 beside_units ? "\"units\":8," : "", f->key);
        snprintf(p->after, sizeof p->after, "%s", after);
        snprintf(p->pointer, sizeof p->pointer, "%s/%s", pointer, f->key);
        char open[300], close[40], place[160];
        bool list = f->type == FIELD_LIST;
        snprintf(open, sizeof open, "%s%s{", p->before, list ? "[" : "");
        snprintf(close, sizeof close, "}%s%s", list ? "]" : "", p->after);
        snprintf(place, sizeof place, "%s%s", p->pointer, list ? "/0" : "");
        if (f->sub && f->type != FIELD_RAW && f->type != FIELD_MAP)
            add_spots(f->sub, open, close, place);
    }
}

// The kind of job that the spot is a parameter of; "" for what all kinds have.
static const char *kind_of(const struct spot *p)
{
    static char word[80];
    size_t n = strcspn(p->pointer + 1, "/");
    *word = '\0';
    for (const struct field *f = job_schema.field; f->key; f++)
        if (f->only && strlen(f->key) == n && memcmp(f->key, p->pointer + 1, n) == 0)
            snprintf(word, sizeof word, "\"kind\":\"%s\",", f->key);
    return word;
}

// What every definition needs, unless the spot is about just that.
static const char *frame(const struct spot *p)
{
    static char text[160];
    if (strcmp(p->f->key, "data") == 0)
        return "{\"target\":\"t\",";
    if (strcmp(p->f->key, "dataset") == 0 || strcmp(p->f->key, "target") == 0)
        return "{\"data\":{\"x\":[[1]],\"y\":[1]},";
    snprintf(text, sizeof text, "{\"dataset\":\"d\",\"target\":\"t\",%s", kind_of(p));
    return text;
}

// The code of the fault at the pointer when `value` is put into the spot, "" when there is none.
static const char *code_at(const struct spot *p, const char *value, const char *pointer)
{
    static char body[8192];
    snprintf(body, sizeof body, "%s%s%s%s}", frame(p), p->before, value, p->after);
    read_text(body);
    ck_assert_msg(err.kind != ERR_MALFORMED, "%s: %s", body, err.text);
    for (size_t i = 0; i < faults.n; i++)
        if (strcmp(faults.item[i].pointer, pointer) == 0)
            return faults.item[i].code;
    return "";
}

static void expect(const struct spot *p, const char *value, const char *code)
{
    const char *got = code_at(p, value, p->pointer);
    ck_assert_msg(strcmp(got, code) == 0, "%s = %.80s: \"%s\", not \"%s\" (%s)", p->pointer, value,
                  got, code, err.text);
}

static void expect_number(const struct spot *p, double x, const char *code)
{
    char text[40];
    snprintf(text, sizeof text, "%.17g", x);
    expect(p, text, code);
}

static void try_number(const struct spot *p)
{
    const struct field *f = p->f;
    ck_assert(f->min < f->max);
    expect_number(p, f->min, f->above_min ? "out_of_range" : "");
    expect_number(p, f->max, "");
    expect_number(p, f->min - 1, "out_of_range");
    expect_number(p, f->max + 1, "out_of_range");
    expect_number(p, f->min - 1e-7, f->type == FIELD_INT ? "not_an_integer" : "out_of_range");
    expect(p, "1e300", "out_of_range");
    expect(p, "\"NaN\"", f->zero ? "unknown_value" : "wrong_type");
    expect(p, "true", "wrong_type");
    expect(p, "[1]", "wrong_type");
    if (f->zero)
        expect(p, "\"auto\"", "");
}

static void try_bool(const struct spot *p)
{
    expect(p, "true", "");
    expect(p, "false", "");
    expect(p, "1", "wrong_type");
    expect(p, "\"true\"", "wrong_type");
}

static void try_seed(const struct spot *p)
{
    expect(p, "0", "");
    expect(p, "9007199254740992", "");
    expect(p, "9007199254740994", "out_of_range");
    expect(p, "-1", "out_of_range");
    expect(p, "0.5", "not_an_integer");
    expect(p, "\"18446744073709551615\"", "");
    expect(p, "\"18446744073709551616\"", "out_of_range");
    expect(p, "\"-1\"", "wrong_type");
    expect(p, "\"1x\"", "wrong_type");
    expect(p, "\"\"", "wrong_type");
    expect(p, "[]", "wrong_type");
}

static void try_word(const struct spot *p)
{
    char text[80];
    for (size_t i = 0; p->f->names[i]; i++) {
        snprintf(text, sizeof text, "\"%s\"", p->f->names[i]);
        expect(p, text, "");
    }
    expect(p, "\"nope\"", "unknown_value");
    expect(p, "\"\"", "unknown_value");
    expect(p, "1", "wrong_type");
}

static void try_string(const struct spot *p)
{
    char text[2000];
    expect(p, "\"\"", "too_short");
    expect(p, "1", "wrong_type");
    expect(p, "{}", "wrong_type");
    size_t max = p->f->max ? (size_t)p->f->max : STRING_MAX;
    memset(text, 'v', sizeof text);
    text[0] = text[max + 2] = '"';
    text[max + 3] = '\0';
    expect(p, text, "too_long");
}

static void try_name(const struct spot *p)
{
    expect(p, "\"a\"", "");
    expect(p, "\"0A.b_c-d\"", "");
    expect(p, "\"a234567890123456789012345678901234567890123456789012345678901234\"", "");
    expect(p, "\"a2345678901234567890123456789012345678901234567890123456789012345\"", "bad_name");
    expect(p, "\"\"", "bad_name");
    expect(p, "\".a\"", "bad_name");
    expect(p, "\"-a\"", "bad_name");
    expect(p, "\"a/b\"", "bad_name");
    expect(p, "\"a b\"", "bad_name");
    expect(p, "\"\xc3\xa9\"", "bad_name");
    expect(p, "7", "wrong_type");
}

// The row with a hyperparameter at x; of several values the last, with what it needs before it.
static const char *with_hyper(const struct row *row, const struct hyper *k, const char *x)
{
    static char value[400];
    char *at = value + sprintf(value, "{\"type\":\"%s\",\"%s\":%s", row->name, k->name,
                               k->count > 1 ? "[" : "");
    for (int i = 1; i < k->count && !k->list; i++)
        at += sprintf(at, "%.17g,", k->min);
    sprintf(at, "%s%s}", x, k->count > 1 ? "]" : "");
    return value;
}

static void expect_hyper(const struct spot *p, const struct row *row, const struct hyper *k,
                         double x, const char *code)
{
    char text[40], pointer[200], last[24] = "";
    snprintf(text, sizeof text, isnan(x) ? "\"NaN\"" : "%.17g", x);
    if (k->count > 1)
        snprintf(last, sizeof last, "/%d", k->list ? 0 : k->count - 1);
    snprintf(pointer, sizeof pointer, "%s/%s%s", p->pointer, k->name, last);
    const char *value = with_hyper(row, k, text), *got = code_at(p, value, pointer);
    ck_assert_msg(strcmp(got, code) == 0, "%s: \"%s\", not \"%s\"", value, got, code);
}

static void try_list_hyper(const struct spot *p, const struct row *row, const struct hyper *k)
{
    char value[400], pointer[200];
    snprintf(pointer, sizeof pointer, "%s/%s/1", p->pointer, k->name);
    snprintf(value, sizeof value, "%.17g,%.17g", k->max, k->min);
    ck_assert_str_eq(code_at(p, with_hyper(row, k, value), pointer), "out_of_range");
    snprintf(value, sizeof value, "%.17g,%.17g", k->min, k->max);
    ck_assert_str_eq(code_at(p, with_hyper(row, k, value), pointer), "");
    snprintf(pointer, sizeof pointer, "%s/%s", p->pointer, k->name);
    ck_assert_str_eq(code_at(p, with_hyper(row, k, ""), pointer), "wrong_type");
}

static void try_hyper(const struct spot *p, const struct row *row, const struct hyper *k)
{
    char pointer[200];
    snprintf(pointer, sizeof pointer, "%s/%s", p->pointer, k->name);
    if (k->type == HYPER_BOOL) {
        ck_assert_str_eq(code_at(p, with_hyper(row, k, "true"), pointer), "");
        return;
    }
    expect_hyper(p, row, k, k->min, "");
    expect_hyper(p, row, k, k->max, "");
    expect_hyper(p, row, k, k->min - fmax(1, fabs(k->min)), "out_of_range");
    expect_hyper(p, row, k, k->max + fmax(1, fabs(k->max)), "out_of_range");
    expect_hyper(p, row, k, NAN, "wrong_type");
    if (k->list)
        try_list_hyper(p, row, k);
    else if (k->count > 1)
        ck_assert_str_eq(code_at(p, with_hyper(row, k, "0.5,0.5"), pointer), "wrong_type");
}

static void try_pick(const struct spot *p)
{
    const struct table *t = p->f->table;
    char value[120], pointer[200];
    const struct hyper *k;
    size_t at;
    for (size_t i = 0; i < t->n; i++) {
        snprintf(value, sizeof value, "\"%s\"", t->row[i]->name);
        expect(p, value, "");
        snprintf(value, sizeof value, "{\"type\":\"%s\",\"nonsense\":1}", t->row[i]->name);
        snprintf(pointer, sizeof pointer, "%s/nonsense", p->pointer);
        ck_assert_str_eq(code_at(p, value, pointer), "unknown_field");
        for (size_t n = 0; (k = hyper_at(t, t->row[i], n, &at)); n++)
            try_hyper(p, t->row[i], k);
    }
    snprintf(pointer, sizeof pointer, "%s/type", p->pointer);
    ck_assert_str_eq(code_at(p, "{\"type\":1}", pointer), "wrong_type");
    ck_assert_str_eq(code_at(p, "{\"type\":\"nope\"}", pointer), "unknown_value");
    ck_assert_str_eq(code_at(p, "{}", pointer), p->f->def ? "" : "missing_field");
    expect(p, "\"nope\"", "unknown_value");
    expect(p, "3", "wrong_type");
    expect(p, "[]", "wrong_type");
}

static void try_object(const struct spot *p)
{
    char pointer[200];
    snprintf(pointer, sizeof pointer, "%s/nonsense", p->pointer);
    ck_assert_str_eq(code_at(p, "{\"nonsense\":1}", pointer), "unknown_field");
    expect(p, "[]", "wrong_type");
    expect(p, "true", "wrong_type");
}

static void try_list(const struct spot *p)
{
    char pointer[200];
    snprintf(pointer, sizeof pointer, "%s/0", p->pointer);
    expect(p, "[]", p->f->min > 0 ? "too_short" : "");
    expect(p, "{}", "wrong_type");
    expect(p, "1", "wrong_type");
    if (p->f->one)
        expect(p, "\"one\"", "");
    ck_assert_str_eq(code_at(p, "[[]]", pointer), "wrong_type");
    ck_assert_str_eq(code_at(p, "[null]", pointer), "wrong_type");
}

static void try_map(const struct spot *p)
{
    const struct field *value = &p->f->sub->field[1];
    bool words = value->type == FIELD_WORD;
    char pointer[200];
    snprintf(pointer, sizeof pointer, "%s/zip", p->pointer);
    ck_assert_str_eq(code_at(p, words ? "{\"zip\":\"categorical\"}" : "{\"zip\":2.5}", pointer),
                     "");
    ck_assert_str_eq(code_at(p, "{\"zip\":\"text\"}", pointer),
                     words ? "unknown_value" : "wrong_type");
    ck_assert_str_eq(code_at(p, "{\"zip\":-1}", pointer), words ? "wrong_type" : "out_of_range");
    expect(p, "[]", "wrong_type");
    expect(p, "\"nope\"", p->f->zero ? "unknown_value" : "wrong_type");
}

static void try_raw(const struct spot *p)
{
    expect(p, "{}", "");
    expect(p, "[]", "wrong_type");
    expect(p, "5", "wrong_type");
}

// Every row: limits accepted, what lies beyond refused, with the right place.
TEST(every_field_of_a_job_keeps_its_limits)
{
    static void (*const try_as[FIELD_TYPES])(const struct spot *) = {
        [FIELD_RAW] = try_raw,       [FIELD_BOOL] = try_bool, [FIELD_INT] = try_number,
        [FIELD_REAL] = try_number,   [FIELD_SEED] = try_seed, [FIELD_WORD] = try_word,
        [FIELD_STRING] = try_string, [FIELD_NAME] = try_name, [FIELD_PICK] = try_pick,
        [FIELD_OBJECT] = try_object, [FIELD_LIST] = try_list, [FIELD_MAP] = try_map,
    };
    n_spot = 0;
    add_spots(&job_schema, "", "", "");
    ck_assert_uint_gt(n_spot, 35);
    for (size_t i = 0; i < n_spot; i++) {
        const struct spot *p = &spot[i];
        ck_assert_msg(p->f->doc && strlen(p->f->doc) > 10, "%s has no doc", p->pointer);
        expect(p, "null", p->f->nullable ? "" : "wrong_type");
        try_as[p->f->type](p);
    }
}

// Every default is a value that a client may send too.
TEST(every_default_of_a_job_is_allowed)
{
    n_spot = 0;
    add_spots(&job_schema, "", "", "");
    for (size_t i = 0; i < n_spot; i++)
        if (spot[i].f->def)
            expect(&spot[i], spot[i].f->def, "");
}

TEST(two_fields_make_a_job_with_every_default_resolved)
{
    ck_assert_msg(read_text("{\"dataset\":\"housing\",\"target\":\"price\"}"), "%s", err.text);
    ck_assert_str_eq(spec.name, "housing");
    ck_assert_int_eq(spec.prep.task, TASK_AUTO);
    ck_assert_double_eq(spec.prep.validation, .15);
    ck_assert(spec.prep.stratify);
    ck_assert_uint_eq(spec.model.n_layer, 2);
    ck_assert_int_eq(spec.model.layer[1].units, 256);
    ck_assert_str_eq(spec.model.layer[1].activation.row->name, "relu");
    ck_assert_str_eq(spec.model.layer[1].norm.row->name, "batch");
    ck_assert_double_eq(spec.model.layer[1].dropout, .1);
    ck_assert_str_eq(spec.model.init.row->name, "kaiming_uniform");
    ck_assert_ptr_null(spec.train.loss.row);
    ck_assert_str_eq(spec.train.optimizer.row->name, "adamw");
    ck_assert_double_eq(pick_value(&optimizer_table, &spec.train.optimizer, "lr"), .001);
    ck_assert_double_eq(pick_value(&schedule_table, &spec.train.schedule, "warmup"), .05);
    ck_assert_double_eq(spec.train.clip_norm, 1);
    ck_assert_int_eq(spec.train.epochs, 100);
    ck_assert_int_eq(spec.train.steps, 0);
    ck_assert(spec.train.shuffle);
    ck_assert_int_eq(spec.train.batch_size, 0);
    ck_assert_int_eq(spec.train.patience, 10);
    ck_assert_str_eq(spec.train.monitor, "val_loss");
    ck_assert_int_eq(spec.train.threads, 1);
    ck_assert_uint_eq(spec.train.seed, 0);
}

static const char *const bodies[] = {
    "{\"dataset\":\"d\",\"target\":\"t\"}",
    "{\"data\":{\"x\":[[1,2]],\"y\":[3]}}",
    "{\"dataset\":\"d\",\"target\":\"t\",\"model\":{\"layers\":[]},\"loss\":\"mse\"}",
    "{\"dataset\":\"d\",\"target\":\"t\",\"model\":{\"hidden\":[8,{\"units\":4,\"norm\":null,"
    "\"activation\":\"relu\",\"dropout\":0.25}]},\"seed\":\"9007199254740993\"}",
    "{\"name\":\"n\",\"dataset\":\"d\",\"target\":\"t\",\"task\":\"classification\",\"features\":"
    "{\"exclude\":[\"a\",\"\xc3\xa9\\n\"],\"types\":{\"zip\":\"categorical\",\"n\":\"numeric\"}},"
    "\"split\":{\"validation\":0,\"test\":0.1,\"stratify\":false,\"seed\":9007199254740992},"
    "\"preprocessing\":{\"numeric\":\"none\",\"missing\":\"mean\"},\"optimizer\":{\"type\":\"sgd\","
    "\"lr\":0.1,\"momentum\":0.9,\"nesterov\":true},\"schedule\":\"constant\",\"regularization\":"
    "{\"gradient_clip_norm\":null},\"training\":{\"max_iter\":7,\"batch_size\":32,"
    "\"early_stopping\":null,\"threads\":4},\"priority\":-5,\"metadata\":{\"k\":[1,{\"x\":null}]}}",
    "{\"dataset\":\"d\",\"target\":[\"t\",\"u\"],\"weights\":\"w\",\"task\":\"multilabel\"}",
    "{\"dataset\":\"d\",\"label\":[\"t\"],\"sample_weight\":\"w\",\"class_weight\":\"balanced\"}",
    "{\"dataset\":\"d\",\"target\":\"t\",\"class_weight\":{\"a\":2,\"b\\\"\":0.25}}",
    "{\"data\":{\"x\":[[1,2]],\"y\":[[3,4]]},\"task\":\"distribution\"}",
    "{\"dataset\":\"d\",\"target\":\"t\",\"training\":{\"steps\":9,\"shuffle\":false,\"ema\":0.9,"
    "\"swa\":0.25},\"model\":{\"layers\":[{\"units\":8,\"alpha_dropout\":0.5,\"residual\":1,"
    "\"init\":\"torch\"}]},\"param_groups\":[{\"match\":\"*.bias\",\"weight_decay\":0}],"
    "\"regularization\":{\"l1\":0.5,\"max_norm\":3,\"input_noise\":0.1}}",
    "{\"dataset\":\"d\",\"target\":\"t\",\"optimizer\":{\"learning_rate\":0.5,\"betas\":[0.1,0.2]},"
    "\"training\":{\"early_stopping\":{\"metric\":\"val_accuracy\",\"patience\":3}}}",
};

static char *printed(void)
{
    struct jsonw w;
    struct err e = {0};
    size_t len;
    jsonw_init(&w, &arena);
    job_spec_write(&w, NULL, &spec);
    const char *text = jsonw_text(&w, &len, &e);
    ck_assert_ptr_nonnull(text);
    return strdup(text);
}

LOOP_TEST(what_is_printed_reads_back_the_same, sizeof bodies / sizeof *bodies)
{
    ck_assert_msg(read_text(bodies[_i]), "%s: %s", err.at, err.text);
    char *once = printed();
    ck_assert_msg(read_text(once), "%s: %s\n%s", err.at, err.text, once);
    char *twice = printed();
    ck_assert_str_eq(once, twice);
    free(once);
    free(twice);
}

static bool prints(const char *part)
{
    char *text = printed();
    bool found = strstr(text, part);
    free(text);
    return found;
}

TEST(a_single_target_is_a_text_and_several_are_an_array)
{
    ck_assert_msg(read_text("{\"dataset\":\"d\",\"target\":[\"t\"]}"), "%s", err.text);
    ck_assert(spec.prep.n_target == 1 && prints("\"target\":\"t\""));
    ck_assert(read_text("{\"dataset\":\"d\",\"targets\":[\"t\",\"u\"]}"));
    ck_assert_uint_eq(spec.prep.n_target, 2);
    ck_assert_str_eq(spec.prep.target[1], "u");
    ck_assert(prints("\"target\":[\"t\",\"u\"]"));
    ck_assert(read_text("{\"data\":{\"y\":[[1,2,3]],\"x\":[[1]]}}"));
    ck_assert_uint_eq(spec.prep.n_target, 3);
    ck_assert_str_eq(spec.prep.target[2], "y2");
}

TEST(class_weights_are_a_word_or_a_map)
{
    ck_assert(read_text("{\"dataset\":\"d\",\"target\":\"t\"}"));
    ck_assert(!spec.prep.balanced && spec.prep.n_class_weight == 0 && !spec.prep.weights);
    ck_assert(prints("\"class_weight\":null") && prints("\"weights\":null"));
    ck_assert(read_text("{\"dataset\":\"d\",\"target\":\"t\",\"class_weight\":\"balanced\"}"));
    ck_assert(spec.prep.balanced && prints("\"class_weight\":\"balanced\""));
    ck_assert(read_text("{\"dataset\":\"d\",\"target\":\"t\",\"class_weight\":{\"a\":2},"
                        "\"weights_column\":\"w\"}"));
    ck_assert_uint_eq(spec.prep.n_class_weight, 1);
    ck_assert_str_eq(spec.prep.class_weight->name, "a");
    ck_assert_double_eq(spec.prep.class_weight->weight, 2);
    ck_assert_str_eq(spec.prep.weights, "w");
    ck_assert(prints("\"class_weight\":{\"a\":2}") && prints("\"weights\":\"w\""));
}

TEST(more_targets_than_a_network_takes_are_refused)
{
    char *body = malloc(10000), *p = body + sprintf(body, "{\"data\":{\"x\":[[1]],\"y\":[[0");
    for (int i = 0; i < 1024; i++)
        p += sprintf(p, ",0");
    strcpy(p, "]]}}");
    ck_assert(!read_text(body));
    ck_assert_str_eq(err.at, "/data/y");
    free(body);
}

// What is off unless asked for leaves results as they were before it existed.
TEST(regularisation_is_off_unless_asked_for)
{
    ck_assert(read_text(bodies[0]));
    const struct layer_spec *l = &spec.model.layer[0];
    const struct train_spec *t = &spec.train;
    const double off[] = {
        l->alpha_dropout,
        l->residual,
        t->regularization.l1,
        t->regularization.l2,
        t->regularization.max_norm,
        t->regularization.clip_value,
        t->mixup,
        t->cutmix,
        t->ema,
        t->swa,
        t->regularization.gradient_noise,
        t->label_smoothing,
        spec.model.input_noise,
        spec.model.input_dropout,
    };
    for (size_t i = 0; i < sizeof off / sizeof *off; i++)
        ck_assert_msg(off[i] == 0, "number %zu is %g", i, off[i]);
    ck_assert_ptr_null(l->init.row);
    ck_assert_uint_eq(t->n_group, 0);
}

TEST(regularisation_goes_where_it_belongs)
{
    ck_assert_msg(read_text("{\"dataset\":\"d\",\"target\":\"t\",\"regularization\":{\"l1\":1,"
                            "\"l2\":2,\"max_norm\":3,\"label_smoothing\":0.4,\"mixup\":5,"
                            "\"cutmix\":0.6,\"gradient_clip_value\":7,\"gradient_noise\":8,"
                            "\"input_noise\":9,\"input_dropout\":0.25},\"param_groups\":[{"
                            "\"match\":\"*.bias\",\"lr\":0.5}]}"),
                  "%s", err.text);
    const struct train_spec *t = &spec.train;
    const double got[] = {t->regularization.l1,
                          t->regularization.l2,
                          t->regularization.max_norm,
                          t->label_smoothing,
                          t->mixup,
                          t->cutmix,
                          t->regularization.clip_value,
                          t->regularization.gradient_noise,
                          spec.model.input_noise,
                          spec.model.input_dropout};
    static const double want[] = {1, 2, 3, .4, 5, .6, 7, 8, 9, .25};
    for (size_t i = 0; i < sizeof want / sizeof *want; i++)
        ck_assert_double_eq(got[i], want[i]);
    ck_assert_uint_eq(t->n_group, 1);
    ck_assert_str_eq(t->group[0].match, "*.bias");
    ck_assert_double_eq(t->group[0].lr, .5);
    ck_assert_double_eq(t->group[0].weight_decay, 1);
}

// A field that takes another's place silences its default, and is silent at 0 itself.
TEST(a_field_in_place_of_another_leaves_that_one_out)
{
    ck_assert(read_text("{\"dataset\":\"d\",\"target\":\"t\",\"training\":{\"steps\":50},"
                        "\"model\":{\"layers\":[{\"units\":2,\"alpha_dropout\":0.5},"
                        "{\"units\":2,\"alpha_dropout\":0}]}}"));
    ck_assert_int_eq(spec.train.steps, 50);
    ck_assert_int_eq(spec.train.epochs, 0);
    ck_assert_double_eq(spec.model.layer[0].dropout, 0);
    ck_assert_double_eq(spec.model.layer[1].dropout, .1);
}

TEST(a_full_definition_fills_every_part)
{
    ck_assert_msg(read_text(bodies[4]), "%s: %s", err.at, err.text);
    ck_assert_uint_eq(spec.prep.n_exclude, 2);
    ck_assert_str_eq(spec.prep.exclude[1], "\xc3\xa9\n");
    ck_assert_uint_eq(spec.prep.n_type, 2);
    ck_assert_str_eq(spec.prep.type[0].name, "zip");
    ck_assert_int_eq(spec.prep.type[0].type, COLUMN_CATEGORICAL);
    ck_assert_int_eq(spec.prep.type[1].type, COLUMN_NUMERIC);
    ck_assert_uint_eq(spec.prep.split_seed, 9007199254740992u);
    ck_assert_double_eq(spec.train.clip_norm, 0);
    ck_assert_int_eq(spec.train.epochs, 7);
    ck_assert_int_eq(spec.train.patience, 0);
    ck_assert_int_eq(spec.priority, -5);
    ck_assert_double_eq(pick_value(&optimizer_table, &spec.train.optimizer, "momentum"), .9);
    ck_assert_double_eq(pick_value(&optimizer_table, &spec.train.optimizer, "nesterov"), 1);
    ck_assert_int_eq(strncmp(spec.metadata.at, "{\"k\":[1,{\"x\":null}]}", spec.metadata.len), 0);
    ck_assert(read_text(bodies[sizeof bodies / sizeof *bodies - 1]));
    ck_assert_str_eq(spec.train.optimizer.row->name, "adamw");
    ck_assert_double_eq(pick_value(&optimizer_table, &spec.train.optimizer, "lr"), .5);
}

static const struct {
    const char *body, *pointer, *code, *detail;
} wrong[] = {
    {"{\"dataset\":\"d\",\"target\":\"t\",\"trainig\":{}}", "/trainig", "unknown_field",
     "unknown field; did you mean \"training\"?"},
    {"{\"dataset\":\"d\",\"target\":\"t\",\"optimizer\":{\"mometum\":1,\"type\":\"sgd\"}}",
     "/optimizer/mometum", "unknown_field", "unknown field; did you mean \"momentum\"?"},
    {"{\"dataset\":\"d\",\"target\":\"t\",\"model\":{\"layers\":[8,0]}}", "/model/layers/1",
     "out_of_range", "must be between 1 and 65536, got 0"},
    {"{\"dataset\":\"d\",\"target\":\"t\",\"model\":{\"layers\":[{}]}}", "/model/layers/0/units",
     "missing_field", "must be given"},
    {"{\"dataset\":\"d\",\"target\":\"t\",\"training\":{\"epochs\":1.5}}", "/training/epochs",
     "not_an_integer", "must be a whole number, got 1.5"},
    {"{\"dataset\":\"d\",\"target\":\"t\",\"training\":{\"epochs\":1,\"max_iter\":2}}",
     "/training/max_iter", "conflicting_fields",
     "means the same as \"epochs\", which is given too"},
    {"{\"dataset\":\"d\",\"target\":\"t\",\"split\":{\"validation\":0.6,\"test\":0.4}}", "/split",
     "out_of_range", "validation and test must leave rows to train on, their sum is 1"},
    {"{\"dataset\":\"d\",\"target\":\"t\",\"task\":\"regresion\"}", "/task", "unknown_value",
     "must be one of \"auto\", \"regression\", \"classification\", \"multilabel\", "
     "\"distribution\", \"ordinal\", got \"regresion\"; did you mean \"regression\"?"},
    {"{\"dataset\":\"d\",\"target\":[\"a\",2]}", "/target/1", "wrong_type",
     "must be a string, got a number"},
    {"{\"dataset\":\"d\",\"target\":[]}", "/target", "too_short",
     "must have between 1 and 1024 elements, got 0"},
    {"{\"dataset\":\"d\",\"target\":\"t\",\"class_weight\":\"balance\"}", "/class_weight",
     "unknown_value", "must be \"balanced\" or an object, got \"balance\""},
    {"{\"dataset\":\"d\",\"target\":\"t\",\"class_weight\":{\"a/b\":0}}", "/class_weight/a~1b",
     "out_of_range", "must be above 0 and at most 1000000, got 0"},
    {"{\"dataset\":\"d\",\"target\":\"t\",\"training\":{\"early_stopping\":{\"metric\":"
     "\"accuracy\"}}}",
     "/training/early_stopping/metric", "unknown_value",
     "must be \"val_loss\" or a metric with \"val_\" in front, got \"accuracy\"; did you mean "
     "\"val_accuracy\"?"},
    {"{\"dataset\":\"d\",\"target\":\"t\",\"training\":{\"early_stopping\":{\"metric\":"
     "\"auc\"}}}",
     "/training/early_stopping/metric", "unknown_value",
     "must be \"val_loss\" or a metric with \"val_\" in front, got \"auc\"; did you mean "
     "\"val_auc\"?"},
    {"{\"dataset\":\"d\",\"target\":\"t\",\"training\":{\"epochs\":1,\"steps\":2}}",
     "/training/epochs", "conflicting_fields", "cannot be given together with \"steps\""},
    {"{\"dataset\":\"d\",\"target\":\"t\",\"training\":{\"epochs\":null}}", "/training",
     "missing_field", "must have epochs or steps"},
    {"{\"dataset\":\"d\",\"target\":\"t\",\"model\":{\"layers\":[{\"units\":2,\"dropout\":0.1,"
     "\"alpha_dropout\":0.1}]}}",
     "/model/layers/0/dropout", "conflicting_fields",
     "cannot be given together with \"alpha_dropout\""},
    {"{\"dataset\":\"d\"}", "/target", "missing_field", "must name the column to predict"},
    {"{\"target\":\"t\"}", "/dataset", "missing_field",
     "must name a dataset, or the table must be given as \"data\""},
    {"{\"target\":\"t\",\"dataset\":\"d\",\"data\":{}}", "/data", "conflicting_fields",
     "cannot be given together with \"dataset\""},
    {"[]", "", "wrong_type", "must be an object, got an array"},
    {"{\"dataset\":\"d\",\"target\":\"t\",\"a~/b\":1}", "/a~0~1b", "unknown_field",
     "unknown field"},
    {"{\"dataset\":\"d\",\"target\":\"t\",\"seed\":18446744073709551615}", "/seed", "out_of_range",
     "must be between 0 and 9007199254740992, got 1.8446744073709552e+19; a larger one can be "
     "given as a string of digits"},
};

LOOP_TEST(a_fault_names_its_place_and_what_would_be_right, sizeof wrong / sizeof *wrong)
{
    ck_assert(!read_text(wrong[_i].body));
    ck_assert_int_eq(err.kind, ERR_INVALID);
    ck_assert_uint_eq(faults.total, 1);
    ck_assert_str_eq(faults.item[0].pointer, wrong[_i].pointer);
    ck_assert_str_eq(faults.item[0].code, wrong[_i].code);
    ck_assert_str_eq(faults.item[0].detail, wrong[_i].detail);
    ck_assert_str_eq(err.at, wrong[_i].pointer);
    const char *place = *wrong[_i].pointer ? wrong[_i].pointer + 1 : "";
    ck_assert(strncmp(err.text, place, strlen(place)) == 0);
    ck_assert_ptr_nonnull(strstr(err.text, wrong[_i].detail));
}

TEST(all_faults_come_at_once)
{
    ck_assert(!read_text("{\"dataset\":\"\",\"target\":7,\"split\":{\"validaton\":1,\"test\":2},"
                         "\"model\":{\"layers\":[{\"units\":\"x\"},0,null]},\"loss\":\"l2\"}"));
    ck_assert_uint_eq(faults.total, 8);
    ck_assert_str_eq(err.text, "8 fields need attention");
}

TEST(more_faults_than_are_kept_are_counted)
{
    char body[4000] = "{", *p = body + 1;
    for (int i = 0; i < 100; i++)
        p += sprintf(p, "%s\"key%d\":0", i ? "," : "", i);
    strcpy(p, "}");
    ck_assert(!read_text(body));
    ck_assert_uint_eq(faults.n, FAULTS_MAX);
    ck_assert_uint_eq(faults.total, 100);
}

TEST(large_data_passes_beside_a_small_rest_but_a_large_rest_does_not)
{
    enum { LEN = JOB_DEFINITION_MAX + 1000 };
    char *body = malloc(LEN + 100), *p = body;
    p += sprintf(p, "{\"data\":{\"x\":[[0");
    while (p < body + LEN)
        p += sprintf(p, ",1.5");
    sprintf(p, "]],\"y\":[1]},\"seed\":3}");
    ck_assert_msg(read_text(body), "%s", err.text);
    ck_assert_uint_eq(spec.train.seed, 3);
    ck_assert_uint_eq(spec.prep.n_target, 1);
    ck_assert_str_eq(spec.prep.target[0], "y");
    ck_assert_ptr_null(spec.name);
    memcpy(body, "{\"dada\"", 7);
    ck_assert(!read_text(body));
    ck_assert_int_eq(err.kind, ERR_TOO_LARGE);
    free(body);
}

TEST(a_number_that_no_double_holds_is_refused_with_its_place)
{
    ck_assert(!read_text("{\"dataset\":\"d\",\"optimizer\":{\"lr\":1e999}}"));
    ck_assert_int_eq(err.kind, ERR_MALFORMED);
    ck_assert_str_eq(faults.item[0].code, "not_finite");
    ck_assert_str_eq(faults.item[0].pointer, "/optimizer/lr");
}
