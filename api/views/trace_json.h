// SPDX-License-Identifier: MIT
#pragma once

// The two ends of looking inside a model: targets from JSON, a trace into JSON. Called on the
// thread that owns the request; memory is the request's arena.

#include "api/json/fault.h"
#include "api/json/json.h"
#include "api/views/inspect_view.h"
#include "engine/model/trace.h"
#include "engine/table/prep.h"

enum { TRACE_ROWS = 64, TRACE_NUMBERS = 200000 };

// "targets", one for each of the n instances: a value (an array of values, or an object by name,
// for several targets) in the target's own units, or the name of a class. y is [n, n_target] as
// training sees it, in the arena. Faults: wrong_type, ragged_row, unknown_value, not_finite, and
// out_of_range for what a job would refuse.
bool targets_read(struct json_span span, const struct model *m, size_t n, real **y, struct arena *a,
                  struct faults *f, struct err *e);

// Numbers that a trace would print.
size_t trace_numbers(const struct trace *t);

// Its nodes for struct trace_reply, with values and gradients, which stay the trace's. NULL when
// the arena is full.
const struct graph_node_reply *trace_view_nodes(const struct trace *t, struct arena *a);
