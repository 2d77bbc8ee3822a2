// SPDX-License-Identifier: MIT
// Looking at jobs over HTTP, and asking for their end. Nothing here takes long: what a cancelled
// job leaves behind is removed when the answer is on its way.

#include "api/views/query.h"
#include "server/files/catalog.h"
#include "server/handlers/handlers.h"
#include "server/handlers/job_reply.h"
#include "server/handlers/reply.h"
#include "server/handlers/server.h"
#include "server/jobs/queue.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

bool job_list(struct call *c, struct err *e)
{
    const struct jobs_query *q = c->query;
    enum job_state state = q->status ? job_state_find(q->status) : JOB_STATE_COUNT;
    struct job_list list;
    if (!reply_in_time(c, &q->page) || !store_job_list(c->server->store, (size_t)q->page.limit,
                                                       q->page.after, state, &list, c->arena, e))
        return false;
    struct job_reply *item = reply_room(c, list.n, sizeof *item, e);
    for (size_t i = 0; item && i < list.n; i++)
        if (!job_fill(c, &list.row[i], NULL, &item[i], e))
            return false;
    return item && reply_list(c, item, list.n, list.more, e);
}

bool job_get(struct call *c, struct err *e)
{
    int64_t id;
    struct job_row row;
    return call_id(c, 0, "job", &id, e) && store_job_get(c->server->store, id, &row, c->arena, e) &&
           job_reply_one(c, &row, e);
}

// Data of a job that no worker has or will have.
struct unneeded {
    struct cleanup cleanup;
    struct catalog *catalog;
    char digest[];
};

static void remove_unneeded(struct cleanup *c)
{
    struct unneeded *u = (struct unneeded *)((char *)c - offsetof(struct unneeded, cleanup));
    struct err ignored = {0};
    catalog_forget(u->catalog, u->digest, &ignored);
    free(u);
}

// Removing takes long and waits for those who store files, which may take longer. Without memory
// for it the data stays until it is swept at the next start.
static struct cleanup *remove_later(struct catalog *catalog, const char *digest)
{
    size_t len = strlen(digest) + 1;
    struct unneeded *u = malloc(sizeof *u + len);
    if (!u)
        return NULL;
    u->cleanup = (struct cleanup){.run = remove_unneeded};
    u->catalog = catalog;
    memcpy(u->digest, digest, len);
    return &u->cleanup;
}

bool job_cancel(struct call *c, struct err *e)
{
    int64_t id;
    struct job_row row;
    if (!call_id(c, 0, "job", &id, e) || !queue_cancel(c->server->queue, id, &row, c->arena, e))
        return false;
    if (!row.dataset) // a worker that has the job sees to it that it goes
        c->cleanup = remove_later(c->server->catalog, row.digest);
    return job_reply_one(c, &row, e);
}

bool job_events(struct call *c, struct err *e)
{
    const struct page_query *q = c->query;
    int64_t id;
    struct event_list list;
    if (!call_id(c, 0, "job", &id, e) || !reply_in_time(c, q) ||
        !store_job_events(c->server->store, id, q->after, (size_t)q->limit, &list, c->arena, e))
        return false;
    struct event_reply *item = reply_room(c, list.n, sizeof *item, e);
    for (size_t i = 0; item && i < list.n; i++) {
        const struct event_row *r = &list.row[i];
        item[i] = (struct event_reply){r->id, r->job, r->at, r->level, r->type, r->message};
    }
    return item && reply_list(c, item, list.n, list.more, e);
}
