// SPDX-License-Identifier: MIT
// The rows of routes.def as a table: see there.

#include "api/files/import.h"
#include "api/schema/job_schema.h"
#include "api/views/chart.h"
#include "api/views/graph_doc.h"
#include "api/views/query.h"
#include "api/views/views.h"
#include "server/handlers/handlers.h"

enum {
    QUICK_BODY = 64 << 10, // rows of a prediction that are read in a few milliseconds
    MIB = 1 << 20,
    WIDE = 64 * MIB, // lists, curves, tables of 16,384 columns
    WIDEST = 256 * MIB
};

const struct route route_table[] = {
#define ROUTE(handler, method, scope, path, id, doc, ...)                                          \
    {method, scope, path, id, doc, handler, __VA_ARGS__},
#include "server/handlers/routes.def"
};
const size_t route_count = sizeof route_table / sizeof *route_table;
