// SPDX-License-Identifier: MIT
// See fixture.h.

#include "tests/engine/fixture.h"

#include "tests/harness.h"
#include "engine/model/init.h"
#include "engine/optim/schedule.h"
#include "engine/nn/role.h"
#include "engine/optim/optim.h"
#include "engine/table/task.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

cJSON *fixture_file(const char *table)
{
    char path[64];
    snprintf(path, sizeof path, "tests/data/torch_%s.json", table);
    FILE *f = fopen(path, "rb");
    ck_assert_msg(f, "cannot read %s", path);
    size_t max = 2 << 20;
    char *text = calloc(1, max);
    ck_assert_uint_lt(fread(text, 1, max - 1, f), max - 1);
    fclose(f);
    cJSON *json = cJSON_Parse(text);
    free(text);
    ck_assert_msg(json, "%s is not JSON", path);
    return json;
}

static const char *word(const cJSON *json, const char *name)
{
    return cJSON_GetStringValue(cJSON_GetObjectItem(json, name));
}

static double number(const cJSON *json, const char *name, double otherwise)
{
    const cJSON *item = cJSON_GetObjectItem(json, name);
    return item ? item->valuedouble : otherwise;
}

const cJSON *fixture_next(const cJSON *file, const char *row, const cJSON *from)
{
    const cJSON *c = from ? from->next : cJSON_GetObjectItem(file, "cases")->child;
    while (c && row && strcmp(word(c, "row"), row) != 0)
        c = c->next;
    return c;
}

static void set_hyper(struct pick *p, const struct hyper *k, size_t at, const cJSON *item)
{
    int given = cJSON_IsArray(item) ? cJSON_GetArraySize(item) : 1;
    ck_assert_int_le(given, k->count > 1 ? k->count : 1);
    for (int i = 0; k->list && i < k->count; i++)
        p->value[at + (size_t)i] = NAN;
    for (int i = 0; i < given; i++) {
        const cJSON *one = cJSON_IsArray(item) ? cJSON_GetArrayItem(item, i) : item;
        p->value[at + (size_t)i] = cJSON_IsTrue(one) ? 1 : one->valuedouble;
    }
}

// {"name": "sgd", "lr": 0.1}; hyperparameters have the same names on both sides.
static struct pick read_pick(const struct table *t, const cJSON *json)
{
    if (!json)
        return (struct pick){0};
    const struct row *row = table_find(t, word(json, "name"));
    ck_assert_msg(row, "there is no %s \"%s\"", t->what, word(json, "name"));
    struct pick p = pick_row(t, row);
    for (const cJSON *item = json->child; item; item = item->next) {
        const struct hyper *k;
        size_t i = 0, at;
        while ((k = hyper_at(t, row, i++, &at)) && strcmp(k->name, item->string) != 0)
            ;
        ck_assert_msg(k || strcmp(item->string, "name") == 0,
                      "%s \"%s\" has no hyperparameter \"%s\"", t->what, row->name, item->string);
        if (k)
            set_hyper(&p, k, at, item);
    }
    return p;
}

static void read_model(struct fixture *f, const cJSON *json)
{
    const cJSON *l, *init = cJSON_GetObjectItem(json, "init");
    f->model = (struct model_spec){.layer = f->layer, .init = lab_pick(&init_table, "torch")};
    if (init)
        f->model.init = read_pick(&init_table, init);
    cJSON_ArrayForEach(l, cJSON_GetObjectItem(json, "layers"))
    {
        ck_assert_uint_lt(f->model.n_layer, FIXTURE_LAYERS);
        f->layer[f->model.n_layer++] = (struct layer_spec){
            .units = (int)number(l, "units", 0),
            .activation = read_pick(&activation_table, cJSON_GetObjectItem(l, "activation")),
            .norm = read_pick(&norm_table, cJSON_GetObjectItem(l, "norm")),
            .residual = (int)number(l, "residual", 0)};
    }
}

static void read_groups(struct fixture *f, const cJSON *groups)
{
    const cJSON *g;
    f->train.group = f->group;
    cJSON_ArrayForEach(g, groups)
    {
        ck_assert_uint_lt(f->train.n_group, FIXTURE_GROUPS);
        f->group[f->train.n_group++] =
            (struct param_group){.match = word(g, "match"),
                                 .lr = number(g, "lr", 1),
                                 .weight_decay = number(g, "weight_decay", 1)};
    }
}

static void read_train(struct fixture *f, const cJSON *json)
{
    const cJSON *r = cJSON_GetObjectItem(json, "regularization"),
                *t = cJSON_GetObjectItem(json, "training");
    f->trained = t;
    f->train = (struct train_spec){
        .loss = read_pick(&loss_table, cJSON_GetObjectItem(json, "loss")),
        .optimizer = read_pick(&optimizer_table, cJSON_GetObjectItem(json, "optimizer")),
        .schedule = read_pick(&schedule_table, cJSON_GetObjectItem(json, "schedule")),
        .clip_norm = number(r, "gradient_clip_norm", 0),
        .regularization.clip_value = number(r, "gradient_clip_value", 0),
        .regularization.l1 = number(r, "l1", 0),
        .regularization.l2 = number(r, "l2", 0),
        .regularization.max_norm = number(r, "max_norm", 0),
        .ema = number(t, "ema", 0),
        .swa = number(t, "swa", 0),
        .epochs = cJSON_GetArraySize(cJSON_GetObjectItem(f->expect, "loss")),
        .batch_size = (int)number(t, "batch_size", (double)f->rows.n),
        .monitor = "val_loss",
        .threads = 1,
        .seed = 1,
    };
    read_groups(f, cJSON_GetObjectItem(json, "param_groups"));
}

static real *read_matrix(const cJSON *rows, uint32_t cols, struct arena *a)
{
    real *v = arena_need(a, (size_t)cJSON_GetArraySize(rows) * cols, sizeof *v), *to = v;
    const cJSON *row, *cell;
    cJSON_ArrayForEach(row, rows)
    {
        ck_assert_int_eq(cJSON_GetArraySize(row), (int)cols);
        cJSON_ArrayForEach(cell, row) *to++ = (real)cell->valuedouble;
    }
    return v;
}

static const struct task *read_task(const char *name)
{
    for (size_t i = 0; i < task_count; i++)
        if (strcmp(task_list[i]->row.name, name) == 0)
            return task_list[i];
    ck_abort_msg("there is no task \"%s\"", name);
}

static void read_rows(struct fixture *f, const cJSON *data, const cJSON *weights, struct arena *a)
{
    const cJSON *x = cJSON_GetObjectItem(data, "x"), *y = cJSON_GetObjectItem(data, "y"), *w;
    uint32_t n_in = (uint32_t)cJSON_GetArraySize(x->child),
             n_target = (uint32_t)cJSON_GetArraySize(y->child);
    f->rows = (struct train_rows){.x = read_matrix(x, n_in, a),
                                  .y = read_matrix(y, n_target, a),
                                  .n = (size_t)cJSON_GetArraySize(x)};
    struct answer *answer = arena_need(a, 1, sizeof *answer);
    *answer = (struct answer){.task = read_task(word(data, "task")),
                              .n_class = (size_t)number(data, "classes", 0),
                              .n_target = n_target};
    f->task = (struct model_task){
        .answer = answer, .n_in = n_in, .loss = &f->train.loss, .weighted = weights};
    if (!weights)
        return;
    real *to = arena_need(a, f->rows.n, sizeof *to);
    f->rows.w = to;
    cJSON_ArrayForEach(w, weights) *to++ = (real)w->valuedouble;
}

void fixture_read(struct fixture *f, const cJSON *file, const cJSON *json, struct arena *a)
{
    const cJSON *expect = cJSON_GetObjectItem(json, "expect");
    *f = (struct fixture){.start = cJSON_GetObjectItem(json, "start"),
                          .expect = expect,
                          .row = word(json, "row"),
                          .about = word(json, "about"),
                          .reference = word(json, "reference"),
                          .serve = cJSON_GetObjectItem(json, "serve"),
                          .per_epoch = (uint32_t)number(json, "per_epoch", 1),
                          .steps = (uint32_t)number(expect, "steps", 0)};
    const cJSON *data = cJSON_GetObjectItem(file, "data");
    read_rows(f, cJSON_GetObjectItem(data, word(json, "data")),
              cJSON_GetObjectItem(json, "row_weights"), a);
    read_model(f, cJSON_GetObjectItem(json, "model"));
    read_train(f, json);
}
