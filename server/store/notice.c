// SPDX-License-Identifier: MIT
// Change notices: see notice.h.
//
// The newest version of a model is asked for with every prediction, so the answer is kept, and to
// ask whether it still holds takes one look at a number: no lock, no statement. The number is made
// odd before a new version is committed and even afterwards, as in a seqlock. In between a reader
// of the database may see either, so nothing is kept then, and whoever has seen the new version is
// never answered by the old one.
//
// Other processes cannot make the number odd. SQLite tells a connection whether others have
// committed, so the writer's asks now and then; it does not count its own commits.

#include "server/store/notice.h"

#include "server/base/clock.h"
#include "server/store/conn.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdlib.h>

void notice_init(struct notice *n)
{
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&n->arrived, &attr);
    pthread_condattr_destroy(&attr);
    pthread_mutex_init(&n->lock, NULL);
    n->looked = -NOTICE_LOOK_MS;
    for (int i = 0; i < NOTICE_SLOTS; i++)
        atomic_init(&n->edition[i], 2);
}

void notice_release(struct notice *n)
{
    pthread_cond_destroy(&n->arrived);
    pthread_mutex_destroy(&n->lock);
}

// Jobs -----------------------------------------------------------------------------------------

uint64_t notice_arrivals(struct notice *n)
{
    pthread_mutex_lock(&n->lock);
    uint64_t arrivals = n->arrivals;
    pthread_mutex_unlock(&n->lock);
    return arrivals;
}

void notice_await(struct notice *n, uint64_t seen, int64_t ms)
{
    struct timespec until = clock_after(ms);
    int rc = 0;
    pthread_mutex_lock(&n->lock);
    while (n->arrivals == seen && rc != ETIMEDOUT)
        rc = pthread_cond_timedwait(&n->arrived, &n->lock, &until);
    pthread_mutex_unlock(&n->lock);
}

void notice_arrival(struct notice *n)
{
    pthread_mutex_lock(&n->lock);
    n->arrivals++;
    pthread_cond_broadcast(&n->arrived);
    pthread_mutex_unlock(&n->lock);
}

void notice_jobs(struct notice *n)
{
    n->jobs = true;
}

// Models ---------------------------------------------------------------------------------------

static _Atomic uint64_t *slot_of(struct notice *n, const char *name)
{
    uint32_t hash = 2166136261u; // FNV-1a
    for (; *name; name++)
        hash = (hash ^ (unsigned char)*name) * 16777619u;
    return &n->edition[(hash ^ hash >> 16) % NOTICE_SLOTS];
}

uint64_t notice_edition(struct notice *n, const char *name)
{
    uint64_t edition = atomic_load(slot_of(n, name));
    return edition % 2 ? 0 : edition;
}

void notice_model(struct notice *n, const char *name)
{
    _Atomic uint64_t *slot = slot_of(n, name);
    n->models = true;
    if (atomic_load(slot) % 2 == 0)
        atomic_fetch_add(slot, 1);
}

// The writing thread ---------------------------------------------------------------------------

void notice_end(struct notice *n)
{
    for (int i = 0; n->models && i < NOTICE_SLOTS; i++)
        if (atomic_load(&n->edition[i]) % 2)
            atomic_fetch_add(&n->edition[i], 1);
    if (n->jobs)
        notice_arrival(n);
    n->jobs = n->models = false;
}

static int take_version(void *version, int n, char **text, char **name)
{
    (void)n, (void)name;
    *(int64_t *)version = strtoll(text[0], NULL, 10);
    return 0;
}

// An error is no reason to end: whoever writes next meets it.
void notice_look(struct notice *n, struct conn *writer)
{
    int64_t now = clock_mono(&clock_system), version = n->version;
    if (now - n->looked < NOTICE_LOOK_MS || writer->bad)
        return;
    n->looked = now;
    sqlite3_exec(writer->db, "PRAGMA data_version", take_version, &version, NULL);
    bool changed = n->version && version != n->version;
    n->version = version;
    for (int i = 0; changed && i < NOTICE_SLOTS; i++)
        atomic_fetch_add(&n->edition[i], 2);
    if (changed)
        notice_arrival(n);
}
