// SPDX-License-Identifier: MIT
// From a stack of layers to a model: see import_stack.h. What was not said (task, classes, targets,
// loss) is settled from the last layer's width; then the network is built by the same builder as
// for a job, and the numbers are put in place of its parameters. Complaints of that builder are
// about a job's fields, so their pointers are moved to the import's.

#include "api/files/import_stack.h"

#include "api/json/json_in.h"
#include "engine/model/init.h"
#include "engine/nn/role.h"
#include "engine/table/task.h"

#include <stdio.h>
#include <string.h>

// Whether a loss of so many classes has so many outputs.
static bool loss_has(const struct loss *loss, const struct answer *a, uint32_t outputs)
{
    return loss->forms & answer_form(a) && loss_width(loss, a->n_class, 1) == outputs;
}

// Classes that so many outputs tell apart with a loss (NULL: any that fits the task), and the first
// such loss: as many as outputs, or one more. 0 when there is none.
static size_t classes_of(const struct task *task, const struct loss **loss, uint32_t outputs)
{
    for (size_t i = 0; i < loss_table.n; i++)
        for (size_t n = outputs > 1 ? outputs : 2; n <= (size_t)outputs + 1; n++) {
            const struct answer a = {.task = task, .n_class = n};
            bool mine = !*loss || *loss == loss_list[i];
            if (mine && loss_has(loss_list[i], &a, outputs)) {
                *loss = loss_list[i];
                return n;
            }
        }
    return 0;
}

// NULL with a fault when there is no room.
static const char *const *numbered(const char *stem, size_t n, bool bare, struct arena *a,
                                   struct faults *f)
{
    enum { NAME = 24 };
    const char **name = arena_alloc(a, n, sizeof *name);
    char(*text)[NAME] = name ? arena_alloc(a, n, NAME) : NULL;
    if (!text) {
        fault_add(f, "too_long", "/layers", "need more memory than one request may use");
        return NULL;
    }
    for (size_t i = 0; i < n; i++) {
        snprintf(text[i], NAME, "%s%zu", stem, i);
        name[i] = bare ? stem : text[i];
    }
    return name;
}

// Numbers that come out of a layer: gates and maxout give fewer than the weight has rows.
static uint32_t outputs_of(const struct piece *p)
{
    const struct op *act = pick_op(&p->spec.activation);
    uint32_t n = act->width ? act->width(p->spec.activation.value, p->rows) : p->rows;
    return n ? n : p->rows; // what does not divide is the network's to say
}

static const struct task *first_task(bool classes)
{
    size_t i = 0;
    while (task_list[i]->classes != classes)
        i++;
    return task_list[i];
}

static void settle_classes(struct stack *s, uint32_t outputs, struct arena *a, struct faults *f)
{
    struct answer *answer = &s->answer;
    const struct loss *loss = pick_loss(&s->loss);
    size_t n = classes_of(answer->task, &loss, outputs);
    if (!n)
        n = outputs > 1 ? outputs : 2; // what is wrong with the loss is told below
    if (answer->n_class && answer->n_class != n)
        fault_add(f, "conflicting_fields", "/classes",
                  "must be %zu names, since the last layer has %u outputs, got %zu", n, outputs,
                  answer->n_class);
    if (!answer->n_class)
        answer->class_name = numbered("", n, false, a, f);
    answer->n_class = n;
    if (!s->loss.row && loss)
        s->loss = pick_row(&loss_table, &loss->op->row);
}

static void settle_targets(struct stack *s, uint32_t outputs, struct arena *a, struct faults *f)
{
    struct answer *answer = &s->answer;
    const struct loss *loss = pick_loss(&s->loss);
    size_t n = answer->n_class ? 1 : outputs / loss_per_target(loss);
    uint32_t wanted = loss_width(loss, answer->n_class, n ? n : 1);
    if (outputs != wanted) {
        char place[PLACE];
        snprintf(place, sizeof place, "/layers/%zu/weight", s->n - 1);
        fault_add(f, "wrong_shape", place, "must have %u rows for loss \"%s\", got %u", wanted,
                  s->loss.row->name, outputs);
    }
    if (answer->n_target && answer->n_target != n)
        fault_add(f, "conflicting_fields", "/targets",
                  "must be %zu names, since the last layer has %u outputs, got %zu", n, outputs,
                  answer->n_target);
    if (!answer->n_target)
        answer->target = numbered("y", n, n == 1, a, f);
    answer->n_target = n;
}

// Task, classes, targets and loss, from what was said and the last layer's width.
static bool settle_task(struct stack *s, struct arena *a, struct faults *f)
{
    struct answer *answer = &s->answer;
    uint32_t outputs = outputs_of(&s->piece[s->n - 1]);
    if (!answer->task)
        answer->task = first_task(answer->n_class > 0);
    if (answer->task->classes)
        settle_classes(s, outputs, a, f);
    else if (answer->n_class)
        fault_add(f, "conflicting_fields", "/classes", "must be left out: the task has none");
    if (f->total)
        return false;
    if (!s->loss.row)
        s->loss = pick_row(&loss_table, &answer_usual_loss(answer)->op->row);
    settle_targets(s, outputs, a, f);
    return f->total == 0;
}

// The last layer is the output layer when nothing follows its product but what the loss brings
// along; else an identity layer makes the outputs.
static bool settle_output(struct stack *s, struct faults *f)
{
    struct piece *last = &s->piece[s->n - 1];
    const struct op *act = pick_op(&last->spec.activation);
    const struct loss *loss = pick_loss(&s->loss);
    bool plain = !last->spec.norm.row && !last->spec.residual;
    if (plain && (act == &op_identity || (loss && act == loss->link)))
        return true;
    uint32_t n = outputs_of(last);
    if (s->n == IMPORT_LAYERS) {
        fault_add(f, "too_long", "/layers",
                  "must be at most %d when an activation follows the last, which needs one more",
                  IMPORT_LAYERS - 1);
        return false;
    }
    s->piece[s->n++] = (struct piece){
        .rows = n, .cols = n, .spec.activation = pick_row(&activation_table, &op_identity.row)};
    return true;
}

static struct model_spec stack_spec(const struct stack *s, struct arena *a)
{
    struct layer_spec *layer = arena_need(a, s->n, sizeof *layer);
    for (size_t i = 0; i + 1 < s->n; i++) {
        layer[i] = s->piece[i].spec;
        layer[i].units = (int)s->piece[i].rows;
    }
    return (struct model_spec){
        .layer = layer, .n_layer = s->n - 1, .init = pick_row(&init_table, init_table.row[0])};
}

// Inputs as they come.
static bool make_prep(const struct stack *s, struct prep *p, struct arena *a, struct faults *f,
                      struct err *e)
{
    size_t n = s->piece[0].cols;
    if (s->input && s->n_input != n)
        fault_add(f, "conflicting_fields", "/inputs",
                  "must be %zu names, since the first layer has %zu inputs, got %zu", n, n,
                  s->n_input);
    const char *const *name = s->input ? s->input : numbered("x", n, false, a, f);
    *p = (struct prep){.column = arena_alloc(a, n, sizeof *p->column),
                       .n_column = n,
                       .n_feature = n,
                       .answer = s->answer};
    p->answer.mean = arena_alloc(a, s->answer.n_target, sizeof *p->answer.mean);
    p->answer.std = arena_alloc(a, s->answer.n_target, sizeof *p->answer.std);
    if (!p->column || !p->answer.mean || !p->answer.std)
        fault_add(f, "too_long", "/layers", "need more memory than one request may use");
    if (f->total)
        return false;
    for (size_t i = 0; i < s->answer.n_target; i++) {
        p->answer.mean[i] = 0;
        p->answer.std[i] = 1;
    }
    for (size_t i = 0; i < n; i++)
        p->column[i] = (struct prep_column){
            .name = name[i], .type = COLUMN_NUMERIC, .at = i, .width = 1, .std = 1};
    return prep_index(p, NULL, a, e);
}

// The parameter of a layer that has this name within it; NULL when there is none.
static const struct model_param *stack_find(const struct model *m, size_t layer, const char *own)
{
    for (size_t i = 0; i < m->n_param; i++)
        if (m->param[i].layer == layer && strcmp(m->param[i].own, own) == 0)
            return &m->param[i];
    return NULL;
}

static bool has_numbers(const struct numbers *n)
{
    return n->json.at || n->raw;
}

// A parameter of zeros, or with a diagonal of ones.
static void put_plain(struct model *m, const struct model_param *p, bool identity)
{
    real *v = m->value + p->at;
    memset(v, 0, (size_t)p->rows * p->cols * sizeof *v);
    for (size_t i = 0; identity && i < p->rows; i++)
        v[i * p->cols + i] = 1;
}

static void stack_put(struct model *m, const struct model_param *p, const struct numbers *from,
                      bool identity)
{
    if (has_numbers(from))
        numbers_copy(from, m->value + p->at, (size_t)p->rows * p->cols);
    else
        put_plain(m, p, identity);
}

static void stack_put_parameter(struct model *m, const struct model_param *p,
                                struct json_span value, const char *place, struct faults *f)
{
    uint32_t n;
    if (!numbers_check(value, place, &n, f))
        return;
    if (n != p->rows * p->cols) {
        fault_add(f, "wrong_shape", place, "must have %u numbers, got %u", p->rows * p->cols, n);
        return;
    }
    stack_put(m, p, &(struct numbers){.json = value}, false);
}

// {"norm.weight": [...]}: each replaces the neutral value it would have.
static void put_parameters(struct model *m, const struct piece *piece, size_t at, struct arena *a,
                           struct faults *f)
{
    struct json_in in = json_in(piece->parameters);
    struct json_text key;
    for (json_enter(&in); json_key(&in, &key, a);) {
        struct json_span value = json_skip(&in);
        char place[PLACE], name[64];
        snprintf(name, sizeof name, "%.*s", (int)key.len, key.at ? key.at : "");
        snprintf(place, sizeof place, "/layers/%zu/parameters/%s", at, name);
        const struct model_param *p = stack_find(m, at, name);
        if (!p || !p->of_op)
            fault_add(f, "unknown_field", place,
                      "the layer's norm and activation have no parameter of this name");
        else
            stack_put_parameter(m, p, value, place, f);
    }
}

static void put_piece(struct model *m, const struct stack *s, size_t i, struct faults *f)
{
    const struct piece *piece = &s->piece[i];
    char place[PLACE];
    const struct model_param *weight = stack_find(m, i, "weight"), *bias = stack_find(m, i, "bias");
    snprintf(place, sizeof place, "/layers/%zu/weight", i);
    BUG(piece->rows != weight->rows); // settle_task() has seen to the last one
    if (piece->cols != weight->cols) {
        fault_add(f, "wrong_shape", place, "must have %u columns, as many as come in, got %u",
                  weight->cols, piece->cols);
        return;
    }
    stack_put(m, weight, &piece->weight, true);
    stack_put(m, bias, &piece->bias, false);
}

static void put_all_parameters(struct model *m, const struct stack *s, struct arena *a,
                               struct faults *f)
{
    for (size_t i = 0; i < s->n; i++)
        if (s->piece[i].parameters.at)
            put_parameters(m, &s->piece[i], i, a, f);
}

// The network's own complaints are about "/model/layers/..." of a job.
static void move_pointer(struct err *e)
{
    static const char model[] = "/model";
    if (strncmp(e->at, model, strlen(model)) == 0)
        memmove(e->at, e->at + strlen(model), strlen(e->at) - strlen(model) + 1);
}

bool stack_build(struct stack *s, struct model_file *out, struct arena *a, struct faults *f,
                 struct err *e)
{
    *out = (struct model_file){0};
    bool ok = import_check_units(s, f) && settle_task(s, a, f) && settle_output(s, f) &&
              import_check_outputs(s, f) && make_prep(s, &out->prep, a, f, e);
    if (!ok)
        return e->kind ? false : faults_none(f, e);
    out->name = s->name;
    const struct model_spec spec = stack_spec(s, a);
    const struct model_task task = {
        .answer = &out->prep.answer, .n_in = (uint32_t)out->prep.n_feature, .loss = &s->loss};
    if (!model_build(&out->model, &spec, &task, a, e)) {
        move_pointer(e);
        return false;
    }
    for (size_t i = 0; i < s->n; i++)
        put_piece(&out->model, s, i, f);
    if (!faults_none(f, e))
        return false;
    model_init_ops(&out->model, NULL);
    put_all_parameters(&out->model, s, a, f);
    return faults_none(f, e);
}
