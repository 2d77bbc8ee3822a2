// SPDX-License-Identifier: MIT
// See cli_canvas.h. A braille character is U+2800 plus a byte with a bit for each dot.

#include "clients/cli/cli_canvas.h"

#include <stdlib.h>

// Bit of a dot by its column and row within the character.
static const uint8_t dot_bit[2][4] = {{0x01, 0x02, 0x04, 0x40}, {0x08, 0x10, 0x20, 0x80}};

void canvas_init(struct canvas *c, int width, int height)
{
    *c = (struct canvas){width, height, calloc((size_t)width * (size_t)height, CANVAS_LAYERS)};
    if (!c->dots)
        abort();
}

void canvas_release(struct canvas *c)
{
    free(c->dots);
}

static uint8_t *cell(const struct canvas *c, int layer, int column, int row)
{
    return &c->dots[(layer * c->height + row) * c->width + column];
}

static void dot(struct canvas *c, int layer, int x, int y)
{
    if (x >= 0 && y >= 0 && x < 2 * c->width && y < 4 * c->height)
        *cell(c, layer, x / 2, y / 4) |= dot_bit[x % 2][y % 4];
}

void canvas_line(struct canvas *c, int layer, int x0, int y0, int x1, int y1, int gap)
{
    int dx = abs(x1 - x0), dy = abs(y1 - y0), n = dx > dy ? dx : dy;
    for (int i = 0; i <= n; i++) {
        int x = n ? x0 + (x1 - x0) * i / n : x0, y = n ? y0 + (y1 - y0) * i / n : y0;
        if ((dx >= dy ? x : y) % gap == 0)
            dot(c, layer, x, y);
    }
}

static void put_braille(FILE *f, uint8_t dots)
{
    const char utf8[] = {(char)0xe2, (char)(0xa0 | dots >> 6), (char)(0x80 | (dots & 0x3f)), 0};
    fputs(utf8, f);
}

void canvas_row(const struct canvas *c, FILE *f, const struct term *t, int row,
                const char *const colour[CANVAS_LAYERS], const char mark[CANVAS_LAYERS])
{
    char on[12], off[12];
    for (int x = 0; x < c->width; x++) {
        uint8_t all = 0;
        int top = -1;
        for (int k = 0; k < CANVAS_LAYERS; k++)
            if (*cell(c, k, x, row)) {
                all |= *cell(c, k, x, row);
                top = k;
            }
        if (top < 0) {
            fputc(' ', f);
            continue;
        }
        fputs(term_colour(t, colour[top], on), f);
        if (t->unicode)
            put_braille(f, all);
        else
            fputc(mark[top], f);
        fputs(term_colour(t, "0", off), f);
    }
}
