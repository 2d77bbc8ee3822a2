// SPDX-License-Identifier: MIT
// A chart as a picture: see chart.h. The losses in a large panel, every further measure in a small
// one below, all over the same epochs.
//
// The picture is for people, also those who do not see it as its author does. Colours are those of
// Okabe and Ito, which colour-blind people tell apart, and each has a lighter twin for dark pages;
// the validation curve is thicker as well, and every curve has its name at its end. A description
// says in words what is drawn.
//
// However many epochs there are, a curve has at most four points in each column of pixels: the
// first, the least, the greatest and the last, so spikes stay and bytes are bounded. A gap is a
// break in the curve, with the missing epochs shaded; one narrower than a pixel cannot be seen.
// Bytes depend on the chart alone.

#include "api/json/textw.h"
#include "api/views/chart_axis.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum {
    WIDE = 880,
    EDGE = 20,
    TOP = 92,    // of the large panel
    LEFT = 68,   // labels of ticks
    RIGHT = 172, // names of curves
    LARGE_H = 250,
    BELOW = 64, // from the large panel's bottom to the small ones
    ACROSS = 3, // small panels in a row
    CELL_W = (WIDE - 2 * EDGE) / ACROSS,
    CELL_H = 148,
    SMALL_LEFT = 48,
    SMALL_TOP = 26,
    SMALL_H = 84,
    LINE = 15,    // between two names
    DENSE = 1000, // epochs from which on thin curves show more
};

// A panel's place, in pixels, and its axes.
struct svg_frame {
    double x, y, w, h;
    struct chart_axis epochs, values;
    bool large;
};

static double frame_x(const struct svg_frame *f, int64_t epoch)
{
    return f->x + f->w * chart_axis_place(&f->epochs, (double)epoch);
}

static double frame_y(const struct svg_frame *f, double v)
{
    return f->y + f->h * (1 - chart_axis_place(&f->values, v));
}

static void svg_text(struct textw *w, const char *class, double x, double y, const char *text)
{
    textw_add(w, "<text class=\"%s\" x=\"%.1f\" y=\"%.1f\">", class, x, y);
    textw_xml(w, text);
    textw_add(w, "</text>\n");
}

// ---- Curves ----

struct svg_point {
    double x, y;
    size_t i; // row
};

// The points of a curve in one column of pixels, and the texts that they go to.
struct stroke {
    struct textw line, dots;
    struct svg_point first, last, low, high;
    size_t n;
    bool begins; // nothing leads to the first
};

static void stroke_to(struct stroke *s, char how, const struct svg_point *p)
{
    textw_add(&s->line, "%c%.1f %.1f", how, p->x, p->y);
}

// `ends`: nothing leads on from the last.
static void stroke_flush(struct stroke *s, bool ends)
{
    const struct svg_point *a = s->low.i < s->high.i ? &s->low : &s->high,
                           *b = a == &s->low ? &s->high : &s->low;
    if (s->n == 1 && s->begins && ends) {
        textw_add(&s->dots, "M%.1f %.1fh0", s->first.x, s->first.y);
    } else if (s->n) {
        stroke_to(s, s->begins ? 'M' : 'L', &s->first);
        if (a->i != s->first.i && a->i != s->last.i)
            stroke_to(s, 'L', a);
        if (b->i != s->first.i && b->i != s->last.i && b->i != a->i)
            stroke_to(s, 'L', b);
        if (s->last.i != s->first.i)
            stroke_to(s, 'L', &s->last);
    }
    s->n = 0;
}

static void stroke_add(struct stroke *s, const struct svg_point *p, bool begins)
{
    if (s->n && floor(p->x) != floor(s->last.x))
        stroke_flush(s, begins);
    if (!s->n) {
        s->first = s->low = s->high = *p;
        s->begins = begins;
    }
    s->low = p->y < s->low.y ? *p : s->low;
    s->high = p->y > s->high.y ? *p : s->high;
    s->last = *p;
    s->n++;
}

static void svg_path(struct textw *w, const char *class, enum chart_role role, const char *name,
                     const struct textw *path)
{
    w->full |= path->full;
    if (!path->len || path->full)
        return;
    textw_add(w, "<path class=\"%s s%d\" d=\"", class, (int)role);
    textw_put(w, path->text, path->len);
    textw_add(w, "\"><title>");
    textw_xml(w, name);
    textw_add(w, "</title></path>\n");
}

static void svg_curve(struct textw *w, const struct chart *c, const struct svg_frame *f,
                      size_t column)
{
    struct stroke s = {.n = 0};
    bool broken = true;
    textw_init(&s.line, w->arena);
    textw_init(&s.dots, w->arena);
    for (size_t i = 0; i < c->n; i++) {
        double v = c->value[i * c->n_column + column];
        broken = broken || chart_gap(c, i);
        if (!chart_drawn(v)) {
            broken = true;
            continue;
        }
        stroke_add(&s, &(struct svg_point){frame_x(f, c->epoch[i]), frame_y(f, v), i}, broken);
        broken = false;
    }
    stroke_flush(&s, true);
    enum chart_role role = chart_role(c->name[column]);
    svg_path(w, "line", role, c->name[column], &s.line);
    svg_path(w, "dot", role, c->name[column], &s.dots);
}

// ---- Around the curves ----

static void svg_grid(struct textw *w, const struct svg_frame *f)
{
    double tick[CHART_TICKS];
    char label[CHART_LABEL];
    int n = f->values.empty ? 0 : chart_axis_ticks(&f->values, f->large ? 9 : 5, tick);
    for (int i = 0; i < n; i++) {
        double y = frame_y(f, tick[i]);
        textw_add(w, "<path class=\"grid\" d=\"M%.1f %.1fh%.1f\"/>\n", f->x, y, f->w);
        svg_text(w, "tick end", f->x - 8, y + 4, chart_axis_label(&f->values, tick[i], label));
    }
    n = chart_axis_ticks(&f->epochs, f->large ? 12 : 5, tick);
    for (int i = 0; i < n; i++) {
        double x = f->x + f->w * chart_axis_place(&f->epochs, tick[i]);
        textw_add(w, "<path class=\"axis\" d=\"M%.1f %.1fv5\"/>\n", x, f->y + f->h);
        svg_text(w, "tick mid", x, f->y + f->h + 18, chart_axis_label(&f->epochs, tick[i], label));
    }
    textw_add(w, "<path class=\"axis\" d=\"M%.1f %.1fh%.1f\"/>\n", f->x, f->y + f->h, f->w);
}

static void svg_shade(struct textw *w, const struct svg_frame *f, double from, double to)
{
    if (to > from)
        textw_add(w, "<rect class=\"gap\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"/>\n",
                  from, f->y, to - from, f->h);
}

// Those less than two pixels apart become one, so there are fewer than pixels.
static void svg_gaps(struct textw *w, const struct chart *c, const struct svg_frame *f)
{
    double from = 0, to = 0;
    for (size_t i = 1; i < c->n; i++) {
        double left = frame_x(f, c->epoch[i - 1]), right = frame_x(f, c->epoch[i]);
        if (!chart_gap(c, i) || right - left < 1)
            continue;
        if (to > from && left - to >= 2) {
            svg_shade(w, f, from, to);
            from = left;
        }
        from = to > from ? from : left;
        to = right;
    }
    svg_shade(w, f, from, to);
}

static void svg_best(struct textw *w, const struct chart *c, const struct svg_frame *f)
{
    char text[48];
    if (!chart_has_best(c))
        return;
    double x = frame_x(f, c->best);
    bool left = x > f->x + f->w / 2;
    textw_add(w, "<path class=\"best\" d=\"M%.1f %.1fv%.1f\"/>\n", x, f->y, f->h);
    snprintf(text, sizeof text, "best: epoch %lld", (long long)c->best);
    if (f->large)
        svg_text(w, left ? "halo end" : "halo", x + (left ? -6 : 6), f->y + 12, text);
}

// ---- Names ----

static void svg_name(struct textw *w, const struct chart *c, size_t column, double x, double y)
{
    char number[CHART_LABEL];
    double last = chart_last(c, column);
    textw_add(w, "<text class=\"name t%d\" x=\"%.1f\" y=\"%.1f\">",
              (int)chart_role(c->name[column]), x, y);
    textw_xml(w, c->name[column]);
    if (!isnan(last))
        textw_add(w, " %s", chart_number(last, number));
    textw_add(w, "</text>\n");
}

// At the curves' ends, from top to bottom, none over another.
static void svg_end_names(struct textw *w, const struct chart *c, const struct svg_frame *f,
                          const struct chart_panel *p)
{
    struct svg_point at[CHART_ROLES];
    int n = 0;
    for (int k = 0; k < p->n; k++) {
        double last = chart_last(c, p->column[k]);
        struct svg_point end = {0, isnan(last) ? 0 : frame_y(f, last), p->column[k]};
        int i = n;
        if (isnan(last))
            continue;
        for (n++; i > 0 && at[i - 1].y > end.y; i--)
            at[i] = at[i - 1];
        at[i] = end;
    }
    double bottom = f->y + f->h - LINE * (n - 1);
    for (int i = 0; i < n; i++, bottom += LINE) {
        double y = i && at[i].y < at[i - 1].y + LINE ? at[i - 1].y + LINE : at[i].y;
        at[i].y = y < bottom ? y : bottom;
        svg_name(w, c, at[i].i, f->x + f->w + 10, at[i].y + 4);
    }
}

static void svg_legend(struct textw *w, const struct chart *c, const struct chart_panel *p)
{
    double x = LEFT, y = TOP - 22;
    for (int k = 0; k < p->n; k++) {
        const char *name = c->name[p->column[k]];
        textw_add(w, "<path class=\"key s%d\" d=\"M%.1f %.1fh22\"/>\n", (int)chart_role(name), x,
                  y - 4);
        svg_text(w, "soft", x + 28, y, name);
        x += 52 + 6.5 * (double)strlen(name);
    }
}

// ---- Panels ----

static void svg_panel(struct textw *w, const struct chart *c, const struct svg_frame *f,
                      const struct chart_panel *p)
{
    svg_gaps(w, c, f);
    svg_grid(w, f);
    for (int k = 0; k < p->n; k++)
        svg_curve(w, c, f, p->column[k]);
    svg_best(w, c, f);
    if (f->values.empty)
        svg_text(w, "soft mid", f->x + f->w / 2, f->y + f->h / 2, "no values");
}

static void svg_large(struct textw *w, const struct chart *c, const struct chart_panel *p)
{
    struct svg_frame f = {
        LEFT, TOP, WIDE - LEFT - RIGHT, LARGE_H, chart_axis_epochs(c, 10), chart_axis_fit(c, p, 6),
        true};
    svg_panel(w, c, &f, p);
    svg_legend(w, c, p);
    svg_end_names(w, c, &f, p);
    if (f.values.log)
        svg_text(w, "soft end", f.x - 8, f.y - 12, "log scale");
    svg_text(w, "soft mid", f.x + f.w / 2, f.y + f.h + 36, "epoch");
}

static void svg_small(struct textw *w, const struct chart *c, const struct chart_panel *p, size_t i)
{
    double x = EDGE + (double)(i % ACROSS) * CELL_W,
           y = TOP + LARGE_H + BELOW + (double)(i / ACROSS) * CELL_H;
    struct svg_frame f = {x + SMALL_LEFT, y + SMALL_TOP,           CELL_W - SMALL_LEFT - 14,
                          SMALL_H,        chart_axis_epochs(c, 5), chart_axis_fit(c, p, 3),
                          false};
    svg_panel(w, c, &f, p);
    for (int k = 0; k < p->n; k++)
        svg_name(w, c, p->column[k], f.x + k * f.w / p->n, f.y - 10);
}

// ---- The document ----

static void svg_style(struct textw *w)
{
    textw_add(w, "<style>text{font:11px system-ui,sans-serif;fill:#24292f}"
                 ".title{font-size:16px;font-weight:600}.soft,.tick{fill:#656d76}"
                 ".mid{text-anchor:middle}.end{text-anchor:end}.name{font-weight:600}"
                 ".page{fill:#fff}.grid,.axis,.best{fill:none;stroke:#d8dee4}.axis{stroke:#8c959f}"
                 ".halo{paint-order:stroke;stroke:#fff;stroke-width:4px;fill:#656d76}"
                 ".best{stroke:#8c959f;stroke-dasharray:4 3}.gap{fill:#8c959f;opacity:.15}\n");
    textw_add(w, ".line,.dot,.key{fill:none;stroke-width:1.6;stroke-linejoin:round;"
                 "stroke-linecap:round}.line.s2{stroke-width:2.4}.dot{stroke-width:5}.dense "
                 ".line{stroke-width:.8}\n"
                 ".s0{stroke:#57606a}.s1{stroke:#0072b2}.s2{stroke:#d55e00}.s3{stroke:#009e73}"
                 ".t0{fill:#57606a}.t1{fill:#0072b2}.t2{fill:#b84f00}.t3{fill:#00795a}\n");
    textw_add(w, "@media(prefers-color-scheme:dark){text{fill:#e6edf3}.soft,.tick{fill:#9198a1}"
                 ".page{fill:#0d1117}.halo{stroke:#0d1117;fill:#9198a1}.grid{stroke:#262c36}.axis,."
                 "best{stroke:#6e7681}\n"
                 ".s0{stroke:#b1bac4}.s1{stroke:#56b4e9}.s2{stroke:#e69f00}.s3{stroke:#4fd6a5}"
                 ".t0{fill:#b1bac4}.t1{fill:#56b4e9}.t2{fill:#e69f00}.t3{fill:#4fd6a5}}</style>\n");
}

static void svg_last_values(struct textw *w, const struct chart *c)
{
    char number[CHART_LABEL];
    textw_add(w, " Last values:");
    for (size_t k = 0; k < c->n_column; k++) {
        double last = chart_last(c, k);
        textw_add(w, "%s ", k ? "," : "");
        textw_xml(w, c->name[k]);
        textw_add(w, " %s", isnan(last) ? "none" : chart_number(last, number));
    }
    textw_add(w, ".");
}

static void svg_begin(struct textw *w, const struct chart *c, int height)
{
    char words[CHART_WORDS];
    textw_add(w,
              "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" "
              "viewBox=\"0 0 %d %d\" class=\"%s\" role=\"img\" aria-labelledby=\"title words\">\n"
              "<title id=\"title\">",
              WIDE, height, WIDE, height, c->n > DENSE ? "dense" : "sparse");
    textw_xml(w, c->title);
    textw_add(w, "</title>\n<desc id=\"words\">");
    textw_add(w, "%s", chart_words(c, words));
    svg_last_values(w, c);
    textw_add(w, "</desc>\n");
    svg_style(w);
    textw_add(w, "<rect class=\"page\" width=\"100%%\" height=\"100%%\"/>\n");
    svg_text(w, "title", EDGE, 30, c->title);
    svg_text(w, "soft", EDGE, 48, words);
}

static const char *chart_write_svg(const void *model, size_t *len, struct arena *a, struct err *e)
{
    const struct chart *c = model;
    struct chart_panel *panel = arena_alloc(a, c->n_column, sizeof *panel);
    struct textw w;
    if (!panel) {
        arena_fail(a, e, "the picture has too many curves");
        return NULL;
    }
    size_t n = chart_panels(c, panel), small = c->n && n ? n - 1 : 0;
    textw_init(&w, a);
    svg_begin(&w, c, TOP + LARGE_H + BELOW + (int)((small + ACROSS - 1) / ACROSS) * CELL_H);
    if (c->n && n)
        svg_large(&w, c, &panel[0]);
    else
        svg_text(&w, "soft mid", WIDE / 2, TOP + LARGE_H / 2, "There is nothing to draw yet.");
    for (size_t i = 0; i < small; i++)
        svg_small(&w, c, &panel[1 + i], i);
    textw_add(&w, "</svg>\n");
    return textw_end(&w, len, e);
}

const struct rendering chart_svg = {.name = "svg",
                                    .media = "image/svg+xml",
                                    .doc = "A picture of the curves.",
                                    .write = chart_write_svg};
