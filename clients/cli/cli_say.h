// SPDX-License-Identifier: MIT
#pragma once

// How a command ends. Whoever meets a problem says so on stderr, once, and returns CLI_FAILED (the
// daemon or the system said no) or CLI_USAGE (the question was wrong); main() makes it the exit
// code.

#include <stdbool.h>

enum { CLI_OK, CLI_FAILED, CLI_USAGE };

// A message on stderr. The first is for a question that was wrong and returns CLI_USAGE, the second
// for what could not be done and returns CLI_FAILED.
__attribute__((format(printf, 1, 2))) int usage_error(const char *fmt, ...);
__attribute__((format(printf, 1, 2))) int failure(const char *fmt, ...);

// True for the number of a job, 1 to 18 digits; else says what is expected.
bool is_job(const char *word);
