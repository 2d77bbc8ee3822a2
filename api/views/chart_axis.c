// SPDX-License-Identifier: MIT
// Panels and axes: see chart_axis.h.
//
// A chart does not say what its columns are, so the pictures go by what they see. Names tell which
// columns belong together. Values tell the scale: a loss that falls to a hundredth within a few
// epochs is a cliff and a flat line on a linear axis, whereas an accuracy that starts low and then
// stays high is not, though both span decades. So an axis becomes logarithmic when it spans more
// than one decade and most values lie in the lowest part of it.
//
// Values of a database are anybody's. They may be equal, a rounding error apart, or as large as a
// double gets, and each of these must give an axis with low < high and few ticks.

#include "api/views/chart_axis.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static const double DRAWN = 1e300;   // in magnitude, at most
static const double DECADES = 10;    // high / low of a logarithmic axis, at least
static const double BOTTOM = 0.15;   // where most values of it would lie on a linear one
static const double DISTINCT = 1e-9; // of a magnitude: closer values count as equal

// ---- Panels ----

static const char *const role_prefix[CHART_ROLES] = {"", "train_", "val_", "smoothed_"};

enum chart_role chart_role(const char *name)
{
    int role = CHART_ROLES - 1;
    while (strncmp(name, role_prefix[role], strlen(role_prefix[role])) != 0)
        role--;
    return (enum chart_role)role;
}

static const char *family(const char *name)
{
    return name + strlen(role_prefix[chart_role(name)]);
}

static struct chart_panel *find_panel(struct chart_panel *p, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (p[i].n < CHART_ROLES && strlen(name) == (size_t)p[i].name_len &&
            memcmp(p[i].name, name, strlen(name)) == 0)
            return &p[i];
    return NULL;
}

// 0: losses, 1: measured on validation rows, 2: anything else.
static int panel_rank(const struct chart *c, const struct chart_panel *p)
{
    if (p->name_len == 4 && memcmp(p->name, "loss", 4) == 0)
        return 0;
    for (int i = 0; i < p->n; i++)
        if (chart_role(c->name[p->column[i]]) == CHART_VAL)
            return 1;
    return 2;
}

static void sort_panels(const struct chart *c, struct chart_panel *p, size_t n)
{
    for (size_t i = 1; i < n; i++)
        for (size_t k = i; k > 0 && panel_rank(c, &p[k]) < panel_rank(c, &p[k - 1]); k--) {
            struct chart_panel moved = p[k];
            p[k] = p[k - 1];
            p[k - 1] = moved;
        }
}

size_t chart_panels(const struct chart *c, struct chart_panel *out)
{
    size_t n = 0;
    for (size_t k = 0; k < c->n_column; k++) {
        const char *name = family(c->name[k]);
        struct chart_panel *p = find_panel(out, n, name);
        if (!p) {
            p = &out[n++];
            *p = (struct chart_panel){.name = name, .name_len = (int)strlen(name)};
        }
        p->column[p->n++] = k;
    }
    sort_panels(c, out, n);
    return n;
}

bool chart_drawn(double v)
{
    return fabs(v) <= DRAWN; // false for NaN
}

double chart_last(const struct chart *c, size_t column)
{
    for (size_t i = c->n; i-- > 0;)
        if (chart_drawn(c->value[i * c->n_column + column]))
            return c->value[i * c->n_column + column];
    return NAN;
}

bool chart_has_best(const struct chart *c)
{
    return c->n && c->best >= c->epoch[0] && c->best <= c->epoch[c->n - 1];
}

const char *chart_words(const struct chart *c, char out[CHART_WORDS])
{
    long long first = c->n ? c->epoch[0] : 0, last = c->n ? c->epoch[c->n - 1] : 0;
    double missing = 0; // sums of others' numbers may overflow
    for (size_t i = 0; i < c->n; i++)
        missing += (double)c->epoch[i] - (double)(i ? c->epoch[i - 1] : c->after) - 1;
    int n = first == last ? snprintf(out, CHART_WORDS, c->n ? "Epoch %lld" : "No epoch yet", last)
                          : snprintf(out, CHART_WORDS, "Epochs %lld to %lld", first, last);
    if (chart_has_best(c))
        n += snprintf(out + n, CHART_WORDS - (size_t)n, ", the best is %lld", (long long)c->best);
    if (missing > 0)
        n += snprintf(out + n, CHART_WORDS - (size_t)n, ", %.0f missing", missing);
    snprintf(out + n, CHART_WORDS - (size_t)n, ".");
    return out;
}

// ---- Axes ----

// The least of 1, 2, 5, 10, 20, ... times a power of ten that is not below v.
static double round_step(double v)
{
    double power = pow(10, floor(log10(v)));
    double digit = v / power;
    return power * (digit <= 1 + DISTINCT ? 1 : digit <= 2 ? 2 : digit <= 5 ? 5 : 10);
}

static void span_values(const struct chart *c, const struct chart_panel *p, struct chart_axis *x)
{
    x->low = INFINITY;
    x->high = -INFINITY;
    for (int k = 0; k < p->n; k++)
        for (size_t i = 0; i < c->n; i++) {
            double v = c->value[i * c->n_column + p->column[k]];
            if (!chart_drawn(v))
                continue;
            x->low = fmin(x->low, v);
            x->high = fmax(x->high, v);
        }
}

static bool lies_flat(const struct chart *c, const struct chart_panel *p,
                      const struct chart_axis *x)
{
    double limit = x->low + BOTTOM * (x->high - x->low);
    size_t flat = 0, all = 0;
    for (int k = 0; k < p->n; k++)
        for (size_t i = 0; i < c->n; i++) {
            double v = c->value[i * c->n_column + p->column[k]];
            all += chart_drawn(v);
            flat += chart_drawn(v) && v < limit;
        }
    return 2 * flat > all;
}

// Values that are as good as equal get an axis around them.
static void axis_widen(struct chart_axis *x)
{
    double size = fmax(fabs(x->low), fabs(x->high));
    if (x->high - x->low > DISTINCT * size && x->high - x->low > DBL_MIN / DISTINCT)
        return;
    double margin = size > DBL_MIN / DISTINCT ? size / 10 : 1;
    x->low -= margin;
    x->high += margin;
}

// Ends on round values, so that every curve lies between two labels.
static void round_ends(struct chart_axis *x, int ticks)
{
    x->step = round_step((x->high - x->low) / ticks);
    x->low = x->step * floor(x->low / x->step + DISTINCT);
    x->high = x->step * ceil(x->high / x->step - DISTINCT);
}

struct chart_axis chart_axis_fit(const struct chart *c, const struct chart_panel *p, int ticks)
{
    struct chart_axis x = {.low = 0};
    span_values(c, p, &x);
    x.empty = x.low > x.high;
    if (x.empty)
        return (struct chart_axis){.high = 1, .step = 1, .empty = true};
    x.log = x.low > 0 && x.high / DECADES > x.low && lies_flat(c, p, &x);
    if (x.log) {
        double margin = pow(x.high / x.low, 0.03);
        x.low /= isfinite(margin) && x.low > DBL_MIN * margin ? margin : 1;
        x.high *= isfinite(margin) ? margin : 1;
        return x;
    }
    axis_widen(&x);
    round_ends(&x, ticks);
    return x;
}

struct chart_axis chart_axis_epochs(const struct chart *c, int ticks)
{
    struct chart_axis x = {.low = 0, .high = 1, .step = 1, .empty = !c->n};
    if (!c->n)
        return x;
    x.low = (double)c->epoch[0];
    x.high = (double)c->epoch[c->n - 1];
    x.step = x.high - x.low > ticks ? round_step((x.high - x.low) / ticks) : 1;
    if (x.low == x.high) {
        x.low -= 1;
        x.high += 1;
    }
    return x;
}

double chart_axis_place(const struct chart_axis *x, double v)
{
    if (x->log)
        return (log10(v) - log10(x->low)) / (log10(x->high) - log10(x->low));
    return (v - x->low) / (x->high - x->low);
}

// Powers of ten, of every second or third decade where there are many; 2 and 5 times them where
// there are few.
static int log_ticks(const struct chart_axis *x, int most, double tick[CHART_TICKS])
{
    static const double digit[] = {1, 2, 5};
    int first = (int)floor(log10(x->low)), last = (int)floor(log10(x->high)), n = 0;
    int per = 3 * (last - first + 1) <= most + 3 ? 3 : 1, stride = 1;
    while (per == 1 && (last - first) / stride + 1 > most)
        stride++;
    for (int power = first; power <= last; power++)
        for (int k = 0; k < per && power % stride == 0; k++) {
            double v = digit[k] * pow(10, power);
            if (v >= x->low && v <= x->high && n < most)
                tick[n++] = v;
        }
    return n;
}

int chart_axis_ticks(const struct chart_axis *x, int most, double tick[CHART_TICKS])
{
    int n = 0;
    most = most < CHART_TICKS ? most : CHART_TICKS;
    if (x->log)
        return log_ticks(x, most, tick);
    double end = x->high + x->step * 1e-6, first = ceil(x->low / x->step - 1e-6);
    for (double k = first; k * x->step <= end && n < most; k++)
        tick[n++] = k * x->step + 0.0; // never -0
    return n;
}

// "1e-05" as "1e-5".
static void axis_shorten(char out[CHART_LABEL])
{
    char *e = strchr(out, 'e'), *digits = e ? e + 1 + (e[1] == '-' || e[1] == '+') : NULL;
    if (!e)
        return;
    char *from = digits + strspn(digits, "0"), *to = e[1] == '-' ? digits : e + 1;
    memmove(to, *from ? from : from - 1, strlen(*from ? from : from - 1) + 1);
}

const char *chart_number(double v, char out[CHART_LABEL])
{
    snprintf(out, CHART_LABEL, "%.4g", v);
    axis_shorten(out);
    return out;
}

const char *chart_axis_label(const struct chart_axis *x, double tick, char out[CHART_LABEL])
{
    double size = fmax(fabs(x->low), fabs(x->high));
    if (x->log || tick == 0) {
        snprintf(out, CHART_LABEL, "%g", tick);
    } else if (size < 1e6 && x->step >= 1e-4) {
        int decimals = (int)fmax(0, -floor(log10(x->step) + DISTINCT));
        snprintf(out, CHART_LABEL, "%.*f", decimals, tick);
    } else {
        int digits = (int)fmax(0, floor(log10(fabs(tick))) - floor(log10(x->step) + DISTINCT));
        snprintf(out, CHART_LABEL, "%.*e", digits < 12 ? digits : 12, tick);
    }
    axis_shorten(out);
    return out;
}
