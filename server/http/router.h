// SPDX-License-Identifier: MIT
#pragma once

// From a request line to a row of the route table. Pure functions over texts, called by http.c on
// the polling thread; everything they make lives in the request's arena.

#include "api/schema/route.h"
#include "engine/base/arena.h"
#include "engine/base/err.h"

#include <stdbool.h>
#include <stddef.h>

enum { TARGET_DEPTH = 8, ALLOW_TEXT = 64 };

struct faults;     // api/json/fault.h
struct query_text; // api/schema/schema.h

// What a request's URI says.
struct target {
    const char *segment[TARGET_DEPTH]; // decoded, none empty, none "." or ".."
    size_t n;                          // TARGET_DEPTH + 1: deeper than any route
    bool any;                          // "*": no path, the service as a whole
    const char *query;                 // what follows the first '?', still encoded; "" without
};

struct router { // a route table
    const struct route *row;
    size_t n;
};

// Take apart the URI as it came over the wire. ERR_MALFORMED when it is neither "*" nor a path, has
// a broken escape or invalid UTF-8, or would decode to a control character, a slash within a
// segment, or "." or ".." as a segment.
bool target_parse(struct target *t, const char *uri, struct arena *a, struct err *e);

// The parameters of the query in their order, decoded; the value is "" when there is none. Fills in
// at most `max` and returns how many there are.
size_t target_query(const struct target *t, struct query_text *out, size_t max, struct arena *a);

// What a path has captured.
struct router_match {
    const char *segment[ROUTE_SEGMENTS]; // values of the {names}
    size_t n_segment;
    const struct rendering *suffix;          // "svg" of "/jobs/7/metrics.svg"; NULL: none was given
    const struct rendering *const *suffixes; // those there are, where the given one is none
};

// The row for this method and path; what it captures goes to `match`. Where two rows match,
// the one with fewer {names} wins. ERR_NOT_FOUND, or ERR_METHOD when only other methods have the
// path. `method` is GET for a HEAD, METHOD_COUNT for one we do not know.
const struct route *router_find(const struct router *r, enum method method, const struct target *t,
                                struct router_match *match, struct err *e);

// What the Allow header says for this path ("GET, HEAD, OPTIONS"); "" when there is no such path.
void router_allow(const struct router *r, const struct target *t, char out[ALLOW_TEXT]);

// The query as the row's schema has it (see schema_read_query()), in the arena; NULL with faults
// and ERR_INVALID.
const void *router_read_query(const struct route *row, const struct target *t, struct arena *a,
                              struct faults *f, struct err *e);

// The method of that name, case-sensitive; METHOD_COUNT when there is none.
enum method router_method(const char *name);
