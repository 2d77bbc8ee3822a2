// SPDX-License-Identifier: MIT
#pragma once

// Worker threads: claim a job, prepare its data, do what its kind is for, give the job back. A job
// gets the threads it asks for while there are any left; it only takes longer with fewer. They run
// at a lower priority than the threads that serve, so predictions stay quick while every core
// trains. main starts and stops them; each thread owns its job's arena.

#include "server/jobs/run.h"

struct workers;

// Start settings->workers threads. The config is copied, what it points to must outlive the
// workers. NULL when the system refuses a thread; then no job has been touched.
struct workers *workers_start(const struct worker_config *c, struct err *e);

// Wait for the threads, which end once the queue drains, and free. NULL is fine.
void workers_join(struct workers *w);
