// SPDX-License-Identifier: MIT
// A chart for a terminal: see chart.h. Plain text of 72 columns, so it can be mailed and pasted as
// well; no colours and no cursor, which a file of it would keep.
//
// The first panel, the losses, is drawn in the dots of Braille, two across and four down in each
// character. One curve is solid and one is dotted, so they are told apart where they cross. Every
// further column is one line of blocks. Where several epochs share a dot or a block it shows their
// mean: noise that fills the panel would hide one curve behind the other. The picture (SVG) has
// room for spikes.

#include "api/json/textw.h"
#include "api/views/chart_axis.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    ACROSS_CELLS = 60,
    DOWN_CELLS = 13,
    DOTS_X = 2 * ACROSS_CELLS,
    DOTS_Y = 4 * DOWN_CELLS,
    LABELS = 9,  // columns of tick labels
    NAMES = 18,  // columns of names
    SPARKS = 38, // blocks in a line
    EVERY = 3,   // so many dots of a dotted curve is one drawn
    TITLE = 72,
    CURVES = 2 // in the panel
};

struct text_canvas {
    unsigned char cell[DOWN_CELLS][ACROSS_CELLS]; // dots, as Braille numbers them
    struct chart_axis epochs, values;
};

static void pad(struct textw *w, size_t n)
{
    for (; n > 0; n--)
        textw_put(w, " ", 1);
}

// ---- Dots ----

static void canvas_dot(struct text_canvas *t, int x, int y)
{
    static const unsigned char bit[4][2] = {{0x01, 0x08}, {0x02, 0x10}, {0x04, 0x20}, {0x40, 0x80}};
    t->cell[y / 4][x / 2] |= bit[y % 4][x % 2];
}

// From one dot to another, of which `every`-th ones are drawn; `phase` counts them.
static void canvas_line(struct text_canvas *t, const int from[2], const int to[2], int every,
                        int *phase)
{
    int dx = to[0] - from[0], dy = to[1] - from[1];
    int n = abs(dx) > abs(dy) ? abs(dx) : abs(dy);
    for (int i = 1; i <= n; i++)
        if (++*phase % every == 0)
            canvas_dot(t, from[0] + (int)lround((double)dx * i / n),
                       from[1] + (int)lround((double)dy * i / n));
}

static int dot_of(const struct chart_axis *x, double v, int dots)
{
    return (int)lround(chart_axis_place(x, v) * (dots - 1));
}

// The mean of the values over one dot, in dots from the bottom; moves *i behind them. Negative:
// there is none. *broken: nothing leads to it.
static int canvas_mean(const struct text_canvas *t, const struct chart *c, size_t column, size_t *i,
                       bool *broken)
{
    int x = dot_of(&t->epochs, (double)c->epoch[*i], DOTS_X), n = 0;
    double sum = 0;
    for (; *i < c->n && dot_of(&t->epochs, (double)c->epoch[*i], DOTS_X) == x; ++*i) {
        double v = c->value[*i * c->n_column + column];
        if (!n)
            *broken = *broken || chart_gap(c, *i) || !chart_drawn(v);
        if (!chart_drawn(v))
            continue;
        sum += chart_axis_place(&t->values, v);
        n++;
    }
    return n ? (int)lround(sum / n * (DOTS_Y - 1)) : -1;
}

static void canvas_curve(struct text_canvas *t, const struct chart *c, size_t column, bool solid)
{
    int every = solid ? 1 : EVERY, phase = 0, last[2] = {0, 0};
    bool broken = true;
    for (size_t i = 0; i < c->n;) {
        int x = dot_of(&t->epochs, (double)c->epoch[i], DOTS_X);
        int y = canvas_mean(t, c, column, &i, &broken);
        int at[2] = {x, DOTS_Y - 1 - y};
        if (y < 0)
            continue;
        if (broken)
            canvas_dot(t, at[0], at[1]);
        else
            canvas_line(t, last, at, every, &phase);
        memcpy(last, at, sizeof last);
        broken = !chart_drawn(c->value[(i - 1) * c->n_column + column]);
    }
}

// ---- The panel ----

static void text_cells(struct textw *w, const unsigned char cell[ACROSS_CELLS])
{
    int n = ACROSS_CELLS;
    while (n > 0 && !cell[n - 1])
        n--;
    for (int i = 0; i < n; i++) {
        const char braille[] = {'\xE2', (char)(0xA0 + (cell[i] >> 6)),
                                (char)(0x80 + (cell[i] & 63))};
        textw_put(w, cell[i] ? braille : " ", cell[i] ? sizeof braille : 1);
    }
    textw_put(w, "\n", 1);
}

// Rows from top to bottom, the ticks' labels at their left.
static void text_rows(struct textw *w, const struct text_canvas *t)
{
    double tick[CHART_TICKS];
    char label[CHART_LABEL];
    int n = t->values.empty ? 0 : chart_axis_ticks(&t->values, 7, tick);
    for (int row = 0; row < DOWN_CELLS; row++) {
        int k = n - 1;
        while (k >= 0 && (DOTS_Y - 1 - dot_of(&t->values, tick[k], DOTS_Y)) / 4 != row)
            k--;
        textw_add(w, "%*s %s", LABELS, k < 0 ? "" : chart_axis_label(&t->values, tick[k], label),
                  k < 0 ? "│" : "┤");
        text_cells(w, t->cell[row]);
    }
}

// The line below, with a mark at the best epoch, and under it the first and the last epoch, with
// the best one between them where it has room.
static void text_epochs(struct textw *w, const struct chart *c, const struct text_canvas *t)
{
    char first[CHART_LABEL], last[CHART_LABEL] = "", best[CHART_WORDS] = "";
    bool marked = chart_has_best(c);
    int at = marked ? dot_of(&t->epochs, (double)c->best, DOTS_X) / 2 : 0;
    textw_add(w, "%*s └", LABELS, "");
    for (int i = 0; i < ACROSS_CELLS; i++)
        textw_add(w, "%s", marked && i == at ? "┴" : "─");
    snprintf(first, sizeof first, "%lld", (long long)c->epoch[0]);
    if (c->n > 1)
        snprintf(last, sizeof last, "%lld", (long long)c->epoch[c->n - 1]);
    snprintf(best, sizeof best, "best %lld", (long long)c->best);
    int from = (int)strlen(first), to = ACROSS_CELLS - (int)strlen(last), wide = (int)strlen(best);
    bool fits = marked && at - wide / 2 > from && at - wide / 2 + wide < to;
    textw_add(w, "\n%*s  %s", LABELS, "epoch", first);
    if (fits) {
        pad(w, (size_t)(at - wide / 2 - from));
        textw_add(w, "%s", best);
        from = at - wide / 2 + wide;
    }
    pad(w, *last ? (size_t)(to - from) : 0);
    textw_add(w, "%s\n", last);
}

static void text_legend(struct textw *w, const struct chart *c, const struct chart_panel *p,
                        int curves, bool log)
{
    char number[CHART_LABEL];
    pad(w, LABELS - 1);
    for (int k = 0; k < curves; k++) {
        double last = chart_last(c, p->column[k]);
        textw_add(w, "   %s ", k == curves - 1 ? "⠤⠤⠤" : "⠄⠠⠄");
        textw_field(w, c->name[p->column[k]], NAMES);
        textw_add(w, " %s", isnan(last) ? "-" : chart_number(last, number));
    }
    textw_add(w, "%s\n", log ? "   log scale" : "");
}

static void text_panel(struct textw *w, const struct chart *c, const struct chart_panel *p)
{
    struct text_canvas t = {.epochs = chart_axis_epochs(c, 5), .values = chart_axis_fit(c, p, 5)};
    int curves = p->n < CURVES ? p->n : CURVES;
    for (int k = 0; k < curves; k++)
        canvas_curve(&t, c, p->column[k], k == curves - 1);
    text_legend(w, c, p, curves, t.values.log);
    text_rows(w, &t);
    text_epochs(w, c, &t);
}

// ---- Lines of blocks ----

static void text_spark(struct textw *w, const struct chart *c, size_t column,
                       const struct chart_axis *x)
{
    static const char *const block[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    struct chart_axis epochs = chart_axis_epochs(c, 2);
    for (int at = 0, i = 0, n = (int)c->n; at < SPARKS; at++) {
        double sum = 0;
        int values = 0;
        for (; i < n && dot_of(&epochs, (double)c->epoch[i], SPARKS) <= at; i++) {
            double v = c->value[(size_t)i * c->n_column + column];
            sum += chart_drawn(v) ? chart_axis_place(x, v) : 0;
            values += chart_drawn(v);
        }
        textw_add(w, "%s", values ? block[(int)fmin(7, fmax(0, sum / values * 8))] : " ");
    }
}

static void text_column(struct textw *w, const struct chart *c, const struct chart_panel *p, int k)
{
    char number[CHART_LABEL];
    struct chart_axis x = chart_axis_fit(c, p, 8);
    double last = chart_last(c, p->column[k]);
    pad(w, NAMES - textw_field(w, c->name[p->column[k]], NAMES) + 1);
    text_spark(w, c, p->column[k], &x);
    textw_add(w, " %s\n", isnan(last) ? "no values" : chart_number(last, number));
}

static const char *chart_write_text(const void *model, size_t *len, struct arena *a, struct err *e)
{
    const struct chart *c = model;
    struct chart_panel *panel = arena_alloc(a, c->n_column, sizeof *panel);
    char words[CHART_WORDS];
    struct textw w;
    if (!panel) {
        arena_fail(a, e, "the chart has too many curves");
        return NULL;
    }
    size_t n = chart_panels(c, panel);
    textw_init(&w, a);
    textw_field(&w, c->title, TITLE);
    textw_put(&w, "\n", 1);
    textw_field(&w, chart_words(c, words), TITLE);
    textw_put(&w, "\n", 1);
    for (size_t i = 0; c->n && i < n; i++) {
        if (i == 0)
            text_panel(&w, c, &panel[i]);
        for (int k = i == 0 ? CURVES : 0; k < panel[i].n; k++)
            text_column(&w, c, &panel[i], k);
    }
    return textw_end(&w, len, e);
}

const struct rendering chart_text = {.name = "txt",
                                     .media = "text/plain; charset=utf-8",
                                     .doc = "A plot for terminals, 72 columns wide.",
                                     .write = chart_write_text};
