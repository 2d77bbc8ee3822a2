// SPDX-License-Identifier: MIT
// The README's tables are prints of the program's own tables. `make docs` writes them, `make check`
// compares.
//
//     docs write README.md    replace what stands between <!-- table: NAME --> and <!-- end -->
//     docs check README.md    fail when anything would be replaced

#include "api/schema/foreign.h"
#include "api/schema/job_schema.h"
#include "engine/model/metric.h"
#include "api/schema/problem.h"
#include "api/schema/route.h"
#include "server/base/settings.h"
#include "engine/model/init.h"
#include "engine/nn/role.h"
#include "engine/optim/optim.h"
#include "engine/optim/schedule.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void print_routes(FILE *f)
{
    fputs("| request | what it does | answers |\n|---|---|---|\n", f);
    for (size_t i = 0; i < route_count; i++) {
        const struct route *r = &route_table[i];
        fprintf(f, "| `%s %s` | %s | %d", method_name(r->method), r->path, r->doc, r->status);
        fputs(r->replay ? ", 200" : "", f);
        for (int k = 0; k < ROUTE_FAILS && r->fails[k]; k++)
            fprintf(f, ", %d", problem_of(r->fails[k])->status);
        fputs(" |\n", f);
    }
}

static void print_job(FILE *f)
{
    schema_markdown(&job_schema, f);
}

static void print_default(FILE *f, const struct knob *k)
{
    const char *open = k->count > 1 ? "[" : "", *close = k->count > 1 ? "]" : "";
    fputs(open, f);
    for (size_t i = 0; i < knob_length(k, k->def); i++)
        fprintf(f, "%s%g", i ? ", " : "", k->def[i]);
    fputs(close, f);
}

static void print_knobs(FILE *f, const struct table *t, const struct row *row)
{
    const struct knob *k;
    size_t at;
    for (size_t i = 0; (k = knob_at(t, row, i, &at)); i++) {
        fprintf(f, "%s`%s` ", i ? ", " : "", k->name);
        if (k->type == KNOB_BOOL)
            fputs(k->def[0] ? "true" : "false", f);
        else
            print_default(f, k);
    }
}

static void print_aliases(FILE *f, const struct row *row)
{
    for (int i = 0; i < ROW_ALIASES && row->alias[i]; i++)
        fprintf(f, "%s`%s`", i ? ", " : " (or ", row->alias[i]);
    fputs(row->alias[0] ? ")" : "", f);
}

static void print_choice(FILE *f, const struct table *t, const struct row *row)
{
    fprintf(f, "| %s | `%s`", t->what, row->name);
    print_aliases(f, row);
    fprintf(f, " | %s | ", row->doc);
    print_knobs(f, t, row);
    fprintf(f, " | %s%s%s |\n", row->torch ? "`" : "", row->torch ? row->torch : "",
            row->torch ? "`" : "");
}

static void print_choices(FILE *f)
{
    static const struct table *const all[] = {&activation_table, &norm_table,     &loss_table,
                                              &optimizer_table,  &schedule_table, &init_table,
                                              &metric_table};
    fputs("| choice | name | meaning | settings and their defaults | PyTorch |\n"
          "|---|---|---|---|---|\n",
          f);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        for (size_t k = 0; k < all[i]->n; k++)
            print_choice(f, all[i], all[i]->row[k]);
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

static void print_foreign(FILE *f)
{
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

static void print_problems(FILE *f)
{
    fputs("| status | `code` | meaning |\n|---|---|---|\n", f);
    for (int k = ERR_NONE + 1; k < ERR_KIND_COUNT; k++)
        fprintf(f, "| %d | `%s` | %s |\n", problem_of((enum err_kind)k)->status,
                err_word((enum err_kind)k), problem_of((enum err_kind)k)->title);
}

static void print_settings(FILE *f)
{
    fputs("```text\n", f);
    settings_help(f);
    fputs("```\n", f);
}

static const struct section {
    const char *name;
    void (*print)(FILE *);
} sections[] = {{"routes", print_routes},     {"job", print_job},
                {"choices", print_choices},   {"foreign", print_foreign},
                {"problems", print_problems}, {"settings", print_settings}};

static char *read_file(const char *path)
{
    FILE *f = fopen(path, "r");
    char *text = NULL;
    size_t len = 0;
    if (!f || getdelim(&text, &len, '\0', f) < 0) {
        perror(path);
        exit(2);
    }
    fclose(f);
    return text;
}

static const struct section *section_at(const char *name)
{
    for (size_t i = 0; i < sizeof sections / sizeof *sections; i++)
        if (strncmp(name, sections[i].name, strlen(sections[i].name)) == 0 &&
            name[strlen(sections[i].name)] == ' ')
            return &sections[i];
    fprintf(stderr, "docs: no table called \"%.20s\"\n", name);
    exit(2);
}

// The text with every table printed anew.
static char *renew(const char *text)
{
    static const char begin[] = "<!-- table: ", end[] = "<!-- end -->";
    char *out = NULL;
    size_t len;
    FILE *f = open_memstream(&out, &len);
    for (const char *at; (at = strstr(text, begin));) {
        const char *body = strchr(at, '\n'), *close = strstr(at, end);
        if (!body || !close) {
            fprintf(stderr, "docs: a table without <!-- end -->\n");
            exit(2);
        }
        fwrite(text, 1, (size_t)(body + 1 - text), f);
        section_at(at + strlen(begin))->print(f);
        text = close;
    }
    fputs(text, f);
    fclose(f);
    return out;
}

int main(int argc, char **argv)
{
    if (argc != 3 || (strcmp(argv[1], "write") != 0 && strcmp(argv[1], "check") != 0)) {
        fputs("usage: docs write|check README.md\n", stderr);
        return 2;
    }
    char *old = read_file(argv[2]), *new = renew(old);
    bool same = strcmp(old, new) == 0;
    if (!same && strcmp(argv[1], "check") == 0) {
        printf("ERROR: the tables of %s are stale; run `make docs`\ndocs: 0 passed, 1 failed\n",
               argv[2]);
        return 1;
    }
    FILE *f = same ? NULL : fopen(argv[2], "w");
    if (f) {
        fputs(new, f);
        fclose(f);
    }
    if (argv[1][0] == 'c')
        puts("docs: 1 passed, 0 failed");
    free(old);
    free(new);
    return 0;
}
