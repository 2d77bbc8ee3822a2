// SPDX-License-Identifier: MIT
// api/REFERENCE.md is a print of the program's own tables. `make docs` writes it, `make check`
// compares. One page rather than one a table, so that a browser's search finds a word wherever it
// is explained. A section is a row of `sections`; a new kind of choice is a row there.
//
//     docs write api/REFERENCE.md
//     docs check api/REFERENCE.md    fail when the page is not what would be written

#include "api/schema/foreign.h"
#include "api/schema/job_schema.h"
#include "api/schema/rendering.h"
#include "api/views/problem.h"
#include "engine/model/init.h"
#include "engine/model/metric.h"
#include "engine/nn/role.h"
#include "engine/optim/optim.h"
#include "engine/optim/schedule.h"
#include "engine/train/diagnose.h"
#include "server/base/settings.h"
#include "server/handlers/handlers.h"
#include "server/jobs/job_kind.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct section {
    const char *title, *intro; // intro: a paragraph, or NULL
    void (*print)(const struct section *, FILE *);
    const struct table *table; // of choices, for print_choices
};

// A sentence in a cell of a table, where a bar would end the cell.
static void print_cell(const char *text, FILE *f)
{
    for (; *text; text++) {
        if (*text == '|')
            fputc('\\', f);
        fputc(*text, f);
    }
}

static void print_routes(const struct section *s, FILE *f)
{
    (void)s;
    fputs("| request | what it does | answers |\n|---|---|---|\n", f);
    for (size_t i = 0; i < route_count; i++) {
        const struct route *r = &route_table[i];
        fprintf(f, "| `%s %s` | %s", method_name(r->method), r->path, r->doc);
        for (size_t k = 0; r->rendering && r->rendering[k]; k++)
            fprintf(f, "%s`.%s`", k ? ", " : " Formats: ", r->rendering[k]->name);
        fprintf(f, "%s | %d", r->rendering ? "." : "", r->status);
        fputs(r->replay ? ", 200" : "", f);
        for (int k = 0; k < ROUTE_FAILS && r->fails[k]; k++)
            fprintf(f, ", %d", problem_of(r->fails[k])->status);
        fputs(" |\n", f);
    }
}

static void print_job(const struct section *s, FILE *f)
{
    (void)s;
    schema_markdown(&job_schema, f);
}

static void print_numbers(FILE *f, const struct hyper *k)
{
    const char *open = k->count > 1 ? "[" : "", *close = k->count > 1 ? "]" : "";
    fputs(open, f);
    for (size_t i = 0; i < hyper_length(k, k->def); i++)
        fprintf(f, "%s%g", i ? ", " : "", k->def[i]);
    fputs(close, f);
}

// "`lr` = 0.01 (0 to 1000): Learning rate."
static void print_hyper(FILE *f, const struct hyper *k)
{
    fprintf(f, "`%s` = ", k->name);
    if (k->type == HYPER_BOOL)
        fputs(k->def[0] ? "true" : "false", f);
    else
        print_numbers(f, k);
    if (k->type != HYPER_BOOL)
        fprintf(f, " (%g to %g)", k->min, k->max);
    fputs(": ", f);
    print_cell(k->doc, f);
}

static void print_aliases(FILE *f, const struct row *row)
{
    for (int i = 0; i < ROW_ALIASES && row->alias[i]; i++)
        fprintf(f, "%s`%s`", i ? ", " : " (or ", row->alias[i]);
    fputs(row->alias[0] ? ")" : "", f);
}

static void print_choice(FILE *f, const struct row *row)
{
    fprintf(f, "| `%s`", row->name);
    print_aliases(f, row);
    fputs(" | ", f);
    print_cell(row->doc, f);
    fputs(" | ", f);
    for (int i = 0; i < ROW_HYPERS && row->hyper[i].name; i++) {
        fputs(i ? "<br>" : "", f);
        print_hyper(f, &row->hyper[i]);
    }
    fprintf(f, " | %s%s%s |\n", row->torch ? "`" : "", row->torch ? row->torch : "",
            row->torch ? "`" : "");
}

static void print_choices(const struct section *s, FILE *f)
{
    fputs("| name | meaning | hyperparameters, their defaults and ranges | PyTorch |\n"
          "|---|---|---|---|\n",
          f);
    for (size_t i = 0; i < s->table->n; i++)
        print_choice(f, s->table->row[i]);
    if (!s->table->common[0].name)
        return;
    fprintf(f, "\nEvery %s also takes:\n\n", s->table->what);
    for (int i = 0; i < TABLE_HYPERS && s->table->common[i].name; i++) {
        fputs("- ", f);
        print_hyper(f, &s->table->common[i]);
        fputc('\n', f);
    }
}

static void print_symptoms(const struct section *s, FILE *f)
{
    (void)s;
    fputs("| finding | meaning | what the suggested job does |\n|---|---|---|\n", f);
    for (size_t i = 0; i < symptom_count; i++)
        fprintf(f, "| `%s` | %s | %s |\n", symptom_list[i]->row.name, symptom_list[i]->row.doc,
                symptom_list[i]->advice);
}

// A JSON Pointer as the other tables write keys.
static void print_key(FILE *f, const char *pointer)
{
    fputc('`', f);
    for (const char *p = pointer + 1; *p; p++)
        if (p[0] == '/' && p[1] == '*')
            fputs("[]", f), p++;
        else
            fputc(*p == '/' ? '.' : *p, f);
    fputc('`', f);
}

static void print_foreign(const struct section *s, FILE *f)
{
    (void)s;
    fputs("| option | becomes | remark |\n|---|---|---|\n", f);
    for (size_t i = 0; i < foreign_count; i++) {
        const struct foreign *row = &foreign_table[i];
        fprintf(f, "| `%s` | ", row->name);
        if (row->to)
            print_key(f, row->to);
        else
            fputs(*row->off ? "refused" : "ignored", f);
        fprintf(f, " | %s |\n", row->doc ? row->doc : "");
    }
}

static void print_problems(const struct section *s, FILE *f)
{
    (void)s;
    fputs("| status | `code` | meaning |\n|---|---|---|\n", f);
    for (int k = ERR_NONE + 1; k < ERR_KIND_COUNT; k++)
        fprintf(f, "| %d | `%s` | %s |\n", problem_of((enum err_kind)k)->status,
                err_word((enum err_kind)k), problem_of((enum err_kind)k)->title);
}

static void print_settings(const struct section *s, FILE *f)
{
    (void)s;
    fputs("```text\n", f);
    settings_help(f);
    fputs("```\n", f);
}

static const struct section sections[] = {
    {"Routes",
     "Any route can also answer 400 (not readable), 405, 415, 500 or 503. Every field of every "
     "request and reply is in [openapi.json](openapi.json).",
     print_routes, NULL},
    {"Errors",
     "Errors are problem documents (RFC 9457). `diverged` and `cancelled` are also values of "
     "`error.code` of a job. [README.md](README.md#errors-and-retries) says how to handle them.",
     print_problems, NULL},
    {"Job definition",
     "The body of `POST /jobs`; also a JSON Schema at `GET /schema/job`. A choice is a name "
     "(`\"adam\"`) or an object with its hyperparameters (`{\"type\": \"adam\", \"lr\": 0.01}`).",
     print_job, NULL},
    {"Job kinds", NULL, print_choices, &job_kind_table},
    {"Activations", NULL, print_choices, &activation_table},
    {"Norms", NULL, print_choices, &norm_table},
    {"Losses", NULL, print_choices, &loss_table},
    {"Optimizers", NULL, print_choices, &optimizer_table},
    {"Schedules", NULL, print_choices, &schedule_table},
    {"Initializations", NULL, print_choices, &init_table},
    {"Metrics", NULL, print_choices, &metric_table},
    {"Findings", "What `GET /jobs/{id}/diagnosis` can find.", print_symptoms, NULL},
    {"Options of other libraries",
     "The parameters of scikit-learn's MLPClassifier and MLPRegressor and of H2O's deep learning "
     "can stand in a job definition as they are. The reply's `notes` say what mlpd made of each. "
     "An option that is ignored has no effect here. A refused option is an error, unless it has "
     "the value that turns it off.",
     print_foreign, NULL},
    {"Daemon settings", NULL, print_settings, NULL},
};

enum { SECTIONS = sizeof sections / sizeof *sections };

// A heading's anchor as the sites that show Markdown make it.
static void print_anchor(const char *title, FILE *f)
{
    for (; *title; title++)
        fputc(*title == ' ' ? '-' : tolower((unsigned char)*title), f);
}

static void print_contents(FILE *f)
{
    for (size_t i = 0; i < SECTIONS; i++) {
        fprintf(f, "- [%s](#", sections[i].title);
        print_anchor(sections[i].title, f);
        fputs(")\n", f);
    }
}

// The whole page, for the caller to free.
static char *print_page(void)
{
    char *page = NULL;
    size_t len;
    FILE *f = open_memstream(&page, &len);
    fputs("# Reference\n\nWritten by `make docs` from the tables of the program: change those, not "
          "this page. [README.md](README.md) explains how to use them.\n\n",
          f);
    print_contents(f);
    for (size_t i = 0; i < SECTIONS; i++) {
        fprintf(f, "\n## %s\n\n", sections[i].title);
        if (sections[i].intro)
            fprintf(f, "%s\n\n", sections[i].intro);
        sections[i].print(&sections[i], f);
    }
    fclose(f);
    return page;
}

// The file's text, for the caller to free; NULL when it cannot be read.
static char *read_file(const char *path)
{
    FILE *f = fopen(path, "r");
    char *text = NULL;
    size_t len = 0;
    if (!f || getdelim(&text, &len, '\0', f) < 0)
        perror(path);
    if (f)
        fclose(f);
    return text;
}

static int check_page(const char *path, const char *page)
{
    char *old = read_file(path);
    bool same = old && strcmp(old, page) == 0;
    if (!same)
        printf("ERROR: %s is stale; run `make docs`\n", path);
    printf("docs: %d passed, %d failed\n", same, !same);
    free(old);
    return !same;
}

static int write_page(const char *path, const char *page)
{
    FILE *f = fopen(path, "w");
    bool ok = f && fputs(page, f) >= 0;
    if ((f && fclose(f)) || !ok) {
        perror(path);
        return 2;
    }
    return 0;
}

int main(int argc, char **argv)
{
    bool writes = argc == 3 && strcmp(argv[1], "write") == 0;
    if (!writes && (argc != 3 || strcmp(argv[1], "check") != 0)) {
        fputs("usage: docs write|check api/REFERENCE.md\n", stderr);
        return 2;
    }
    char *page = print_page();
    int status = writes ? write_page(argv[2], page) : check_page(argv[2], page);
    free(page);
    return status;
}
