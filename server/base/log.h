// SPDX-License-Identifier: MIT
#pragma once

// One key=value line per event:
//
//     LOG(log, LEVEL_INFO, log_text("event", "job finished"), log_int("job", 7));
//     time=2026-11-23T08:43:00.125Z level=info event="job finished" job=7
//
// Any thread may log, but no signal handler: a line is one write(2). Values are quoted and escaped
// where needed, so nothing that a client sends can forge a line or speak to a terminal. Nothing is
// formatted when the level is off.
//
// A line that cannot be written within a tenth of a second is lost, and while lines are lost none
// is waited for: a log that nobody can read any more, a full pipe or a closed terminal for one,
// stops nothing. The next line that gets through says how many are missing, as lines_lost=7. A
// struct log is constant after start.

#include "engine/base/err.h"

#include <stdbool.h>
#include <stdint.h>

enum level { LEVEL_DEBUG, LEVEL_INFO, LEVEL_WARN, LEVEL_ERROR, LEVEL_OFF, LEVEL_COUNT };

extern const char *const level_names[LEVEL_COUNT]; // "debug", "info", ...

struct log {
    int fd; // stderr, or a file until the process ends
    enum level level;
};

// A log that is appended to a file, made with mode 0600 when missing, or goes to a pipe that has a
// reader, or to a terminal. Waits for nobody. ERR_INVALID with the reason.
bool log_open(struct log *log, const char *path, enum level level, struct err *e);

// Go on in the file that now has this name; other threads may be logging. On failure it goes on
// where it was.
bool log_reopen(const struct log *log, const char *path, struct err *e);

struct log_field {
    const char *key; // NULL ends the list
    enum { LOG_AS_TEXT, LOG_AS_COUNT, LOG_AS_MS } type;
    const char *text;
    int64_t n;
    double x;
};

// Values. `text` need only live for the call; NULL prints as "".
struct log_field log_text(const char *key, const char *text);
struct log_field log_int(const char *key, int64_t n);
struct log_field log_ms(const char *key, double ms); // three decimals

static inline bool log_on(const struct log *log, enum level level)
{
    return level >= log->level;
}

void log_event(const struct log *log, enum level level, const struct log_field *field);

#define LOG(log, level, ...)                                                                       \
    do {                                                                                           \
        if (log_on(log, level))                                                                    \
            log_event(log, level, (const struct log_field[]){__VA_ARGS__, {.key = 0}});            \
    } while (0)
