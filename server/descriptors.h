// SPDX-License-Identifier: MIT
#pragma once

// How many connections there may be with the descriptors that the system grants. http.c asks once,
// at its start.

#include "http.h"

// Connections beyond max_connections that still get an answer: 503.
enum { DESCRIPTORS_OVERFLOW = 64, DESCRIPTORS_SPARE = 256, DESCRIPTORS_LEAST = 448 };

// Raise the process' limit as far as wanted: a descriptor for every connection and one for what its
// handler opens; beyond those, a reserve (DESCRIPTORS_SPARE) for the store, the workers and the
// library. Where the system allows fewer, limits->max_connections is lowered. ERR_INVALID, saying
// what to do, with fewer than DESCRIPTORS_LEAST.
bool descriptors_share(struct http_limits *limits, struct err *e);
