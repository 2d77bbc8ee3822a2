// SPDX-License-Identifier: MIT
#pragma once

// Questions that several of the store's files ask.

#include "server/store/store.h"
#include "server/store/store_access.h"

// Whether the statement, whose one `?` is `value` (NULL: it has none), has a row.
bool sql_any(struct store *s, const struct sql_text *text, const char *value, bool *any,
             struct err *e);

// Run `fn` in a transaction of its own on a reader, so that all its statements see the same state.
bool sql_snapshot(struct store *s, struct conn *c, store_fn *fn, void *arg, struct err *e);

// Always false, with ERR_NOT_FOUND: there is no such `what` of that name (and version, unless 0).
bool sql_no_version(const char *what, const char *name, int64_t version, struct err *e);

// The version ?2 of the name ?1, or the newest of them for 0.
#define NEWEST(table) "iif(?2, ?2, (SELECT max(version) FROM " table " WHERE name = ?1))"

// Shared questions about jobs, within a read or a write.
// The next version of a model, of a job or (0) of none.
bool model_add(struct store *s, struct conn *c, const struct model_new *m, int64_t job,
               int64_t *version, struct err *e);

bool job_load(struct store *s, struct conn *c, int64_t id, struct job_row *out, struct arena *a,
              struct err *e);
bool job_exists(struct conn *c, int64_t id, struct err *e); // else ERR_NOT_FOUND
bool job_missing(int64_t id, struct err *e);                // always false, with ERR_NOT_FOUND

// Within a write, fail a queued or running job whose row is damaged, so that it stands in nobody's
// way; its log and its error say `why`. Writes are possible afterwards.
bool job_set_aside(struct store *s, struct conn *c, int64_t id, const char *why, struct err *e);

// Append to a job's log, within a write.
__attribute__((format(printf, 6, 7))) bool event_add(struct store *s, struct conn *c, struct err *e,
                                                     int64_t job, const char *level,
                                                     const char *fmt, ...);

// Series of a run (store_series.c), within a write: what a report has of them, and an end to all
// that was stored of a run and later ones.
bool series_declare(struct conn *c, const struct lease *lease, enum series_kind kind,
                    const struct series_list *l, struct err *e);
bool series_put(struct store *s, struct conn *c, const struct lease *lease,
                const struct job_beat *b, struct err *e);
bool series_drop(struct conn *c, int64_t job, int64_t attempt, struct err *e);

// What a run has declared, within a read; none is fine. The list is in the arena.
bool series_declared(struct conn *c, int64_t job, int64_t attempt, enum series_kind kind,
                     struct series_list *out, struct arena *a, struct err *e);
