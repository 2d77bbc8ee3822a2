// SPDX-License-Identifier: MIT
#pragma once

// Models in memory, shared by all predictions. A model is read from its file once, stays while
// anyone uses it, and is dropped when too many others were used since. Each has a workspace for
// every thread that has predicted with it at the same time as others, so predictions neither wait
// for each other nor allocate. Workspaces count like models and are given back where others need
// the room.
//
// Handlers take and put from polling threads. The bare name means the newest version, whoever
// publishes it: as soon as the store shows it, when this process does, else within STORE_NOTICE_MS.

#include "api/files/model_file.h"
#include "engine/model/predict.h"
#include "server/store/store.h"

struct cache;
struct files;

// A model in use by one thread.
struct served {
    const struct model_file *file;
    struct predictor *predictor; // this thread's until cache_put()
    const char *name;
    int64_t version;
    void *entry, *slot; // the cache's own
};

// For `threads` serving threads; all models and their workspaces together may take `memory` bytes.
struct cache *cache_new(struct store *store, struct files *files, size_t threads, size_t memory);

// Nothing may be taken any more. NULL is fine.
void cache_free(struct cache *c);

// The model by name (version 0: the latest), or, with name NULL, what the job published. Must be
// given back. ERR_NOT_FOUND, ERR_CONFLICT (a job without a model), ERR_TOO_LARGE, ERR_BUSY (models
// in use leave no room), ERR_INTERNAL (a damaged file).
bool cache_take(struct cache *c, const char *name, int64_t version, int64_t job, struct served *out,
                struct err *e);

// The same, but only what is in memory already: false, with e untouched, when it is not, and
// cache_take() would have to read it from disk or to make a large workspace.
bool cache_take_loaded(struct cache *c, const char *name, int64_t version, int64_t job,
                       struct served *out, struct err *e);

void cache_put(struct cache *c, struct served *s);
