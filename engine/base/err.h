// SPDX-License-Identifier: MIT
#pragma once

// The error value of the whole program, and the loud end for our own mistakes.
//
// A function that can fail returns bool (or a pointer) and takes a `struct err *` last. On success
// the value is untouched; on failure the first fail() wins, so an inner, more precise error is
// never overwritten. Callers test the return value, never the struct. Nothing to free; any thread
// may own one.
//
// Text: lower case, no final stop, no function names; names given by a user stand in double quotes.

#include <stdbool.h>

// Every kind of failure, with the word that stands for it in logs and problem documents.
// api/views/problem.c has one row for each, which gives it an HTTP status.
#define ERR_KINDS(X)                                                                               \
    X(MALFORMED, "malformed")             /* not readable at all: broken JSON, broken framing */   \
    X(INVALID, "invalid")                 /* readable but wrong: a field, a value, a table */      \
    X(FORBIDDEN, "forbidden")             /* whoever sends this may not */                         \
    X(MISDIRECTED, "misdirected")         /* meant for another host than this server is */         \
    X(NOT_FOUND, "not_found")             /* no such job, dataset, model or path */                \
    X(METHOD, "method_not_allowed")       /* the path exists, but not with this method */          \
    X(NOT_ACCEPTABLE, "not_acceptable")   /* a reply in no form that the client accepts */         \
    X(CONFLICT, "conflict")               /* the thing exists but its state forbids this */        \
    X(TOO_LARGE, "too_large")             /* over a limit that protects memory */                  \
    X(TARGET_TOO_LONG, "target_too_long") /* the same, of a request's target */                    \
    X(HEAD_TOO_LARGE, "head_too_large")   /* the same, of a request's head */                      \
    X(VERSION, "version")                 /* a version of the protocol that we do not speak */     \
    X(UNSUPPORTED, "unsupported")         /* a media type or encoding we do not read */            \
    X(BUSY, "busy")                       /* try again later: draining, queue full */              \
    X(NO_SPACE, "no_space")               /* the disk is full */                                   \
    X(DIVERGED, "diverged")               /* training produced a number that is not finite */      \
    X(CANCELLED, "cancelled")             /* somebody asked for the work to stop */                \
    X(INTERNAL, "internal")               /* an operation of the system failed; see the log */

enum err_kind {
    ERR_NONE,
#define X(name, word) ERR_##name,
    ERR_KINDS(X)
#undef X
        ERR_KIND_COUNT
};

struct err {
    enum err_kind kind; // ERR_NONE until something fails
    char at[128];       // JSON Pointer into the request, "" when not about one place
    char text[256];     // what was attempted and why it could not be done
};

// Record a failure unless one is recorded already. Always returns false.
__attribute__((format(printf, 3, 4))) bool fail(struct err *e, enum err_kind kind, const char *fmt,
                                                ...);

// The same, naming the place in the request by its JSON Pointer ("/model/layers/0/units").
__attribute__((format(printf, 4, 5))) bool fail_at(struct err *e, enum err_kind kind,
                                                   const char *at, const char *fmt, ...);

// The system has no memory: ERR_BUSY, for it may have some later. Always false.
bool err_no_memory(struct err *e);

// Record what failed elsewhere, its place included, unless a failure is recorded already. Always
// false.
bool err_pass(struct err *e, const struct err *why);

// Name the place of a failure that was recorded without one.
void err_place(struct err *e, const char *at);

// The word for a kind ("not_found"); "none" for ERR_NONE.
const char *err_word(enum err_kind kind);

// Abort with a message when `cond` holds: for states that only a mistake of ours can produce.
#define BUG(cond)                                                                                  \
    do {                                                                                           \
        if (__builtin_expect(!!(cond), 0))                                                         \
            err_bug(#cond, __FILE__, __LINE__);                                                    \
    } while (0)

_Noreturn void err_bug(const char *cond, const char *file, int line);
