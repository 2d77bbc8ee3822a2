// SPDX-License-Identifier: MIT
// Initial weights: see init.h. A row is a function that fills a layer, most often with one of two
// distributions.

#include "engine/model/init.h"

#include "engine/base/rng.h"
#include "engine/base/vmath.h"

#define RANDOM "random; its moments are tested"

// Streams of a layer.
enum { WEIGHTS, BIASES, RETRIES };

static uint64_t stream(const struct init_layer *l, uint64_t which)
{
    return rng_key(l->key, RNG_INIT, which, 0);
}

// Weight i is scale times the i-th draw of the layer's stream.
INLINE void fill(const struct init_layer *l, double scale,
                 double (*draw)(const struct init_layer *l, uint64_t key, size_t i))
{
    uint64_t key = stream(l, WEIGHTS);
    for (size_t i = 0; i < l->outputs * l->inputs && !halt_due(l->halt, i); i++)
        l->weight[i] = (real)(scale * draw(l, key, i));
}

static double symmetric(const struct init_layer *l, uint64_t key, size_t i)
{
    (void)l;
    return 2 * rng_unit(key, i) - 1;
}

static double standard(const struct init_layer *l, uint64_t key, size_t i)
{
    (void)l;
    return rng_normal(key, i);
}

static double one(const struct init_layer *l, uint64_t key, size_t i)
{
    (void)l, (void)key, (void)i;
    return 1;
}

static void fill_uniform(const struct init_layer *l, double bound)
{
    fill(l, bound, symmetric);
}

static void fill_normal(const struct init_layer *l, double deviation)
{
    fill(l, deviation, standard);
}

static void fill_with(const struct init_layer *l, double x)
{
    fill(l, x, one);
}

// Deviations. He et al. 2015: gain / √fan_in. Glorot & Bengio 2010: √(2 / (fan_in + fan_out)).
// LeCun et al. 1998: 1 / √fan_in. A uniform distribution with that deviation ends at √3 times it.
static double kaiming(const struct init_layer *l)
{
    return l->gain / sqrt((double)l->inputs);
}
static double xavier(const struct init_layer *l)
{
    return sqrt(2 / ((double)l->inputs + (double)l->outputs));
}
static double lecun(const struct init_layer *l)
{
    return 1 / sqrt((double)l->inputs);
}

#define FAN_ROWS(name)                                                                             \
    static void name##_uniform_fill(const struct init_layer *l)                                    \
    {                                                                                              \
        fill_uniform(l, sqrt(3.0) * name(l));                                                      \
    }                                                                                              \
    static void name##_normal_fill(const struct init_layer *l)                                     \
    {                                                                                              \
        fill_normal(l, name(l));                                                                   \
    }
FAN_ROWS(kaiming)
FAN_ROWS(xavier)
FAN_ROWS(lecun)

static const struct init kaiming_uniform = {
    .row = {.name = "kaiming_uniform",
            .doc = "Kaiming (He) uniform, scaled by the gain of the activation.",
            .alias = {"he_uniform"},
            .torch = "torch.nn.init.kaiming_uniform_",
            .no_fixture = RANDOM},
    .fill = kaiming_uniform_fill,
};
static const struct init kaiming_normal = {
    .row = {.name = "kaiming_normal",
            .doc = "Kaiming (He) normal, scaled by the gain of the activation.",
            .alias = {"he_normal"},
            .torch = "torch.nn.init.kaiming_normal_",
            .no_fixture = RANDOM},
    .fill = kaiming_normal_fill,
};
static const struct init xavier_uniform = {
    .row = {.name = "xavier_uniform",
            .doc = "Xavier (Glorot) uniform.",
            .alias = {"glorot_uniform", "uniform_adaptive"},
            .torch = "torch.nn.init.xavier_uniform_",
            .no_fixture = RANDOM},
    .fill = xavier_uniform_fill,
};
static const struct init xavier_normal = {
    .row = {.name = "xavier_normal",
            .doc = "Xavier (Glorot) normal.",
            .alias = {"glorot_normal"},
            .torch = "torch.nn.init.xavier_normal_",
            .no_fixture = RANDOM},
    .fill = xavier_normal_fill,
};
static const struct init lecun_uniform = {
    .row = {.name = "lecun_uniform",
            .doc = "Uniform with variance 1/inputs.",
            .no_fixture = RANDOM},
    .fill = lecun_uniform_fill,
};
static const struct init lecun_normal = {
    .row = {.name = "lecun_normal",
            .doc = "Normal with variance 1/inputs; made for selu.",
            .no_fixture = RANDOM},
    .fill = lecun_normal_fill,
};

// U(±1/√fan_in), biases alike
static void torch_fill(const struct init_layer *l)
{
    double bound = lecun(l);
    uint64_t key = stream(l, BIASES);
    fill_uniform(l, bound);
    for (size_t i = 0; i < l->outputs; i++)
        l->bias[i] = (real)(bound * (2 * rng_unit(key, i) - 1));
}

static const struct init torch = {
    .row = {.name = "torch",
            .doc = "As torch.nn.Linear: uniform within 1/sqrt(inputs), biases too.",
            .torch = "torch.nn.Linear",
            .no_fixture = RANDOM},
    .fill = torch_fill,
};

static void zeros_fill(const struct init_layer *l)
{
    fill_with(l, 0);
}

static const struct init zeros = {
    .row = {.name = "zeros",
            .doc = "All zero. Hidden units stay equal for ever: only to see what happens.",
            .alias = {"zero"},
            .torch = "torch.nn.init.zeros_"},
    .fill = zeros_fill,
};

static void constant_fill(const struct init_layer *l)
{
    fill_with(l, l->value[0]);
}

static const struct init constant = {
    .row =
        {.name = "constant",
         .doc = "The same number everywhere. Hidden units stay equal for ever.",
         .torch = "torch.nn.init.constant_",
         .hyper = {{.name = "value", .doc = "The number.", .def = {.1}, .min = -100, .max = 100}}},
    .fill = constant_fill,
};

static double between(const struct init_layer *l, uint64_t key, size_t i)
{
    return l->value[0] + (l->value[1] - l->value[0]) * rng_unit(key, i);
}

static void uniform_fill(const struct init_layer *l)
{
    fill(l, 1, between);
}

static const struct init uniform = {
    .row =
        {.name = "uniform",
         .doc = "Uniform between low and high, for any size of the layer.",
         .torch = "torch.nn.init.uniform_",
         .no_fixture = RANDOM,
         .hyper = {{.name = "low", .doc = "Lower end.", .def = {-.05}, .min = -100, .max = 100},
                   {.name = "high", .doc = "Upper end.", .def = {.05}, .min = -100, .max = 100}}},
    .fill = uniform_fill,
};

#define STD(value)                                                                                 \
    {                                                                                              \
        .name = "std", .doc = "Standard deviation.", .def = {value}, .min = 0, .max = 100          \
    }

static void normal_fill(const struct init_layer *l)
{
    fill_normal(l, l->value[0]);
}

static const struct init normal = {
    .row = {.name = "normal",
            .doc = "Normal with mean 0, for any size of the layer.",
            .torch = "torch.nn.init.normal_",
            .no_fixture = RANDOM,
            .hyper = {STD(.05)}},
    .fill = normal_fill,
};

// Draws beyond two deviations are made again, each retry from a stream of its own.
static double truncated(const struct init_layer *l, uint64_t key, size_t i)
{
    (void)key;
    double x;
    uint64_t retry = RETRIES;
    do
        x = rng_normal(stream(l, retry++), i);
    while (fabs(x) > 2);
    return x;
}

static void truncated_normal_fill(const struct init_layer *l)
{
    fill(l, l->value[0], truncated);
}

static const struct init truncated_normal = {
    .row = {.name = "truncated_normal",
            .doc = "Normal with mean 0, without values beyond two standard deviations.",
            .torch = "torch.nn.init.trunc_normal_",
            .no_fixture = RANDOM,
            .hyper = {STD(.02)}},
    .fill = truncated_normal_fill,
};

// Saxe et al. 2014
static void orthogonal_fill(const struct init_layer *l)
{
    fill_normal(l, 1);
    init_orthogonalize(l);
}

static const struct init orthogonal = {
    .row = {.name = "orthogonal",
            .doc = "Random orthogonal matrix, scaled by the gain of the activation.",
            .torch = "torch.nn.init.orthogonal_",
            .no_fixture = "random; that the product with itself is the identity is tested"},
    .fill = orthogonal_fill,
};

static const struct init data = {
    .row = {.name = "data",
            .doc = "Kaiming normal; then every layer is scaled until its output has mean 0 and "
                   "variance 1 for the first rows.",
            .alias = {"lsuv"},
            .no_fixture = "PyTorch has none; the variance is tested"},
    .fill = kaiming_normal_fill,
    .from_data = true,
};

void init_linear(const struct pick *p, const struct init_layer *layer)
{
    const struct init *init = (const struct init *)(const void *)p->row;
    struct init_layer l = *layer;
    l.value = p->value;
    for (size_t i = 0; i < l.outputs; i++)
        l.bias[i] = 0;
    init->fill(&l);
}

static const struct row *const init_row[] = {
    &kaiming_uniform.row, &kaiming_normal.row, &xavier_uniform.row, &xavier_normal.row,
    &lecun_uniform.row,   &lecun_normal.row,   &torch.row,          &zeros.row,
    &constant.row,        &uniform.row,        &normal.row,         &truncated_normal.row,
    &orthogonal.row,      &data.row,
};
const struct table init_table = {"init", init_row, sizeof init_row / sizeof *init_row, {{0}}};
