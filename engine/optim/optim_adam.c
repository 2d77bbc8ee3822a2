// SPDX-License-Identifier: MIT
// Adam and its relatives: averages m of the gradient and v of its square, see optim.h. Bias
// corrections are numbers of the step, computed once in double by prepare(); the loops over
// parameters are single precision and read each array once. Formulas and defaults are PyTorch's,
// and tests/data/torch holds trajectories of each.

#include "engine/optim/optim_row.h"

// m = β1 m + (1-β1) g;  v = β2 v + (1-β2) g²;  p -= lr m/(1-β1^k) / (√(v/(1-β2^k)) + ε)
enum { ADAM_LR, ADAM_BETA1, ADAM_BETA2, ADAM_EPS, ADAM_DECAY, ADAM_MORE };
#define HYPER_AMSGRAD                                                                              \
    {                                                                                              \
        .name = "amsgrad", .doc = "AMSGrad: divide by the largest second moment so far.",          \
        .type = HYPER_BOOL, .max = 1                                                               \
    }

// Coefficients: of all these rows, then from C_OWN on what each has for itself.
enum {
    C_RATE, // lr / (1-β1^k)
    C_BETA1,
    C_NEW1, // 1-β1
    C_BETA2,
    C_NEW2,   // 1-β2
    C_SCALE2, // 1 / √(1-β2^k)
    C_EPS,
    C_DECAY,
    C_OWN
};
enum { ADAMW_KEEP = C_OWN };                       // 1 - lr λ
enum { NADAM_GRADIENT = C_OWN };                   // rate of the gradient beside its average
enum { RADAM_ADAPTIVE = C_OWN, RADAM_PLAIN };      // factors of m̂/(√v + ε) and of m̂ alone
enum { FREE_MOVE = C_OWN, FREE_RATE, FREE_SHARE }; // of u in y, of u in z, c

static int adam_slots(const double *value)
{
    return value[ADAM_MORE] ? 3 : 2;
}

static void adam_coefs(const double *value, uint64_t k, double lr, double *coef)
{
    coef[C_RATE] = lr / (1 - pow(value[ADAM_BETA1], (double)k));
    coef[C_BETA1] = value[ADAM_BETA1];
    coef[C_NEW1] = 1 - value[ADAM_BETA1];
    coef[C_BETA2] = value[ADAM_BETA2];
    coef[C_NEW2] = 1 - value[ADAM_BETA2];
    coef[C_SCALE2] = 1 / sqrt(1 - pow(value[ADAM_BETA2], (double)k));
    coef[C_EPS] = value[ADAM_EPS];
    coef[C_DECAY] = value[ADAM_DECAY];
}

static void adam_prepare(const double *value, uint64_t k, double lr, double *run, double *coef)
{
    (void)run;
    adam_coefs(value, k, lr, coef);
}

static void adamw_prepare(const double *value, uint64_t k, double lr, double *run, double *coef)
{
    (void)run;
    adam_coefs(value, k, lr, coef);
    coef[ADAMW_KEEP] = 1 - lr * value[ADAM_DECAY];
}

INLINE void adam_averages(real g, real *m, real *v, const real *c)
{
    *m = c[C_BETA1] * *m + c[C_NEW1] * g;
    *v = c[C_BETA2] * *v + c[C_NEW2] * g * g;
}

// The common part: one parameter's update for the gradient g.
INLINE real adam_move(real g, real *m, real *v, const real *c)
{
    adam_averages(g, m, v, c);
    return c[C_RATE] * *m / (sqrt(*v) * c[C_SCALE2] + c[C_EPS]);
}

INLINE real amsgrad_move(real g, real *m, real *v, real *most, const real *c)
{
    adam_averages(g, m, v, c);
    *most = *v > *most ? *v : *most;
    return c[C_RATE] * *m / (sqrt(*most) * c[C_SCALE2] + c[C_EPS]);
}

INLINE void adam_body(const struct optim_span *s, bool amsgrad)
{
    COEFS(c, s);
    real *p = s->p, *m = s->state[0], *v = s->state[1], *most = s->state[2];
    const real *g = s->g, clip = s->clip;
    LANES for (size_t i = 0; i < s->n; i++)
    {
        real d = g[i] * clip + c[C_DECAY] * p[i];
        p[i] -=
            amsgrad ? amsgrad_move(d, &m[i], &v[i], &most[i], c) : adam_move(d, &m[i], &v[i], c);
    }
}

KERNEL static void adam_step(const struct optim_span *s)
{
    s->state[2] ? adam_body(s, true) : adam_body(s, false);
}

const struct optim optim_adam = {
    .row = {.name = "adam",
            .doc = "Adam, with weight decay as an L2 penalty.",
            .torch = "torch.optim.Adam",
            .hyper = {HYPER_LR(1e-3), HYPER_BETAS(.9, .999, 0), HYPER_EPS(1e-8), HYPER_L2,
                      HYPER_AMSGRAD}},
    .slot = {"optimizer.exp_avg", "optimizer.exp_avg_sq", "optimizer.max_exp_avg_sq"},
    .slots = adam_slots,
    .prepare = adam_prepare,
    .step = adam_step,
};

// Adam, with p *= 1 - lr λ in front
INLINE void adamw_body(const struct optim_span *s, bool amsgrad)
{
    COEFS(c, s);
    real *p = s->p, *m = s->state[0], *v = s->state[1], *most = s->state[2];
    const real *g = s->g, clip = s->clip;
    LANES for (size_t i = 0; i < s->n; i++)
    {
        real d = g[i] * clip;
        p[i] = p[i] * c[ADAMW_KEEP] - (amsgrad ? amsgrad_move(d, &m[i], &v[i], &most[i], c)
                                               : adam_move(d, &m[i], &v[i], c));
    }
}

KERNEL static void adamw_step(const struct optim_span *s)
{
    s->state[2] ? adamw_body(s, true) : adamw_body(s, false);
}

const struct optim optim_adamw = {
    .row = {.name = "adamw",
            .doc = "Adam with decoupled weight decay.",
            .torch = "torch.optim.AdamW",
            .hyper = {HYPER_LR(1e-3), HYPER_BETAS(.9, .999, 0), HYPER_EPS(1e-8), HYPER_DECAY(.01),
                      HYPER_AMSGRAD}},
    .slot = {"optimizer.exp_avg", "optimizer.exp_avg_sq", "optimizer.max_exp_avg_sq"},
    .slots = adam_slots,
    .prepare = adamw_prepare,
    .step = adamw_step,
};

// u = max(β2 u, |g'| + ε);  p -= lr/(1-β1^k) m/u
KERNEL static void adamax_step(const struct optim_span *s)
{
    COEFS(c, s);
    real *p = s->p, *m = s->state[0], *u = s->state[1];
    const real *g = s->g, clip = s->clip;
    LANES for (size_t i = 0; i < s->n; i++)
    {
        real d = g[i] * clip + c[C_DECAY] * p[i], size = fabs(d) + c[C_EPS],
             old = c[C_BETA2] * u[i];
        m[i] = c[C_BETA1] * m[i] + c[C_NEW1] * d;
        u[i] = old > size ? old : size;
        p[i] -= c[C_RATE] * m[i] / u[i];
    }
}

const struct optim optim_adamax = {
    .row = {.name = "adamax",
            .doc = "Adam with the infinity norm instead of the second moment.",
            .torch = "torch.optim.Adamax",
            .hyper = {HYPER_LR(2e-3), HYPER_BETAS(.9, .999, 0), HYPER_EPS(1e-8), HYPER_L2}},
    .slot = {"optimizer.exp_avg", "optimizer.exp_inf"},
    .slots = slots_2,
    .prepare = adam_prepare,
    .step = adamax_step,
};

// μ_k = β1 (1 - ½ .96^(k ψ)), Π_k = μ_1 ... μ_k;
// p -= lr (μ_{k+1} m/(1-Π_{k+1}) + (1-μ_k) g'/(1-Π_k)) / (√(v/(1-β2^k)) + ε)
// (PyTorch 1.13 multiplies μ_k into Π_{k+1} a second time unless told foreach=True; later ones do
// not.)
static double nadam_mu(const double *value, uint64_t k)
{
    return value[ADAM_BETA1] * (1 - .5 * pow(.96, (double)k * value[ADAM_MORE]));
}

static void nadam_prepare(const double *value, uint64_t k, double lr, double *run, double *coef)
{
    double mu = nadam_mu(value, k), next = nadam_mu(value, k + 1);
    run[0] = k > 1 ? run[0] * mu : mu;
    adam_coefs(value, k, lr, coef);
    coef[C_RATE] = lr * next / (1 - run[0] * next);
    coef[NADAM_GRADIENT] = lr * (1 - mu) / (1 - run[0]);
}

KERNEL static void nadam_step(const struct optim_span *s)
{
    COEFS(c, s);
    real *p = s->p, *m = s->state[0], *v = s->state[1];
    const real *g = s->g, clip = s->clip;
    LANES for (size_t i = 0; i < s->n; i++)
    {
        real d = g[i] * clip + c[C_DECAY] * p[i];
        adam_averages(d, &m[i], &v[i], c);
        p[i] -= (c[C_RATE] * m[i] + c[NADAM_GRADIENT] * d) / (sqrt(v[i]) * c[C_SCALE2] + c[C_EPS]);
    }
}

const struct optim optim_nadam = {
    .row = {.name = "nadam",
            .doc = "Adam with Nesterov momentum.",
            .torch = "torch.optim.NAdam",
            .hyper = {HYPER_LR(2e-3),
                      HYPER_BETAS(.9, .999, 0),
                      HYPER_EPS(1e-8),
                      HYPER_L2,
                      {.name = "momentum_decay",
                       .doc = "How fast the momentum rises to the first of betas.",
                       .def = {4e-3},
                       .min = 0,
                       .max = 10}}},
    .slot = {"optimizer.exp_avg", "optimizer.exp_avg_sq"},
    .slots = slots_2,
    .prepare = nadam_prepare,
    .step = nadam_step,
};

// ρ∞ = 2/(1-β2) - 1;  ρ = ρ∞ - 2k β2^k/(1-β2^k);  ρ > 5: r = √((ρ-4)(ρ-2)ρ∞ / ((ρ∞-4)(ρ∞-2)ρ)),
// p -= lr m̂ r √(1-β2^k)/(√v + ε); else p -= lr m̂
static void radam_prepare(const double *value, uint64_t k, double lr, double *run, double *coef)
{
    (void)run;
    double power = pow(value[ADAM_BETA2], (double)k), far = 2 / (1 - value[ADAM_BETA2]) - 1,
           rho = far - 2 * (double)k * power / (1 - power);
    adam_coefs(value, k, lr, coef);
    coef[RADAM_ADAPTIVE] =
        rho > 5
            ? sqrt((rho - 4) * (rho - 2) * far / ((far - 4) * (far - 2) * rho)) * sqrt(1 - power)
            : 0;
    coef[RADAM_PLAIN] = rho > 5 ? 0 : 1;
}

KERNEL static void radam_step(const struct optim_span *s)
{
    COEFS(c, s);
    real *p = s->p, *m = s->state[0], *v = s->state[1];
    const real *g = s->g, clip = s->clip;
    LANES for (size_t i = 0; i < s->n; i++)
    {
        adam_averages(g[i] * clip + c[C_DECAY] * p[i], &m[i], &v[i], c);
        p[i] -= c[C_RATE] * m[i] * (c[RADAM_ADAPTIVE] / (sqrt(v[i]) + c[C_EPS]) + c[RADAM_PLAIN]);
    }
}

const struct optim optim_radam = {
    .row = {.name = "radam",
            .doc = "Rectified Adam: does not use the second moment until it is well estimated.",
            .torch = "torch.optim.RAdam",
            .hyper = {HYPER_LR(1e-3), HYPER_BETAS(.9, .999, 0), HYPER_EPS(1e-8), HYPER_L2}},
    .slot = {"optimizer.exp_avg", "optimizer.exp_avg_sq"},
    .slots = slots_2,
    .prepare = radam_prepare,
    .step = radam_step,
};

// Step 1: v = g². Later: d = max(√v, ε);  m = β1 m + (1-β1) g/d, in step 2 m = g/d;
// p -= lr (λ p + m);  v = β2 v + (1-β2) g²
static void adopt_prepare(const double *value, uint64_t k, double lr, double *run, double *coef)
{
    (void)run;
    adam_coefs(value, k, lr, coef);
    coef[C_RATE] = k > 1 ? lr : 0;
    coef[C_NEW1] = k > 2 ? coef[C_NEW1] : k > 1;
    coef[C_NEW2] = k > 1 ? coef[C_NEW2] : 1;
    coef[ADAMW_KEEP] = k > 1 ? 1 - lr * value[ADAM_DECAY] : 1;
}

KERNEL static void adopt_step(const struct optim_span *s)
{
    COEFS(c, s);
    real *p = s->p, *m = s->state[0], *v = s->state[1];
    const real *g = s->g, clip = s->clip;
    LANES for (size_t i = 0; i < s->n; i++)
    {
        real d = g[i] * clip, root = sqrt(v[i]);
        m[i] = c[C_BETA1] * m[i] + c[C_NEW1] * d / (root > c[C_EPS] ? root : c[C_EPS]);
        v[i] = c[C_BETA2] * v[i] + c[C_NEW2] * d * d;
        p[i] = p[i] * c[ADAMW_KEEP] - c[C_RATE] * m[i];
    }
}

const struct optim optim_adopt = {
    .row = {.name = "adopt",
            .doc = "Adam that divides by the second moment of earlier steps only: converges for "
                   "any second beta.",
            .hyper = {HYPER_LR(1e-3),
                      HYPER_BETAS(.9, .9999, 0),
                      {.name = "eps",
                       .doc = "Smallest denominator.",
                       .def = {1e-6},
                       .min = 1e-30,
                       .max = 1},
                      HYPER_DECAY(0)}},
    .slot = {"optimizer.exp_avg", "optimizer.exp_avg_sq"},
    .slots = slots_2,
    .prepare = adopt_prepare,
    .step = adopt_step,
};

// y are the parameters; with η = lr √(1-β2^k), h = max(h, η), S += h², c = h²/S:
// v = β2 v + (1-β2) g²;  u = g/(√v + ε) + λ y;
// y = (1-c) y + c z + η (β1 (1-c) - 1) u;  z -= η u
static void free_prepare(const double *value, uint64_t k, double lr, double *run, double *coef)
{
    double rate = lr * sqrt(1 - pow(value[ADAM_BETA2], (double)k));
    run[0] = rate > run[0] ? rate : run[0];
    run[1] += run[0] * run[0];
    double share = run[1] > 0 ? run[0] * run[0] / run[1] : 0;
    adam_coefs(value, k, lr, coef);
    coef[FREE_MOVE] = rate * (value[ADAM_BETA1] * (1 - share) - 1);
    coef[FREE_RATE] = rate;
    coef[FREE_SHARE] = share;
}

static void free_begin(const struct optim_span *s)
{
    for (size_t i = 0; i < s->n; i++)
        s->state[0][i] = s->p[i];
}

KERNEL static void free_step(const struct optim_span *s)
{
    COEFS(c, s);
    real *y = s->p, *z = s->state[0], *v = s->state[1];
    const real *g = s->g, clip = s->clip;
    LANES for (size_t i = 0; i < s->n; i++)
    {
        real d = g[i] * clip;
        v[i] = c[C_BETA2] * v[i] + c[C_NEW2] * d * d;
        d = d / (sqrt(v[i]) + c[C_EPS]) + c[C_DECAY] * y[i];
        y[i] += c[FREE_SHARE] * (z[i] - y[i]) + c[FREE_MOVE] * d;
        z[i] -= c[FREE_RATE] * d;
    }
}

// x = y + (1 - 1/β1) (z - y)
static void free_swap_in(const struct optim_span *s)
{
    const real share = 1 - 1 / s->coef[C_BETA1];
    for (size_t i = 0; i < s->n; i++)
        s->p[i] += share * (s->state[0][i] - s->p[i]);
}

// y = x + (1 - β1) (z - x)
static void free_swap_out(const struct optim_span *s)
{
    const real share = 1 - s->coef[C_BETA1];
    for (size_t i = 0; i < s->n; i++)
        s->p[i] += share * (s->state[0][i] - s->p[i]);
}

const struct optim optim_schedule_free_adamw = {
    .row = {.name = "schedule_free_adamw",
            .doc = "AdamW with averaged weights instead of a decreasing learning rate: for "
                   "training without a planned end, with the constant schedule.",
            .hyper = {HYPER_LR(2.5e-3), HYPER_BETAS(.9, .999, .01), HYPER_EPS(1e-8),
                      HYPER_DECAY(0)}},
    .slot = {"optimizer.z", "optimizer.exp_avg_sq"},
    .slots = slots_2,
    .prepare = free_prepare,
    .begin = free_begin,
    .step = free_step,
    .swap_in = free_swap_in,
    .swap_out = free_swap_out,
};
