// SPDX-License-Identifier: MIT
// Rows of what is asked and said of the inside of a model: see view_rows.h.

#include "api/views/inspect_view.h"

#include "api/views/view_rows.h"

FIELDS(inspect_request) = {
    INT("version", struct inspect_request, version, .nullable = true, .min = 1, .max = 1e9,
        .doc = "Version of the model; the latest when not given."),
    RAW("instances", struct inspect_request, instances, .required = true, .of = FIELD_LIST,
        .doc = "Rows as for /predict, at most 64."),
    RAW("targets", struct inspect_request, targets, .nullable = true, .of = FIELD_LIST,
        .doc = "A target for each row: a value in its own units, or the name of a class."),
    {0},
};
const struct schema inspect_request_schema = {
    .name = "InspectRequest",
    .doc = "Rows to look at, with what they should have been.",
    .field = inspect_request_fields,
    .size = sizeof(struct inspect_request),
};

FIELDS(graph_node) = {
    R_WHOLE(graph_node, index, .doc = "Its number; inputs have smaller ones."),
    R_TEXT(graph_node, name, .doc = "Its name, such as layers.0.weight."),
    R_TEXT(graph_node, kind, .doc = "input, parameter, buffer or op."),
    R_TEXT(graph_node, op, .optional = true, .doc = "What an op does."),
    R_JSON(graph_node, shape, .of = FIELD_LIST, .doc = "Rows, or the word batch, and columns."),
    R_WHOLES(graph_node, inputs, .optional = true,
             .doc = "Of a graph: numbers of what an op takes."),
    R_MAP(graph_node, hyperparameters, measure, .optional = true,
          .doc = "Of a graph: an op's settings."),
    R_MATRIX(graph_node, values, .optional = true, .gaps = true,
             .doc = "Of a trace: its values, row by row."),
    R_MATRIX(graph_node, gradients, .on = AT(struct graph_node_reply, traced, bool),
             .optional = true, .nullable = true, .gaps = true,
             .doc = "Of a trace: gradient of the mean loss by each of them; null where there is "
                    "none."),
    {0},
};
static REPLY(graph_node, "GraphNode", "A node of a computation graph.");

FIELDS(graph) = {
    R_TEXT(graph, model, .doc = "The model."),
    R_WHOLE(graph, version, .doc = "Its version."),
    R_ITEMS(graph, nodes, graph_node, .doc = "In the order they run."),
    {0},
};
REPLY(graph, "Graph", "A model's computation graph.");

FIELDS(trace) = {
    R_TEXT(trace, model, .doc = "The model."),
    R_WHOLE(trace, version, .doc = "Its version."),
    R_WHOLE(trace, rows, .doc = "Rows that went through."),
    R_FLOAT(trace, loss, .nullable = true, .doc = "Their mean loss; null without targets."),
    R_ITEMS(trace, nodes, graph_node, .doc = "In the order they ran."),
    {0},
};
REPLY(trace, "Trace", "Every value, and every gradient, of a pass.");

FIELDS(gradcheck_part) = {
    R_TEXT(gradcheck_part, name, .doc = "The parameter, or input."),
    R_WHOLE(gradcheck_part, size, .doc = "Numbers in it."),
    R_WHOLE(gradcheck_part, checked, .doc = "How many were looked at."),
    R_WHOLE(gradcheck_part, kinks,
            .doc = "Those at a corner of the loss, where no difference tells."),
    R_WHOLE(gradcheck_part, worst_index, .doc = "Where the deviation is largest."),
    R_REAL(gradcheck_part, autograd, .nullable = true, .doc = "The gradient there."),
    R_REAL(gradcheck_part, difference, .nullable = true, .doc = "The central difference there."),
    R_REAL(gradcheck_part, relative_error, .nullable = true,
           .doc = "Their deviation. All three are null where they are not finite."),
    {0},
};
static REPLY(gradcheck_part, "GradientCheckPart", "One array of numbers.");

FIELDS(gradcheck) = {
    R_TEXT(gradcheck, model, .doc = "The model."),
    R_WHOLE(gradcheck, version, .doc = "Its version."),
    R_REAL(gradcheck, loss, .doc = "The mean loss of the rows."),
    R_BOOL(gradcheck, passed, .doc = "All deviations are below the tolerance."),
    R_REAL(gradcheck, tolerance, .doc = "The largest relative error that passes."),
    R_TEXT(gradcheck, worst, .doc = "The parameter with the largest deviation."),
    R_REAL(gradcheck, worst_error, .nullable = true, .doc = "That deviation."),
    R_ITEMS(gradcheck, parameters, gradcheck_part, .doc = "Parameter by parameter, inputs last."),
    {0},
};
REPLY(gradcheck, "GradientCheck", "Autograd against central differences, in double precision.");
