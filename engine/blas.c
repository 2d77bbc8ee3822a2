// SPDX-License-Identifier: MIT
// OpenBLAS behind three products: see blas.h. We parallelise above BLAS, with tiles whose shape
// never depends on the number of threads, because OpenBLAS' own threads change the last bits.

#include "blas.h"

#include <cblas.h>

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

const char *blas_name(void)
{
    return openblas_get_config();
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

bool blas_init(struct err *e)
{
    openblas_set_num_threads(1);
    return self_test() || fail(e, ERR_INTERNAL,
                               "this machine's BLAS (%s) multiplies matrices wrongly; unset "
                               "OPENBLAS_CORETYPE or install another OpenBLAS",
                               blas_name());
}
