// SPDX-License-Identifier: MIT
#include "blas.h"
#include "harness.h"

#include <stdlib.h>

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
