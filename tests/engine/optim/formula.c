// SPDX-License-Identifier: MIT
// See formula.h.

#include "tests/engine/optim/formula.h"
#include "engine/optim/optim.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

static double hyper(const struct pick *p, const char *name)
{
    return pick_value(&optimizer_table, p, name);
}

// The second value of a hyperparameter that holds two.
static double second(const struct pick *p, const char *name)
{
    const struct hyper *k;
    size_t at = 0;
    for (size_t i = 0; (k = hyper_at(&optimizer_table, p->row, i, &at)); i++)
        if (strcmp(k->name, name) == 0)
            break;
    return p->value[at + 1];
}

static double sign(double x)
{
    return x > 0 ? 1 : x < 0 ? -1 : 0;
}

static void sgd(double *x, double g, double *s, const struct pick *p, double k, double lr)
{
    double mu = hyper(p, "momentum");
    g += hyper(p, "weight_decay") * *x;
    if (mu != 0) {
        s[0] = k > 1 ? mu * s[0] + (1 - hyper(p, "dampening")) * g : g;
        g = hyper(p, "nesterov") != 0 ? g + mu * s[0] : s[0];
    }
    *x -= lr * g;
}

static void adagrad(double *x, double g, double *s, const struct pick *p, double k, double lr)
{
    g += hyper(p, "weight_decay") * *x;
    s[0] = (k > 1 ? s[0] : hyper(p, "initial_accumulator_value")) + g * g;
    *x -= lr / (1 + (k - 1) * hyper(p, "lr_decay")) * g / (sqrt(s[0]) + hyper(p, "eps"));
}

static void adadelta(double *x, double g, double *s, const struct pick *p, double k, double lr)
{
    double rho = hyper(p, "rho"), eps = hyper(p, "eps");
    (void)k;
    g += hyper(p, "weight_decay") * *x;
    s[0] = rho * s[0] + (1 - rho) * g * g;
    double move = sqrt(s[1] + eps) / sqrt(s[0] + eps) * g;
    s[1] = rho * s[1] + (1 - rho) * move * move;
    *x -= lr * move;
}

static void rmsprop(double *x, double g, double *s, const struct pick *p, double k, double lr)
{
    double alpha = hyper(p, "alpha");
    (void)k;
    g += hyper(p, "weight_decay") * *x;
    s[0] = alpha * s[0] + (1 - alpha) * g * g;
    s[1] = alpha * s[1] + (1 - alpha) * g;
    double square = hyper(p, "centered") != 0 ? s[0] - s[1] * s[1] : s[0];
    s[2] = hyper(p, "momentum") * s[2] + g / (sqrt(square) + hyper(p, "eps"));
    *x -= lr * s[2];
}

static void averages(double *s, double g, double b1, double b2)
{
    s[0] = b1 * s[0] + (1 - b1) * g;
    s[1] = b2 * s[1] + (1 - b2) * g * g;
}

static void adam_body(double *x, double g, double *s, const struct pick *p, double k, double lr)
{
    double b1 = hyper(p, "betas"), b2 = second(p, "betas");
    averages(s, g, b1, b2);
    s[2] = fmax(s[2], s[1]);
    double square = hyper(p, "amsgrad") != 0 ? s[2] : s[1];
    *x -= lr * s[0] / (1 - pow(b1, k)) / (sqrt(square / (1 - pow(b2, k))) + hyper(p, "eps"));
}

static void adam(double *x, double g, double *s, const struct pick *p, double k, double lr)
{
    adam_body(x, g + hyper(p, "weight_decay") * *x, s, p, k, lr);
}

static void adamw(double *x, double g, double *s, const struct pick *p, double k, double lr)
{
    *x -= lr * hyper(p, "weight_decay") * *x;
    adam_body(x, g, s, p, k, lr);
}

static void adamax(double *x, double g, double *s, const struct pick *p, double k, double lr)
{
    double b1 = hyper(p, "betas"), b2 = second(p, "betas");
    g += hyper(p, "weight_decay") * *x;
    s[0] = b1 * s[0] + (1 - b1) * g;
    s[1] = fmax(b2 * s[1], fabs(g) + hyper(p, "eps"));
    *x -= lr / (1 - pow(b1, k)) * s[0] / s[1];
}

static void nadam(double *x, double g, double *s, const struct pick *p, double k, double lr)
{
    double b1 = hyper(p, "betas"), b2 = second(p, "betas"), decay = hyper(p, "momentum_decay");
    double mu = b1 * (1 - .5 * pow(.96, k * decay)),
           next = b1 * (1 - .5 * pow(.96, (k + 1) * decay));
    g += hyper(p, "weight_decay") * *x;
    averages(s, g, b1, b2);
    s[2] = (k > 1 ? s[2] : 1) * mu;
    double m = next * s[0] / (1 - s[2] * next) + (1 - mu) * g / (1 - s[2]);
    *x -= lr * m / (sqrt(s[1] / (1 - pow(b2, k))) + hyper(p, "eps"));
}

static void radam(double *x, double g, double *s, const struct pick *p, double k, double lr)
{
    double b1 = hyper(p, "betas"), b2 = second(p, "betas"), far = 2 / (1 - b2) - 1;
    double rho = far - 2 * k * pow(b2, k) / (1 - pow(b2, k)), scale = 1;
    averages(s, g + hyper(p, "weight_decay") * *x, b1, b2);
    if (rho > 5)
        scale = sqrt((rho - 4) * (rho - 2) * far / ((far - 4) * (far - 2) * rho)) *
                sqrt(1 - pow(b2, k)) / (sqrt(s[1]) + hyper(p, "eps"));
    *x -= lr * s[0] / (1 - pow(b1, k)) * scale;
}

static void adopt(double *x, double g, double *s, const struct pick *p, double k, double lr)
{
    double b1 = hyper(p, "betas"), b2 = second(p, "betas");
    double scaled = g / fmax(sqrt(s[1]), hyper(p, "eps"));
    if (k > 1) {
        s[0] = k > 2 ? b1 * s[0] + (1 - b1) * scaled : scaled;
        *x -= lr * hyper(p, "weight_decay") * *x;
        *x -= lr * s[0];
    }
    s[1] = k > 1 ? b2 * s[1] + (1 - b2) * g * g : g * g;
}

static void lion(double *x, double g, double *s, const struct pick *p, double k, double lr)
{
    double b1 = hyper(p, "betas"), b2 = second(p, "betas");
    (void)k;
    *x -= lr * hyper(p, "weight_decay") * *x;
    *x -= lr * sign(b1 * s[0] + (1 - b1) * g);
    s[0] = b2 * s[0] + (1 - b2) * g;
}

static void rprop(double *x, double g, double *s, const struct pick *p, double k, double lr)
{
    double turn = sign(g) * s[0], step = k > 1 ? s[1] : hyper(p, "lr");
    step *= turn > 0 ? second(p, "etas") : turn < 0 ? hyper(p, "etas") : 1;
    s[1] = fmin(fmax(step, hyper(p, "step_sizes")), second(p, "step_sizes"));
    s[0] = turn < 0 ? 0 : sign(g);
    *x -= lr / hyper(p, "lr") * s[0] * s[1];
}

// s: v, z, largest rate, sum of weights
static void schedule_free(double *y, double g, double *s, const struct pick *p, double k, double lr)
{
    double b1 = hyper(p, "betas"), b2 = second(p, "betas");
    if (k == 1)
        s[1] = *y;
    s[0] = b2 * s[0] + (1 - b2) * g * g;
    lr *= sqrt(1 - pow(b2, k));
    s[2] = fmax(s[2], lr);
    s[3] += s[2] * s[2];
    double c = s[2] * s[2] / s[3], u = g / (sqrt(s[0]) + hyper(p, "eps"));
    u += hyper(p, "weight_decay") * *y;
    *y = (1 - c) * *y + c * s[1] + lr * (b1 * (1 - c) - 1) * u;
    s[1] -= lr * u;
}

// What Muon does where there are no matrices: AdamW with constants of its own.
static void muon(double *x, double g, double *s, const struct pick *p, double k, double lr)
{
    lr *= hyper(p, "adam_lr") / hyper(p, "lr");
    *x -= lr * hyper(p, "weight_decay") * *x;
    averages(s, g, .9, .95);
    *x -= lr * s[0] / (1 - pow(.9, k)) / (sqrt(s[1] / (1 - pow(.95, k))) + 1e-10);
}

static const struct {
    const char *name;
    formula *step;
} reference[] = {{"sgd", sgd},         {"adam", adam},   {"adamw", adamw},
                 {"adagrad", adagrad}, {"nadam", nadam}, {"adadelta", adadelta},
                 {"rmsprop", rmsprop}, {"radam", radam}, {"adamax", adamax},
                 {"adopt", adopt},     {"lion", lion},   {"schedule_free_adamw", schedule_free},
                 {"rprop", rprop},     {"muon", muon}};

formula *formula_of(const char *name)
{
    for (size_t i = 0; i < sizeof reference / sizeof *reference; i++)
        if (strcmp(reference[i].name, name) == 0)
            return reference[i].step;
    return NULL;
}
