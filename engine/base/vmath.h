// SPDX-License-Identifier: MIT
#pragma once

// What the kernels' loops need to be turned into vector code by the compiler, without intrinsics.
//
// KERNEL makes gcc compile a function three times (AVX-512, AVX2 + FMA, baseline) and pick at load
// time, so a release binary runs everywhere. Not under sanitizers (they crash in the selector), in
// the second, double build (see Makefile), nor clang. glibc declares its vector exp, tanh, ... only
// under -ffast-math, which would delete every isfinite(): so they are declared again here. Vector
// and scalar lanes may differ in the last bit; kernels therefore loop row by row, so that a value's
// lane depends on its column only.

#include "engine/base/real.h"

#if defined(__GNUC__) && !defined(__clang__) && defined(__x86_64__) && defined(__GLIBC__)
#if !defined(MLPD_SANITIZED) && !defined(MLPD_WIDE)
#define KERNEL __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#endif
#if __GLIBC_PREREQ(2, 35)
#define VECTOR(name)                                                                               \
    extern __typeof__(name##f) name##f __attribute__((simd("notinbranch")));                       \
    extern __typeof__(name) name __attribute__((simd("notinbranch")));
#endif
#endif
#ifndef KERNEL
#define KERNEL
#endif
#ifndef VECTOR
#define VECTOR(name)
#endif

#pragma push_macro("exp")
#pragma push_macro("expm1")
#pragma push_macro("log")
#pragma push_macro("log1p")
#pragma push_macro("tanh")
#pragma push_macro("erfc")
#undef exp
#undef expm1
#undef log
#undef log1p
#undef tanh
#undef erfc
VECTOR(exp)
VECTOR(expm1)
VECTOR(log)
VECTOR(log1p)
VECTOR(tanh)
VECTOR(erfc)
#pragma pop_macro("exp")
#pragma pop_macro("expm1")
#pragma pop_macro("log")
#pragma pop_macro("log1p")
#pragma pop_macro("tanh")
#pragma pop_macro("erfc")

// The loop that follows has no dependence between its rounds, although pointers in it may be equal
// (in-place kernels).
#ifdef __clang__
#pragma clang diagnostic ignored "-Wpass-failed" // it has no vector exp, and says so for each loop
#define LANES _Pragma("clang loop vectorize(assume_safety)")
#else
#define LANES _Pragma("GCC ivdep")
#endif

#define INLINE static inline __attribute__((always_inline))
