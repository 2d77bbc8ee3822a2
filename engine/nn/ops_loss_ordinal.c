// SPDX-License-Identifier: MIT
// The loss of classes that have an order, after McCullagh, "Regression models for ordinal data"
// (1980): a row has K - 1 falling logits s_j, and P(Y > j) = σ(s_j). A fixed distance between them
// would say that every step is as far for all rows; here each row has its own, and they cannot
// cross: s_0 = z_0, s_j = s_{j-1} - softplus(z_j). Then
//
//     p_0 = σ(-s_0),   p_k = σ(s_{k-1}) - σ(s_k) = σ(s_{k-1}) σ(-s_k) σ(z_k),   p_{K-1} =
//     σ(s_{K-2})
//
// where the product has no difference of nearly equal numbers, because 1 - e^-softplus(z) = σ(z).
// With two classes it is binary cross-entropy.

#include "engine/nn/ops_loss.h"

// log(1 + e^x), without overflow
INLINE real softplus_of(real x)
{
    return (x < 0 ? 0 : x) + log1p(exp(-fabs(x)));
}

INLINE real logistic_of(real x)
{
    real e = exp(-fabs(x));
    return (x < 0 ? e : 1) / (1 + e);
}

// s_j - s_{j-1} from z_j, negated; for the first one its own value is no distance.
INLINE real fall(const real *z, size_t j)
{
    return j ? softplus_of(z[j]) : -z[0];
}

// L = -log p_y = softplus(-s_{y-1}) + softplus(s_y) + softplus(-z_y), the terms that class y has
KERNEL static void cumulative_forward(const struct step *s, struct tile t)
{
    size_t n = s->in[Z].cols;
    for (size_t r = t.r0; r < t.r1; r++) {
        const real *z = s->in[Z].v + r * n;
        size_t y = (size_t)s->in[Y].v[r];
        real at = 0, loss = 0;
        for (size_t j = 0; j < y; j++)
            at -= fall(z, j);
        if (y > 0)
            loss += softplus_of(-at);
        if (y < n)
            loss += softplus_of(at - fall(z, y));
        if (y > 0 && y < n)
            loss += softplus_of(-z[y]);
        for (size_t j = y + 1; j < n; j++) // they say nothing of y, but NaN must be noticed
            loss += isnan(z[j]) ? z[j] : 0;
        s->out.v[r] = loss;
    }
}

// With a = ∂L/∂s_{y-1} = -σ(-s_{y-1}) and b = ∂L/∂s_y = σ(s_y), where there are such:
// ∂L/∂z_0 = a + b,   ∂L/∂z_j = -σ(z_j) (a + b) for j < y,   ∂L/∂z_y = -σ(z_y) b - σ(-z_y)
KERNEL static void cumulative_backward(const struct step *s, struct tile t)
{
    size_t n = s->in[Z].cols;
    for (size_t r = t.r0; r < t.r1; r++) {
        const real *z = s->in[Z].v + r * n;
        real *dz = s->in[Z].d + r * n, dy = s->out.d[r], at = 0;
        size_t y = (size_t)s->in[Y].v[r];
        for (size_t j = 0; j < y; j++)
            at -= fall(z, j);
        real a = y > 0 ? -logistic_of(-at) : 0;
        real b = y < n ? logistic_of(at - fall(z, y)) : 0;
        for (size_t j = 0; j < n; j++) {
            real behind = j < y ? a + b : j == y ? b : 0; // Σ_{i >= j} ∂L/∂s_i
            real slope = j ? -logistic_of(z[j]) * behind : behind;
            if (j && j == y)
                slope -= logistic_of(-z[j]);
            dz[j] = (s->add[Z] ? dz[j] : 0) + dy * slope;
        }
    }
}

static uint32_t outputs_between(size_t n_class)
{
    return (uint32_t)n_class - 1;
}

static double chance_of_ranks(size_t n)
{
    return n ? log((double)n) : NAN;
}

const struct op op_cumulative = {
    .row = {.name = "cumulative",
            .doc = "Negative log likelihood of ordered classes by cumulative logits, one output "
                   "less than classes.",
            .alias = {"cumulative_logit", "ordinal"},
            .no_fixture = "PyTorch has no loss of ordered classes; its derivative is tested"},
    .span = SPAN_ROW,
    .arity = 2,
    .reads_in = true,
    .no_grad = 1 << Y,
    .cols = loss_of_class,
    .forward = cumulative_forward,
    .backward = cumulative_backward,
    .probe = {{.cols = 3, .lo = -2, .hi = 2}, {.cols = 1, .lo = 0, .hi = 3, .whole = true}},
};
const struct loss loss_cumulative = {
    .op = &op_cumulative,
    .link = &op_cumulative_link,
    .forms = FORM_TWO_CLASSES | FORM_CLASSES,
    .class_outputs = outputs_between,
    .chance = chance_of_ranks,
};

static uint32_t one_more(const struct buf *in)
{
    return in[0].cols + 1;
}

// p from z, as above
KERNEL static void cumulative_link_forward(const struct step *s, struct tile t)
{
    size_t n = s->in[0].cols;
    for (size_t r = t.r0; r < t.r1; r++) {
        const real *z = s->in[0].v + r * n;
        real *p = s->out.v + r * (n + 1), at = z[0];
        p[0] = logistic_of(-at);
        for (size_t k = 1; k < n; k++) {
            p[k] = logistic_of(at) * logistic_of(z[k]);
            at -= softplus_of(z[k]);
            p[k] *= logistic_of(-at);
        }
        p[n] = logistic_of(at);
    }
}

// P_j = σ(s_j) = Σ_{k > j} p_k:   ∂L/∂s_j = (dp_{j+1} - dp_j) P_j (1 - P_j), and from there as for
// the loss
KERNEL static void cumulative_link_backward(const struct step *s, struct tile t)
{
    size_t n = s->in[0].cols;
    for (size_t r = t.r0; r < t.r1; r++) {
        const real *z = s->in[0].v + r * n, *p = s->out.v + r * (n + 1);
        const real *dp = s->out.d + r * (n + 1);
        real *dz = s->in[0].d + r * n, above = 0, behind = 0;
        for (size_t j = n; j-- > 0;) {
            above += p[j + 1];
            behind += (dp[j + 1] - dp[j]) * above * (1 - above);
            real slope = j ? -logistic_of(z[j]) * behind : behind;
            dz[j] = (s->add[0] ? dz[j] : 0) + slope;
        }
    }
}

const struct op op_cumulative_link = {
    .row = {.name = "cumulative_link",
            .doc = "Probabilities of ordered classes from their cumulative logits.",
            .no_fixture = "PyTorch has no such function; its derivative is tested"},
    .span = SPAN_ROW,
    .arity = 1,
    .reads_in = true,
    .reads_out = true,
    .cols = one_more,
    .forward = cumulative_link_forward,
    .backward = cumulative_link_backward,
    .probe = {{.cols = 4, .lo = -2, .hi = 2}},
};
