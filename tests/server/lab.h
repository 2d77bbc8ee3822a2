// SPDX-License-Identifier: MIT
#pragma once

// A store in a folder of its own with a clock that tests move: shared by the tests of store and
// queue. One thread, but for lab_submit() and the clock.

#include "server/jobs/queue.h"
#include "tests/server/store/store_exec.h"
#include "server/store/store_work.h"

#include <stdatomic.h>

#include "tests/harness.h" // last: check.h has a macro called fail

extern const char lab_digest[65], lab_other_digest[65];

struct lab {
    char dir[64];
    _Atomic int64_t wall, mono; // milliseconds
    struct clock clock;
    struct store *store;
    struct arena arena;
    struct err err;
};

void lab_init(struct lab *l);    // with an open store
void lab_reopen(struct lab *l);  // close and open again, as a restart does
void lab_release(struct lab *l); // closes, and removes the folder
void lab_move(struct lab *l, int64_t ms);

// Queue a job with inline data and answer its id.
int64_t lab_submit(struct lab *l, const char *name);
struct lease lab_claim(struct lab *l); // there must be a job

// Set columns of a job past all constraints, as a bad disk does.
void lab_damage(struct lab *l, int64_t id, const char *set);

struct job_row lab_job(struct lab *l, int64_t id);

#define OK(call) OK_IN(&l, call)
#define OK_IN(l, call) ck_assert_msg((call), "%s", (l)->err.text)
#define REFUSED(want, call)                                                                        \
    do {                                                                                           \
        struct err e = {0};                                                                        \
        ck_assert(!(call));                                                                        \
        ck_assert_msg(e.kind == (want), "%s: %s", err_word(e.kind), e.text);                       \
    } while (0)
