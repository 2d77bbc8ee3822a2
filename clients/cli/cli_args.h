// SPDX-License-Identifier: MIT
#pragma once

// The command line as a struct. Read once by main(); every text belongs to argv or to the
// environment.

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum { ARGS_WORDS = 4, ARGS_SETS = 64, ARGS_OPTIONS = 6 };

struct args {
    const char *server; // URL of the daemon
    const char *name, *target, *file, *epochs, *limit;
    const char *set[ARGS_SETS]; // "key.path=JSON", in order
    size_t n_set;
    bool follow, help;
    const char *word[ARGS_WORDS]; // the command, then its arguments
    size_t n_word;
};

// Read flags and words; MLPD_SERVER is the default of --server. On failure says why on stderr and
// returns false.
bool args_read(struct args *a, int argc, char **argv);

// True when every option given is among `allowed` (NULL-terminated names without dashes) or is for
// every command. On failure says which one is not.
bool args_fit(const struct args *a, const char *command, const char *const *allowed);

// A line for each named option, or for those of every command when `names` is NULL.
void args_help(FILE *f, const char *const *names);
