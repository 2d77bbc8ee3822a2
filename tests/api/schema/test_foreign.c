// SPDX-License-Identifier: MIT
#include "api/schema/foreign.h"
#include "tests/harness.h"
#include "api/schema/job_schema.h"
#include "engine/model/init.h"
#include "engine/optim/optim.h"

#include <string.h>

static struct arena arena;
static struct faults faults;
static struct err err;
static struct job_spec spec;

// A definition with options of another library beside what every definition needs.
static bool read_with(const char *options)
{
    char body[8192];
    arena_release(&arena);
    arena_init(&arena, 16 << 20);
    faults_init(&faults, &arena);
    err = (struct err){0};
    snprintf(body, sizeof body, "{\"dataset\":\"d\",\"target\":\"t\"%s%s}", *options ? "," : "",
             options);
    return job_spec_read(body, strlen(body), &spec, &arena, &faults, &err);
}

static double optimizer_hyper(const char *name)
{
    return pick_value(&optimizer_table, &spec.train.optimizer, name);
}

// What scikit-learn's MLPClassifier().get_params() prints.
static const char sklearn[] =
    "\"activation\":\"tanh\",\"alpha\":0.25,\"batch_size\":\"auto\",\"beta_1\":0.8,"
    "\"beta_2\":0.95,\"early_stopping\":false,\"epsilon\":1e-7,\"hidden_layer_sizes\":[100,50],"
    "\"learning_rate\":\"constant\",\"learning_rate_init\":0.002,\"max_fun\":15000,"
    "\"max_iter\":200,\"momentum\":0.9,\"n_iter_no_change\":10,\"nesterovs_momentum\":true,"
    "\"power_t\":0.5,\"random_state\":7,\"shuffle\":false,\"solver\":\"adam\",\"tol\":0.0001,"
    "\"validation_fraction\":0.1,\"verbose\":false,\"warm_start\":false";

TEST(parameters_of_scikit_learn_can_be_pasted)
{
    ck_assert_msg(read_with(sklearn), "%s: %s", err.at, err.text);
    ck_assert_uint_eq(spec.model.n_layer, 2);
    ck_assert_int_eq(spec.model.layer[1].units, 50);
    ck_assert_str_eq(spec.model.layer[0].activation.row->name, "tanh");
    ck_assert_str_eq(spec.model.layer[1].activation.row->name, "tanh");
    ck_assert_str_eq(spec.train.optimizer.row->name, "adam");
    ck_assert_str_eq(spec.train.schedule.row->name, "constant");
    ck_assert_double_eq(optimizer_hyper("lr"), .002);
    ck_assert_double_eq(optimizer_hyper("eps"), 1e-7);
    ck_assert_double_eq(optimizer_hyper("betas"), .8);
    ck_assert_double_eq(spec.train.regularization.l2, .25);
    ck_assert_int_eq(spec.train.epochs, 200);
    ck_assert_int_eq(spec.train.patience, 0);
    ck_assert_uint_eq(spec.train.seed, 7);
    ck_assert(!spec.train.shuffle);
    ck_assert_double_eq(spec.prep.validation, .1);
}

// What H2ODeepLearningEstimator prints, as far as it differs from nothing, with a fixed rate.
static const char h2o[] =
    "\"model_id\":\"m\",\"nfolds\":0,\"fold_assignment\":\"auto\",\"ignored_columns\":[\"id\"],"
    "\"ignore_const_cols\":true,\"score_each_iteration\":false,\"balance_classes\":false,"
    "\"max_after_balance_size\":5.0,\"checkpoint\":null,\"overwrite_with_best_model\":true,"
    "\"standardize\":false,\"activation\":\"RectifierWithDropout\",\"hidden\":[20,10],"
    "\"epochs\":10,\"train_samples_per_iteration\":-2,\"adaptive_rate\":false,\"rho\":0.99,"
    "\"epsilon\":1e-8,\"rate\":0.005,\"rate_annealing\":0,\"rate_decay\":1.0,"
    "\"momentum_start\":0.5,\"momentum_ramp\":1e6,\"momentum_stable\":0.75,"
    "\"nesterov_accelerated_gradient\":true,\"input_dropout_ratio\":0.2,"
    "\"hidden_dropout_ratios\":[0.3,0.4],\"l1\":0.001,\"l2\":0.002,\"max_w2\":16,"
    "\"initial_weight_distribution\":\"UniformAdaptive\",\"initial_weight_scale\":1.0,"
    "\"loss\":\"Automatic\",\"distribution\":\"AUTO\",\"quantile_alpha\":0.5,"
    "\"tweedie_power\":1.5,\"huber_alpha\":0.9,\"score_interval\":5,\"classification_stop\":0,"
    "\"stopping_rounds\":4,\"stopping_metric\":\"AUTO\",\"stopping_tolerance\":0,"
    "\"max_runtime_secs\":0,\"diagnostics\":true,\"variable_importances\":false,"
    "\"shuffle_training_data\":false,\"missing_values_handling\":\"MeanImputation\","
    "\"quiet_mode\":false,\"autoencoder\":false,\"sparsity_beta\":0,\"mini_batch_size\":32,"
    "\"categorical_encoding\":\"auto\",\"elastic_averaging\":false,\"verbose\":false";

TEST(parameters_of_h2o_can_be_pasted)
{
    ck_assert_msg(!table_find(&init_table, "xavier_uniform") || read_with(h2o), "%s: %s", err.at,
                  err.text);
    if (!table_find(&init_table, "xavier_uniform"))
        return;
    ck_assert_str_eq(spec.name, "m");
    ck_assert_str_eq(spec.prep.exclude[0], "id");
    ck_assert_int_eq(spec.prep.numeric, NUMERIC_NONE);
    ck_assert_int_eq(spec.prep.missing, MISSING_MEAN);
    ck_assert_int_eq(spec.model.layer[1].units, 10);
    ck_assert_str_eq(spec.model.layer[1].activation.row->name, "relu");
    ck_assert_double_eq(spec.model.layer[0].dropout, .3);
    ck_assert_double_eq(spec.model.layer[1].dropout, .4);
    ck_assert_double_eq(spec.model.input_dropout, .2);
    ck_assert_str_eq(spec.train.optimizer.row->name, "sgd");
    ck_assert_double_eq(optimizer_hyper("lr"), .005);
    ck_assert_double_eq(optimizer_hyper("momentum"), .75);
    ck_assert_double_eq(optimizer_hyper("nesterov"), 1);
    ck_assert_double_eq(spec.train.regularization.l1, .001);
    ck_assert_double_eq(spec.train.regularization.max_norm, 4);
    ck_assert_ptr_null(spec.train.loss.row);
    ck_assert_int_eq(spec.train.patience, 4);
    ck_assert_int_eq(spec.train.batch_size, 32);
}

static const struct {
    const char *options, *note; // NULL: nothing is noted
} noted[] = {
    {"\"seed\":3,\"loss\":\"mse\"", NULL},
    {"\"hidden_layer_sizes\":[8]", "hidden_layer_sizes became model.layers"},
    {"\"hidden_layer_sizes\":8", "hidden_layer_sizes 8 became model.layers"},
    {"\"alpha\":0.0001", "alpha 0.0001 became regularization.l2; scikit-learn divides it by the "
                         "batch size, mlpd does not"},
    {"\"activation\":\"logistic\"", "activation logistic became model.layers.*.activation sigmoid"},
    {"\"activation\":\"Tanh\",\"model\":{\"layers\":[4]}",
     "activation Tanh became model.layers.*.activation"},
    {"\"solver\":\"sgd\"", "solver sgd became optimizer"},
    {"\"learning_rate\":0.5", "learning_rate 0.5 became optimizer.lr"},
    {"\"loss\":\"Quadratic\"", "loss Quadratic became loss mse"},
    {"\"momentum\":0.9", "momentum 0.9 is ignored: optimizer adamw has no momentum"},
    {"\"quantile_alpha\":0.9", "quantile_alpha 0.9 is ignored: loss by default has no tau"},
    {"\"random_state\":null", "random_state null is ignored: it has no effect"},
    {"\"early_stopping\":false", "early_stopping false became training.early_stopping null"},
    {"\"stopping_rounds\":0", "stopping_rounds 0 became training.early_stopping null"},
    {"\"training\":{\"early_stopping\":null},\"n_iter_no_change\":4",
     "n_iter_no_change 4 is ignored: training.early_stopping is off"},
    {"\"max_w2\":3.4028235e38", "max_w2 3.4028235e+38 is ignored: that means no limit"},
    {"\"max_w2\":9", "max_w2 9 became regularization.max_norm 3"},
    {"\"verbose\":true", "verbose true is ignored: the log and the curves are always stored"},
    {"\"adaptive_rate\":false,\"optimizer\":\"adam\"",
     "adaptive_rate false is ignored: another setting takes precedence"},
    {"\"training\":{\"max_iter\":5}", "training.max_iter became epochs"},
    {"\"optimizer\":{\"learning_rate\":5}", "optimizer.learning_rate became lr"},
};

LOOP_TEST(what_an_option_became_is_noted, sizeof noted / sizeof *noted)
{
    ck_assert_msg(read_with(noted[_i].options), "%s: %s", err.at, err.text);
    ck_assert_uint_eq(faults.n_note, noted[_i].note ? 1 : 0);
    if (noted[_i].note)
        ck_assert_str_eq(faults.note[0], noted[_i].note);
}

static const struct {
    const char *options, *pointer, *code, *detail;
} wrong[] = {
    {"\"hidden_layer_sizes\":[8,0]", "/hidden_layer_sizes/1", "out_of_range", "got 0"},
    {"\"hidden_layer_sizes\":[8,0],\"activation\":\"tanh\"", "/hidden_layer_sizes/1",
     "out_of_range", "got 0"},
    {"\"hidden_layer_sizes\":{}", "/hidden_layer_sizes", "wrong_type", "an array"},
    {"\"activation\":\"tahn\"", "/activation", "unknown_value", "mean \"tanh\""},
    {"\"activation\":\"tanh\",\"model\":{\"layers\":[4,{\"units\":0}]}", "/model/layers/1/units",
     "out_of_range", "got 0"},
    {"\"activation\":\"tanh\",\"model\":{\"layers\":[4,0]}", "/model/layers/1", "out_of_range",
     "got 0"},
    {"\"alpha\":-1", "/alpha", "out_of_range", "got -1"},
    {"\"alpha\":\"x\"", "/alpha", "wrong_type", "a number"},
    {"\"solver\":\"adma\"", "/solver", "unknown_value", "mean \"adam\""},
    {"\"solver\":\"adma\",\"learning_rate_init\":0.1", "/solver", "unknown_value", "adam"},
    {"\"learning_rate_init\":-1", "/learning_rate_init", "out_of_range", "got -1"},
    {"\"beta_2\":2", "/beta_2", "out_of_range", "got 2"},
    {"\"n_iter_no_change\":0", "/n_iter_no_change", "out_of_range", "got 0"},
    {"\"hidden_dropout_ratios\":[0.5,2]", "/hidden_dropout_ratios/1", "out_of_range", "got 2"},
    {"\"hidden_dropout_ratios\":[0.5]", "/hidden_dropout_ratios", "too_short", "each of 2"},
    {"\"stopping_metric\":\"lift\"", "/stopping_metric", "unknown_value", "val_loss"},
    {"\"nfolds\":5", "/nfolds", "unsupported_option", "use kind cross_validation"},
    {"\"warm_start\":true", "/warm_start", "unsupported_option", "\"from\""},
    {"\"hidden_layer_sizes\":[8],\"model\":{\"layers\":[8]}", "/hidden_layer_sizes",
     "conflicting_fields", "means the same as \"model.layers\", which is given too"},
    {"\"hidden_layer_sizes\":[8],\"model\":{\"hidden\":[8]}", "/hidden_layer_sizes",
     "conflicting_fields", "\"model.hidden\""},
    {"\"hidden_layer_sizes\":[8],\"hidden\":[8]", "/hidden", "conflicting_fields",
     "\"hidden_layer_sizes\""},
    {"\"activation\":\"tanh\",\"model\":{\"layers\":[{\"units\":1,\"activation\":\"relu\"}]}",
     "/activation", "conflicting_fields", "\"model.layers.0.activation\""},
    {"\"max_iter\":1,\"training\":{\"epochs\":2}", "/max_iter", "conflicting_fields",
     "\"training.epochs\""},
    {"\"max_iter\":1,\"training\":{\"steps\":2}", "/max_iter", "conflicting_fields", "\"steps\""},
    {"\"solver\":\"adam\",\"optimizer\":\"sgd\"", "/solver", "conflicting_fields", "\"optimizer\""},
    {"\"beta_1\":0.5,\"optimizer\":{\"betas\":[0.1,0.2]}", "/beta_1", "conflicting_fields",
     "\"optimizer.betas\""},
    {"\"learning_rate_init\":0.5,\"optimizer\":{\"lr\":0.1}", "/learning_rate_init",
     "conflicting_fields", "\"optimizer.lr\""},
};

LOOP_TEST(a_fault_of_an_option_is_where_the_client_wrote_it, sizeof wrong / sizeof *wrong)
{
    ck_assert(!read_with(wrong[_i].options));
    ck_assert_msg(faults.total == 1, "%s: %zu faults, such as %s %s", wrong[_i].options,
                  faults.total, faults.item[0].pointer, faults.item[0].detail);
    ck_assert_str_eq(faults.item[0].pointer, wrong[_i].pointer);
    ck_assert_str_eq(faults.item[0].code, wrong[_i].code);
    ck_assert_msg(strstr(faults.item[0].detail, wrong[_i].detail) != NULL, "%s: %s",
                  wrong[_i].options, faults.item[0].detail);
}

// A failure that is found later, in the definition as it was understood.
TEST(a_later_failure_is_brought_back_too)
{
    ck_assert(read_with("\"hidden_layer_sizes\":[8,4],\"activation\":\"tanh\""));
    fail_at(&err, ERR_INVALID, "/model/layers/1/units", "does not fit");
    faults_place(&faults, &err);
    ck_assert_str_eq(err.at, "/hidden_layer_sizes/1");
    ck_assert_str_eq(fault_origin(&faults, "/model/layers/0/activation/type"), "/activation/type");
    ck_assert_str_eq(fault_origin(&faults, "/model/layersX"), "/model/layersX");
}

// The first key of the way must be a key of a job, but for fields that are yet to come.
TEST(every_option_says_where_it_goes_or_why_not)
{
    for (size_t i = 0; i < foreign_count; i++) {
        const struct foreign *row = &foreign_table[i];
        ck_assert_msg(row->to || (row->doc && row->off), "%s", row->name);
        for (size_t k = 0; k < i; k++)
            ck_assert_str_ne(row->name, foreign_table[k].name);
        for (const struct field *f = job_schema.field; !row->own && f->key; f++)
            ck_assert_msg(!field_is_called(f, row->name), "%s is our own", row->name);
    }
}

// Every row can be met with anything and neither aborts nor goes unsaid.
LOOP_TEST(every_option_is_answered, 8)
{
    static const char *const value[] = {"1", "-1", "true", "null", "\"x\"", "[]", "{}", "[[{}]]"};
    char options[200];
    for (size_t i = 0; i < foreign_count; i++) {
        snprintf(options, sizeof options, "\"%s\":%s", foreign_table[i].name, value[_i]);
        bool ok = read_with(options);
        ck_assert_msg(foreign_table[i].own || faults.n_note > 0 || !ok, "%s", options);
    }
}
