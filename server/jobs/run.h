// SPDX-License-Identifier: MIT
#pragma once

// One job in a worker's hands: what it needs, what it has come to, and how it tells. The worker
// makes it and walks the row of its kind (job_kind.h), whose functions get it. Everything is in the
// run's arena and ends with it. One thread, but for run_halt()'s question, which is asked on all
// threads of the run.

#include "api/files/model_file.h"
#include "server/base/log.h"
#include "server/base/settings.h"
#include "server/files/catalog.h"
#include "server/jobs/curve.h"
#include "server/jobs/prepare.h"
#include "server/jobs/queue.h"

// What all runs of a daemon share.
struct worker_config {
    const struct settings *settings;
    const struct log *log;
    struct store *store;
    struct files *files;
    struct catalog *catalog;
    struct queue *queue;
    int helpers; // threads that all jobs together may have beside the workers' own
};

struct run {
    const struct worker_config *config;
    const char *worker; // name of the thread
    struct ticket *ticket;
    struct job_row job;
    struct arena arena;
    struct job_spec spec;
    struct model_file from; // what training starts from; no parameters: from nothing
    struct prepared prepared;
    struct halt halt; // of everything the run does

    void *own;                  // the kind's, from its begin() on
    const struct schema *found; // describes what jobs of its kind find; NULL: nothing
    const void *result;         // what it has found; NULL: nothing (yet)
    struct row_table rows;      // and what it has found of each row; without series: nothing

    int64_t begun, reported; // monotonic ms
    struct curve curve;      // points not yet reported
    enum stop stop;          // why it ended, once it has
    bool lost;               // the lease has gone to another
    bool unstored;           // the last report failed
    struct err why;          // it did
    bool told;               // a point has been reported
};

// Seconds of work so far.
double run_seconds(const struct run *r);

// A point was added to the curve: report it now and then.
void run_told(struct run *r);

// A step is about to be made: report that now and then, for long epochs.
void run_step(void *run, uint64_t step);

// Report what is held. A run whose lease is lost stops at its next step.
void run_report(struct run *r);

// A line in the job's log.
void run_note(struct run *r, const char *text);

// Store the rest of the curve, and the rows. While the disk is full it waits: the result is there,
// and an operator can make room. ERR_CANCELLED after a stop.
bool run_settle(struct run *r, struct err *e);

// End the job with its result and its model (NULL: it has none): the last step, in which a
// cancellation may still come first. After run_settle().
bool run_end(struct run *r, const struct model_new *model, struct err *e);

// Both, for kinds without a model.
bool run_conclude(struct run *r, struct err *e);
