// SPDX-License-Identifier: MIT
// From a stack of layers to a model: see import_stack.h.

#include "import_stack.h"

#include "json_in.h"
#include "tables.h"

#include <stdio.h>
#include <string.h>

enum { PLACE = 160 };

static int loss_task(enum task task, size_t n_class)
{
    return task == TASK_CLASSIFICATION ? (n_class == 2 ? LOSS_BINARY : LOSS_MULTICLASS)
           : task == TASK_MULTILABEL   ? LOSS_MULTILABEL
           : task == TASK_DISTRIBUTION ? LOSS_DISTRIBUTION
                                       : LOSS_REGRESSION;
}

// The usual loss for a task and a number of outputs: two classes may have one output or two.
static struct pick usual_loss(enum task task, size_t n_class, uint32_t outputs)
{
    bool per_class = task == TASK_CLASSIFICATION && outputs > 1;
    for (size_t i = 0; i < loss_table.n; i++) {
        const struct op *op = (const struct op *)(const void *)loss_table.row[i];
        if (op->tasks & loss_task(task, n_class) && op->per_class == per_class)
            return pick_row(&loss_table, &op->row);
    }
    return (struct pick){0};
}

static const char *const *numbered(const char *stem, size_t from, size_t n, bool bare,
                                   struct arena *a)
{
    const char **name = arena_need(a, n ? n : 1, sizeof *name);
    for (size_t i = 0; i < n; i++)
        name[i] = bare ? stem : arena_printf(a, "%s%zu", stem, from + i);
    return name;
}

// Task, classes, targets and loss, from what was said and the last layer's width.
static bool settle_task(struct stack *s, struct arena *a, struct faults *f)
{
    uint32_t outputs = s->piece[s->n - 1].rows;
    size_t width = outputs == 1 ? 2 : outputs;
    if (s->task == TASK_AUTO)
        s->task = s->n_class ? TASK_CLASSIFICATION : TASK_REGRESSION;
    bool classes = s->task == TASK_CLASSIFICATION;
    if (s->n_class && !classes)
        fault_add(f, "conflicting_fields", "/classes", "must be left out: the task has none");
    else if (s->n_class && s->n_class != width)
        fault_add(f, "conflicting_fields", "/classes",
                  "must be %zu names, since the last layer has %u outputs, got %zu", width, outputs,
                  s->n_class);
    if (classes && !s->n_class) {
        s->class_name = numbered("", 0, width, false, a);
        s->n_class = width;
    }
    if (!s->loss.row)
        s->loss = usual_loss(s->task, s->n_class, outputs);
    const struct op *loss = pick_op(&s->loss);
    uint32_t per_target = loss && loss->outputs ? (uint32_t)loss->outputs : 1;
    size_t targets = classes ? 1 : outputs / per_target;
    if (s->n_target && s->n_target != targets)
        fault_add(f, "conflicting_fields", "/targets",
                  "must be %zu names, since the last layer has %u outputs, got %zu", targets,
                  outputs, s->n_target);
    if (!s->n_target) {
        s->n_target = targets;
        s->target = numbered("y", 0, targets, targets == 1, a);
    }
    return f->total == 0;
}

// The last layer is the output layer when nothing follows its product but what the loss brings
// along; else an identity layer makes the outputs.
static bool settle_output(struct stack *s, struct arena *a, struct faults *f)
{
    struct piece *last = &s->piece[s->n - 1];
    const struct op *act = pick_op(&last->spec.activation), *loss = pick_op(&s->loss);
    bool plain = !last->spec.norm.row && !last->spec.residual;
    if (plain && (act == &op_identity || (loss && act == loss->link)))
        return true;
    uint32_t n = last->rows;
    struct piece *out = &s->piece[s->n++];
    *out = (struct piece){.weight = arena_zalloc(a, (size_t)n * n, sizeof(real)),
                          .rows = n,
                          .cols = n,
                          .spec.activation = pick_row(&activation_table, &op_identity.row)};
    for (uint32_t i = 0; out->weight && i < n; i++)
        out->weight[(size_t)i * n + i] = 1;
    if (!out->weight)
        fault_add(f, "too_long", "/layers", "need more memory than one request may use");
    return out->weight;
}

static bool make_spec(struct stack *s, struct model_file *out, struct arena *a, struct err *e)
{
    struct faults faults;
    struct layer_spec *layer = arena_need(a, s->n, sizeof *layer);
    faults_init(&faults, a);
    if (!job_spec_read_stored("{\"target\": \"y\", \"model\": {\"layers\": []}}", &out->spec, a,
                              &faults, e))
        return false;
    for (size_t i = 0; i + 1 < s->n; i++) {
        layer[i] = s->piece[i].spec;
        layer[i].units = (int)s->piece[i].rows;
    }
    out->spec.name = s->name;
    out->spec.prep.target = s->target;
    out->spec.prep.n_target = s->n_target;
    out->spec.prep.task = s->task;
    out->spec.prep.numeric = NUMERIC_NONE;
    out->spec.model.layer = layer;
    out->spec.model.n_layer = s->n - 1;
    out->spec.train.loss = s->loss;
    return true;
}

// Inputs as they come.
static bool make_prep(const struct stack *s, struct prep *p, struct arena *a, struct faults *f)
{
    size_t n = s->piece[0].cols;
    if (s->input && s->n_input != n)
        fault_add(f, "conflicting_fields", "/inputs",
                  "must be %zu names, since the first layer has %zu inputs, got %zu", n, n,
                  s->n_input);
    const char *const *name = s->input ? s->input : numbered("x", 0, n, false, a);
    *p = (struct prep){.column = arena_alloc(a, n, sizeof *p->column),
                       .n_column = n,
                       .n_feature = n,
                       .target = arena_need(a, s->n_target, sizeof *p->target),
                       .n_target = s->n_target,
                       .task = s->task,
                       .class_name = s->class_name,
                       .n_class = s->n_class,
                       .y_mean = arena_need(a, s->n_target, sizeof *p->y_mean),
                       .y_std = arena_need(a, s->n_target, sizeof *p->y_std)};
    for (size_t i = 0; i < s->n_target; i++) {
        p->target[i] = (struct prep_target){.name = s->target[i], .source = SIZE_MAX};
        p->y_mean[i] = 0;
        p->y_std[i] = 1;
    }
    for (size_t i = 0; p->column && f->total == 0 && i < n; i++)
        p->column[i] = (struct prep_column){
            .name = name[i], .type = COLUMN_NUMERIC, .at = i, .width = 1, .std = 1};
    if (p->column && f->total == 0)
        prep_index(p, a);
    return p->column && f->total == 0;
}

static const struct model_param *find(const struct model *m, const char *prefix, const char *name)
{
    size_t n = strlen(prefix);
    for (size_t i = 0; i < m->n_param; i++)
        if (strncmp(m->param[i].name, prefix, n) == 0 && m->param[i].name[n] == '.' &&
            strcmp(m->param[i].name + n + 1, name) == 0)
            return &m->param[i];
    return NULL;
}

static void put(struct model *m, const struct model_param *p, const real *from)
{
    size_t n = (size_t)p->rows * p->cols;
    if (from)
        memcpy(m->value + p->at, from, n * sizeof *from);
    else
        memset(m->value + p->at, 0, n * sizeof *from);
}

// {"norm.weight": [...]}: each replaces the neutral value it would have.
static void put_parameters(struct model *m, const struct piece *piece, const char *prefix,
                           size_t at, struct arena *a, struct faults *f)
{
    struct json_in in = json_in(piece->parameters);
    struct json_text key;
    for (json_enter(&in); json_key(&in, &key, a);) {
        struct json_span value = json_skip(&in);
        char place[PLACE], name[64];
        snprintf(name, sizeof name, "%.*s", (int)key.len, key.at ? key.at : "");
        snprintf(place, sizeof place, "/layers/%zu/parameters/%s", at, name);
        const struct model_param *p = find(m, prefix, name);
        uint32_t n;
        if (!p) {
            fault_add(f, "unknown_field", place, "the layer has no parameter of this name");
            continue;
        }
        const real *v = json_vector(value, place, &n, a, f);
        if (v && n != p->cols)
            fault_add(f, "wrong_shape", place, "must have %u numbers, got %u", p->cols, n);
        else if (v)
            put(m, p, v);
    }
}

static void put_piece(struct model *m, const struct stack *s, size_t i, struct arena *a,
                      struct faults *f)
{
    const struct piece *piece = &s->piece[i];
    char prefix[32], place[PLACE];
    snprintf(prefix, sizeof prefix, "layers.%zu", i);
    snprintf(place, sizeof place, "/layers/%zu/weight", i);
    const char *at = i + 1 == s->n ? "output" : prefix;
    const struct model_param *weight = find(m, at, "weight"), *bias = find(m, at, "bias");
    if (piece->cols != weight->cols) {
        fault_add(f, "wrong_shape", place, "must have %u columns, as many as come in, got %u",
                  weight->cols, piece->cols);
        return;
    }
    put(m, weight, piece->weight);
    put(m, bias, piece->bias);
    if (piece->parameters.at)
        put_parameters(m, piece, at, i, a, f);
}

bool stack_build(struct stack *s, struct model_file *out, struct arena *a, struct faults *f,
                 struct err *e)
{
    *out = (struct model_file){0};
    if (!settle_task(s, a, f) || !settle_output(s, a, f) || !make_prep(s, &out->prep, a, f))
        return faults_none(f, e);
    if (!make_spec(s, out, a, e))
        return false;
    const struct model_task task = {.task = s->task,
                                    .n_in = (uint32_t)out->prep.n_feature,
                                    .n_class = s->n_class,
                                    .n_target = s->n_target,
                                    .loss = &out->spec.train.loss};
    if (!model_build(&out->model, &out->spec.model, &task, a, e))
        return false;
    model_init_weights(&out->model, 0);
    for (size_t i = 0; i < s->n; i++)
        put_piece(&out->model, s, i, a, f);
    return faults_none(f, e);
}
