// SPDX-License-Identifier: MIT
// Tables and what models score on them: upload, evaluate; and health. A command reads what the
// daemon answers and prints what a person wants to see of it; all rules about tables are the
// daemon's.

#include "clients/cli/cli.h"

#include "clients/cli/cli_json.h"

#include <errno.h>
#include <math.h>
#include <string.h>

enum { NAME_MAX_BYTES = 64 };

// The file's name without folder and ending, with '_' for what a name may not have.
static void name_of_file(const char *file, char out[NAME_MAX_BYTES + 1])
{
    const char *slash = strrchr(file, '/'), *base = slash ? slash + 1 : file;
    size_t n = strcspn(base, ".");
    n = n < NAME_MAX_BYTES ? n : NAME_MAX_BYTES;
    for (size_t i = 0; i < n; i++) {
        char c = base[i];
        bool fine = (c >= '0' && c <= '9') || (c | 0x20) - 'a' + 0u < 26u || c == '-' || c == '_';
        out[i] = fine ? c : '_';
    }
    out[n] = '\0';
}

static void print_column(const cJSON *column)
{
    double missing = json_number_of(column, "missing");
    say(stdout, "  %s: %s", json_text_of(column, "name"), json_text_of(column, "type"));
    if (!strcmp(json_text_of(column, "type"), "categorical"))
        printf(", %.0f different", json_number_of(column, "distinct"));
    else
        printf(", %.6g to %.6g", json_number_of(column, "min"), json_number_of(column, "max"));
    if (missing > 0)
        printf(", %.0f missing", missing);
    putchar('\n');
}

static int print_dataset(cJSON *dataset)
{
    const cJSON *columns = cJSON_GetObjectItemCaseSensitive(dataset, "columns"), *column;
    if (!dataset)
        return CLI_FAILED;
    say(stdout, "dataset \"%s\" version %.0f: %.0f rows, %d columns\n",
        json_text_of(dataset, "name"), json_number_of(dataset, "version"),
        json_number_of(dataset, "rows"), cJSON_GetArraySize(columns));
    cJSON_ArrayForEach(column, columns) print_column(column);
    cJSON_Delete(dataset);
    return CLI_OK;
}

int cmd_upload(struct cli *c)
{
    const char *path = c->args.word[1];
    char name[NAME_MAX_BYTES + 1];
    FILE *f = fopen(path, "rb");
    if (!f)
        return failure("could not open \"%s\": %s", path, strerror(errno));
    name_of_file(path, name);
    int code = print_dataset(http_json(
        &c->http,
        &(struct request){
            .path = "/datasets?name=", .name = c->args.name ? c->args.name : name, .file = f}));
    fclose(f);
    return code;
}

static char *named_dataset(const char *name)
{
    cJSON *body = cJSON_CreateObject();
    cJSON_AddStringToObject(body, "dataset", name);
    char *text = cJSON_PrintUnformatted(body);
    cJSON_Delete(body);
    return text;
}

int cmd_evaluate(struct cli *c)
{
    char *body = named_dataset(c->args.word[2]);
    cJSON *reply = http_json(&c->http, &(struct request){.path = "/models/",
                                                         .name = c->args.word[1],
                                                         .rest = "/evaluate",
                                                         .body = body});
    const cJSON *metric;
    cJSON_free(body);
    if (!reply)
        return CLI_FAILED;
    say(stdout, "model \"%s\" version %.0f on %.0f rows of \"%s\"\n", json_text_of(reply, "model"),
        json_number_of(reply, "version"), json_number_of(reply, "rows"),
        json_text_of(reply, "dataset"));
    cJSON_ArrayForEach(metric, cJSON_GetObjectItemCaseSensitive(reply, "metrics"))
        say(stdout, "  %-10s %.6g\n", metric->string,
            cJSON_IsNumber(metric) ? metric->valuedouble : NAN);
    cJSON_Delete(reply);
    return CLI_OK;
}

int cmd_health(struct cli *c)
{
    cJSON *reply = http_json(&c->http, &(struct request){.path = "/healthz"});
    if (!reply)
        return CLI_FAILED;
    say(stdout, "%s: mlpd %s at %s\n", json_text_of(reply, "status"),
        json_text_of(reply, "version"), c->http.server);
    cJSON_Delete(reply);
    return CLI_OK;
}
