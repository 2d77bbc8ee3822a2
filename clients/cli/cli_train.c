// SPDX-License-Identifier: MIT
// Jobs: submit one, end one. The definition holds what was asked for and nothing else, so every
// default is the daemon's.

#include "clients/cli/cli.h"

#include "clients/cli/cli_define.h"
#include "clients/cli/cli_json.h"

#include <stdlib.h>
#include <string.h>

static bool define(const struct args *a, cJSON *job)
{
    char epochs[64];
    cJSON_AddStringToObject(job, "dataset", a->word[1]);
    if (a->target)
        cJSON_AddStringToObject(job, "target", a->target);
    if (a->name)
        cJSON_AddStringToObject(job, "name", a->name);
    for (size_t i = 0; i < a->n_set; i++)
        if (!define_set(job, a->set[i]))
            return false;
    snprintf(epochs, sizeof epochs, "training.epochs=%s", a->epochs ? a->epochs : "");
    return !a->epochs || define_set(job, epochs);
}

static char *train_definition(const struct args *a)
{
    cJSON *job = cJSON_CreateObject();
    char *text = define(a, job) ? cJSON_PrintUnformatted(job) : NULL;
    cJSON_Delete(job);
    return text;
}

int cmd_train(struct cli *c)
{
    char *body = train_definition(&c->args), id[32];
    if (!body)
        return CLI_USAGE;
    cJSON *job = http_json(&c->http, &(struct request){.path = "/jobs", .body = body});
    cJSON_free(body);
    if (!job)
        return CLI_FAILED;
    snprintf(id, sizeof id, "%.0f", json_number_of(job, "id"));
    cJSON_Delete(job);
    if (c->args.follow)
        return follow_job(c, id);
    printf("job %s is queued; mlpd-cli follow %s shows its progress\n", id, id);
    return CLI_OK;
}

int cmd_cancel(struct cli *c)
{
    const char *id = c->args.word[1];
    if (!is_job(id))
        return CLI_USAGE;
    cJSON *job = http_json(
        &c->http, &(struct request){.path = "/jobs/", .name = id, .rest = "/cancel", .post = true});
    if (!job)
        return CLI_FAILED;
    say(stdout, "job %s is %s\n", id, json_text_of(job, "status"));
    cJSON_Delete(job);
    return CLI_OK;
}
