// SPDX-License-Identifier: MIT
// See cli_say.h.

#include "clients/cli/cli_say.h"

#include "clients/cli/cli_term.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void say_complain(const char *fmt, va_list args)
{
    say(stderr, "mlpd-cli: ");
    say_list(stderr, fmt, args);
    fputc('\n', stderr);
}

int usage_error(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    say_complain(fmt, args);
    va_end(args);
    return CLI_USAGE;
}

int failure(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    say_complain(fmt, args);
    va_end(args);
    return CLI_FAILED;
}

bool is_job(const char *word)
{
    size_t digits = strspn(word, "0123456789");
    if (digits > 0 && digits <= 18 && !word[digits])
        return true;
    usage_error("a job is a number, got \"%s\"; mlpd-cli jobs lists them", word);
    return false;
}
