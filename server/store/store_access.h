// SPDX-License-Identifier: MIT
#pragma once

// How the store's files reach a connection, and its tests.

#include "server/store/sql.h"

struct folder;
struct machine;
struct notice;
struct store;

// Work on a connection. For a write, false undoes all that it has written.
typedef bool store_fn(struct store *s, struct conn *c, void *arg, struct err *e);

// Run `fn` on the writing thread as a part of a transaction; returns when that is committed, or
// when `fn` or the commit has failed. The caller stands still meanwhile, so `fn` may use its arena.
bool store_write(struct store *s, store_fn *fn, void *arg, struct err *e);

// The data folder, taken.
const struct folder *store_folder(const struct store *s);

// What is told of changes; a write says what it changes (notice.h).
struct notice *store_notice(struct store *s);

// Who has the store open.
const struct machine *store_machine(const struct store *s);

// Run `fn` on a reading connection, in the calling thread.
bool store_read(struct store *s, store_fn *fn, void *arg, struct err *e);

// The time for people to read, and one that nobody can set, for jobs.run_at: the wall time at which
// the store was opened, and what has passed since by the monotonic clock.
int64_t store_now(const struct store *s);
int64_t store_steady_now(const struct store *s);
