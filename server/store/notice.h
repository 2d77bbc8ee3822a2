// SPDX-License-Identifier: MIT
#pragma once

// What the store's change notices (store.h) are made of: numbers that differ after a change. The
// store's writing thread says what it is about to change and when that is committed; any thread
// reads the numbers.

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct conn;

enum { NOTICE_SLOTS = 256, NOTICE_LOOK_MS = 500 };

struct notice {
    pthread_mutex_t lock; // guards arrivals
    pthread_cond_t arrived;
    uint64_t arrivals;
    // Names share slots by their hash. Odd: a new version is about to be committed.
    _Atomic uint64_t edition[NOTICE_SLOTS];
    // The writing thread's:
    bool jobs, models; // the transaction under way has changed some
    int64_t version;   // of the database as others have left it
    int64_t looked;    // when, by monotonic time
};

void notice_init(struct notice *n);
void notice_release(struct notice *n);

// How often jobs have arrived, and a wait of at most `ms` milliseconds for that to be another
// number. notice_arrival() makes it one.
uint64_t notice_arrivals(struct notice *n);
void notice_await(struct notice *n, uint64_t seen, int64_t ms);
void notice_arrival(struct notice *n);

// The edition of a name; 0 while a new version is about to be committed. Takes no lock.
uint64_t notice_edition(struct notice *n, const char *name);

// Writing thread, within a transaction: jobs will have arrived, or the name will have a new
// edition. The latter before the statement that makes it.
void notice_jobs(struct notice *n);
void notice_model(struct notice *n, const char *name);

// Writing thread: the transaction is over, committed or not; before anybody is told so.
void notice_end(struct notice *n);

// Writing thread, between transactions: at most every NOTICE_LOOK_MS, see whether another
// connection than the writer's has committed something. What it was is not known, so everything
// counts as changed.
void notice_look(struct notice *n, struct conn *writer);
