// SPDX-License-Identifier: MIT
// The program as a shell sees it: arguments, output, exit status.

#include "tests/e2e/scene.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ROOM = 4 << 20, EXIT_USAGE = 2 };

static char out[4 << 20];

static int run(const char *a, const char *b)
{
    const char *const args[] = {a, b, NULL};
    return mlpd(args, out, sizeof out);
}

TEST(the_openapi_document_is_committed_printed_and_served_alike)
{
    char *committed = file_text(source_path("api/openapi.json"), NULL);
    ck_assert_int_eq(run("--openapi", NULL), 0);
    ck_assert_msg(committed && strcmp(out, committed) == 0,
                  "api/openapi.json is not what \"mlpd --openapi\" prints: commit that");
    free(committed);
    const struct reply *r = http(scene(), "GET", "/openapi.json", NULL);
    ck_assert_uint_eq(r->len, strlen(out) - 1);
    ck_assert(memcmp(r->body, out, r->len) == 0);
}

TEST(the_schema_of_a_job_is_the_one_of_the_openapi_document)
{
    const struct reply *all = http(scene(), "GET", "/openapi.json", NULL);
    const struct reply *one = http(scene(), "GET", "/schema/job", NULL);
    ck_assert(cJSON_Compare(json_at(all->json, "/components/schemas/JobDefinition"), one->json, 1));
}

static const struct {
    const char *flag;
    bool value; // it takes one
} flags[] = {{"--listen", true},           {"--data", true},         {"--workers", true},
             {"--http-threads", true},     {"--max-upload", true},   {"--request-memory", true},
             {"--max-jobs", true},         {"--log", true},          {"--log-file", true},
             {"--insecure-listen", false}, {"--allowed-host", true}, {"--cors-origin", true},
             {"--core-dumps", false},      {"--help", false},        {"--version", false},
             {"--openapi", false}};

enum { FLAGS = sizeof flags / sizeof *flags };

TEST(help_lists_every_flag_and_no_other)
{
    size_t n = 0;
    ck_assert_int_eq(run("--help", NULL), 0);
    for (size_t i = 0; i < FLAGS; i++)
        ck_assert_msg(strstr(out, text("\n  %s ", flags[i].flag)), "without %s", flags[i].flag);
    for (const char *at = out; (at = strstr(at, "\n  --")); at++)
        n++;
    ck_assert_uint_eq(n, FLAGS);
}

LOOP_TEST(a_flag_without_its_value_is_refused, FLAGS)
{
    if (!flags[_i].value)
        return;
    ck_assert_int_eq(run(flags[_i].flag, NULL), EXIT_USAGE);
    ck_assert_msg(strstr(out, flags[_i].flag) && strstr(out, "expects"), "%s", out);
}

static const struct {
    const char *flag, *value, *words;
} refused[] = {
    {"--worker", "2", "did you mean --workers?"},
    {"--nonsense-flag", NULL, "--nonsense-flag"},
    {"data", NULL, "data"},
    {"--workers", "many", "whole number"},
    {"--workers", "-1", "whole number"},
    {"--listen", "nowhere", "HOST:PORT"},
    {"--listen", "0.0.0.0:0", "--insecure-listen"},
    {"--max-upload", "1q", "bytes"},
};

LOOP_TEST(a_wrong_argument_ends_with_status_2, sizeof refused / sizeof *refused)
{
    ck_assert_int_eq(run(refused[_i].flag, refused[_i].value), EXIT_USAGE);
    ck_assert_msg(strstr(out, refused[_i].words), "no \"%s\" in: %s", refused[_i].words, out);
}

TEST(the_version_is_that_of_the_running_daemon)
{
    ck_assert_int_eq(run("--version", NULL), 0);
    const char *version = string_at(http(scene(), "GET", "/healthz", NULL), "/version");
    ck_assert_str_eq(out, text("mlpd %s\n", version));
}

TEST(a_second_daemon_on_the_same_folder_is_refused)
{
    const char *const args[] = {"--listen", "127.0.0.1:0", "--data", scene()->data, NULL};
    int status = mlpd(args, out, sizeof out);
    ck_assert_int_ne(status, 0);
    ck_assert_msg(strstr(out, scene()->data) && strstr(out, "mlpd: "), "%s", out);
    expect_status(http(scene(), "GET", "/healthz", NULL), 200);
}

TEST(a_taken_port_is_refused)
{
    char dir[] = "/tmp/mlpd-e2e-port-XXXXXX";
    ck_assert_ptr_nonnull(mkdtemp(dir));
    const char *const args[] = {"--listen", text("127.0.0.1:%d", scene()->port), "--data", dir,
                                NULL};
    ck_assert_int_ne(mlpd(args, out, sizeof out), 0);
    ck_assert_msg(strstr(out, args[1]), "%s", out);
    ck_assert_int_eq(system(text("rm -r %s", dir)), 0);
}

#ifndef MLPD_SANITIZED // there the daemon stays open to the leak checker

// Whether a process that ends by a fault leaves a core here; a few kilobytes are allowed for it.
static bool leaves_core(pid_t pid)
{
    int status;
    kill(pid, SIGSEGV);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
    return WCOREDUMP(status);
}

static bool daemon_leaves_core(const char *allowed)
{
    struct daemon d;
    ck_assert_int_eq(setenv("MLPD_CORE_DUMPS", allowed, 1), 0);
    daemon_start(&d);
    bool core = leaves_core(d.pid);
    d.pid = 0;
    daemon_end(&d);
    return core;
}

TEST(a_fault_writes_no_core_unless_asked_to)
{
    char dir[] = "/tmp/mlpd-e2e-core-XXXXXX", before[1000];
    struct rlimit room;
    ck_assert(getcwd(before, sizeof before) && mkdtemp(dir) && chdir(dir) == 0);
    ck_assert_int_eq(getrlimit(RLIMIT_CORE, &room), 0);
    const struct rlimit small = {room.rlim_max < 65536 ? room.rlim_max : 65536, room.rlim_max};
    ck_assert_int_eq(setrlimit(RLIMIT_CORE, &small), 0);
    pid_t plain = fork();
    while (plain == 0)
        pause();
    bool possible = leaves_core(plain);
    ck_assert(!daemon_leaves_core("false"));
    ck_assert_int_eq(daemon_leaves_core("true"), possible);
    unsetenv("MLPD_CORE_DUMPS");
    ck_assert_int_eq(setrlimit(RLIMIT_CORE, &room), 0);
    ck_assert_int_eq(chdir(before), 0);
    ck_assert_int_eq(system(text("rm -r %s", dir)), 0);
}

#endif
