// SPDX-License-Identifier: MIT
// The log: see log.h. A line is put together on the stack and written at once, which the kernel
// keeps whole for pipes and for files opened to append. Lines longer than the buffer are cut; there
// is no queue. Under the lock a pipe that has room for a line still has it when the line is
// written.

#include "server/base/log.h"

#include "server/base/log_stream.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { LINE = 2048, PATIENCE_MS = 100 };
_Static_assert((int)LINE <= (int)STREAM_WHOLE, "threads do not mix their lines");

struct line {
    char text[LINE];
    size_t len; // at most LINE - 1: room for the newline stays
};

// Of the process, which has one log.
static struct {
    pthread_mutex_t lock; // guards all below
    int64_t lost;         // lines since the last that got through
    bool torn;            // the last one ended in the middle
} written = {.lock = PTHREAD_MUTEX_INITIALIZER};

const char *const level_names[LEVEL_COUNT] = {"debug", "info", "warn", "error", "off"};

struct log_field log_text(const char *key, const char *text)
{
    return (struct log_field){.key = key, .type = LOG_AS_TEXT, .text = text ? text : ""};
}

struct log_field log_int(const char *key, int64_t n)
{
    return (struct log_field){.key = key, .type = LOG_AS_COUNT, .n = n};
}

struct log_field log_ms(const char *key, double ms)
{
    return (struct log_field){.key = key, .type = LOG_AS_MS, .x = ms};
}

static void log_put(struct line *l, const char *s, size_t n)
{
    size_t room = LINE - 1 - l->len;
    if (n > room)
        n = room;
    memcpy(l->text + l->len, s, n);
    l->len += n;
}

__attribute__((format(printf, 2, 3))) static void putf(struct line *l, const char *fmt, ...)
{
    char piece[64];
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(piece, sizeof piece, fmt, args);
    va_end(args);
    log_put(l, piece, n < (int)sizeof piece ? (size_t)n : sizeof piece - 1);
}

static bool is_plain(const char *s)
{
    for (const char *p = s; *p; p++)
        if (*p <= ' ' || *p > '~' || *p == '"' || *p == '\\' || *p == '=')
            return false;
    return *s;
}

static void log_put_quoted(struct line *l, const char *s)
{
    log_put(l, "\"", 1);
    for (; *s; s++) {
        if (*s == '"' || *s == '\\')
            putf(l, "\\%c", *s);
        else if (*s == '\n')
            log_put(l, "\\n", 2);
        else if (*s < ' ' || *s > '~')
            putf(l, "\\x%02x", (unsigned char)*s);
        else
            log_put(l, s, 1);
    }
    log_put(l, "\"", 1);
}

static void put_value(struct line *l, const struct log_field *f)
{
    switch (f->type) {
    case LOG_AS_TEXT:
        if (is_plain(f->text))
            log_put(l, f->text, strlen(f->text));
        else
            log_put_quoted(l, f->text);
        break;
    case LOG_AS_COUNT:
        putf(l, "%lld", (long long)f->n);
        break;
    case LOG_AS_MS:
        putf(l, "%.3f", f->x);
        break;
    }
}

static void put_time(struct line *l)
{
    struct timespec now;
    struct tm tm;
    char text[32];
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &tm);
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &tm);
    putf(l, "time=%s.%03ldZ", text, now.tv_nsec / 1000000);
}

static int log_refuse(int fd, const char *path, const char *why, struct err *e)
{
    if (fd >= 0)
        close(fd);
    fail(e, ERR_INVALID, "could not open the log \"%s\": %s", path, why);
    return -1;
}

// Opening waits for nobody either. A pipe is fine while somebody reads it.
static int open_file(const char *path, struct err *e)
{
    struct stat st;
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0600);
    if (fd < 0)
        return log_refuse(
            fd, path, errno == ENXIO ? "it is a pipe or socket that nobody reads" : strerror(errno),
            e);
    if (fstat(fd, &st) != 0 ||
        !(S_ISREG(st.st_mode) || S_ISFIFO(st.st_mode) || S_ISCHR(st.st_mode)))
        return log_refuse(fd, path, "it is neither a file nor a pipe nor a terminal", e);
    return fd;
}

bool log_open(struct log *log, const char *path, enum level level, struct err *e)
{
    *log = (struct log){open_file(path, e), level};
    return log->fd >= 0;
}

// The number stays, so nobody who logs has to be told.
bool log_reopen(const struct log *log, const char *path, struct err *e)
{
    int fd = open_file(path, e);
    if (fd < 0)
        return false;
    bool ok = dup3(fd, log->fd, O_CLOEXEC) >= 0 ||
              fail(e, ERR_INTERNAL, "could not go on in the log \"%s\": %s", path, strerror(errno));
    close(fd);
    return ok;
}

// A line that ended in the middle is ended first, so that the next one is whole.
static void write_line(const struct log *log, const struct line *l)
{
    int patience = written.lost ? 0 : PATIENCE_MS;
    if (written.torn && stream_write(log->fd, "\n", 1, patience) == 1)
        written.torn = false;
    size_t n = written.torn ? 0 : stream_write(log->fd, l->text, l->len, patience);
    written.torn = written.torn || (n > 0 && n < l->len);
    written.lost = n == l->len ? 0 : written.lost + 1;
}

static void put_line(struct line *l, enum level level, const struct log_field *field)
{
    put_time(l);
    putf(l, " level=%s", level_names[level]);
    if (written.lost)
        putf(l, " lines_lost=%lld", (long long)written.lost);
    for (; field->key; field++) {
        putf(l, " %s=", field->key);
        put_value(l, field);
    }
    l->text[l->len++] = '\n';
}

void log_event(const struct log *log, enum level level, const struct log_field *field)
{
    if (!log_on(log, level))
        return;
    struct line l = {.len = 0};
    pthread_mutex_lock(&written.lock);
    put_line(&l, level, field);
    write_line(log, &l);
    pthread_mutex_unlock(&written.lock);
}
