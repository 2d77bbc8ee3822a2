// SPDX-License-Identifier: MIT
#pragma once

// A little memory put aside at start for small things that must not fail once the system has no
// more: arena_need() falls back on it, and what is under way then ends with an error instead of the
// process with an abort. Any thread; no locks.

#include <stddef.h>

enum { RESERVE_PIECE = 64 << 10, RESERVE_PIECES = 32 };

// A piece of RESERVE_PIECE bytes, aligned to 64; NULL for more than that, or when all are lent.
void *reserve_take(size_t bytes);
void reserve_give(void *piece);
