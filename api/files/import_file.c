// SPDX-License-Identifier: MIT
// A stack of linear layers from a safetensors file that is not ours: see import_stack.h. Files of
// other programs carry names and shapes but no order of layers: tensors are sorted the way people
// number them, every matrix is a layer, and a vector belongs to the matrix whose name it shares.

#include "api/files/import_stack.h"
#include "engine/nn/role.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

// "2.weight" comes before "10.weight".
static int natural(const char *x, const char *y)
{
    for (; *x && *y; x++, y++)
        if (isdigit((unsigned char)*x) && isdigit((unsigned char)*y)) {
            char *x_end, *y_end;
            unsigned long a = strtoul(x, &x_end, 10), b = strtoul(y, &y_end, 10);
            if (a != b)
                return a < b ? -1 : 1;
            x = x_end - 1;
            y = y_end - 1;
        } else if (*x != *y) {
            break;
        }
    return (unsigned char)*x - (unsigned char)*y;
}

static int file_by_name(const void *a, const void *b)
{
    return natural(((const struct tensor *)a)->name, ((const struct tensor *)b)->name);
}

static bool file_is_finite(const struct tensor *t, struct err *e)
{
    for (size_t i = 0; i < (size_t)t->rows * t->cols; i++) {
        float x;
        memcpy(&x, t->at + i * sizeof x, sizeof x);
        if (!isfinite(x))
            return fail(e, ERR_INVALID, "tensor \"%s\" has a value that is not finite", t->name);
    }
    return true;
}

static bool ends_in(const char *name, const char *end)
{
    size_t n = strlen(name), m = strlen(end);
    return n >= m && strcmp(name + n - m, end) == 0;
}

static bool same_layer(const struct tensor *bias, const struct tensor *weight)
{
    size_t n = strlen(weight->name) - strlen("weight");
    return strncmp(bias->name, weight->name, n) == 0 && strcmp(bias->name + n, "bias") == 0;
}

static bool take_weight(struct stack *s, const struct tensor *t, const struct pick *act,
                        struct err *e)
{
    if (s->n == IMPORT_LAYERS)
        return fail(e, ERR_INVALID, "the file has over %d layers", IMPORT_LAYERS);
    const struct piece *before = s->n ? &s->piece[s->n - 1] : NULL;
    if (before && before->rows != t->cols)
        return fail(e, ERR_INVALID,
                    "tensor \"%s\" takes %u inputs, but the layer before it gives %u; only a plain "
                    "stack of linear layers, in the order of their names, can be imported",
                    t->name, t->cols, before->rows);
    s->piece[s->n++] = (struct piece){
        .spec.activation = *act, .weight.raw = t->at, .rows = t->rows, .cols = t->cols};
    return file_is_finite(t, e);
}

static bool take_bias(struct piece *p, const struct tensor *t, struct err *e)
{
    if (t->cols != p->rows)
        return fail(e, ERR_INVALID, "tensor \"%s\" has %u values, its layer %u outputs", t->name,
                    t->cols, p->rows);
    p->bias.raw = t->at;
    return file_is_finite(t, e);
}

// Tensors sorted by name: every matrix is a layer.
static bool take_weights(struct stack *s, struct safetensors *file, const struct pick *act,
                         struct err *e)
{
    qsort(file->tensor, file->n, sizeof *file->tensor, file_by_name);
    for (size_t i = 0; i < file->n; i++) {
        const struct tensor *t = &file->tensor[i];
        if (!ends_in(t->name, t->vector ? "bias" : "weight"))
            return fail(e, ERR_INVALID,
                        "tensor \"%s\" is neither the weight nor the bias of a linear layer",
                        t->name);
        if (!t->vector && !take_weight(s, t, act, e))
            return false;
    }
    return s->n > 0 || fail(e, ERR_INVALID, "the file has no linear layer");
}

// Each goes to the layer whose weight has the same name in front.
static bool take_biases(struct stack *s, const struct safetensors *file, struct err *e)
{
    size_t taken = 0;
    for (size_t i = 0, layer = 0; i < file->n; i++) {
        if (file->tensor[i].vector)
            continue;
        for (size_t k = 0; k < file->n; k++)
            if (file->tensor[k].vector && same_layer(&file->tensor[k], &file->tensor[i])) {
                if (!take_bias(&s->piece[layer], &file->tensor[k], e))
                    return false;
                taken++;
            }
        layer++;
    }
    return taken + s->n == file->n ||
           fail(e, ERR_INVALID, "the file has a bias without the weight of its layer");
}

bool stack_from_tensors(struct stack *s, struct safetensors *file, const char *name,
                        const char *activation, struct err *e)
{
    const char *word = activation ? activation : "relu";
    const struct row *row = table_find(&activation_table, word);
    if (!name)
        return fail(e, ERR_INVALID, "query parameter \"name\" must say what to call the model");
    if (!row)
        return fail(e, ERR_INVALID, "query parameter \"activation\": there is no \"%.40s\"", word);
    struct pick act = pick_row(&activation_table, row);
    if (!take_weights(s, file, &act, e) || !take_biases(s, file, e))
        return false;
    s->name = name;
    s->piece[s->n - 1].spec.activation = pick_row(&activation_table, &op_identity.row);
    return true;
}
