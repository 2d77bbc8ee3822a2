// SPDX-License-Identifier: MIT
// What there is, newest first, as a table for people. A list is its path and its columns; a column
// is its heading, its width and how to print a cell.

#include "clients/cli/cli.h"

#include "clients/cli/cli_json.h"

#include <math.h>
#include <string.h>
#include <time.h>

enum { CELL = 96, COLUMNS_MAX = 7 };

struct list_column {
    const char *heading, *key;
    void (*print)(const cJSON *row, const char *key, char out[CELL]);
    int width; // negative: to the left
};

static void cell_text(const cJSON *row, const char *key, char out[CELL])
{
    snprintf(out, CELL, "%s", json_text_of(row, key));
}

static void cell_number(const cJSON *row, const char *key, char out[CELL])
{
    double n = json_number_of(row, key);
    snprintf(out, CELL, "%.0f", n);
    if (isnan(n))
        out[0] = '\0';
}

static void cell_time(const cJSON *row, const char *key, char out[CELL])
{
    time_t when = (time_t)json_number_of(row, key);
    struct tm local;
    strftime(out, CELL, "%Y-%m-%d %H:%M:%S", localtime_r(&when, &local));
}

static void cell_bytes(const cJSON *row, const char *key, char out[CELL])
{
    static const char *const unit[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    double n = json_number_of(row, key);
    size_t i = 0;
    for (; n >= 1024 && i + 1 < sizeof unit / sizeof *unit; i++)
        n /= 1024;
    snprintf(out, CELL, i && n < 10 ? "%.1f %s" : "%.0f %s", n, unit[i]);
}

static void cell_progress(const cJSON *row, const char *key, char out[CELL])
{
    const cJSON *progress = cJSON_GetObjectItemCaseSensitive(row, key);
    snprintf(out, CELL, "%.0f/%.0f", json_number_of(progress, "epoch"),
             json_number_of(progress, "epochs"));
}

static void cell_best(const cJSON *row, const char *key, char out[CELL])
{
    const cJSON *best = cJSON_GetObjectItemCaseSensitive(row, key);
    snprintf(out, CELL, "%s %.5g", json_text_of(best, "metric"), json_number_of(best, "value"));
    if (!cJSON_IsObject(best))
        out[0] = '\0';
}

static const struct list {
    const char *path, *empty;
    struct list_column column[COLUMNS_MAX];
} job_list =
    {
        .path = "/jobs?limit=",
        .empty = "there are no jobs yet; mlpd-cli train DATASET --target COLUMN queues one",
        .column = {{"JOB", "id", cell_number, 5},
                   {"STATUS", "status", cell_text, -10},
                   {"NAME", "name", cell_text, -20},
                   {"EPOCH", "progress", cell_progress, 9},
                   {"BEST", "best", cell_best, -18},
                   {"CREATED", "created_at", cell_time, 0}},
},
  model_list =
      {
          .path = "/models?limit=",
          .empty = "there are no models yet; a job that succeeds publishes one",
          .column = {{"MODEL", "name", cell_text, -20},
                     {"VERSION", "version", cell_number, 7},
                     {"JOB", "job_id", cell_number, 5},
                     {"TASK", "task", cell_text, -14},
                     {"SIZE", "bytes", cell_bytes, 8},
                     {"CREATED", "created_at", cell_time, 0}},
},
  dataset_list = {
      .path = "/datasets?limit=",
      .empty = "there are no datasets yet; mlpd-cli upload FILE.csv stores one",
      .column = {{"DATASET", "name", cell_text, -24},
                 {"VERSION", "version", cell_number, 7},
                 {"ROWS", "rows", cell_number, 9},
                 {"SIZE", "bytes", cell_bytes, 8},
                 {"CREATED", "created_at", cell_time, 0}},
};

static void print_row(const struct list *list, const cJSON *row)
{
    char cell[CELL];
    for (const struct list_column *k = list->column; k->heading; k++) {
        if (row)
            k->print(row, k->key, cell);
        say(stdout, "%*s", k->width, row ? cell : k->heading);
        fputs(k[1].heading ? "  " : "\n", stdout);
    }
}

static int lists_show(struct cli *c, const struct list *list)
{
    const char *limit = c->args.limit ? c->args.limit : "20";
    cJSON *reply = http_json(&c->http, &(struct request){.path = list->path, .name = limit});
    const cJSON *rows = cJSON_GetObjectItemCaseSensitive(reply, "data"), *row;
    if (!reply)
        return CLI_FAILED;
    if (cJSON_GetArraySize(rows) == 0)
        puts(list->empty);
    else
        print_row(list, NULL);
    cJSON_ArrayForEach(row, rows) print_row(list, row);
    if (cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(reply, "has_more")))
        puts("there are more; --limit shows them");
    cJSON_Delete(reply);
    return CLI_OK;
}

int cmd_jobs(struct cli *c)
{
    return lists_show(c, &job_list);
}

int cmd_models(struct cli *c)
{
    return lists_show(c, &model_list);
}

int cmd_datasets(struct cli *c)
{
    return lists_show(c, &dataset_list);
}
