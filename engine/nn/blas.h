// SPDX-License-Identifier: MIT
#pragma once

// The three matrix products of a linear layer, in `real`, and OpenBLAS' one setting. blas.c is the
// only file that knows cblas.h.
//
// All matrices are row-major with leading dimensions in elements. With `add` the product is added
// to C, else it replaces C (which may then hold anything, NaN included). Results are a function of
// shapes and values only, as long as OpenBLAS keeps to one thread: call blas_init() first thing in
// main(), before any other thread exists.

#include "engine/base/halt.h"
#include "engine/base/real.h"

#include <stddef.h>

struct mat {
    real *v;
    size_t ld; // elements from one row to the next
};

// One BLAS thread for the process, and a self-test of gemm against plain loops: fails with
// ERR_INTERNAL on a library that computes wrongly, or without room for one caller.
bool blas_init(struct err *e);

// OpenBLAS gives every thread that is inside a product a buffer of 128 MiB, of which it touches
// little. Buffers are mapped when they are wanted first and kept for whoever comes next, and one
// that cannot be mapped is tried again for ever. So as many as can be wanted at once are made
// beforehand, when it can still be told that there is no room for them.
//
// Have buffers for at least `least` threads, in all and at once, and for up to `most` where there
// is room. *got says how many there are; no more may compute products at once. To be called while
// no other thread does. ERR_INTERNAL, saying how much there is room for, when `least` do not fit.
bool blas_reserve(int least, int most, int *got, struct err *e);
enum { BLAS_CALLERS = 60 }; // at most: the smallest build has 64 buffers

// Text such as "OpenBLAS 0.3.21 ... Haswell": which kernels run here.
const char *blas_name(void);

// OpenBLAS knows processors by their model numbers. One that is younger than the library gets the
// oldest kernels there are (Prescott: SSE3), an eighth of the speed it could have. Returns the
// kernels that would fit such a processor, a value for BLAS_CORE_VARIABLE, which OpenBLAS reads
// when it is loaded, so that only starting the program again makes it count. NULL: OpenBLAS has
// chosen well, knows no better, or was told by that variable.
const char *blas_better_core(void);
#define BLAS_CORE_VARIABLE "OPENBLAS_CORETYPE"

void gemm_nt(size_t m, size_t n, size_t k, struct mat a, struct mat b, struct mat c,
             bool add); // C[m,n] = A[m,k] B[n,k]ᵀ
void gemm_nn(size_t m, size_t n, size_t k, struct mat a, struct mat b, struct mat c,
             bool add); // C[m,n] = A[m,k] B[k,n]
void gemm_tn(size_t m, size_t n, size_t k, struct mat a, struct mat b, struct mat c,
             bool add); // C[m,n] = A[k,m]ᵀ B[k,n]

// Products may be cut into blocks of C's rows at multiples of this and keep their bits: OpenBLAS
// works on 12, 24 or 48 rows at once, and what it does to an element depends on its place among
// those and on k. (Not so for columns.) Blocks of fewer than a million multiplications are computed
// in another way.
enum { GEMM_ROWS = 96 };

// The same products, replacing C, in such blocks with a question between two of them. After a stop
// C holds anything.
enum gemm { GEMM_NT, GEMM_NN, GEMM_TN };
void gemm_in_blocks(enum gemm form, size_t m, size_t n, size_t k, struct mat a, struct mat b,
                    struct mat c, const struct halt *halt);
