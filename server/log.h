// SPDX-License-Identifier: MIT
#pragma once

// One key=value line per event:
//
//     LOG(log, LEVEL_INFO, log_text("event", "job finished"), log_int("job", 7));
//     time=2026-11-23T08:43:00.125Z level=info event="job finished" job=7
//
// Any thread may log: a line is one write(2). Values are quoted and escaped where needed, so
// nothing that a client sends can forge a line or speak to a terminal. Nothing is formatted when
// the level is off. A struct log is constant after start and owns nothing.

#include <stdbool.h>
#include <stdint.h>

enum level { LEVEL_DEBUG, LEVEL_INFO, LEVEL_WARN, LEVEL_ERROR, LEVEL_OFF, LEVEL_COUNT };

extern const char *const level_names[LEVEL_COUNT]; // "debug", "info", ...

struct log {
    int fd; // 2 in the daemon
    enum level level;
};

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
