// SPDX-License-Identifier: MIT
#pragma once

// How many connections and requests there may be with the descriptors that the system grants.
// http.c asks once, at its start. What is counted:
//
//     a connection                         its socket
//     a connection too many                its socket, until it has its answer: 2 * OVERFLOW
//     an upload (max_requests at most)     the data folder and its file, also while it is undone
//                                          and its connection is gone
//     a thread that runs handlers          four more files: an upload's columns, its mark, a model
//     a polling thread                     what it waits on, and what wakes it: three
//     a worker                             a table or a model to be stored, the folder, its sync
//     the process                          the database (16 readers), closed connections whose
//                                          clients still send (64), the log, what it listens on
//
// The last four are the reserve.

#include "server/http/http_config.h"

// Connections beyond max_connections that still get an answer: 503. Files of an upload on its way.
enum { DESCRIPTORS_OVERFLOW = 64, DESCRIPTORS_UPLOAD = 2, DESCRIPTORS_SPARE = 256 };

// What must not be given to connections and requests with so many threads: DESCRIPTORS_SPARE, or
// more where there are many.
int descriptors_reserve(const struct settings *s);

// Raise the process' limit as far as wanted. Where the system allows fewer, max_connections and
// max_requests are lowered, half as many requests as connections. ERR_INVALID, saying what to do,
// when fewer than 64 are left for both.
bool descriptors_share(struct http_limits *limits, const struct settings *s, struct err *e);
