// SPDX-License-Identifier: MIT
// OpenBLAS behind three products: see blas.h. We parallelise above BLAS, with tiles whose shape
// never depends on the number of threads, because OpenBLAS' own threads change the last bits.

#include "engine/nn/blas.h"

#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#ifdef MLPD_F64
#define GEMM cblas_dgemm
#else
#define GEMM cblas_sgemm
#endif

static void gemm(CBLAS_TRANSPOSE ta, CBLAS_TRANSPOSE tb, size_t m, size_t n, size_t k, struct mat a,
                 struct mat b, struct mat c, bool add)
{
    GEMM(CblasRowMajor, ta, tb, (blasint)m, (blasint)n, (blasint)k, 1, a.v, (blasint)a.ld, b.v,
         (blasint)b.ld, add ? 1 : 0, c.v, (blasint)c.ld);
}

void gemm_nt(size_t m, size_t n, size_t k, struct mat a, struct mat b, struct mat c, bool add)
{
    gemm(CblasNoTrans, CblasTrans, m, n, k, a, b, c, add);
}

void gemm_nn(size_t m, size_t n, size_t k, struct mat a, struct mat b, struct mat c, bool add)
{
    gemm(CblasNoTrans, CblasNoTrans, m, n, k, a, b, c, add);
}

void gemm_tn(size_t m, size_t n, size_t k, struct mat a, struct mat b, struct mat c, bool add)
{
    gemm(CblasTrans, CblasNoTrans, m, n, k, a, b, c, add);
}

// Rows of a block: some tenths of a second of a core. Fewer would have the other matrix packed too
// often (192 rows of 8192 cost 4 % more than all at once, 96 rows 12 %).
static size_t blas_block_rows(size_t n, size_t k)
{
    static const double MOST = 3e10; // flops
    double rows = MOST / (2.0 * (double)n * (double)k) / GEMM_ROWS;
    return GEMM_ROWS * (rows > 1 ? rows < 1e6 ? (size_t)rows : (size_t)1e6 : 1);
}

// Columns of a block: all of them, unless a few rows of theirs take long.
static size_t block_cols(size_t n, size_t k)
{
    static const double MOST = 1e11; // flops
    double cols = MOST / (2.0 * GEMM_ROWS * (double)k);
    return cols < (double)n ? (size_t)fmax(cols, 1024) : n;
}

static void gemm_block(enum gemm form, size_t m, size_t n, size_t k, struct mat a, struct mat b,
                       struct mat c)
{
    gemm(form == GEMM_TN ? CblasTrans : CblasNoTrans, form == GEMM_NT ? CblasTrans : CblasNoTrans,
         m, n, k, a, b, c, false);
}

static struct mat from(struct mat m, size_t row, size_t col)
{
    return (struct mat){m.v + row * m.ld + col, m.ld};
}

void gemm_in_blocks(enum gemm form, size_t m, size_t n, size_t k, struct mat a, struct mat b,
                    struct mat c, const struct halt *halt)
{
    size_t rows = blas_block_rows(n, k), cols = block_cols(n, k);
    for (size_t r = 0; r < m; r += rows)
        for (size_t q = 0; q < n && !halt_asked(halt); q += cols)
            gemm_block(form, m - r < rows ? m - r : rows, n - q < cols ? n - q : cols, k,
                       form == GEMM_TN ? from(a, 0, r) : from(a, r, 0),
                       form == GEMM_NT ? from(b, q, 0) : from(b, 0, q), from(c, r, q));
}

const char *blas_name(void)
{
    return openblas_get_config();
}

const char *blas_better_core(void)
{
#ifdef __x86_64__
    bool guessed_oldest = strcmp(openblas_get_corename(), "Prescott") == 0;
    if (!guessed_oldest || getenv(BLAS_CORE_VARIABLE) || !__builtin_cpu_supports("avx2") ||
        !__builtin_cpu_supports("fma"))
        return NULL;
    bool wide = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
                __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
    return wide ? "SkylakeX" : "Haswell";
#else
    return NULL;
#endif
}

// C = A Bᵀ with small whole numbers, exact in any order of summation.
static bool self_test(void)
{
    enum { M = 19, N = 23, K = 37 };
    real a[M * K], b[N * K], c[M * N];
    for (int i = 0; i < M * K; i++)
        a[i] = (real)(i * 7 % 13 - 6);
    for (int i = 0; i < N * K; i++)
        b[i] = (real)(i * 5 % 11 - 5);
    gemm_nt(M, N, K, (struct mat){a, K}, (struct mat){b, K}, (struct mat){c, N}, false);
    for (int i = 0; i < M; i++)
        for (int j = 0; j < N; j++) {
            real sum = 0;
            for (int k = 0; k < K; k++)
                sum += a[i * K + k] * b[j * K + k];
            if (c[i * N + j] != sum)
                return false;
        }
    return true;
}

// OpenBLAS' own, not in cblas.h; NULL in builds that hide them, which are taken to be able to map
// what they need.
void *blas_memory_alloc(int purpose) __attribute__((weak));
void blas_memory_free(void *buffer) __attribute__((weak));

// What is left for stacks and heaps: something in any case, plenty before anybody gets more than
// the least.
enum { BUFFER = 128 << 20, PAGE = 4096, SPARE = 4 };

static int reserved;

// How many more buffers can be mapped, at most n: as OpenBLAS maps them, one by one, since a kernel
// may refuse at once what it gives in parts.
static int blas_room(int n)
{
    void *at[BLAS_CALLERS + SPARE];
    int k = 0;
    while (k < n && (at[k] = mmap(NULL, BUFFER + PAGE, PROT_READ | PROT_WRITE,
                                  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)) != MAP_FAILED)
        k++;
    for (int i = 0; i < k; i++)
        munmap(at[i], BUFFER + PAGE);
    return k;
}

// All that are held together are mapped.
static void blas_hold(int n)
{
    void *held[BLAS_CALLERS];
    for (int i = 0; i < n; i++)
        held[i] = blas_memory_alloc(0);
    for (int i = 0; i < n; i++)
        blas_memory_free(held[i]);
}

bool blas_reserve(int least, int most, int *got, struct err *e)
{
    BUG(least < 1 || least > most || most > BLAS_CALLERS);
    *got = most;
    if (!blas_memory_alloc || !blas_memory_free || most <= reserved)
        return true;
    int can = reserved + blas_room(most - reserved + SPARE);
    if (can < least + 1)
        return fail(e, ERR_INTERNAL,
                    "the matrix library needs 128 MiB of address space for every thread that "
                    "computes, %d here, and as much for the rest: there is room for %d",
                    least, can > 0 ? can - 1 : 0);
    int fit = can - SPARE;
    *got = reserved = fit > most ? most : fit > least ? fit : least;
    blas_hold(reserved);
    return true;
}

bool blas_init(struct err *e)
{
    int one;
    openblas_set_num_threads(1);
    if (!blas_reserve(1, 1, &one, e))
        return false;
    return self_test() || fail(e, ERR_INTERNAL,
                               "this machine's BLAS (%s) multiplies matrices wrongly; unset "
                               "OPENBLAS_CORETYPE or install another OpenBLAS",
                               blas_name());
}
