// SPDX-License-Identifier: MIT
#pragma once

// Hands jobs of the store to worker threads, keeps their leases alive and carries requests to stop.
//
// HTTP threads cancel, and submit to the store; each worker thread loops over queue_claim_wait(),
// training and one of the three ways to give a job back; main drains and frees. A ticket is a job
// in a worker's hands. It belongs to the queue; the worker may use it from one thread until it
// gives it back.
//
// A thread of the queue renews all leases every few seconds, and takes over the jobs of other
// machines that no longer renew theirs. A run that does not poll its ticket
// for ten minutes counts as stuck and loses its job; one whose lease could not be renewed is told
// to stop five seconds before the lease ends, by a clock that nobody can set. A full disk is no
// reason: nobody can take a job then, so the runs go on.

#include "server/jobs/ticket.h"

struct queue;

// Start over the store: what this machine's last daemon left running is queued again, *n tells how
// many; what another machine runs, once its lease has ended. Store and clock must outlive the
// queue.
struct queue *queue_new(struct store *store, const struct clock *clock, int64_t *n, struct err *e);

// No worker may be inside the queue any more. NULL is allowed.
void queue_free(struct queue *q);

// As store_job_cancel(); a running job's ticket is marked at once.
bool queue_cancel(struct queue *q, int64_t id, struct job_row *out, struct arena *a, struct err *e);

// Wait for a job. The row is filled into `job`, its strings into `a`. NULL with ERR_CANCELLED once
// the queue drains; after a pause with what the store reports, when the caller may try again.
struct ticket *queue_claim_wait(struct queue *q, const char *worker, struct job_row *job,
                                struct arena *a, struct err *e);

// Report progress and new points of the curve. ERR_CONFLICT when the lease is lost.
bool queue_beat(struct queue *q, struct ticket *t, const struct job_beat *beat, struct err *e);

// Give a job back: ended, released unfinished, or lost by what `text` says.
// The ticket is void afterwards whatever the result; a job that could not be given back for want of
// disk space is taken back by the queue. queue_finish() tries for as long as the lease holds and
// nobody asks for a stop before it gives up; a result that the store refuses for good fails the
// job, or counts as its crash, with the reason, and the error is answered. Arguments and errors as
// for store_job_finish(), _release() and _rescue().
bool queue_finish(struct queue *q, struct ticket *t, struct job_end *end, struct err *e);
bool queue_release(struct queue *q, struct ticket *t, struct err *e);
bool queue_lose(struct queue *q, struct ticket *t, enum run_loss loss, const char *text,
                struct err *e);

// Stop handing out jobs and ask every run to release its own. Does not wait.
void queue_drain(struct queue *q);

// Release every job that has not been given back: those of workers that do not come to an end,
// whose late results find the lease gone, and those whose end could not be stored. Answers how
// many. For the daemon's end, after queue_drain().
int64_t queue_take_back(struct queue *q);
