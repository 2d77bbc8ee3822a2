// SPDX-License-Identifier: MIT
#pragma once

// "Did you mean ...?": the known name closest to a misspelt one. Called wherever a name given by a
// user is not found, from any thread; allocates nothing and returns one of the candidates it was
// given. Of very many names only the first ones are looked at.

#include <stddef.h>

// The i-th known name; NULL skips it.
typedef const char *nearest_candidate(const void *names, size_t i);

// The candidate within the fewest slips of `name` (a letter missing, added, changed, or swapped
// with its neighbour; case does not count), the first of equals. NULL when none is within a third
// of the name's length, or when the name has a single letter or more than NEAREST_MAX bytes.
enum { NEAREST_MAX = 64 };
const char *nearest(const char *name, nearest_candidate *candidate, const void *names, size_t n);

// The same for a plain array of names.
const char *nearest_in(const char *name, const char *const *names, size_t n);
