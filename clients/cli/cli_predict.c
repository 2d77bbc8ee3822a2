// SPDX-License-Identifier: MIT
// Predictions: a row typed as JSON, or (cli_rows.c) a file of them. What was typed is sent as it
// is, wrapped only where it is one row, so the daemon's own sentences say what is wrong with it.

#include "clients/cli/cli.h"

#include "clients/cli/cli_json.h"
#include "clients/cli/cli_rows.h"

#include <errno.h>
#include <string.h>

enum { BAR = 24 };

static int predict_file(struct cli *c, const char *path)
{
    FILE *f = strcmp(path, "-") ? fopen(path, "rb") : stdin;
    if (!f)
        return failure("could not open \"%s\": %s", path, strerror(errno));
    int code = rows_predict(&c->http, c->args.word[1], f, path);
    if (f != stdin)
        fclose(f);
    return code;
}

// A row is an object of named fields or an array of cells; an array of rows is taken as it is.
// NULL when the text is not JSON.
static char *instances(const char *text)
{
    cJSON *row = cJSON_ParseWithOpts(text, NULL, true);
    const cJSON *first = cJSON_GetArrayItem(row, 0);
    bool many = cJSON_IsArray(row) && (cJSON_IsArray(first) || cJSON_IsObject(first));
    char *body = NULL;
    if (row && asprintf(&body, many ? "{\"instances\":%s}" : "{\"instances\":[%s]}", text) < 0)
        body = NULL;
    cJSON_Delete(row);
    return body;
}

static void print_probability(const struct term *t, const cJSON *p)
{
    char on[12], off[12];
    printf("  %6.2f %%  %s", 100 * p->valuedouble, term_colour(t, "36", on));
    term_bar(stdout, t, BAR, p->valuedouble);
    fputs(term_colour(t, "0", off), stdout);
    say(stdout, "  %s\n", p->string);
}

static void print_named(const cJSON *numbers)
{
    const cJSON *n;
    cJSON_ArrayForEach(n, numbers) say(stdout, "%s %.9g\n", n->string, n->valuedouble);
}

static void print_labels(const cJSON *labels)
{
    const cJSON *l;
    cJSON_ArrayForEach(l, labels)
        say(stdout, "%s%s", l == labels->child ? "" : " ", l->valuestring);
    putchar('\n');
}

// A value or a class; of several targets the values, the labels that are likely, or the shares.
static void predict_print_answer(const struct term *t, const cJSON *answer)
{
    const cJSON *p, *value = cJSON_GetObjectItemCaseSensitive(answer, "value"),
                    *values = cJSON_GetObjectItemCaseSensitive(answer, "values"),
                    *labels = cJSON_GetObjectItemCaseSensitive(answer, "labels"),
                    *class = cJSON_GetObjectItemCaseSensitive(answer, "class"),
                    *shares = cJSON_GetObjectItemCaseSensitive(answer, "probabilities");
    if (value)
        printf("%.9g\n", value->valuedouble);
    else if (class)
        say(stdout, "%s\n", class->valuestring);
    else if (labels)
        print_labels(labels);
    else
        print_named(values ? values : shares);
    if (t->tty && (class || labels))
        cJSON_ArrayForEach(p, shares) print_probability(t, p);
}

static int predict_json(struct cli *c, const char *row)
{
    char *body = instances(row);
    const cJSON *answer;
    if (!body)
        return usage_error("a row is JSON, such as '{\"rooms\": 3, \"city\": null}', got \"%s\"",
                           row);
    cJSON *reply = http_json(&c->http, &(struct request){.path = "/models/",
                                                         .name = c->args.word[1],
                                                         .rest = "/predict",
                                                         .body = body});
    cJSON_free(body);
    cJSON_ArrayForEach(answer, cJSON_GetObjectItemCaseSensitive(reply, "predictions"))
        predict_print_answer(&c->term, answer);
    cJSON_Delete(reply);
    return reply ? CLI_OK : CLI_FAILED;
}

int cmd_predict(struct cli *c)
{
    const char *row = c->args.word[2], *file = c->args.file;
    if (!row == !file)
        return usage_error("predict expects either a row as JSON or --file ROWS.csv");
    return file ? predict_file(c, file) : predict_json(c, row);
}
