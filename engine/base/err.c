// SPDX-License-Identifier: MIT
// The error value: see err.h.

#include "engine/base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static void err_record(struct err *e, enum err_kind kind, const char *at, const char *fmt,
                       va_list args)
{
    if (e->kind != ERR_NONE)
        return;
    e->kind = kind;
    snprintf(e->at, sizeof e->at, "%s", at);
    vsnprintf(e->text, sizeof e->text, fmt, args);
}

bool fail(struct err *e, enum err_kind kind, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    err_record(e, kind, "", fmt, args);
    va_end(args);
    return false;
}

bool fail_at(struct err *e, enum err_kind kind, const char *at, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    err_record(e, kind, at, fmt, args);
    va_end(args);
    return false;
}

bool err_no_memory(struct err *e)
{
    return fail(e, ERR_BUSY, "the system is out of memory; try again later");
}

const char *err_word(enum err_kind kind)
{
    static const char *const word[ERR_KIND_COUNT] = {[ERR_NONE] = "none",
#define X(name, text) [ERR_##name] = text,
                                                     ERR_KINDS(X)
#undef X
    };
    BUG((unsigned)kind >= ERR_KIND_COUNT);
    return word[kind];
}

void err_bug(const char *cond, const char *file, int line)
{
    fprintf(stderr, "mlpd: bug: %s at %s:%d\n", cond, file, line);
    abort();
}

bool err_pass(struct err *e, const struct err *why)
{
    return fail_at(e, why->kind, why->at, "%s", why->text);
}

void err_place(struct err *e, const char *at)
{
    if (e->kind != ERR_NONE && !e->at[0])
        snprintf(e->at, sizeof e->at, "%s", at);
}
