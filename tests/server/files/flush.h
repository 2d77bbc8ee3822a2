// SPDX-License-Identifier: MIT
#pragma once

// The fsync() of this test program, which can be told to fail once as it does on a full disk that
// promised blocks it does not have.

// This thread's nth call from now on; 0: none.
void flush_fail(int nth);

// Calls since then.
int flush_count(void);
