// SPDX-License-Identifier: MIT
// Targets in, traces out: see trace_json.h. Targets are held to what a job would accept in its
// table, since gradients at an impossible target would say nothing about the model.

#include "api/views/trace_json.h"

#include "api/json/json_in.h"
#include "api/views/graph_doc.h"
#include "engine/base/number.h"
#include "engine/table/task.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct target_reader {
    const struct model *m;
    const struct answer *answer;
    struct arena *a;
    struct faults *f;
    size_t row;
    double *given; // [n_target] of the row, in the targets' own units
};

__attribute__((format(printf, 3, 4))) static void complain(struct target_reader *r,
                                                           const char *code, const char *fmt, ...)
{
    char pointer[40], text[256];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    snprintf(pointer, sizeof pointer, "/targets/%zu", r->row);
    fault_add(r->f, code, pointer, "%s", text);
}

static void read_class(struct target_reader *r, struct json_in *in, real *y)
{
    struct json_text name = {0};
    char number[NUMBER_TEXT_SIZE];
    enum json_kind kind = json_kind(in);
    if (kind == JSON_STRING) {
        json_string(in, &name, r->a);
    } else if (kind == JSON_NUMBER) {
        name.len = number_print(number, json_number(in));
        name.at = number;
    } else {
        json_skip(in);
        complain(r, "wrong_type", "must be the name of a class, got %s", json_kind_name(kind));
        return;
    }
    for (size_t c = 0; name.at && c < r->answer->n_class; c++)
        if (strlen(r->answer->class_name[c]) == name.len &&
            memcmp(r->answer->class_name[c], name.at, name.len) == 0) {
            *y = (real)c;
            return;
        }
    complain(r, "unknown_value", "there is no class \"%.*s\"; the first is \"%s\"",
             (int)(name.len < 64 ? name.len : 64), name.at ? name.at : "",
             r->answer->class_name[0]);
}

// What the loss would refuse in a job's table.
static void check_value(struct target_reader *r, double value)
{
    const struct loss *loss = r->m->loss;
    bool least = loss->scale == TARGET_MEAN &&
                 (loss->target_above_min ? value <= loss->target_min : value < loss->target_min);
    if (least)
        complain(r, "out_of_range", "must be %s %.9g for loss \"%s\", got %.9g",
                 loss->target_above_min ? "above" : "at least", loss->target_min,
                 loss->op->row.name, value);
}

static void trace_json_read_value(struct target_reader *r, struct json_in *in, size_t k, real *y)
{
    enum json_kind kind = json_kind(in);
    if (kind != JSON_NUMBER) {
        json_skip(in);
        complain(r, "wrong_type", "must be a number, got %s", json_kind_name(kind));
        return;
    }
    const struct answer *a = r->answer;
    double value = r->given[k] = json_number(in);
    y[k] = (real)((value - a->mean[k]) / a->std[k]);
    if (!isfinite(y[k]))
        complain(r, "not_finite", "is too large for single precision");
    else
        check_value(r, value);
}

// What the task would refuse there.
static void trace_check_row(struct target_reader *r)
{
    const struct task *task = r->answer->task;
    struct err why = {0};
    if (task->fits && !task->fits(r->given, r->answer->n_target, &why))
        complain(r, "out_of_range", "%s", why.text);
}

static void read_values(struct target_reader *r, struct json_in *in, real *y)
{
    size_t k = 0, n = r->answer->n_target, faults = r->f->total;
    if (json_kind(in) != JSON_ARRAY) {
        trace_json_read_value(r, in, 0, y);
        k = 1;
    } else {
        for (json_enter(in); json_more(in); k++)
            if (k < n)
                trace_json_read_value(r, in, k, y);
            else
                json_skip(in);
    }
    if (k != n)
        complain(r, "ragged_row", "must be an array of %zu values, got %zu", n, k);
    else if (r->f->total == faults)
        trace_check_row(r);
}

bool targets_read(struct json_span span, const struct model *m, size_t n, real **y, struct arena *a,
                  struct faults *f, struct err *e)
{
    size_t width = m->answer.n_target;
    struct target_reader r = {.m = m, .answer = &m->answer, .a = a, .f = f};
    struct json_in in = json_in(span);
    *y = arena_zalloc(a, n * width, sizeof **y);
    r.given = arena_alloc(a, width, sizeof *r.given);
    if (!*y || !r.given)
        return fail_at(e, ERR_TOO_LARGE, "/targets", "need more memory than one request may use");
    for (json_enter(&in); json_more(&in); r.row++)
        if (r.row >= n)
            json_skip(&in);
        else if (m->answer.n_class)
            read_class(&r, &in, *y + r.row);
        else
            read_values(&r, &in, *y + r.row * width);
    if (r.row != n)
        fault_add(f, "ragged_row", "/targets", "must be as many as instances, %zu, got %zu", n,
                  r.row);
    return faults_none(f, e);
}

static size_t rows_of(const struct trace *t, const struct node *n)
{
    return n->rows ? n->rows : t->rows;
}

size_t trace_numbers(const struct trace *t)
{
    size_t total = 0;
    for (uint32_t i = 0; i < trace_nodes(t); i++) {
        const struct node *n = &t->view.graph.node[i];
        total += rows_of(t, n) * n->cols * (t->plan.buf[i].d ? 2 : 1);
    }
    return total;
}

const struct graph_node_reply *trace_view_nodes(const struct trace *t, struct arena *a)
{
    uint32_t n = trace_nodes(t);
    struct graph_node_reply *out = arena_alloc(a, n, sizeof *out);
    for (uint32_t i = 0; out && i < n; i++) {
        const struct node *node = &t->view.graph.node[i];
        const struct buf *b = &t->plan.buf[i];
        graph_node_fill(&out[i], node, i, a);
        out[i].values = (struct matrix){b->v, rows_of(t, node), node->cols};
        out[i].gradients = (struct matrix){b->d, rows_of(t, node), node->cols};
        out[i].traced = true;
    }
    return out;
}
