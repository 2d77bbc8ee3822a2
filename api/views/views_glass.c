// SPDX-License-Identifier: MIT
// Bodies and replies of what looks inside a model: see views.h.

#include "api/views/view_rows.h"
#include "api/views/views.h"

FIELDS(glass_request) = {
    INT("version", struct glass_request, version, .nullable = true, .min = 1, .max = 1e9,
        .doc = "Version of the model; the latest when not given."),
    RAW("instances", struct glass_request, instances, .required = true, .of = FIELD_LIST,
        .doc = "Rows as for /predict, at most 64."),
    RAW("targets", struct glass_request, targets, .nullable = true, .of = FIELD_LIST,
        .doc = "A target for each row: a value in its own units, or the name of a class."),
    {0},
};
const struct schema glass_request_schema = {
    .name = "GlassRequest",
    .doc = "Rows to look at, with what they should have been.",
    .field = glass_request_fields,
    .size = sizeof(struct glass_request),
};

FIELDS(graph_node) = {
    V_WHOLE("index", .doc = "Its number; inputs have smaller ones."),
    V_TEXT("name", .doc = "Its name, such as layers.0.weight."),
    V_TEXT("kind", .doc = "input, parameter, buffer or op."),
    V_TEXT("op", .optional = true, .doc = "What an op does."),
    V_ANY("shape", .of = FIELD_LIST, .doc = "Rows, or the word batch, and columns."),
    V_ANY("inputs", .of = FIELD_LIST, .optional = true, .doc = "Numbers of what an op takes."),
    V_ANY("knobs", .of = FIELD_OBJECT, .optional = true, .doc = "An op's settings."),
    V_ANY("values", .of = FIELD_LIST, .optional = true, .doc = "Its values, row by row."),
    V_ANY("gradients", .optional = true,
          .doc = "Gradient of the mean loss by each of them; null where there is none."),
    {0},
};
static VIEW(graph_node, "GraphNode", "A node of a computation graph.");

FIELDS(graph) = {
    V_TEXT("model", .doc = "The model."),
    V_WHOLE("version", .doc = "Its version."),
    V_ITEMS("nodes", graph_node_view, .doc = "In the order they run."),
    {0},
};
VIEW(graph, "Graph", "A model's computation graph.");

FIELDS(trace) = {
    V_TEXT("model", .doc = "The model."),
    V_WHOLE("version", .doc = "Its version."),
    V_WHOLE("rows", .doc = "Rows that went through."),
    V_NUMBER("loss", .nullable = true, .doc = "Their mean loss; null without targets."),
    V_ITEMS("nodes", graph_node_view, .doc = "In the order they ran."),
    {0},
};
VIEW(trace, "Trace", "Every value, and every gradient, of a pass.");

FIELDS(gradcheck_part) = {
    V_TEXT("name", .doc = "The parameter, or input."),
    V_WHOLE("size", .doc = "Numbers in it."),
    V_WHOLE("checked", .doc = "How many were looked at."),
    V_WHOLE("kinks", .doc = "Those at a corner of the loss, where no difference tells."),
    V_WHOLE("worst_index", .doc = "Where the deviation is largest."),
    V_NUMBER("autograd", .doc = "The gradient there."),
    V_NUMBER("difference", .doc = "The central difference there."),
    V_NUMBER("relative_error", .doc = "Their deviation."),
    {0},
};
static VIEW(gradcheck_part, "GradientCheckPart", "One array of numbers.");

FIELDS(gradcheck) = {
    V_TEXT("model", .doc = "The model."),
    V_WHOLE("version", .doc = "Its version."),
    V_NUMBER("loss", .doc = "The mean loss of the rows."),
    {.key = "passed", .type = FIELD_BOOL, .doc = "All deviations are below the tolerance."},
    V_NUMBER("tolerance", .doc = "The largest relative error that passes."),
    V_TEXT("worst", .doc = "The parameter with the largest deviation."),
    V_NUMBER("worst_error", .doc = "That deviation."),
    V_ITEMS("parameters", gradcheck_part_view, .doc = "Parameter by parameter, inputs last."),
    {0},
};
VIEW(gradcheck, "GradientCheck", "Autograd against central differences, in double precision.");
