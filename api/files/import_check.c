// SPDX-License-Identifier: MIT
// What a model must be like to be stored and read again: see import_stack.h. What only JSON
// says, the widths, is looked at before the network is built from it; all else is looked at in the
// model that came out, so that no form can pass by a check which another has.

#include "api/files/import_stack.h"

#include "engine/base/utf8.h"
#include "engine/nn/op.h"
#include "engine/nn/role.h"

#include <stdio.h>
#include <string.h>

// What a model file can hold: it must be possible to read it again.
static void check_rows(const struct stack *s, size_t i, uint32_t most, struct faults *f)
{
    char place[PLACE];
    snprintf(place, sizeof place, "/layers/%zu/weight", i);
    if (s->piece[i].rows > most)
        fault_add(f, "too_long", place, "must have at most %u rows, got %u", most,
                  s->piece[i].rows);
}

bool import_check_units(const struct stack *s, struct faults *f)
{
    for (size_t i = 0; i < s->n; i++)
        check_rows(s, i, UNITS_MAX, f);
    if (s->piece[0].cols > COLUMNS_MAX)
        fault_add(f, "too_long", "/layers/0/weight", "must have at most %u columns, got %u",
                  COLUMNS_MAX, s->piece[0].cols);
    return f->total == 0;
}

bool import_check_outputs(const struct stack *s, struct faults *f)
{
    check_rows(s, s->n - 1, TARGETS_MAX * loss_per_target(pick_loss(&s->loss)), f);
    return f->total == 0;
}

static void check_distinct(const char *const *name, size_t n, const char *field, struct faults *f)
{
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < i; k++)
            if (strcmp(name[i], name[k]) == 0) {
                char place[PLACE];
                snprintf(place, sizeof place, "%s/%zu", field, i);
                fault_add(f, "conflicting_fields", place, "is the name of number %zu too", k);
                return;
            }
}

static void check_plain(const char *name, const char *field, size_t i, struct faults *f)
{
    const char *control = utf8_find_control(name, strlen(name));
    char place[PLACE];
    snprintf(place, sizeof place, "%s/%zu", field, i);
    if (!*name)
        fault_add(f, "bad_name", place, "must not be empty");
    if (control)
        fault_add(f, "bad_name", place, "must not have a control character, got U+%04X",
                  utf8_code(control));
}

static void check_positive(const struct model *m, const struct model_param *p, struct faults *f)
{
    const real *v = m->value + p->at;
    char place[PLACE];
    for (size_t i = 0; p->positive && i < (size_t)p->rows * p->cols; i++)
        if (v[i] < 0) {
            snprintf(place, sizeof place, "/layers/%u/parameters/%s", p->layer, p->own);
            fault_add(f, "out_of_range", place, "must not be below 0, number %zu is %g", i, v[i]);
            return;
        }
}

// Every input is found under its name at its place, and no target is an input.
static void check_names(const struct prep *p, struct faults *f)
{
    const struct answer *a = &p->answer;
    char place[PLACE];
    for (size_t i = 0; i < p->n_column; i++) {
        check_plain(p->column[i].name, "/inputs", i, f);
        if (prep_find(p, p->column[i].name, strlen(p->column[i].name)) != i) {
            snprintf(place, sizeof place, "/inputs/%zu", i);
            fault_add(f, "conflicting_fields", place, "is the name of another input too");
        }
    }
    for (size_t i = 0; i < a->n_target; i++) {
        check_plain(a->target[i], "/targets", i, f);
        if (prep_find(p, a->target[i], strlen(a->target[i])) < p->n_column) {
            snprintf(place, sizeof place, "/targets/%zu", i);
            fault_add(f, "conflicting_fields", place, "\"%s\" is the name of an input too",
                      a->target[i]);
        }
    }
    check_distinct(a->target, a->n_target, "/targets", f);
    check_distinct(a->class_name, a->n_class, "/classes", f);
}

bool import_check(const struct model_file *m, struct faults *f, struct err *e)
{
    check_names(&m->prep, f);
    for (size_t i = 0; i < m->model.n_param; i++)
        check_positive(&m->model, &m->model.param[i], f);
    return faults_none(f, e);
}
