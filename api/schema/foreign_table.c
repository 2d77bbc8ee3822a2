// SPDX-License-Identifier: MIT
// The options of other libraries, a row each, in the order in which they are applied: a choice
// comes before what adjusts it. See foreign.h.

#include "api/schema/foreign.h"

#include <cJSON.h>
#include <math.h>
#include <string.h>

#define WORDS(name) static const struct foreign_word name[]

WORDS(activation_words) = {
    {"rectifier", "\"relu\""},   {"rectifier_with_dropout", "\"relu\""},
    {"tanh", "\"tanh\""},        {"tanh_with_dropout", "\"tanh\""},
    {"maxout", "\"maxout\""},    {"maxout_with_dropout", "\"maxout\""},
    {"logistic", "\"sigmoid\""}, {0},
};
WORDS(init_words) = {
    {"uniform_adaptive", "\"xavier_uniform\""},
    {"uniform", "\"uniform\""},
    {"normal", "\"normal\""},
    {0},
};
WORDS(loss_words) = {
    {"automatic", NULL},          {"auto", NULL},
    {"bernoulli", NULL},          {"multinomial", NULL},
    {"squared_error", "\"mse\""}, {"quadratic", "\"mse\""},
    {"gaussian", "\"mse\""},      {"absolute", "\"mae\""},
    {"laplace", "\"mae\""},       {0},
};
WORDS(balance_words) = {{"true", "\"balanced\""}, {"false", NULL}, {0}};
WORDS(adaptive_words) = {{"true", "\"adadelta\""}, {"false", "\"sgd\""}, {0}};
WORDS(rate_words) = {
    {"constant", "\"constant\""},
    {"invscaling", "\"inverse_sqrt\""},
    {"adaptive", "{\"type\": \"plateau\", \"factor\": 0.2, \"patience\": 2}"},
    {0},
};
WORDS(stopping_words) = {{"true", "{}"}, {"false", "null"}, {0}};
WORDS(metric_words) = {
    {"auto", NULL},
    {"deviance", "\"val_loss\""},
    {"logloss", "\"val_log_loss\""},
    {"rmse", "\"val_rmse\""},
    {"mse", "\"val_rmse\""},
    {"mae", "\"val_mae\""},
    {"auc", "\"val_auc\""},
    {"misclassification", "\"val_accuracy\""},
    {0},
};
WORDS(standardize_words) = {{"true", "\"standard\""}, {"false", "\"none\""}, {0}};
WORDS(missing_words) = {{"mean_imputation", "\"mean\""}, {0}};
WORDS(encoding_words) = {
    {"auto", NULL}, {"one_hot_internal", NULL}, {"one_hot_explicit", NULL}, {0}};

static const cJSON *table_given(const struct foreign_use *u, const char *name)
{
    const cJSON *json = cJSON_GetObjectItemCaseSensitive(u->root, name);
    return cJSON_IsNull(json) ? NULL : json;
}

static void turn_list(struct foreign_use *u)
{
    if (!cJSON_IsNumber(u->value))
        return;
    cJSON *list = cJSON_CreateArray();
    cJSON_AddItemToArray(list, cJSON_Duplicate(u->value, true));
    foreign_value(u, list);
}

// H2O's activations "with dropout" silence half of the units unless told otherwise.
static void turn_activation(struct foreign_use *u)
{
    const char *word = cJSON_GetStringValue(u->value);
    size_t len = word ? strlen(word) : 0;
    bool drops = (len > 11 && foreign_same(word + len - 11, "withdropout")) ||
                 (len > 12 && foreign_same(word + len - 12, "withdropout"));
    if (drops && !table_given(u, "hidden_dropout_ratios"))
        foreign_also(u, "/model/layers/*/dropout", 0.5);
}

static void turn_scale(struct foreign_use *u)
{
    const char *init = foreign_chosen(u, "/model/init");
    double scale = u->value->valuedouble;
    if (strcmp(init, "normal") == 0) {
        u->to = "/model/init/std";
    } else if (strcmp(init, "uniform") == 0) {
        foreign_value(u, cJSON_CreateNumber(-scale));
        foreign_also(u, "/model/init/high", scale);
    } else {
        u->ignored = "this initialization has a scale of its own";
    }
}

// A word is scikit-learn's schedule, a number the rate itself.
static void turn_learning_rate(struct foreign_use *u)
{
    if (cJSON_IsNumber(u->value))
        u->to = "/optimizer/lr";
}

static bool is_adaptive(const struct foreign_use *u)
{
    return strcmp(foreign_chosen(u, "/optimizer"), "adadelta") == 0;
}

static void turn_rate(struct foreign_use *u)
{
    if (is_adaptive(u))
        u->ignored = "the learning rate is adaptive";
}

static void turn_annealing(struct foreign_use *u)
{
    if (is_adaptive(u))
        u->ignored = "the learning rate is adaptive";
}

static void turn_momentum(struct foreign_use *u)
{
    if (table_given(u, "momentum_stable"))
        u->ignored = "momentum_stable is given too";
}

// The square of a length; H2O's default is the largest float, for no limit.
static void turn_max_w2(struct foreign_use *u)
{
    if (!cJSON_IsNumber(u->value) || u->value->valuedouble < 0)
        return;
    if (u->value->valuedouble > 1e38)
        u->ignored = "that means no limit";
    else
        foreign_value(u, cJSON_CreateNumber(sqrt(u->value->valuedouble)));
}

static void turn_rounds(struct foreign_use *u)
{
    if (!cJSON_IsNumber(u->value) || u->value->valuedouble != 0)
        return;
    u->to = "/training/early_stopping";
    foreign_value(u, cJSON_CreateNull());
}

#define BECOMES(n, place, ...)                                                                     \
    {                                                                                              \
        .name = #n, .to = place, __VA_ARGS__                                                       \
    }
#define IGNORED(n, why)                                                                            \
    {                                                                                              \
        .name = #n, .off = "", .doc = why                                                          \
    }
#define UNLESS(n, nothing, instead)                                                                \
    {                                                                                              \
        .name = #n, .off = nothing, .doc = instead                                                 \
    }
#define QUIET "the log and the curves are always stored"
#define SCORED "every epoch is scored on all validation rows"
#define ALONE "the server decides how to compute"

const struct foreign foreign_table[] = {
    // Shape of the network
    BECOMES(hidden_layer_sizes, "/model/layers", .turn = turn_list),
    BECOMES(hidden, "/model/layers", .turn = turn_list),
    BECOMES(activation, "/model/layers/*/activation", .word = activation_words,
            .turn = turn_activation),
    BECOMES(hidden_dropout_ratios, "/model/layers/*/dropout"),
    BECOMES(input_dropout_ratio, "/regularization/input_dropout"),
    BECOMES(initial_weight_distribution, "/model/init", .word = init_words),
    BECOMES(initial_weight_scale, "/model/init/low", .turn = turn_scale),
    UNLESS(initial_weights, "null",
           "import the weights with POST /models and start a job with \"init\": {\"from\": model}"),
    UNLESS(initial_biases, "null",
           "import the biases with POST /models and start a job with \"init\": {\"from\": model}"),
    UNLESS(checkpoint, "null", "use \"init\": {\"from\": model}"),
    UNLESS(warm_start, "false", "use \"init\": {\"from\": model}"),
    UNLESS(autoencoder, "false", "give the inputs as targets too"),
    UNLESS(pretrained_autoencoder, "null", "use \"init\": {\"from\": model}"),
    UNLESS(average_activation, "0", "sparse autoencoders are not available"),
    UNLESS(sparsity_beta, "0", "sparse autoencoders are not available"),
    // Loss
    {.name = "loss", .to = "/loss", .own = true, .word = loss_words},
    BECOMES(distribution, "/loss", .word = loss_words),
    BECOMES(quantile_alpha, "/loss/tau"),
    BECOMES(tweedie_power, "/loss/power"),
    IGNORED(huber_alpha, "in H2O it is a quantile of the residuals; use loss {\"type\": \"huber\", "
                         "\"delta\": residual}"),
    BECOMES(balance_classes, "/class_weight", .word = balance_words),
    UNLESS(class_sampling_factors, "null", "use class_weight"),
    IGNORED(max_after_balance_size, "balanced classes are weighted, not sampled"),
    UNLESS(offset_column, "null", "subtract the offset from the target beforehand"),
    // Optimizer
    BECOMES(solver, "/optimizer"),
    BECOMES(adaptive_rate, "/optimizer", .word = adaptive_words, .weak = true),
    BECOMES(learning_rate_init, "/optimizer/lr"),
    BECOMES(learning_rate, "/schedule", .word = rate_words, .turn = turn_learning_rate),
    UNLESS(power_t, "0.5", "use a schedule, such as {\"type\": \"polynomial\", \"power\": p}"),
    BECOMES(rate, "/optimizer/lr", .turn = turn_rate),
    BECOMES(rho, "/optimizer/rho"),
    BECOMES(beta_1, "/optimizer/betas/0"),
    BECOMES(beta_2, "/optimizer/betas/1"),
    BECOMES(epsilon, "/optimizer/eps"),
    BECOMES(momentum, "/optimizer/momentum"),
    BECOMES(nesterovs_momentum, "/optimizer/nesterov"),
    BECOMES(momentum_start, "/optimizer/momentum", .turn = turn_momentum),
    BECOMES(momentum_stable, "/optimizer/momentum",
            .doc = "without a ramp: this value from the first step"),
    IGNORED(momentum_ramp, "momentum is the same from the first step on"),
    BECOMES(nesterov_accelerated_gradient, "/optimizer/nesterov"),
    {.name = "rate_annealing",
     .off = "0",
     .turn = turn_annealing,
     .doc = "use schedule {\"type\": \"inverse_time\", \"rate\": r}, where r is for an epoch"},
    UNLESS(rate_decay, "1", "use param_groups with an lr for each layer"),
    IGNORED(max_fun, "training.epochs or training.steps limit a training"),
    // Regularisation
    BECOMES(alpha, "/regularization/l2",
            .doc = "scikit-learn divides it by the batch size, mlpd does not"),
    BECOMES(l1, "/regularization/l1"),
    BECOMES(l2, "/regularization/l2"),
    BECOMES(max_w2, "/regularization/max_norm", .turn = turn_max_w2),
    UNLESS(elastic_averaging, "false",
           "training runs in one process; use training.ema or training.swa"),
    IGNORED(elastic_averaging_moving_rate, "training runs in one process"),
    IGNORED(elastic_averaging_regularization, "training runs in one process"),
    // Length of training
    BECOMES(max_iter, "/training/epochs"),
    BECOMES(epochs, "/training/epochs"),
    BECOMES(batch_size, "/training/batch_size"),
    BECOMES(mini_batch_size, "/training/batch_size"),
    BECOMES(shuffle, "/training/shuffle"),
    BECOMES(shuffle_training_data, "/training/shuffle"),
    BECOMES(random_state, "/seed"),
    BECOMES(early_stopping, "/training/early_stopping", .word = stopping_words),
    BECOMES(n_iter_no_change, "/training/early_stopping/patience"),
    BECOMES(stopping_rounds, "/training/early_stopping/patience", .turn = turn_rounds),
    BECOMES(stopping_metric, "/training/early_stopping/metric", .word = metric_words),
    IGNORED(tol, "every improvement counts"),
    IGNORED(stopping_tolerance, "every improvement counts"),
    IGNORED(classification_stop, "use training.early_stopping"),
    IGNORED(regression_stop, "use training.early_stopping"),
    UNLESS(max_runtime_secs, "0", "use training.epochs or training.steps"),
    UNLESS(overwrite_with_best_model, "true", "the model always has the weights of the best epoch"),
    UNLESS(export_checkpoints_dir, "null", "a job always stores its model"),
    // Data
    BECOMES(model_id, "/name"),
    BECOMES(training_frame, "/dataset"),
    UNLESS(validation_frame, "null",
           "use split.validation, or POST /models/NAME/evaluate with a dataset"),
    BECOMES(validation_fraction, "/split/validation"),
    BECOMES(ignored_columns, "/features/exclude"),
    BECOMES(standardize, "/preprocessing/numeric", .word = standardize_words),
    BECOMES(missing_values_handling, "/preprocessing/missing", .word = missing_words),
    BECOMES(categorical_encoding, "/preprocessing/categorical", .word = encoding_words),
    UNLESS(nfolds, "0", "use kind cross_validation"),
    UNLESS(fold_column, "null", "use split.validation"),
    IGNORED(fold_assignment, "split.stratify decides"),
    IGNORED(keep_cross_validation_models, "kind cross_validation keeps no models"),
    IGNORED(keep_cross_validation_predictions, "kind cross_validation keeps them"),
    IGNORED(keep_cross_validation_fold_assignment, "kind cross_validation keeps it"),
    IGNORED(ignore_const_cols, "a constant column has no effect"),
    IGNORED(use_all_factor_levels, "every frequent level has a column"),
    IGNORED(max_categorical_features, "rare levels share a column"),
    // What a server decides by itself
    IGNORED(verbose, QUIET),
    IGNORED(quiet_mode, QUIET),
    IGNORED(diagnostics, QUIET),
    IGNORED(score_each_iteration, SCORED),
    IGNORED(score_interval, SCORED),
    IGNORED(score_training_samples, SCORED),
    IGNORED(score_validation_samples, SCORED),
    IGNORED(score_validation_sampling, SCORED),
    IGNORED(score_duty_cycle, SCORED),
    IGNORED(max_confusion_matrix_size, SCORED),
    IGNORED(max_hit_ratio_k, SCORED),
    IGNORED(variable_importances, "they are not available"),
    IGNORED(export_weights_and_biases, "GET /models/NAME/export always has them"),
    IGNORED(reproducible, "the same seed always gives the same model"),
    IGNORED(train_samples_per_iteration, ALONE),
    IGNORED(target_ratio_comm_to_comp, ALONE),
    IGNORED(fast_mode, ALONE),
    IGNORED(force_load_balance, ALONE),
    IGNORED(replicate_training_data, ALONE),
    IGNORED(single_node_mode, ALONE),
    IGNORED(sparse, ALONE),
    IGNORED(col_major, ALONE),
};
const size_t foreign_count = sizeof foreign_table / sizeof *foreign_table;
