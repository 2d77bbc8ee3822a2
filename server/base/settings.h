// SPDX-License-Identifier: MIT
#pragma once

// What the daemon is told at start: flags first, then the environment, then defaults. One table in
// settings.c holds a row for each; --help is a print of it. Read once by main() before any thread
// starts, constant afterwards. Texts point into argv, the environment or constants: nothing to
// free.

#include "engine/base/err.h"
#include "engine/nn/blas.h"
#include "server/base/address.h"
#include "server/base/log.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#ifndef MLPD_VERSION
#define MLPD_VERSION "0.1.0"
#endif

enum {
    SETTINGS_SLOW_THREADS = 2, // for requests that take long
    SETTINGS_ITEMS = 32
};

// Workers and polling threads at most: all of them may be inside OpenBLAS at once, and so may the
// threads for long requests.
#define SETTINGS_BLAS_CALLERS (BLAS_CALLERS - SETTINGS_SLOW_THREADS)

// What a flag that may be given several times was given.
struct settings_list {
    size_t n;
    struct {
        const char *at;
        size_t len;
    } item[SETTINGS_ITEMS];
};

struct settings {
    const char *listen;     // as given
    struct address address; // the same, read
    const char *data;       // folder of the database, datasets and models
    int64_t workers;        // training threads
    int64_t http_threads;   // polling threads
    int64_t max_upload;     // bytes of one dataset
    int64_t request_memory; // bytes that all requests may hold; 0: a share of what there is
    int64_t max_jobs;       // queued jobs
    int64_t log;            // enum level
    const char *log_file;   // NULL: stderr
    bool insecure_listen;
    bool core_dumps;
    struct settings_list allowed_host; // hosts that requests may be for: origin.h
    struct settings_list cors_origin;  // pages that may call: the same
    bool help, version, openapi;       // print that and exit
};

// Every setting at its default; neither flags nor the environment are looked at.
void settings_default(struct settings *s);

// Defaults, overlaid by MLPD_* of the environment, overlaid by flags ("--flag value" or
// "--flag=value"). A list's flag may be repeated, and a value may be several with commas between
// them; its flags replace its variable. ERR_INVALID names the flag or variable and says what would
// be right.
bool settings_read(struct settings *s, int argc, char **argv, struct err *e);

void settings_help(FILE *f); // the text of --help

static inline enum level settings_level(const struct settings *s)
{
    return (enum level)s->log;
}
