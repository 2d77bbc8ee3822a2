// SPDX-License-Identifier: MIT
// The JSON form of an imported model, and the choice of form: see import.h. A layer is read by its
// own schema into a piece of a stack; what is wrong with it is told with the layer's place in
// front, so a caller finds the layer among many. Numbers are looked through where they stand and
// copied only once the whole network is known to fit.

#include "api/files/import.h"

#include "api/files/import_stack.h"
#include "api/files/safetensors.h"
#include "api/json/json_in.h"
#include "engine/nn/role.h"
#include "engine/table/task.h"

#include <stdio.h>
#include <string.h>

struct import_layer {
    struct layer_spec spec;
    struct json_span weight, bias, parameters;
};

static const struct field import_layer_fields[] = {
    RAW("weight", struct import_layer, weight, .required = true, .of = FIELD_LIST,
        .doc = "Rows of numbers, one row for each output."),
    RAW("bias", struct import_layer, bias, .nullable = true, .of = FIELD_LIST,
        .doc = "One number for each output; zeros when not given."),
    PICK("activation", struct import_layer, spec.activation, .table = &activation_table,
         .def = "\"identity\"", .doc = "Activation function."),
    PICK("norm", struct import_layer, spec.norm, .table = &norm_table, .nullable = true,
         .doc = "Normalization before the activation."),
    INT("residual", struct import_layer, spec.residual, .def = "0", .min = 0, .max = LAYERS_MAX,
        .doc = "Residual connection: add an earlier input to this layer's output. 1: its own "
               "input, 2: the input of the layer before it, and so on; 0: none."),
    RAW("parameters", struct import_layer, parameters, .nullable = true, .of = FIELD_OBJECT,
        .doc = "Parameters of norm and activation by name, such as norm.running_mean."),
    {0},
};
static const struct schema import_layer_schema = {
    .name = "ImportedLayer",
    .doc = "A linear layer with its weights, and its norm and activation.",
    .field = import_layer_fields,
    .size = sizeof(struct import_layer),
};

struct import_request {
    const char *name;
    const char *const *input;
    size_t n_input;
    const char *const *target;
    size_t n_target;
    int task; // a place of task_words
    const char *const *class_name;
    size_t n_class;
    struct pick loss;
    struct json_span layers;
};

static const struct field import_fields[] = {
    NAME("name", struct import_request, name, .required = true, .doc = "Name of the model."),
    LIST("inputs", struct import_request, input, n_input, const char *, .of = FIELD_STRING,
         .nullable = true, .doc = "Names of the inputs; x0, x1, ... when not given."),
    LIST("targets", struct import_request, target, n_target, const char *, .of = FIELD_STRING,
         .nullable = true, .doc = "Names of the targets; y, or y0, y1, ... when not given."),
    WORD("task", struct import_request, task, int, .names = task_words, .def = "\"auto\"",
         .doc = "What is predicted; auto means a classification when classes are given, else a "
                "regression."),
    LIST("classes", struct import_request, class_name, n_class, const char *, .of = FIELD_STRING,
         .nullable = true, .doc = "Names of the classes, in the order of the outputs."),
    PICK("loss", struct import_request, loss, .table = &loss_table, .nullable = true,
         .doc = "Loss function for further training; null for the usual one of the task."),
    RAW("layers", struct import_request, layers, .required = true, .of = FIELD_LIST,
        .sub = &import_layer_schema, .doc = "The layers in order, the output layer last."),
    {0},
};
static const struct field import_query_fields[] = {
    NAME("name", struct import_query, name, .doc = "Name of a model that comes as a file."),
    STRING("activation", struct import_query, activation,
           .doc = "What lies between the layers of a file of another program (default relu)."),
    {0},
};
const struct schema import_query = {
    .name = "ImportQuery", .field = import_query_fields, .size = sizeof(struct import_query)};

const struct schema import_schema = {
    .name = "ImportedModel",
    .doc = "A model with its weights.",
    .field = import_fields,
    .size = sizeof(struct import_request),
};

// What is wrong with a layer is told with the layer's place in front.
static void import_hand_on(const struct faults *own, size_t at, struct faults *f)
{
    for (size_t i = 0; i < own->n; i++) {
        char place[256];
        snprintf(place, sizeof place, "/layers/%zu%s", at, own->item[i].pointer);
        fault_add(f, own->item[i].code, place, "%s", own->item[i].detail);
    }
}

static void read_numbers(const struct import_layer *l, struct piece *p, struct faults *f)
{
    uint32_t n;
    p->weight.json = l->weight;
    p->bias.json = l->bias;
    bool sound = numbers_check_matrix(l->weight, "/weight", &p->rows, &p->cols, f);
    if (l->bias.at && numbers_check(l->bias, "/bias", &n, f) && sound && n != p->rows)
        fault_add(f, "wrong_shape", "/bias", "must have %u numbers, one for each output, got %u",
                  p->rows, n);
}

static bool read_layer(struct json_span span, size_t at, struct piece *p, struct arena *a,
                       struct faults *f, struct err *e)
{
    struct faults own;
    struct err why = {0};
    struct import_layer layer;
    faults_init(&own, a);
    if (schema_read(&import_layer_schema, span.at, span.len, &layer, a, &own, &why)) {
        *p = (struct piece){.spec = layer.spec, .parameters = layer.parameters};
        read_numbers(&layer, p, &own);
    }
    if (why.kind && why.kind != ERR_INVALID)
        return fail_at(e, why.kind, "/layers", "%s", why.text);
    import_hand_on(&own, at, f);
    return own.total == 0;
}

// False with faults or an error.
static bool read_layers(struct json_span span, struct stack *s, struct arena *a, struct faults *f,
                        struct err *e)
{
    struct json_in in = json_in(span);
    bool ok = true;
    for (json_enter(&in); json_more(&in);) {
        struct json_span layer = json_skip(&in);
        if (s->n == IMPORT_LAYERS) {
            fault_add(f, "too_long", "/layers", "must be at most %d", IMPORT_LAYERS);
            return false;
        }
        ok = read_layer(layer, s->n, &s->piece[s->n], a, f, e) && ok;
        s->n++;
    }
    if (s->n == 0)
        fault_add(f, "too_short", "/layers", "must have one layer at least");
    return ok && s->n > 0;
}

static bool import_json(const char *body, size_t len, struct model_file *out, struct stack *s,
                        struct arena *a, struct faults *f, struct err *e)
{
    struct import_request r;
    if (!schema_read(&import_schema, body, len, &r, a, f, e))
        return false;
    if (!read_layers(r.layers, s, a, f, e))
        return e->kind ? false : faults_none(f, e);
    *s = (struct stack){.piece = s->piece,
                        .n = s->n,
                        .name = r.name,
                        .input = r.input,
                        .n_input = r.n_input,
                        .answer = {.task = task_at(r.task),
                                   .target = r.target,
                                   .n_target = r.n_target,
                                   .class_name = r.class_name,
                                   .n_class = r.n_class},
                        .loss = r.loss};
    return stack_build(s, out, a, f, e);
}

static bool import_file(const char *body, size_t len, const struct import_query *q,
                        struct model_file *out, struct stack *s, struct arena *a, struct faults *f,
                        struct err *e)
{
    struct safetensors file;
    char *own;
    if (!safetensors_read(&file, body, len, a, e) ||
        !safetensors_metadata(&file, "preprocessing", &own, a, e))
        return false;
    if (!own)
        return stack_from_tensors(s, &file, q->name, q->activation, e) &&
               stack_build(s, out, a, f, e);
    if (!model_file_read(out, body, len, a, e))
        return false;
    if (q->name)
        out->name = q->name;
    return (out->name && schema_is_name(out->name)) ||
           fail(e, ERR_INVALID, "the file does not say what the model is called; add ?name=");
}

bool import_read(const char *body, size_t len, const struct import_query *q, struct model_file *f,
                 struct arena *a, struct faults *faults, struct err *e)
{
    struct stack s = {.piece = arena_alloc(a, IMPORT_LAYERS + 1, sizeof *s.piece)};
    if (!s.piece)
        return fail(e, ERR_TOO_LARGE, "the model needs more memory than one request may use");
    // A JSON text has no NUL; the length in front of a file has some.
    bool file = len >= 8 && memchr(body, '\0', 8);
    bool read = file ? import_file(body, len, q, f, &s, a, faults, e)
                     : import_json(body, len, f, &s, a, faults, e);
    return read && import_check(f, faults, e);
}
