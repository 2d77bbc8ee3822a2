// SPDX-License-Identifier: MIT
// Rows of what is said of models: see view_rows.h.

#include "api/views/model_view.h"

#include "api/views/data_view.h"
#include "api/views/list_view.h"
#include "api/views/view_rows.h"
#include "engine/table/task.h"

FIELDS(input) = {
    R_TEXT(input, name, .doc = "Its name."),
    R_TEXT(input, type, .names = column_type_words, .doc = "Its type."),
    R_WHOLE(input, missing, .doc = "Cells without a value in the data it was trained on."),
    R_REAL(input, mean, .on = AT(struct input_reply, has_mean, bool), .optional = true,
           .nullable = true, .doc = "Mean of its numbers."),
    R_WHOLE(input, distinct, .optional = true, .doc = "Number of its distinct texts."),
    {0},
};
static REPLY(input, "Input", "A column that a model wants.");

FIELDS(measure) = {
    R_TEXT(measure, name, .doc = "What is measured."),
    R_REAL(measure, value, .nullable = true),
    {0},
};
REPLY(measure, "Measure", "A number by its name.");

FIELDS(scores) = {
    R_MAP(scores, validation, measure, .nullable = true,
          .doc = "Rows, loss and metrics of the validation rows."),
    R_MAP(scores, test, measure, .nullable = true,
          .doc = "Rows, loss and metrics of the test rows."),
    {0},
};
static REPLY(scores, "Scores", "How good a model is; null for a part without rows.");

#define OF_TRAINED .on = AT(struct model_summary_reply, trained, bool), .optional = true

FIELDS(model_summary) = {
    R_TEXT(model_summary, target, .optional = true,
           .doc = "The column it predicts, if it is a single one."),
    R_TEXTS(model_summary, targets, .doc = "The columns it predicts."),
    R_WHOLE(model_summary, parameters, .doc = "Number of weights."),
    R_TEXT(model_summary, weights_sha256,
           .doc = "SHA-256 of its weights alone: the same for any number of threads."),
    R_WHOLE(model_summary, epochs, OF_TRAINED, .doc = "Epochs of its training."),
    R_WHOLE(model_summary, best_epoch, OF_TRAINED, .doc = "The epoch whose weights it has."),
    R_REAL(model_summary, training_seconds, OF_TRAINED, .doc = "How long its training took."),
    R_ITEMS(model_summary, inputs, input, .doc = "Columns it wants, in order."),
    R_TEXTS(model_summary, classes, .doc = "What it tells apart; none for numbers."),
    R_OBJECT(model_summary, scores, scores, OF_TRAINED,
             .doc = "How good it is on rows that it was not trained on, in the target's units."),
    {0},
};
REPLY(model_summary, "ModelSummary", "What a training or an import leaves to be told.");

FIELDS(model) = {
    R_WHOLE(model, id, .doc = "Grows with time; what \"after\" of a list means."),
    R_TEXT(model, name, .doc = "Its name."),
    R_KIND("model"),
    R_WHOLE(model, version, .doc = "Counts the successes under this name."),
    R_WHOLE(model, job_id, .nullable = true,
            .doc = "The job it came from; null for an imported one."),
    R_TEXT(model, task, .names = task_words + 1, .doc = "What it predicts."),
    R_TIME(model, created_at, .doc = "When it was finished, in Unix seconds."),
    R_WHOLE(model, bytes, .doc = "Size of its file."),
    R_TEXT(model, digest, .doc = "SHA-256 of its file."),
    R_STORED(model, summary, model_summary, .optional = true),
    {0},
};
REPLY(model, "Model", "A trained model.");
LIST_VIEW(model_list, model, "Newest first.", "ModelList", "Trained models.");

FIELDS(evaluate) = {
    R_TEXT(evaluate, model, .doc = "The model that was scored."),
    R_WHOLE(evaluate, version, .doc = "Its version."),
    R_TEXT(evaluate, dataset, .doc = "What it was scored on."),
    R_WHOLE(evaluate, rows, .doc = "Rows that have a target the model knows."),
    R_WHOLE(evaluate, rows_skipped,
            .doc = "Rows that have none, or a class it was not trained on."),
    R_REAL(evaluate, loss, .nullable = true, .doc = "Mean loss in training units."),
    R_MAP(evaluate, metrics, measure, .doc = "The task's metrics, in the target's own units."),
    {0},
};
REPLY(evaluate, "Evaluation", "How good a model is on a dataset.");
