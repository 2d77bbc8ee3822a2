// SPDX-License-Identifier: MIT
// What the daemon says of itself.

#include "api/docs/openapi.h"
#include "api/schema/job_schema.h"
#include "api/views/views.h"
#include "server/base/settings.h"
#include "server/handlers/handlers.h"
#include "server/handlers/reply.h"
#include "server/handlers/server.h"

#include <string.h>

bool meta_index(struct call *c, struct err *e)
{
    static const char text[] =
        "mlpd " MLPD_VERSION ": a table in, a prediction endpoint out.\n\n"
        "  curl --data-binary @housing.csv 'localhost:8080/datasets?name=housing'\n"
        "  curl -d '{\"dataset\":\"housing\",\"target\":\"price\"}' localhost:8080/jobs\n"
        "  curl localhost:8080/jobs/1/metrics\n"
        "  curl -d '{\"model\":\"housing\",\"instances\":[{\"rooms\":3}]}' "
        "localhost:8080/predict\n\n"
        "Every endpoint: /openapi.json. Every key of a job: /schema/job.\n";
    (void)e;
    return call_reply(c, text, strlen(text));
}

bool meta_health(struct call *c, struct err *e)
{
    return reply_view(c, &(struct health_reply){"ok", MLPD_VERSION}, e);
}

bool meta_openapi(struct call *c, struct err *e)
{
    size_t len;
    const char *text = openapi(c->server->routes.row, c->server->routes.n, c->arena, &len, e);
    return text && call_reply(c, text, len);
}

bool meta_job_schema(struct call *c, struct err *e)
{
    struct jsonw w;
    jsonw_init(&w, c->arena);
    schema_json(&job_schema, &w, NULL);
    return reply_text(c, &w, e);
}
