// SPDX-License-Identifier: MIT
// What replies about the inside of a training look like: see views.h.

#include "api/views/view_rows.h"
#include "api/views/views.h"

FIELDS(layer_curve) = {
    V_TEXT("name", .doc = "The layer: layers.0, ..., output."),
#define LAYER_STAT(member, text) V_ANY(#member, .of = FIELD_LIST, .doc = text),
#include "engine/train/layer_stats.def"
    {0},
};
static VIEW(layer_curve, "LayerCurve", "What a layer did, a value an epoch.");

FIELDS(layers) = {
    V_ANY("epoch", .of = FIELD_LIST, .doc = "The epochs; every curve has a value for each."),
    V_ITEMS("layers", layer_curve_view, .doc = "Hidden layers in order, then the output layer."),
    {0},
};
VIEW(layers, "Layers", "What the layers did while they learnt, at the last step of an epoch.");

FIELDS(evidence) = {
    V_TEXT("measure", .doc = "What the numbers are."),
    V_NUMBER("value", .nullable = true, .doc = "What was seen."),
    V_NUMBER("limit", .nullable = true, .doc = "What a healthy training stays clear of."),
    V_WHOLE("epoch", .doc = "Where it was seen."),
    V_WHOLE("since_epoch", .nullable = true, .doc = "The epoch it is compared with."),
    {0},
};
static VIEW(evidence, "Evidence", "The numbers that speak for a finding.");

FIELDS(finding) = {
    V_TEXT("code", .doc = "Stable word, such as dead_relus."),
    V_TEXT("text", .doc = "What it means."),
    V_TEXT("layer", .nullable = true, .doc = "The layer it is about, or null."),
    V_OBJECT("evidence", evidence_view, .doc = "The numbers that speak for it."),
    V_TEXT("advice", .doc = "What the job below does about it."),
    V_ANY("job", .of = FIELD_OBJECT, .doc = "A definition for POST /jobs that would mend it."),
    {0},
};
static VIEW(finding, "Finding", "Something that is wrong with a training.");

FIELDS(diagnosis) = {
    V_WHOLE("job_id", .doc = "The job."),
    V_TEXT("status", .doc = "Where it stands."),
    V_WHOLE("epochs", .doc = "Epochs that were looked at."),
    {.key = "healthy",
     .type = FIELD_BOOL,
     .nullable = true,
     .doc = "Nothing was found; null before the first epoch."},
    V_TEXTS("job_lacks",
            .doc = "Keys to add to a definition below before it can be posted: data, where it came "
                   "with the job."),
    V_ITEMS("findings", finding_view, .doc = "The most serious first."),
    {0},
};
VIEW(diagnosis, "Diagnosis", "What is wrong with a training.");

FIELDS(lr) = {
    V_WHOLE("job_id", .doc = "The job."),
    V_TEXT("status", .doc = "Where it stands."),
    V_NUMBER("valley", .nullable = true,
             .doc = "In the middle of the loss's longest fall: the usual choice."),
    V_NUMBER("steep", .nullable = true, .doc = "Where the loss falls fastest."),
    V_NUMBER("minimum", .nullable = true, .doc = "A tenth of where the loss is least."),
    V_ANY("lr", .of = FIELD_LIST, .doc = "The rate of every step."),
    V_ANY("loss", .of = FIELD_LIST, .doc = "Its loss."),
    V_ANY("smoothed_loss", .of = FIELD_LIST, .doc = "The moving average of the loss."),
    V_ANY("job", .doc = "A definition for POST /jobs that trains at the valley's rate, or null."),
    {0},
};
VIEW(lr, "LearningRates", "What a sweep over learning rates has found.");

FIELDS(rows) = {
    V_WHOLE("job_id", .doc = "The job."),
    V_ANY("columns", .of = FIELD_OBJECT,
          .doc =
              "Columns as the job's kind names them, a value a row; columns that belong together "
              "stand in an object. Empty for kinds that find nothing of rows."),
    {.key = "has_more", .type = FIELD_BOOL, .doc = "Whether more rows follow."},
    {0},
};
VIEW(rows, "Rows", "What a job has found of each row of its table.");
