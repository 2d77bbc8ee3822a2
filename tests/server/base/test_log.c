// SPDX-License-Identifier: MIT
#include "server/base/log.h"

#include "tests/harness.h"
#include "server/base/log_stream.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

struct sink {
    int end[2];
    struct log log;
    char text[65536];
};

static int make_pipe(int end[2])
{
    return pipe(end);
}

static int make_sockets(int end[2])
{
    return socketpair(AF_UNIX, SOCK_STREAM, 0, end);
}

static int make_terminal(int end[2])
{
    end[0] = posix_openpt(O_RDWR | O_NOCTTY);
    if (end[0] < 0 || grantpt(end[0]) != 0 || unlockpt(end[0]) != 0)
        return -1;
    end[1] = open(ptsname(end[0]), O_RDWR | O_NOCTTY);
    if (end[1] < 0)
        return -1;
    stream_own(end[1]);
    return 0;
}

static void sink_init(struct sink *s, enum level level)
{
    ck_assert_int_eq(pipe(s->end), 0);
    s->log = (struct log){s->end[1], level};
}

static const char *sink_read(struct sink *s)
{
    close(s->end[1]);
    size_t len = 0;
    ssize_t n;
    while ((n = read(s->end[0], s->text + len, sizeof s->text - 1 - len)) > 0)
        len += (size_t)n;
    close(s->end[0]);
    s->text[len] = '\0';
    return s->text;
}

TEST(log_writes_one_line_of_keys_and_values)
{
    struct sink s;
    sink_init(&s, LEVEL_INFO);
    LOG(&s.log, LEVEL_WARN, log_text("event", "job finished"), log_int("job", -7),
        log_ms("took", 1.5));
    const char *text = sink_read(&s);
    ck_assert_int_eq(strncmp(text, "time=20", 7), 0);
    ck_assert_str_eq(strchr(text, ' '), " level=warn event=\"job finished\" job=-7 took=1.500\n");
}

static const struct {
    const char *value, *shown;
} escapes[] = {
    {"plain/1.5", "plain/1.5"},
    {"", "\"\""},
    {"a b", "\"a b\""},
    {"a=b", "\"a=b\""},
    {"a\"b", "\"a\\\"b\""},
    {"a\\b", "\"a\\\\b\""},
    {"a\nb", "\"a\\nb\""},
    {"\x1b[2J", "\"\\x1b[2J\""},
    {"\xc3\xa9", "\"\\xc3\\xa9\""},
    {NULL, "\"\""},
};

LOOP_TEST(log_escapes_what_could_forge_a_line, sizeof escapes / sizeof *escapes)
{
    struct sink s;
    sink_init(&s, LEVEL_DEBUG);
    LOG(&s.log, LEVEL_DEBUG, log_text("v", escapes[_i].value));
    const char *text = sink_read(&s);
    char want[64];
    snprintf(want, sizeof want, " v=%s\n", escapes[_i].shown);
    ck_assert_str_eq(strstr(text, " v="), want);
}

TEST(log_keeps_silent_below_its_level)
{
    struct sink s;
    sink_init(&s, LEVEL_WARN);
    LOG(&s.log, LEVEL_INFO, log_text("event", "x"));
    LOG(&s.log, LEVEL_DEBUG, log_text("event", "x"));
    ck_assert_str_eq(sink_read(&s), "");
}

TEST(log_cuts_a_long_line_and_still_ends_it)
{
    struct sink s;
    sink_init(&s, LEVEL_INFO);
    char *big = malloc(100000);
    memset(big, 'x', 99999);
    big[99999] = '\0';
    LOG(&s.log, LEVEL_INFO, log_text("event", big), log_int("n", 1));
    free(big);
    const char *text = sink_read(&s);
    ck_assert_uint_eq(strlen(text), 2048);
    ck_assert_ptr_eq(strchr(text, '\n'), text + 2047);
}

TEST(log_waits_for_no_reader_of_a_pipe_that_is_its_file)
{
    char path[] = "/tmp/mlpd-log-XXXXXX";
    struct log log;
    struct err e = {0};
    int made = mkstemp(path);
    ck_assert(made >= 0 && unlink(path) == 0 && close(made) == 0);
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    ck_assert(!log_open(&log, path, LEVEL_INFO, &e) && e.kind == ERR_INVALID);
    ck_assert_msg(strstr(e.text, "nobody reads"), "%s", e.text);
    int reader = open(path, O_RDONLY | O_NONBLOCK);
    ck_assert(log_open(&log, path, LEVEL_INFO, &(struct err){0}));
    LOG(&log, LEVEL_INFO, log_text("event", "first"));
    char text[256] = "";
    ck_assert_int_gt(read(reader, text, sizeof text - 1), 0);
    ck_assert_msg(strstr(text, "event=first\n"), "%s", text);
    close(log.fd);
    close(reader);
    unlink(path);
}

TEST(log_goes_on_in_the_file_that_has_its_name_now)
{
    char path[] = "/tmp/mlpd-log-XXXXXX", old[64], text[256] = "";
    struct log log;
    struct err e = {0};
    int made = mkstemp(path);
    ck_assert(made >= 0 && unlink(path) == 0 && close(made) == 0);
    snprintf(old, sizeof old, "%s.1", path);
    ck_assert(log_open(&log, path, LEVEL_INFO, &e));
    int number = log.fd;
    LOG(&log, LEVEL_INFO, log_text("event", "first"));
    ck_assert(rename(path, old) == 0 && mkdir(path, 0700) == 0);
    ck_assert(!log_reopen(&log, path, &e) && e.kind == ERR_INVALID);
    LOG(&log, LEVEL_INFO, log_text("event", "second"));
    ck_assert_int_eq(rmdir(path), 0);
    ck_assert(log_reopen(&log, path, &e) && log.fd == number);
    LOG(&log, LEVEL_INFO, log_text("event", "third"));
    close(log.fd);
    FILE *f = fopen(old, "r");
    ck_assert(fgets(text, sizeof text, f) && strstr(text, "event=first\n"));
    ck_assert(fgets(text, sizeof text, f) && strstr(text, "event=second\n"));
    ck_assert_ptr_null(fgets(text, sizeof text, f));
    fclose(f);
    f = fopen(path, "r");
    ck_assert(fgets(text, sizeof text, f) && strstr(text, "event=third\n"));
    fclose(f);
    ck_assert(unlink(path) == 0 && unlink(old) == 0);
}

// As a reader leaves it that has gone to sleep.
static void fill(struct sink *s)
{
    static const char block[4096];
    int flags = fcntl(s->end[1], F_GETFL);
    ck_assert_int_eq(fcntl(s->end[1], F_SETFL, flags | O_NONBLOCK), 0);
    while (write(s->end[1], block, sizeof block) > 0)
        ;
    ck_assert_int_eq(fcntl(s->end[1], F_SETFL, flags), 0);
}

static void drain(struct sink *s)
{
    ck_assert_int_eq(fcntl(s->end[0], F_SETFL, O_NONBLOCK), 0);
    while (read(s->end[0], s->text, sizeof s->text) > 0)
        ;
    ck_assert_int_eq(fcntl(s->end[0], F_SETFL, 0), 0);
}

// Control-S and control-Q.
static void hold(struct sink *s)
{
    ck_assert_int_eq(tcflow(s->end[1], TCOOFF), 0);
}

static void let_go(struct sink *s)
{
    ck_assert_int_eq(tcflow(s->end[1], TCOON), 0);
}

static const struct {
    const char *name;
    int (*make)(int end[2]);
    void (*stop)(struct sink *s), (*go_on)(struct sink *s);
} streams[] = {{"pipe", make_pipe, fill, drain},
               {"socket", make_sockets, fill, drain},
               {"terminal", make_terminal, hold, let_go}};

LOOP_TEST(log_counts_the_lines_that_nobody_reads, sizeof streams / sizeof *streams)
{
    struct sink s = {.log = {-1, LEVEL_INFO}};
    if (streams[_i].make(s.end) != 0)
        return; // this system has none
    s.log.fd = s.end[1];
    streams[_i].stop(&s);
    for (int i = 0; i < 3; i++)
        LOG(&s.log, LEVEL_INFO, log_text("event", "lost"));
    streams[_i].go_on(&s);
    LOG(&s.log, LEVEL_WARN, log_text("event", "seen"));
    LOG(&s.log, LEVEL_INFO, log_text("event", "again"));
    const char *text = sink_read(&s), *line = strstr(text, "time=");
    ck_assert_msg(line && strstr(line, " level=warn lines_lost=3 event=seen"), "%s: %s",
                  streams[_i].name, text);
    ck_assert_msg(strstr(line, " level=info event=again"), "%s: %s", streams[_i].name, text);
}

TEST(log_stream_of_our_own_leaves_that_of_others_alone)
{
    int end[2], others;
    ck_assert_int_eq(pipe(end), 0);
    others = dup(end[1]);
    stream_own(end[1]);
    ck_assert(fcntl(end[1], F_GETFL) & O_NONBLOCK);
    ck_assert(!(fcntl(others, F_GETFL) & O_NONBLOCK));
    ck_assert_int_eq(write(end[1], "a", 1) + write(others, "b", 1), 2);
    char text[4] = "";
    ck_assert_int_eq(read(end[0], text, sizeof text), 2);
    ck_assert_str_eq(text, "ab");
    close(others);
    close(end[0]);
    close(end[1]);
}

static void *chatter(void *arg)
{
    for (int i = 0; i < 50; i++)
        LOG((struct log *)arg, LEVEL_INFO, log_text("event", "chatter"), log_int("i", i));
    return NULL;
}

TEST(log_keeps_the_lines_of_parallel_threads_whole)
{
    struct sink s;
    sink_init(&s, LEVEL_INFO);
    pthread_t t[4];
    for (int i = 0; i < 4; i++)
        pthread_create(&t[i], NULL, chatter, &s.log);
    for (int i = 0; i < 4; i++)
        pthread_join(t[i], NULL);
    int lines = 0;
    for (char *rest, *line = strtok_r((char *)sink_read(&s), "\n", &rest); line;
         line = strtok_r(NULL, "\n", &rest), lines++)
        ck_assert_int_eq(strncmp(strchr(line, ' '), " level=info event=chatter i=", 28), 0);
    ck_assert_int_eq(lines, 200);
}
