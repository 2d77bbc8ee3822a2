// SPDX-License-Identifier: MIT
#include "engine/nn/blas.h"
#include "tests/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

// Every test of the engine runs as the daemon does: with one BLAS thread.
__attribute__((constructor)) static void one_thread(void)
{
    struct err e = {0};
    if (!blas_init(&e))
        abort();
}

// Three products against plain loops, on whole numbers, which are exact in any order.
static const struct {
    void (*gemm)(size_t, size_t, size_t, struct mat, struct mat, struct mat, bool);
    bool a_transposed, b_transposed;
} product[] = {{gemm_nt, false, true}, {gemm_nn, false, false}, {gemm_tn, true, false}};

LOOP_TEST(gemm_equals_plain_loops, sizeof product / sizeof *product)
{
    enum { M = 13, N = 9, K = 21, LD = 32 };
    static real a[LD * LD], b[LD * LD], c[LD * LD];
    for (int i = 0; i < LD * LD; i++) {
        a[i] = (real)(i * 7 % 5 - 2);
        b[i] = (real)(i * 3 % 7 - 3);
    }
    for (int add = 0; add < 2; add++) {
        for (int i = 0; i < LD * LD; i++)
            c[i] = add ? 5 : NAN;
        product[_i].gemm(M, N, K, (struct mat){a, LD}, (struct mat){b, LD}, (struct mat){c, LD},
                         add);
        for (int i = 0; i < M; i++)
            for (int j = 0; j < N; j++) {
                real sum = add ? 5 : 0;
                for (int k = 0; k < K; k++)
                    sum += (product[_i].a_transposed ? a[k * LD + i] : a[i * LD + k]) *
                           (product[_i].b_transposed ? b[j * LD + k] : b[k * LD + j]);
                ck_assert_msg(c[i * LD + j] == sum, "product %d at %d,%d", _i, i, j);
            }
    }
}

TEST(blas_says_which_kernels_run)
{
    ck_assert_ptr_nonnull(blas_name());
}

// Not under sanitizers, which need more address space than any limit here.
#ifndef MLPD_SANITIZED
static size_t mapped_mib(void)
{
    size_t pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    ck_assert_int_eq(fscanf(f, "%zu", &pages), 1);
    fclose(f);
    return pages >> 8;
}

static void limit_mib(size_t mib)
{
    struct rlimit limit;
    getrlimit(RLIMIT_AS, &limit);
    limit.rlim_cur = mib ? (rlim_t)mib << 20 : limit.rlim_max;
    ck_assert_int_eq(setrlimit(RLIMIT_AS, &limit), 0);
}

// Buffers of 128 MiB that are mapped. Neighbours are told as one mapping.
static size_t buffers(void)
{
    char line[512], mode[8];
    size_t from, to, n = 0;
    FILE *f = fopen("/proc/self/maps", "r");
    while (fgets(line, sizeof line, f))
        if (sscanf(line, "%zx-%zx %7s", &from, &to, mode) == 3 && strcmp(mode, "rw-p") == 0)
            n += (to - from) >> 27;
    fclose(f);
    return n;
}

// How many there are from the start differs: OpenBLAS's own threads may have some.
TEST(a_buffer_is_mapped_for_every_caller_that_is_reserved)
{
    struct err e = {0};
    int got;
    ck_assert_uint_lt(buffers(), 6);
    ck_assert_msg(blas_reserve(3, 6, &got, &e), "%s", e.text);
    ck_assert_int_eq(got, 6);
    ck_assert_uint_ge(buffers(), 6);
    size_t before = mapped_mib();
    ck_assert(blas_reserve(3, 6, &got, &e) && got == 6);
    ck_assert_uint_eq(mapped_mib(), before);
}

TEST(callers_beyond_the_least_get_what_leaves_room_for_more)
{
    struct err e = {0};
    int got;
    size_t before = mapped_mib();
    limit_mib(before + 8 * 128 + 20);
    ck_assert_msg(blas_reserve(2, 30, &got, &e), "%s", e.text);
    limit_mib(0);
    ck_assert_int_ge(got, 2);
    ck_assert_uint_lt(mapped_mib() - before, 5 * 128);
}

TEST(too_little_room_for_the_callers_is_told)
{
    struct err e = {0};
    int got = 0;
    limit_mib(mapped_mib() + 3 * 128);
    bool ok = blas_reserve(30, 30, &got, &e);
    limit_mib(0);
    ck_assert(!ok);
    ck_assert_int_eq(e.kind, ERR_INTERNAL);
    ck_assert_msg(strstr(e.text, "30 here") && strstr(e.text, "room for"), "%s", e.text);
}
#endif

#ifdef __x86_64__
// A library that takes the processor for an old one, as it does with those that it does not know.
static void old_kernels(const char *test)
{
    setenv(BLAS_CORE_VARIABLE, "Prescott", 1);
    setenv("MLPD_TEST_OLD", "1", 1);
    execl("/proc/self/exe", "test_engine", test, NULL);
    _exit(127);
}

TEST(a_processor_that_openblas_does_not_know_gets_the_kernels_it_can_run)
{
    int status = 0;
    if (getenv("MLPD_TEST_OLD")) {
        bool able = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
        ck_assert_ptr_null(blas_better_core()); // the user's word holds
        unsetenv(BLAS_CORE_VARIABLE);
        const char *core = blas_better_core();
        ck_assert_int_eq(core != NULL, able);
        ck_assert(!core || strcmp(core, "SkylakeX") == 0 || strcmp(core, "Haswell") == 0);
        return;
    }
    pid_t pid = fork();
    if (pid == 0)
        old_kernels("a_processor_that_openblas_does_not_know");
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_int_eq(status, 0);
}
#endif
