// SPDX-License-Identifier: MIT
#pragma once

// A whole data folder under /tmp with everything the daemon has below HTTP: shared by the tests of
// catalog, cache, model store, preparation and workers. Real clock, real files; one thread unless
// said otherwise.

#include "engine/base/halt.h"
#include "server/jobs/cache.h"
#include "server/files/catalog.h"
#include "server/files/dataset.h"
#include "api/schema/job_schema.h"
#include "server/files/model_store.h"
#include "server/jobs/queue.h"
#include "server/base/settings.h"
#include "server/jobs/worker.h"

#include "tests/harness.h" // last: check.h has a macro called fail

struct plant {
    char dir[64];
    struct settings settings;
    struct log log;
    struct store *store;
    struct files *files;
    struct catalog *catalog;
    struct catalog_strangers strangers; // found when it was opened
    struct queue *queue;
    struct cache *cache;
    struct workers *workers; // NULL until plant_work()
    struct arena arena;
    struct err err;
};

void plant_init(struct plant *p);    // a new folder, opened
void plant_release(struct plant *p); // closed and removed
void plant_open(struct plant *p);    // what the daemon does at start
void plant_close(struct plant *p);   // drains and closes; unfinished jobs stay
void plant_work(struct plant *p, int workers);

// Store a table under a name (NULL: no row, as for data that comes with a job). Any thread, with an
// arena of its own. False with e.
bool plant_upload(struct plant *p, const char *name, const char *csv, char digest[DATASET_DIGEST],
                  struct arena *a, struct err *e);

// Rows of x, y = sin x and a group, as CSV in the arena.
const char *plant_table(struct plant *p, int rows);

// What is stored of a job asked for by that request, its data left out. In the arena.
const char *plant_definition(struct plant *p, const char *request);

// Queue a job over a digest and answer its id; dataset NULL: its data came along. "{}": a job that
// nobody is going to run.
int64_t plant_submit(struct plant *p, const char *dataset, const char *digest, const char *request);

struct job_row plant_job(struct plant *p, int64_t id);

// Wait until the job is in that state and has run so many epochs; another end fails the test.
struct job_row plant_await(struct plant *p, int64_t id, enum job_state state, int64_t epochs);

// A stored model that answers `value` whatever it is asked, published as the next version of
// `name`. Returns the job's id.
int64_t plant_publish(struct plant *p, const char *name, double value);
int64_t plant_publish_wide(struct plant *p, const char *name,
                           double value); // predicts in megabytes

// A halt that says yes to its last'th question and from then on. `asked` must stay where it is.
struct plant_halt {
    int asked, last; // last 0: never
};
struct halt plant_halt(struct plant_halt *h, int last);

// Files in a folder of the data folder.
int plant_files(const struct plant *p, const char *folder);
const char *plant_path(const struct plant *p, const char *name); // static memory

#define NEED(call) NEED_IN(&p, call)
#define NEED_IN(p, call) ck_assert_msg((call), "%s", (p)->err.text)
