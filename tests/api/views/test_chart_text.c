// SPDX-License-Identifier: MIT
// Plots for terminals: 72 columns of every chart, and dots where they belong, read back from the
// Braille.

#include "tests/api/views/chartlab.h"
#include "tests/harness.h"
#include "engine/base/utf8.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { WIDE = 72, LINES = 30, X = 120, Y = 52 };

static const char *const losses[] = {"train_loss", "val_loss", ""};

LOOP_TEST(every_plot_is_text_of_so_many_columns, 20)
{
    const char *text = lab_write(lab_odd((size_t)_i), &chart_text);
    size_t lines = 0;
    ck_assert(utf8_valid(text, strlen(text)));
    for (const char *end; *text; text = end + 1, lines++) {
        size_t columns = 0;
        end = strchr(text, '\n');
        for (const char *p = text; p < end; p += utf8_char(p, (size_t)(end - p)), columns++)
            ck_assert(!utf8_is_control(utf8_code(p)));
        ck_assert_msg(columns <= WIDE, "%.*s", (int)(end - text), text);
        ck_assert_msg(end == text || end[-1] != ' ', "%.*s", (int)(end - text), text);
    }
    ck_assert_uint_le(lines, LINES);
    ck_assert_uint_ge(lines, 2);
}

// The dots of a plot; y from the top.
static void read_dots(const char *text, bool dot[Y][X])
{
    int row = 0;
    memset(dot, 0, Y * sizeof *dot);
    for (const char *line = text; *line; line = strchr(line, '\n') + 1) {
        static const char *const border[] = {" │", " ┤"};
        const char *end = strchr(line, '\n'), *at = NULL;
        for (int k = 0; k < 2; k++) {
            const char *found = strstr(line, border[k]);
            at = found && found < end ? found + strlen(border[k]) : at;
        }
        for (int x = 0; at && at < end; x += 2, at += utf8_char(at, (size_t)(end - at))) {
            static const int bit[4][2] = {{0, 3}, {1, 4}, {2, 5}, {6, 7}};
            unsigned bits = *at == ' ' ? 0 : utf8_code(at) - 0x2800;
            ck_assert(bits < 256 && x < X && row < Y / 4);
            for (int y = 0; y < 4; y++)
                for (int k = 0; k < 2; k++)
                    dot[4 * row + y][x + k] = bits >> bit[y][k] & 1;
        }
        row += strstr(line, " │") == line + 9 || strstr(line, " ┤") == line + 9;
    }
    ck_assert_int_eq(row, Y / 4);
}

static int dots_in(const bool *row)
{
    int n = 0;
    for (int x = 0; x < X; x++)
        n += row[x];
    return n;
}

TEST(validation_is_a_solid_line_and_training_a_dotted_one)
{
    struct chart *c = lab_chart(50, losses);
    bool dot[Y][X];
    int solid = -1, dotted = -1;
    for (size_t i = 0; i < 50; i++) {
        lab_set(c, i, 0, 1);
        lab_set(c, i, 1, 2);
    }
    const char *text = lab_write(c, &chart_text);
    read_dots(text, dot);
    for (int y = 0; y < Y; y++) {
        int n = dots_in(dot[y]);
        ck_assert(n == 0 || n == X || (n >= X / 3 - 1 && n <= X / 3 + 2));
        solid = n == X ? y : solid;
        dotted = n && n < X ? y : dotted;
    }
    ck_assert(solid >= 0 && dotted > solid);
    ck_assert_ptr_nonnull(strstr(text, "⠄⠠⠄ train_loss 1   ⠤⠤⠤ val_loss 2\n"));
}

TEST(a_falling_curve_falls_and_a_gap_is_empty)
{
    static const char *const one[] = {"val_loss", ""};
    struct chart *c = lab_chart(40, one);
    bool dot[Y][X];
    for (size_t i = 0; i < 40; i++) {
        lab_epoch(c, i, (int64_t)i + 1 + (i >= 20 ? 60 : 0)); // 1 to 20, 81 to 100
        lab_set(c, i, 0, 101 - (double)c->epoch[i]);
    }
    read_dots(lab_write(c, &chart_text), dot);
    for (int x = 0, last = 0; x < X; x++) {
        bool inside = x > 23 && x < 96;
        int n = 0, sum = 0;
        for (int y = 0; y < Y; y++)
            if (dot[y][x]) {
                n++;
                sum += y;
            }
        ck_assert_msg(inside == !n, "column %d", x);
        ck_assert(!n || sum / n >= last);
        last = n ? sum / n : last;
    }
    ck_assert(dot[0][0] && (dot[Y - 1][X - 1] || dot[Y - 2][X - 1]));
}

// However noisy, a column of dots shows one mean of each curve.
TEST(long_curves_stay_apart)
{
    enum { N = 100000 };
    struct chart *c = lab_chart(N, losses);
    bool dot[Y][X];
    for (size_t i = 0; i < N; i++) {
        lab_set(c, i, 0, 1 + (double)(i * 7919 % 1000) / 1000);
        lab_set(c, i, 1, 1.4 + (double)(i * 104729 % 1000) / 1000);
    }
    read_dots(lab_write(c, &chart_text), dot);
    int most = 0;
    for (int y = 0; y < Y; y++)
        most += dots_in(dot[y]) > 0;
    ck_assert_int_le(most, 6);
}

TEST(the_best_epoch_stands_below_its_mark)
{
    struct chart *c = lab_chart(101, losses);
    c->best = 51;
    const char *text = lab_write(c, &chart_text);
    const char *mark = strstr(text, "┴"), *best = strstr(text, "best 51\n"), *row;
    ck_assert_ptr_null(best); // the last epoch follows
    best = strstr(strchr(mark, '\n'), "best 51");
    row = strchr(mark, '\n') + 1;
    int at = 0;
    for (const char *p = strstr(text, "└"); p < mark; p += 3)
        at++;
    ck_assert_int_eq((int)(best - row) + 3, 10 + at);
    ck_assert_ptr_nonnull(strstr(best, " 101\n"));
}

TEST(further_columns_are_lines_of_blocks)
{
    static const char *const name[] = {"val_loss", "lr", "val_f1", ""};
    struct chart *c = lab_chart(8, name);
    for (size_t i = 0; i < 8; i++) {
        lab_set(c, i, 1, (double)i);
        lab_set(c, i, 2, NAN);
    }
    const char *text = lab_write(c, &chart_text);
    ck_assert_ptr_nonnull(strstr(text, "\nval_f1  "));
    ck_assert_ptr_nonnull(strstr(text, " no values\n"));
    const char *lr = strstr(text, "\nlr  "), *low = strstr(lr, "▁"), *high = strstr(lr, "█");
    ck_assert(low && high && low < high && high < strstr(lr, " 7\n"));
}

TEST(a_job_without_epochs_says_so)
{
    ck_assert_str_eq(lab_write(lab_chart(0, losses), &chart_text), "job 7: iris\nNo epoch yet.\n");
}
