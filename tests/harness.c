// SPDX-License-Identifier: MIT
// main() of every test program: see harness.h. Ends with the line "<program>: N passed, N failed".

#include "tests/harness.h"

#include "engine/nn/blas.h"

#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MAX_TESTS = 2048, MAX_REPORTS = 8, TIMEOUT_SECONDS = 120 };

static struct entry {
    const TTest *test;
    size_t loops;
} entry[MAX_TESTS];
static size_t n_entry;
static void (*before_all)(void), (*after_all)(void);
static void (*report[MAX_REPORTS])(void);
static size_t n_report;

void harness_add(const TTest *test, size_t loops)
{
    if (n_entry == MAX_TESTS)
        abort();
    entry[n_entry++] = (struct entry){test, loops};
}

void harness_around(void (*setup)(void), void (*teardown)(void))
{
    before_all = setup;
    after_all = teardown;
}

void harness_report(void (*print)(void))
{
    if (n_report == MAX_REPORTS)
        abort();
    report[n_report++] = print;
}

static int by_file_then_line(const void *a, const void *b)
{
    const TTest *x = ((const struct entry *)a)->test, *y = ((const struct entry *)b)->test;
    int file = strcmp(x->file, y->file);
    return file ? file : x->line - y->line;
}

#ifdef __SANITIZE_THREAD__
bool harness_elsewhere(const char *test, int row)
{
    static const char variable[] = "MLPD_TEST_ROW";
    char number[16];
    int status;
    const char *only = getenv(variable);
    if (only)
        return atoi(only) != row;
    snprintf(number, sizeof number, "%d", row);
    pid_t pid = fork();
    if (pid == 0) {
        setenv(variable, number, 1);
        execl("/proc/self/exe", program_invocation_short_name, test, NULL);
        _exit(127);
    }
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_int_eq(status, 0);
    return true;
}
#else
bool harness_elsewhere(const char *test, int row)
{
    (void)test, (void)row;
    return false;
}
#endif

// Tests run on the kernels that the product runs on. Absent where no engine is linked.
#pragma weak blas_better_core
static void choose_kernels(char **argv)
{
    const char *core = blas_better_core ? blas_better_core() : NULL;
    if (core && setenv(BLAS_CORE_VARIABLE, core, 1) == 0)
        execv("/proc/self/exe", argv);
}

int main(int argc, char **argv)
{
    choose_kernels(argv);
    const char *only = argc > 1 ? argv[1] : "";
    qsort(entry, n_entry, sizeof *entry, by_file_then_line);
    Suite *suite = suite_create(basename(argv[0]));
    TCase *tc = tcase_create("all");
    tcase_set_timeout(tc, TIMEOUT_SECONDS);
    tcase_add_unchecked_fixture(tc, before_all, after_all);
    for (size_t i = 0; i < n_entry; i++)
        if (strstr(entry[i].test->name, only) || strstr(entry[i].test->file, only))
            tcase_add_loop_test(tc, entry[i].test, 0, (int)entry[i].loops);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, getenv("VERBOSE") ? CK_VERBOSE : CK_NORMAL);
    int run = srunner_ntests_run(runner), failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    for (size_t i = 0; i < n_report; i++)
        report[i]();
    printf("%s: %d passed, %d failed\n", basename(argv[0]), run - failed, failed);
    return failed || !run;
}
