// SPDX-License-Identifier: MIT
// See publish.h.

#include "server/jobs/publish.h"

#include "server/files/model_store.h"

#include <unistd.h>

// Store the model's file. While the disk is full it waits: the result is there, and an operator can
// make room.
static bool publish_save(struct run *r, const struct digest_part file[static 2], const char *digest,
                         struct err *e)
{
    const struct worker_config *c = r->config;
    for (bool waiting = false;; waiting = true) {
        struct err why = {0};
        if (model_store_save(c->files, file, digest, &r->halt, &why))
            return true;
        r->stop = ticket_poll(r->ticket);
        if (why.kind != ERR_NO_SPACE || r->stop != STOP_NONE)
            return err_pass(e, &why);
        if (!waiting)
            LOG(c->log, LEVEL_ERROR, log_text("event", "a trained model waits for disk space"),
                log_int("job", r->job.id));
        sleep(1);
    }
}

static bool publish_put(struct run *r, const struct digest_part file[static 2],
                        const struct model_new *model, struct err *e)
{
    const struct worker_config *c = r->config;
    struct catalog_file coming;
    struct err why = {0};
    catalog_begin(c->catalog, SHELF_MODELS, model->digest, &coming);
    bool ok = publish_save(r, file, model->digest, e) && run_settle(r, e) && run_end(r, model, e);
    if (!catalog_end(c->catalog, &coming, ok ? CATALOG_STORED : CATALOG_UNSTORED, &why))
        LOG(c->log, LEVEL_WARN, log_text("event", "file of an unpublished model not removed"),
            log_int("job", r->job.id), log_text("reason", why.text));
    return ok;
}

bool publish_model(struct run *r, const struct digest_part file[static 2],
                   const struct model_new *model, struct err *e)
{
    struct model_new own = *model;
    char digest[DIGEST_TEXT];
    own.digest = digest;
    own.bytes = (int64_t)(file[0].len + file[1].len);
    return digest_long(file, 2, digest, &r->halt, e) && publish_put(r, file, &own, e);
}
