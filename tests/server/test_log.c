// SPDX-License-Identifier: MIT
#include "log.h"

#include "harness.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct sink {
    int end[2];
    struct log log;
    char text[65536];
};

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
