// SPDX-License-Identifier: MIT
// Every row of every table goes where PyTorch goes, for 20 steps of a small network: see fixture.h
// for the numbers, replay.h for the comparison. MLPD_DEVIATIONS=1 in the environment prints how
// close each row came.

#include "tests/harness.h"
#include "tests/engine/replay.h"
#include "engine/model/init.h"
#include "engine/optim/schedule.h"
#include "engine/nn/role.h"
#include "engine/optim/optim.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { LEDGER_MAX = 512 };

// What the tests, each in a process of its own, tell the one that reports.
static struct ledger {
    size_t n;
    struct proved {
        char table[16], row[40], reference[64];
        int torch, formula; // cases
        double worst;
        bool turned[PICK_VALUES];
    } entry[LEDGER_MAX];
} * ledger;

static void print_row(const struct proved *p)
{
    printf("| %s | %s | %s | %d | %.1e |\n", p->table, p->row, p->reference, p->torch + p->formula,
           p->worst);
}

static void report(void)
{
    int torch = 0, formula = 0;
    double worst = 0;
    bool rows = getenv("MLPD_DEVIATIONS");
    if (rows)
        printf("| table | row | PyTorch | cases | largest deviation |\n|---|---|---|---|---|\n");
    for (size_t i = 0; i < ledger->n; i++) {
        const struct proved *p = &ledger->entry[i];
        torch += p->torch;
        formula += p->formula;
        worst = fmax(worst, p->worst);
        if (rows)
            print_row(p);
    }
    if (torch + formula)
        printf("  trajectories matched: %d (PyTorch %d, formula %d), largest deviation %.1e\n",
               torch + formula, torch, formula, worst);
}

__attribute__((constructor)) static void open_ledger(void)
{
    ledger = mmap(NULL, sizeof *ledger, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (ledger == MAP_FAILED)
        abort();
    harness_report(report);
}

static const struct table *const table[] = {&activation_table, &norm_table,     &loss_table,
                                            &optimizer_table,  &schedule_table, &init_table};
enum { TABLES = sizeof table / sizeof *table };

// What a case has chosen of a table: in the first layer, where layers choose.
static const struct pick *pick_of(const struct fixture *f, const struct table *t)
{
    const struct pick *const pick[TABLES] = {&f->layer[0].activation, &f->layer[0].norm,
                                             &f->train.loss,          &f->train.optimizer,
                                             &f->train.schedule,      &f->model.init};
    size_t i = 0;
    while (table[i] != t)
        i++;
    return pick[i];
}

// Marks the values that the case has changed.
static void note_turned(const struct fixture *f, const struct table *t, bool *turned)
{
    const struct pick *p = pick_of(f, t), usual = pick_row(t, p->row);
    for (int i = 0; i < PICK_VALUES; i++)
        turned[i] = turned[i] || (p->value[i] != usual.value[i] && !isnan(p->value[i]));
}

static void every_hyper_was_turned(const struct table *t, const struct row *row, const bool *turned)
{
    const struct hyper *k;
    size_t at;
    for (size_t i = 0; i < ROW_HYPERS && row->hyper[i].name && (k = hyper_at(t, row, i, &at));
         i++) {
        bool any = false;
        for (int v = 0; v < k->count || v < 1; v++)
            any = any || turned[at + (size_t)v];
        ck_assert_msg(any, "no case about \"%s\" turns its hyperparameter \"%s\"", row->name,
                      k->name);
    }
}

// A row that PyTorch has may have cases that go beyond it.
static void note_reference(struct proved *p, const char *reference)
{
    bool formula = strcmp(reference, "formula") == 0;
    *(formula ? &p->formula : &p->torch) += 1;
    if (!formula || !p->reference[0])
        snprintf(p->reference, sizeof p->reference, "%s", reference);
}

static void prove(const struct table *t, const cJSON *file, const cJSON *json, struct proved *p)
{
    struct arena a;
    struct fixture f;
    arena_init(&a, 16 << 20);
    fixture_read(&f, file, json, &a);
    p->worst = fmax(p->worst, replay(&f, &a));
    note_reference(p, f.reference);
    snprintf(p->table, sizeof p->table, "%s", t ? t->what : "regularization");
    snprintf(p->row, sizeof p->row, "%s", f.row);
    if (t)
        note_turned(&f, t, p->turned);
    arena_release(&a);
}

static void same_reference(const struct row *row, const struct proved *p)
{
    const char *ours = row->torch ? row->torch : "formula";
    ck_assert_msg(strcmp(ours, p->reference) == 0,
                  "\"%s\" says its counterpart is %s, the fixture comes from %s", row->name, ours,
                  p->reference);
}

// Every case about the row, or its own reason why there is none.
static void walk(const struct table *t, const struct row *row)
{
    cJSON *file = fixture_file(t->what);
    struct proved p = {0};
    for (const cJSON *c = NULL; (c = fixture_next(file, row->name, c));)
        prove(t, file, c, &p);
    cJSON_Delete(file);
    bool any = p.torch + p.formula > 0;
    ck_assert_msg(any || row->no_fixture,
                  "torch_%s.json has no case about \"%s\", and its row does not say why", t->what,
                  row->name);
    ck_assert_msg(!any || !row->no_fixture,
                  "\"%s\" has a fixture, so its row must not say why there is none", row->name);
    if (!any)
        return;
    same_reference(row, &p);
    every_hyper_was_turned(t, row, p.turned);
    ledger->entry[ledger->n++] = p;
}

#define TABLE_TEST(kind)                                                                           \
    LOOP_TEST(every_##kind##_goes_where_pytorch_goes, kind##_table.n)                              \
    {                                                                                              \
        walk(&kind##_table, kind##_table.row[_i]);                                                 \
    }

TABLE_TEST(activation)
TABLE_TEST(norm)
TABLE_TEST(loss)
TABLE_TEST(optimizer)
TABLE_TEST(schedule)
TABLE_TEST(init)

TEST(every_regulariser_goes_where_pytorch_goes)
{
    cJSON *file = fixture_file("regularization");
    for (const cJSON *c = NULL; (c = fixture_next(file, NULL, c));) {
        struct proved p = {0};
        prove(NULL, file, c, &p);
        ledger->entry[ledger->n++] = p;
    }
    cJSON_Delete(file);
}

// A case that no row asks for would prove nothing.
LOOP_TEST(every_fixture_is_about_a_row, TABLES)
{
    const struct table *t = table[_i];
    cJSON *file = fixture_file(t->what);
    for (const cJSON *c = NULL; (c = fixture_next(file, NULL, c));) {
        const char *row = cJSON_GetStringValue(cJSON_GetObjectItem(c, "row"));
        const struct row *found = table_find(t, row);
        ck_assert_msg(found && strcmp(found->name, row) == 0, "there is no %s \"%s\"", t->what,
                      row);
    }
    cJSON_Delete(file);
}

// Hyperparameters that a table has for all its rows; their places in a pick depend on the row.
LOOP_TEST(every_hyper_of_a_table_is_in_a_fixture, TABLES)
{
    const struct table *t = table[_i];
    cJSON *file = fixture_file(t->what);
    for (size_t k = 0; k < TABLE_HYPERS && t->common[k].name; k++) {
        bool any = false;
        for (const cJSON *c = NULL; (c = fixture_next(file, NULL, c));)
            any = any || cJSON_GetObjectItem(cJSON_GetObjectItem(c, t->what), t->common[k].name);
        ck_assert_msg(any, "no %s in a fixture turns \"%s\"", t->what, t->common[k].name);
    }
    cJSON_Delete(file);
}
