// SPDX-License-Identifier: MIT
// Setting aside a job whose row is damaged, see store_work.h. What stands in the way of a write is
// replaced: a value of a type that SQLite does not write, and numbers and digests that nobody could
// read. Texts stay as they are, for whoever looks.

#include "server/store/notice.h"
#include "server/store/store_work.h"

#include <stdio.h>

// Of another type or out of bounds.
#define MEND_COUNT(column) MEND_FROM("0", column)
#define MEND_FROM(least, column)                                                                   \
    column " = iif(typeof(" column ") = 'integer' AND " column " BETWEEN " least                   \
           " AND 9007199254740992, " column ", " least "), "
#define MEND_TEXT(column) column " = coalesce(CAST(" column " AS TEXT), ''), "
#define MEND_OPTION(column) column " = CAST(" column " AS TEXT), "
_Static_assert(COLUMN_COUNT_MAX == 9007199254740992, "MEND_COUNT says so");

#define COUNTS(X)                                                                                  \
    X("owner")                                                                                     \
    X("spec_version")                                                                              \
    X("attempt")                                                                                   \
    X("crashes")                                                                                   \
    X("deaths")                                                                                    \
    X("blame")                                                                                     \
    X("furthest")                                                                                  \
    X("epoch")                                                                                     \
    X("epochs")                                                                                    \
    X("step")                                                                                      \
    X("steps")                                                                                     \
    X("elapsed")
#define TIMES(X) X("1", "created_at") X("1", "queued_at")
#define TEXTS(X) X("name") X("spec") X("metadata")
#define OPTIONS(X) X("dataset") X("idem_key") X("idem_print")

// ?1 is the time, ?2 the job. No move leads from 'queued' to 'failed', so it is 'running' first.
#define MEND_JOB                                                                                   \
    "UPDATE jobs SET " COUNTS(MEND_COUNT) TIMES(MEND_FROM) TEXTS(MEND_TEXT) OPTIONS(MEND_OPTION)
#define MEND_REST                                                                                  \
    "digest = iif(typeof(digest) = 'text' AND length(digest) = 64 AND "                            \
    "NOT digest GLOB '*[^0-9a-f]*', digest, printf('%064d', 0)), "                                 \
    "priority = iif(typeof(priority) = 'integer', priority, 0), "                                  \
    "cancel_requested = cancel_requested IS 1, run_at = 0, best_epoch = NULL, "                    \
    "best_metric = NULL, best_value = NULL, error_at = NULL, result = NULL, worker = NULL, "       \
    "started_at = ?1, finished_at = NULL, state = 'running', lease = zeroblob(16), "               \
    "lease_until = ?1 WHERE id = ?2"

bool job_set_aside(struct store *s, struct conn *c, int64_t id, const char *why, struct err *e)
{
    char text[384];
    int64_t now = store_now(s);
    snprintf(text, sizeof text, "the stored job is damaged: %s", why);
    notice_jobs(store_notice(s));
    return SQL(c, e, NULL, NULL, MEND_JOB MEND_REST, BIND_INT(now), BIND_INT(id)) >= 0 &&
           SQL(c, e, NULL, NULL,
               "UPDATE jobs SET state = 'failed', finished_at = ?, lease = NULL, "
               "lease_until = NULL, error_kind = ?, error_text = ? WHERE id = ?",
               BIND_INT(now), BIND_TEXT(err_word(ERR_INTERNAL)), BIND_TEXT(text),
               BIND_INT(id)) >= 0 &&
           event_add(s, c, e, id, "error", "failed: %s", text);
}
