// SPDX-License-Identifier: MIT
// Losses of numbers, each the mean over the targets of a row. r stands for z - y. The derivative at
// a tie of the absolute error is 0, as PyTorch has it.

#include "engine/nn/ops_loss.h"

INLINE real sign_of(real r)
{
    return r > 0 ? 1 : r < 0 ? -1 : 0;
}

// Targets and outputs of any sign.
#define ANY_NUMBER .probe = {{.cols = 3, .lo = -2, .hi = 2}, {.cols = 3, .lo = -2, .hi = 2}}

// L = r²                 dz = 2 r
INLINE real mse_value(real z, real y, const double *k UNUSED)
{
    return (z - y) * (z - y);
}
INLINE real mse_slope(real z, real y, const double *k UNUSED)
{
    return 2 * (z - y);
}
CELL_LOSS_KERNELS(mse)

// Targets are standardised: the mean of squares around their mean.
static double chance_of_mean(size_t n UNUSED)
{
    return 1;
}

const struct op op_mse = {
    CELL_LOSS(mse),
    ANY_NUMBER,
    .row = {.name = "mse",
            .doc = "Mean squared error.",
            .alias = {"squared_error", "quadratic", "gaussian"},
            .torch = "torch.nn.MSELoss"},
};
const struct loss loss_mse = {
    .op = &op_mse,
    .forms = FORM_VALUES,
    .chance = chance_of_mean,
};

// L = |r|                dz = sign r
INLINE real mae_value(real z, real y, const double *k UNUSED)
{
    return fabs(z - y);
}
INLINE real mae_slope(real z, real y, const double *k UNUSED)
{
    return sign_of(z - y);
}
CELL_LOSS_KERNELS(mae)

const struct op op_mae = {
    CELL_LOSS(mae),
    ANY_NUMBER,
    .row = {.name = "mae",
            .doc = "Mean absolute error: less sensitive to outliers, learns the median.",
            .alias = {"absolute_error", "absolute", "laplace"},
            .torch = "torch.nn.L1Loss"},
};
const struct loss loss_mae = {
    .op = &op_mae,
    .forms = FORM_VALUES,
};

// L = r²/2 for |r| <= δ, δ (|r| - δ/2) beyond     dz = r, δ sign r
INLINE real huber_value(real z, real y, const double *k)
{
    real a = fabs(z - y), delta = (real)k[0];
    return a <= delta ? a * a / 2 : delta * (a - delta / 2);
}
INLINE real huber_slope(real z, real y, const double *k)
{
    real r = z - y, delta = (real)k[0];
    return fabs(r) <= delta ? r : delta * sign_of(r);
}
CELL_LOSS_KERNELS(huber)

const struct op op_huber = {
    CELL_LOSS(huber),
    ANY_NUMBER,
    .row = {.name = "huber",
            .doc = "Squared error up to delta, absolute error beyond.",
            .torch = "torch.nn.HuberLoss",
            .hyper = {{.name = "delta",
                       .doc = "Error where it changes from squared to absolute, in units of the "
                              "scaled target.",
                       .def = {1},
                       .min = 1e-3,
                       .max = 1e3}}},
};
const struct loss loss_huber = {
    .op = &op_huber,
    .forms = FORM_VALUES,
};

// L = r²/(2β) for |r| < β, |r| - β/2 beyond       dz = r/β, sign r
INLINE real smooth_l1_value(real z, real y, const double *k)
{
    real a = fabs(z - y), beta = (real)k[0];
    return a < beta ? a * a / (2 * beta) : a - beta / 2;
}
INLINE real smooth_l1_slope(real z, real y, const double *k)
{
    real r = z - y, beta = (real)k[0];
    return fabs(r) < beta ? r / beta : sign_of(r);
}
CELL_LOSS_KERNELS(smooth_l1)

const struct op op_smooth_l1 = {
    CELL_LOSS(smooth_l1),
    ANY_NUMBER,
    .row = {.name = "smooth_l1",
            .doc = "Huber loss divided by beta: absolute error, smooth near zero.",
            .torch = "torch.nn.SmoothL1Loss",
            .hyper = {{.name = "beta",
                       .doc = "Error where it changes from squared to absolute; 0: absolute error.",
                       .def = {1},
                       .min = 0,
                       .max = 1e3}}},
};
const struct loss loss_smooth_l1 = {
    .op = &op_smooth_l1,
    .forms = FORM_VALUES,
};

// L = log cosh r = log(1 + (1 - e^-|r|)² / (2 e^-|r|)); for large |r| that overflows, and
// |r| + log(1 + e^-2|r|) - log 2 does not cancel.     dz = tanh r
INLINE real log_cosh_value(real z, real y, const double *k UNUSED)
{
    real a = fabs(z - y), t = expm1(-a);
    return a < 1 ? log1p(t * t / (2 * (1 + t))) : a + log1p(exp(-2 * a)) - (real)M_LN2;
}
INLINE real log_cosh_slope(real z, real y, const double *k UNUSED)
{
    return tanh(z - y);
}
CELL_LOSS_KERNELS(log_cosh)

const struct op op_log_cosh = {
    CELL_LOSS(log_cosh),
    ANY_NUMBER,
    .row = {.name = "log_cosh",
            .doc = "Logarithm of the hyperbolic cosine of the error: like squared error near zero, "
                   "like absolute error beyond.",
            .alias = {"logcosh"}},
};
const struct loss loss_log_cosh = {
    .op = &op_log_cosh,
    .forms = FORM_VALUES,
};

// L = max(-τ r, (1 - τ) r)     dz = -τ where z < y, else 1 - τ
INLINE real quantile_value(real z, real y, const double *k)
{
    real r = z - y;
    return r < 0 ? -(real)k[0] * r : (real)(1 - k[0]) * r;
}
INLINE real quantile_slope(real z, real y, const double *k)
{
    real r = z - y;
    return r < 0 ? -(real)k[0] : (real)(1 - k[0]);
}
CELL_LOSS_KERNELS(quantile)

const struct op op_quantile = {
    CELL_LOSS(quantile),
    ANY_NUMBER,
    .row = {.name = "quantile",
            .doc = "Pinball loss: learns the quantile tau of the target.",
            .alias = {"pinball"},
            .hyper = {{.name = "tau",
                       .doc = "The quantile; 0.5 is the median.",
                       .def = {.5},
                       .min = 1e-4,
                       .max = .9999}}},
};
const struct loss loss_quantile = {
    .op = &op_quantile,
    .forms = FORM_VALUES,
};

// Losses of numbers that are never negative, or never 0 either. The network gives the logarithm of
// the mean, targets are scaled to mean 1.
#define COUNT_PROBE                                                                                \
    {                                                                                              \
        {.cols = 3, .lo = -2, .hi = 2},                                                            \
        {                                                                                          \
            .cols = 3, .lo = .1, .hi = 3                                                           \
        }                                                                                          \
    }
#define LOG_OF_MEAN .forms = FORM_VALUES, .link = &op_exp, .scale = TARGET_MEAN

// L = e^z - y z          dz = e^z - y
INLINE real poisson_value(real z, real y, const double *k UNUSED)
{
    return exp_value(z) - y * z;
}
INLINE real poisson_slope(real z, real y, const double *k UNUSED)
{
    return exp_slope(z) - y;
}
CELL_LOSS_KERNELS(poisson)

const struct op op_poisson = {
    CELL_LOSS(poisson),
    .probe = COUNT_PROBE,
    .row = {.name = "poisson",
            .doc = "Poisson negative log likelihood, for counts; the network outputs the logarithm "
                   "of the mean.",
            .torch = "torch.nn.PoissonNLLLoss"},
};
const struct loss loss_poisson = {
    .op = &op_poisson,
    LOG_OF_MEAN,
};

// L = y e^-z + z         dz = 1 - y e^-z
INLINE real gamma_value(real z, real y, const double *k UNUSED)
{
    return y * exp_value(-z) + z;
}
INLINE real gamma_slope(real z, real y, const double *k UNUSED)
{
    return 1 - y * exp_slope(-z);
}
CELL_LOSS_KERNELS(gamma)

const struct op op_gamma = {
    CELL_LOSS(gamma),
    .probe = COUNT_PROBE,
    .row = {.name = "gamma",
            .doc = "Gamma negative log likelihood, for positive numbers whose spread grows with "
                   "their size."},
};
const struct loss loss_gamma = {
    .op = &op_gamma,
    LOG_OF_MEAN,
    .target_above_min = true,
};

// L = -y e^((1-p) z)/(1-p) + e^((2-p) z)/(2-p)     dz = e^((2-p) z) - y e^((1-p) z)
INLINE real tweedie_value(real z, real y, const double *k)
{
    real one = (real)(1 - k[0]), two = (real)(2 - k[0]);
    return exp_value(two * z) / two - y * exp_value(one * z) / one;
}
INLINE real tweedie_slope(real z, real y, const double *k)
{
    real one = (real)(1 - k[0]), two = (real)(2 - k[0]);
    return exp_slope(two * z) - y * exp_slope(one * z);
}
CELL_LOSS_KERNELS(tweedie)

const struct op op_tweedie = {
    CELL_LOSS(tweedie),
    .probe = COUNT_PROBE,
    .row = {.name = "tweedie",
            .doc = "Tweedie deviance, between Poisson and gamma: for sums of claims, with many "
                   "zeros and positive numbers.",
            .hyper = {{.name = "power",
                       .doc = "Growth of the variance with the mean: 1 is Poisson, 2 is gamma.",
                       .def = {1.5},
                       .min = 1.01,
                       .max = 1.99}}},
};
const struct loss loss_tweedie = {
    .op = &op_tweedie,
    LOG_OF_MEAN,
};

// Outputs are μ of every target, then s = log σ² of every target.
// L = (s + r² e^-s)/2     dμ = r e^-s     ds = (1 - r² e^-s)/2
static uint32_t loss_of_twice(const struct buf *in)
{
    return in[Z].cols == 2 * in[Y].cols ? 1 : 0;
}

KERNEL static void gaussian_nll_forward(const struct step *s, struct tile t)
{
    size_t k = s->in[Y].cols;
    for (size_t r = t.r0; r < t.r1; r++) {
        const real *mu = s->in[Z].v + 2 * r * k, *var = mu + k, *y = s->in[Y].v + r * k;
        real sum = 0;
        for (size_t c = 0; c < k; c++)
            sum += var[c] + (mu[c] - y[c]) * (mu[c] - y[c]) * exp_value(-var[c]);
        s->out.v[r] = sum / (real)(2 * k);
    }
}

KERNEL static void gaussian_nll_backward(const struct step *s, struct tile t)
{
    size_t k = s->in[Y].cols;
    for (size_t r = t.r0; r < t.r1; r++) {
        const real *mu = s->in[Z].v + 2 * r * k, *var = mu + k, *y = s->in[Y].v + r * k;
        real *dmu = s->in[Z].d + 2 * r * k, *dvar = dmu + k, dy = s->out.d[r] / (real)k;
        for (size_t c = 0; c < k; c++) {
            real d = mu[c] - y[c];
            dmu[c] = (s->add[Z] ? dmu[c] : 0) + dy * d * exp_value(-var[c]);
            dvar[c] = (s->add[Z] ? dvar[c] : 0) + dy * (1 - d * d * exp_slope(-var[c])) / 2;
        }
    }
}

const struct op op_gaussian_nll = {
    .row =
        {.name = "gaussian_nll",
         .doc =
             "Gaussian negative log likelihood with a learned variance; predictions are the mean.",
         .torch = "torch.nn.GaussianNLLLoss"},
    .span = SPAN_ROW,
    .arity = 2,
    .reads_in = true,
    .no_grad = 1 << Y,
    .cols = loss_of_twice,
    .forward = gaussian_nll_forward,
    .backward = gaussian_nll_backward,
    .probe = {{.cols = 6, .lo = -2, .hi = 2}, {.cols = 3, .lo = -2, .hi = 2}},
};
const struct loss loss_gaussian_nll = {
    .op = &op_gaussian_nll,
    .link = &op_first_half,
    .forms = FORM_VALUES,
    .outputs = 2,
};
