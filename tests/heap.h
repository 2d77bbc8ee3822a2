// SPDX-License-Identifier: MIT
#pragma once

// The heap in a test's hands. The program's own malloc stands in front of the library's, so calls
// of libc and of other libraries count as well.

#include <stdbool.h>
#include <stddef.h>

// Allocations of the whole process so far, whoever made them.
unsigned long heap_allocations(void);

// The n-th allocation that this thread makes from now on fails; or the n-th that all other threads
// make together. 0 ends it.
void heap_fail(unsigned long n);
void heap_fail_elsewhere(unsigned long n);

// How many in a row fail then; 1 until told. Who asks for comfort first and for the least that will
// do afterwards goes without by two.
void heap_fail_in_a_row(unsigned long times);

// Whether it has come to that.
bool heap_has_failed(void);

// Have `seen` called before every free() of this thread, but for those within it. NULL ends it.
void heap_on_free(void (*seen)(void));

// A realloc() that never fails on purpose.
void *heap_sure(void *p, size_t n);

// Watch the bytes that this thread takes and has not given back; the most there were at once.
void heap_watch(void);
size_t heap_most(void);
