// SPDX-License-Identifier: MIT
// See cli_rows.h. The model says which inputs it wants; the header says where they stand. Rows go
// out as arrays of texts: the daemon reads a text in a numeric column as it reads an upload's cell,
// so a file means the same here and there. A batch is sent when it is full by rows or by bytes; the
// rows of a file are never all in memory.

#include "clients/cli/cli_rows.h"

#include "clients/cli/cli_json.h"
#include "clients/cli/cli_say.h"
#include "clients/cli/cli_term.h"
#include "engine/table/csv.h"

#include <stdlib.h>
#include <string.h>

enum { BATCH_ROWS = 1000, BATCH_BYTES = 1 << 20, PIECE = 1 << 16, ABSENT = -1 };

struct rows {
    struct http *http;
    const char *model, *what;
    cJSON *inputs; // names of the model's inputs, in its order
    int *cell;     // for each input, its place in a record
    char *body;    // of the batch: {"instances":[...
    size_t len, cap;
    size_t first, n; // line of the batch's first row; rows in it
    bool headed;     // the header of the answers has been printed
    bool told;       // what was wrong has been printed
};

static void rows_put(struct rows *r, const char *bytes, size_t len)
{
    if (r->len + len + 1 > r->cap) {
        r->cap = 2 * (r->len + len + 1);
        r->body = realloc(r->body, r->cap);
        if (!r->body)
            abort();
    }
    memcpy(r->body + r->len, bytes, len);
    r->len += len;
    r->body[r->len] = '\0';
}

static void rows_put_text(struct rows *r, const char *text, size_t len)
{
    rows_put(r, "\"", 1);
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        char escaped[8];
        if (c == '"' || c == '\\')
            rows_put(r, (char[]){'\\', (char)c}, 2);
        else if (c < 0x20)
            rows_put(r, escaped, (size_t)snprintf(escaped, sizeof escaped, "\\u%04x", c));
        else
            rows_put(r, &text[i], 1);
    }
    rows_put(r, "\"", 1);
}

// Lines and tabs within a cell are data, and do no harm.
static void print_cell(const char *text)
{
    bool quoted = text[strcspn(text, "\",\r\n")];
    fputs(quoted ? "\"" : "", stdout);
    for (const char *quote; (quote = strchr(text, '"')); text = quote + 1) {
        char *part = strndup(text, (size_t)(quote - text) + 1);
        if (!part)
            abort();
        say_text(stdout, part, "\t\n");
        free(part);
        putchar('"');
    }
    say_text(stdout, text, "\t\n");
    fputs(quoted ? "\"" : "", stdout);
}

static const cJSON *numbers_of(const cJSON *answer)
{
    const cJSON *values = cJSON_GetObjectItemCaseSensitive(answer, "values");
    return values ? values : cJSON_GetObjectItemCaseSensitive(answer, "probabilities");
}

// "value", or "class" and a column for the probability of every class; of several targets a column
// for the value, probability or share of each.
static void print_header(const cJSON *answer)
{
    const cJSON *p, *numbers = numbers_of(answer);
    const char *first = cJSON_GetObjectItemCaseSensitive(answer, "value")   ? "value"
                        : cJSON_GetObjectItemCaseSensitive(answer, "class") ? "class"
                                                                            : NULL;
    if (first)
        fputs(first, stdout);
    cJSON_ArrayForEach(p, numbers)
    {
        if (first || p != numbers->child)
            putchar(',');
        print_cell(p->string);
    }
    putchar('\n');
}

static void rows_print_answer(const cJSON *answer)
{
    const cJSON *p, *value = cJSON_GetObjectItemCaseSensitive(answer, "value"),
                    *class = cJSON_GetObjectItemCaseSensitive(answer, "class"),
                    *numbers = numbers_of(answer);
    if (value)
        printf("%.9g", value->valuedouble);
    if (class)
        print_cell(class->valuestring);
    cJSON_ArrayForEach(p, numbers)
        printf("%s%.9g", class || p != numbers->child ? "," : "", p->valuedouble);
    putchar('\n');
}

// Send the batch, print its answers, begin the next one.
static bool flush(struct rows *r)
{
    const cJSON *answer;
    if (r->n == 0)
        return true;
    rows_put(r, "]}", 2);
    cJSON *reply = http_json(
        r->http, &(struct request){
                     .path = "/models/", .name = r->model, .rest = "/predict", .body = r->body});
    if (!reply)
        say(stderr, "  the first row of this batch, /instances/0, is at line %zu of \"%s\"\n",
            r->first, r->what);
    r->told = !reply;
    cJSON_ArrayForEach(answer, cJSON_GetObjectItemCaseSensitive(reply, "predictions"))
    {
        if (!r->headed)
            print_header(answer);
        r->headed = true;
        rows_print_answer(answer);
    }
    r->len = r->n = 0;
    cJSON_Delete(reply);
    return !r->told;
}

static int rows_place_of(const char *name, const struct csv_cell *cell, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strlen(name) == cell[i].len && !memcmp(name, cell[i].text, cell[i].len))
            return (int)i;
    return ABSENT;
}

static bool rows_read_header(struct rows *r, const struct csv_cell *cell, size_t n, struct err *e)
{
    int n_input = cJSON_GetArraySize(r->inputs), k = 0;
    const cJSON *input;
    r->cell = calloc((size_t)n_input + 1, sizeof *r->cell);
    if (!r->cell)
        abort();
    cJSON_ArrayForEach(input, r->inputs)
    {
        const char *name = json_text_of(input, "name");
        r->cell[k] = rows_place_of(name, cell, n);
        if (r->cell[k++] == ABSENT)
            return fail(e, ERR_INVALID,
                        "the model needs a column \"%s\", which \"%s\" does not have", name,
                        r->what);
    }
    return true;
}

static bool add_row(void *to, const struct csv_cell *cell, size_t n, size_t line, struct err *e)
{
    struct rows *r = to;
    int n_input = cJSON_GetArraySize(r->inputs);
    if (!r->cell)
        return rows_read_header(r, cell, n, e);
    if (r->n == 0) {
        static const char begin[] = "{\"instances\":[";
        rows_put(r, begin, sizeof begin - 1);
        r->first = line;
    }
    rows_put(r, r->n ? ",[" : "[", r->n ? 2 : 1);
    for (int k = 0; k < n_input; k++) {
        const struct csv_cell *from = &cell[r->cell[k]];
        rows_put(r, ",", k > 0);
        rows_put_text(r, from->text, from->len);
    }
    rows_put(r, "]", 1);
    r->n++;
    return (r->n < BATCH_ROWS && r->len < BATCH_BYTES) || flush(r) ||
           fail(e, ERR_INVALID, "the daemon refused a batch");
}

static bool read_file(struct rows *r, FILE *f, struct err *e)
{
    static char piece[PIECE];
    struct csv *csv = csv_new(add_row, r);
    bool ok = csv || err_no_memory(e);
    for (size_t n; ok && (n = fread(piece, 1, sizeof piece, f)) > 0;)
        ok = csv_feed(csv, piece, n, e);
    ok = ok && csv_end(csv, e);
    csv_free(csv);
    if (ok && ferror(f))
        return fail(e, ERR_INTERNAL, "could not read \"%s\"", r->what);
    return ok && flush(r);
}

int rows_predict(struct http *h, const char *model, FILE *f, const char *what)
{
    struct err e = {0};
    cJSON *about = http_json(h, &(struct request){.path = "/models/", .name = model});
    if (!about)
        return CLI_FAILED;
    struct rows r = {.http = h,
                     .model = model,
                     .what = what,
                     .inputs = cJSON_GetObjectItemCaseSensitive(about, "inputs")};
    bool ok = read_file(&r, f, &e);
    if (!ok && !r.told)
        failure("%s", e.text);
    free(r.cell);
    free(r.body);
    cJSON_Delete(about);
    return ok ? CLI_OK : CLI_FAILED;
}
