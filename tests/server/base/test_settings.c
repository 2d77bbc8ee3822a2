// SPDX-License-Identifier: MIT
#include "server/base/settings.h"

#include "tests/harness.h"

#include <stdlib.h>
#include <string.h>

// Settings read from up to three arguments; the error, if any, in *e.
static bool read_args(struct settings *s, struct err *e, const char *a, const char *b)
{
    char *argv[] = {"mlpd", (char *)a, (char *)b, NULL};
    *e = (struct err){0};
    return settings_read(s, a ? b ? 3 : 2 : 1, argv, e);
}

TEST(settings_have_defaults_that_serve_this_machine_only)
{
    struct settings s;
    struct err e;
    ck_assert(read_args(&s, &e, NULL, NULL));
    ck_assert_str_eq(s.address.host, "127.0.0.1");
    ck_assert_uint_eq(s.address.port, 8080);
    ck_assert_str_eq(s.data, "./mlpd-data");
    ck_assert_int_ge(s.workers, 1);
    ck_assert_int_eq(s.http_threads, 4);
    ck_assert_int_eq(s.max_upload, 1 << 30);
    ck_assert_int_eq(settings_level(&s), LEVEL_INFO);
    ck_assert(!s.help && !s.version && !s.openapi && !s.insecure_listen && !s.core_dumps);
}

static const struct {
    const char *a, *b;
    size_t at;
    int64_t want;
} good[] = {
    {"--workers", "2", offsetof(struct settings, workers), 2},
    {"--workers=0", NULL, offsetof(struct settings, workers), 0},
    {"--http-threads", "8", offsetof(struct settings, http_threads), 8},
    {"--max-upload", "5000", offsetof(struct settings, max_upload), 5000},
    {"--max-upload=64m", NULL, offsetof(struct settings, max_upload), 64 << 20},
    {"--max-upload", "2K", offsetof(struct settings, max_upload), 2048},
    {"--request-memory", "64m", offsetof(struct settings, request_memory), 64 << 20},
    {"--max-jobs", "3", offsetof(struct settings, max_jobs), 3},
    {"--log", "debug", offsetof(struct settings, log), LEVEL_DEBUG},
    {"--log=off", NULL, offsetof(struct settings, log), LEVEL_OFF},
};

LOOP_TEST(settings_take_a_flag_with_its_value_beside_or_behind_it, sizeof good / sizeof *good)
{
    struct settings s;
    struct err e;
    ck_assert_msg(read_args(&s, &e, good[_i].a, good[_i].b), "%s", e.text);
    ck_assert_int_eq(*(int64_t *)((char *)&s + good[_i].at), good[_i].want);
}

static const struct {
    const char *a, *b, *says;
} bad[] = {
    {"--wrokers", "2", "did you mean --workers?"},
    {"--wrokers=2", NULL, "did you mean --workers?"},
    {"-listen", "x", "did you mean --listen?"},
    {"--zzzzzzzzzz", NULL, "--help lists"},
    {"serve", NULL, "unknown argument \"serve\""},
    {"--", NULL, "unknown argument"},
    {"--workers", NULL, "--workers expects a whole number"},
    {"--workers", "-1", "got \"-1\""},
    {"--workers", "33", "from 0 to 32"},
    {"--workers", "2x", "got \"2x\""},
    {"--workers", "99999999999999999999", "from 0 to 32"},
    {"--http-threads", "0", "from 1 to 32"},
    {"--max-upload", "1x", "such as"},
    {"--max-upload", "1gg", "such as"},
    {"--max-upload", "9999999999g", "such as"},
    {"--max-upload", "", "such as"},
    {"--request-memory", "63m", "from 64m"},
    {"--log", "loud", "debug, info, warn"},
    {"--data", "", "expects a folder"},
    {"--help=maybe", NULL, "no value"},
    {"--listen", "8080", "HOST:PORT"},
    {"--listen", "127.0.0.1:99999", "HOST:PORT"},
    {"--listen", "::1:8080", "[::1]:8080"},
    {"--listen", "127.0.0.1:", "HOST:PORT"},
    {"--listen", ":8080", "HOST:PORT"},
    {"--listen", "0.0.0.0:8080", "--insecure-listen"},
    {"--listen", "128.0.0.1:8080", "--insecure-listen"},
    {"--listen", "[::]:8080", "--insecure-listen"},
    {"--listen", "example.org:80", "--insecure-listen"},
    {"--allowed-host", "http://example.org", "names such as"},
    {"--allowed-host", "example.org:80", "without a port"},
    {"--allowed-host", "a,,b", "names such as"},
    {"--allowed-host", "", "names such as"},
    {"--cors-origin", "http://example.org/", "without a path"},
    {"--cors-origin", "example.org", "such as https://"},
    {"--cors-origin", "null", "origins such as"},
    {"--cors-origin", NULL, "--cors-origin expects origins"},
};

LOOP_TEST(settings_say_what_would_have_been_right, sizeof bad / sizeof *bad)
{
    struct settings s;
    struct err e;
    ck_assert(!read_args(&s, &e, bad[_i].a, bad[_i].b));
    ck_assert_int_eq(e.kind, ERR_INVALID);
    ck_assert_msg(strstr(e.text, bad[_i].says), "\"%s\" lacks \"%s\"", e.text, bad[_i].says);
}

static const char *const loopbacks[] = {"127.0.0.1:0", "127.9.9.9:1", "localhost:80", "[::1]:8080"};

LOOP_TEST(settings_let_loopback_addresses_through, 4)
{
    struct settings s;
    struct err e;
    char text[ADDRESS_TEXT];
    ck_assert(read_args(&s, &e, "--listen", loopbacks[_i]));
    address_print(&s.address, text);
    ck_assert_str_eq(text, loopbacks[_i]);
}

TEST(settings_serve_other_machines_only_when_told_so)
{
    struct settings s;
    struct err e;
    ck_assert(read_args(&s, &e, "--listen=0.0.0.0:8080", "--insecure-listen"));
    ck_assert_str_eq(s.address.host, "0.0.0.0");
}

TEST(settings_prefer_the_flag_to_the_environment_and_that_to_the_default)
{
    struct settings s;
    struct err e;
    setenv("MLPD_HTTP_THREADS", "7", 1);
    setenv("MLPD_MAX_UPLOAD", "2m", 1);
    ck_assert(read_args(&s, &e, "--max-upload", "3m"));
    ck_assert_int_eq(s.http_threads, 7);
    ck_assert_int_eq(s.max_upload, 3 << 20);
    setenv("MLPD_HTTP_THREADS", "many", 1);
    ck_assert(!read_args(&s, &e, NULL, NULL));
    ck_assert_ptr_nonnull(strstr(e.text, "MLPD_HTTP_THREADS expects"));
    unsetenv("MLPD_HTTP_THREADS");
    unsetenv("MLPD_MAX_UPLOAD");
}

static void check_list(const struct settings_list *list, const char *wanted)
{
    char all[200] = "";
    for (size_t i = 0; i < list->n; i++)
        snprintf(all + strlen(all), sizeof all - strlen(all), "%.*s ", (int)list->item[i].len,
                 list->item[i].at);
    ck_assert_str_eq(all, wanted);
}

TEST(settings_gather_a_list_from_repeated_flags_and_between_commas)
{
    struct settings s;
    struct err e;
    ck_assert(read_args(&s, &e, NULL, NULL));
    check_list(&s.allowed_host, "");
    ck_assert(read_args(&s, &e, "--allowed-host=a", "--allowed-host=.b, *.c,::1"));
    check_list(&s.allowed_host, "a .b *.c ::1 ");
    check_list(&s.cors_origin, "");
    ck_assert(read_args(&s, &e, "--cors-origin", "http://a,*"));
    check_list(&s.cors_origin, "http://a * ");
}

TEST(settings_replace_the_list_of_the_environment_by_that_of_the_flags)
{
    struct settings s;
    struct err e;
    setenv("MLPD_ALLOWED_HOST", "a,b", 1);
    ck_assert(read_args(&s, &e, NULL, NULL));
    check_list(&s.allowed_host, "a b ");
    ck_assert(read_args(&s, &e, "--allowed-host=c", "--allowed-host=d"));
    check_list(&s.allowed_host, "c d ");
    unsetenv("MLPD_ALLOWED_HOST");
}

TEST(settings_bound_a_list)
{
    struct settings s;
    struct err e;
    char text[100] = "x";
    for (int i = 1; i < SETTINGS_ITEMS; i++)
        strcat(text, ",x");
    ck_assert(read_args(&s, &e, "--allowed-host", text));
    ck_assert_uint_eq(s.allowed_host.n, SETTINGS_ITEMS);
    ck_assert(!read_args(&s, &e, "--allowed-host", strcat(text, ",x")));
    ck_assert_ptr_nonnull(strstr(e.text, "at most 32"));
}

TEST(settings_refuse_more_blas_callers_than_there_are_buffers)
{
    struct settings s;
    struct err e;
    ck_assert(!read_args(&s, &e, "--workers=32", "--http-threads=32"));
    ck_assert_ptr_nonnull(strstr(e.text, "58"));
}

TEST(settings_help_teaches_every_flag_and_a_first_session)
{
    char *text;
    size_t len;
    FILE *f = open_memstream(&text, &len);
    settings_help(f);
    fclose(f);
    static const char *const part[] = {"--listen",        "MLPD_LISTEN=127.0.0.1:8080",
                                       "--data",          "--workers",
                                       "MLPD_MAX_UPLOAD", "--openapi",
                                       "curl -d",         "/datasets?name=",
                                       "/predict"};
    for (size_t i = 0; i < sizeof part / sizeof *part; i++)
        ck_assert_msg(strstr(text, part[i]), "no %s", part[i]);
    free(text);
}
