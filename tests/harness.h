// SPDX-License-Identifier: MIT
#pragma once

// The frame of every test program: libcheck, with tests that register themselves. A test's name is
// a sentence.
//
//     TEST(arena_refuses_to_grow_past_its_maximum) { ck_assert_ptr_null(...); }
//     LOOP_TEST(every_op_has_a_doc, op_count) { ck_assert_ptr_nonnull(op_table[_i]->row.doc); }
//
// `build/release/test_engine arena` runs the tests whose name, or whose file's, contains "arena".

#include <check.h>
#include <stdbool.h>
#undef fail // ours is in err.h
#include <stddef.h>

void harness_add(const TTest *test, size_t loops);

// Run `setup` once before all tests and `teardown` once after them, in the process that starts the
// tests whether they fork or not. For one thing that is dear to make and shared by all; to be
// called from a constructor, at most once in a program.
void harness_around(void (*setup)(void), void (*teardown)(void));

// For a test that leaves threads behind, or forks and has threads or signals in the child:
// ThreadSanitizer takes what comes later in the process for races, and in a process that was forked
// where there were several threads it keeps back every signal. So under it the row of the test runs
// in a program of its own. True: it has, and this is not that program. Where tests have a process
// each this is false.
bool harness_elsewhere(const char *test, int row);


// Have `print` called when all tests have run, before the closing line: one line, indented by two
// spaces, about what was measured. From a constructor.
void harness_report(void (*print)(void));

#define TEST(name) LOOP_TEST(name, 1)
#define LOOP_TEST(name, loops)                                                                     \
    static void name##_fn(int _i);                                                                 \
    static const TTest name##_test = {#name, name##_fn, __FILE__, __LINE__};                       \
    __attribute__((constructor)) static void name##_add(void)                                      \
    {                                                                                              \
        harness_add(&name##_test, loops);                                                          \
    }                                                                                              \
    static void name##_fn(int _i __attribute__((unused)))
