// SPDX-License-Identifier: MIT
// Pictures of charts: XML of every chart, points where they belong, gaps, and a bound on bytes.

#include "tests/api/views/chartlab.h"
#include "tests/api/views/xmllab.h"
#include "tests/harness.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const losses[] = {"train_loss", "val_loss", ""};

LOOP_TEST(every_picture_is_xml_with_finite_places, 20)
{
    ck_assert_uint_eq(lab_odd_count(), 20);
    const struct chart *c = lab_odd((size_t)_i);
    const char *svg = lab_write(c, &chart_svg);
    expect_xml(svg);
    for (const char *p = svg; (p = strstr(p, "=\"")); p++) // within values of attributes
        for (const char *q = p + 2; *q != '"'; q++)
            ck_assert_msg(strncmp(q, "nan", 3) && strncmp(q, "inf", 3), "%.60s", p);
    ck_assert_ptr_nonnull(strstr(svg, "<title id=\"title\">job 7: iris</title>"));
    ck_assert_ptr_nonnull(strstr(svg, "prefers-color-scheme:dark"));
    ck_assert_ptr_null(strstr(svg, "<script"));
    ck_assert_ptr_null(strstr(svg, "href"));
}

TEST(names_in_a_picture_are_text)
{
    const char *svg = lab_write(lab_odd(18), &chart_svg);
    ck_assert_ptr_nonnull(strstr(svg, "&lt;&quot;&amp;'&gt;"));
    ck_assert_ptr_null(strstr(svg, "<\"&"));
}

// The curve of that class, from its "d" on.
static const char *path_of(const char *svg, const char *class)
{
    char start[64];
    snprintf(start, sizeof start, "<path class=\"%s\" d=\"", class);
    const char *at = strstr(svg, start);
    while (at && !strstr(at, "<title>")) // not a sample of the legend
        at = strstr(at + 1, start);
    return at ? at + strlen(start) : NULL;
}

static size_t letters(const char *path, char c)
{
    size_t n = 0;
    for (; *path != '"'; path++)
        n += *path == c;
    return n;
}

TEST(a_curve_goes_through_its_values_and_breaks_at_gaps)
{
    struct chart *c = lab_chart(7, losses);
    double x[5], y[5];
    for (size_t i = 0; i < 7; i++) {
        lab_epoch(c, i, (int64_t)i + 1 + (i >= 3));
        lab_set(c, i, 0, 1 + (double)i);
        lab_set(c, i, 1, i == 5 ? NAN : 2);
    }
    const char *svg = lab_write(c, &chart_svg), *path = path_of(svg, "line s1");
    ck_assert_ptr_nonnull(path);
    ck_assert_uint_eq(letters(path, 'M'), 2); // epoch 4 is missing
    ck_assert_uint_eq(letters(path, 'L'), 5);
    ck_assert_int_eq(sscanf(path, "M%lf %lfL%lf %lfL%lf %lfM%lf %lfL%lf %lf", &x[0], &y[0], &x[1],
                            &y[1], &x[2], &y[2], &x[3], &y[3], &x[4], &y[4]),
                     10);
    for (int i = 1; i < 5; i++) {
        double steps = i == 3 ? 2 : 1;
        ck_assert_double_eq_tol(x[i] - x[i - 1], steps * (x[1] - x[0]), 0.15);
        ck_assert_double_eq_tol(y[i] - y[i - 1], y[1] - y[0], 0.15);
    }
    ck_assert(x[1] > x[0] && y[1] < y[0]); // up is more
    path = path_of(svg, "line s2");
    ck_assert_uint_eq(letters(path, 'M'), 2);
    path = path_of(svg, "dot s2"); // epoch 8 stands alone
    ck_assert_ptr_nonnull(path);
    ck_assert_uint_eq(letters(path, 'M'), 1);
    ck_assert_uint_eq(xml_count(svg, "class=\"gap\""), 1);
    ck_assert_ptr_null(path_of(svg, "dot s1"));
}

TEST(the_best_epoch_is_marked_where_it_is_shown)
{
    struct chart *c = lab_chart(5, losses);
    ck_assert_ptr_null(strstr(lab_write(c, &chart_svg), "class=\"best\""));
    c->best = 4;
    const char *svg = lab_write(c, &chart_svg);
    ck_assert_uint_eq(xml_count(svg, "class=\"best\""), 1);
    ck_assert_ptr_nonnull(strstr(svg, "best: epoch 4<"));
    c->best = 6;
    ck_assert_ptr_null(strstr(lab_write(c, &chart_svg), "class=\"best\""));
}

TEST(every_measure_has_a_panel_and_every_curve_its_name_and_last_value)
{
    static const char *const name[] = {"train_loss", "lr", "val_loss", "val_accuracy", ""};
    struct chart *c = lab_chart(9, name);
    for (size_t i = 0; i < 9; i++)
        for (size_t k = 0; k < 4; k++)
            lab_set(c, i, k, 1.0 / (double)(k + i + 1));
    const char *svg = lab_write(c, &chart_svg);
    ck_assert_uint_eq(xml_count(svg, "</title></path>"), 4);
    ck_assert_uint_eq(xml_count(svg, ">2</text>"), 3); // a tick of every panel's epochs
    ck_assert_ptr_nonnull(strstr(svg, ">train_loss 0.1111</text>"));
    ck_assert_ptr_nonnull(strstr(svg, ">val_loss 0.09091</text>"));
    ck_assert_ptr_nonnull(strstr(svg, ">lr 0.1</text>"));
    ck_assert_ptr_nonnull(strstr(svg, ">val_accuracy 0.08333</text>"));
}

// Spikes stay however many epochs there are, and bytes do not grow with them.
TEST(a_long_curve_keeps_its_spikes_in_few_bytes)
{
    static const char *const name[] = {"train_loss",   "lr",       "grad_norm",
                                       "seconds",      "val_loss", "val_accuracy",
                                       "val_log_loss", "val_f1",   ""};
    enum { N = 100000, SPIKE = 54321, DIP = 12345 };
    struct chart *c = lab_chart(N, name);
    uint64_t noise = 1;
    for (size_t i = 0; i < N; i++)
        for (size_t k = 0; k < 8; k++) {
            noise = noise * 6364136223846793005u + 1442695040888963407u;
            lab_set(c, i, k, 1 + (double)(noise >> 40) / (1 << 24));
        }
    lab_set(c, SPIKE, 0, 10);
    lab_set(c, DIP, 0, -5);
    for (int odd = 0; odd < 2; odd++) { // every second value missing is the worst case for breaks
        for (size_t i = 0; odd && i < N; i += 2)
            lab_set(c, i, 4, NAN);
        const char *svg = lab_write(c, &chart_svg), *path = path_of(svg, "line s1");
        expect_xml(svg);
        ck_assert_uint_lt(strlen(svg), 200000);
        double x, y, top = INFINITY, at = 0, bottom = 0, down = 0;
        for (; *path != '"'; path += strcspn(path + 1, "ML\"") + 1) {
            ck_assert_int_eq(sscanf(path + 1, "%lf %lf", &x, &y), 2);
            at = y < top ? x : at;
            top = fmin(y, top);
            down = y > bottom ? x : down;
            bottom = fmax(y, bottom);
        }
        ck_assert_double_eq_tol(top, 92, 0.15); // the panel's upper edge
        ck_assert_double_eq_tol(at, 68 + 640.0 * SPIKE / (N - 1), 0.15);
        ck_assert_double_eq_tol(bottom, 92 + 250, 0.15);
        ck_assert_double_eq_tol(down, 68 + 640.0 * DIP / (N - 1), 0.15);
    }
}
