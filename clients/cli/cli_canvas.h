// SPDX-License-Identifier: MIT
#pragma once

// A drawing area of braille dots (2 x 4 of them in a character), with a layer for each curve. Used
// by `plot`; the caller releases it.

#include "clients/cli/cli_term.h"

#include <stdint.h>

enum { CANVAS_LAYERS = 2 };

struct canvas {
    int width, height; // in characters
    uint8_t *dots;     // [layer][height][width], a bit per dot as Unicode numbers them
};

// Aborts when there is no memory: a canvas is a few kilobytes.
void canvas_init(struct canvas *c, int width, int height);
void canvas_release(struct canvas *c);

// A line between two dots, (0, 0) at the upper left; every `gap`-th dot is drawn. Dots outside of
// the area are left out.
void canvas_line(struct canvas *c, int layer, int x0, int y0, int x1, int y1, int gap);

// Print a row of characters, without a line end. Without Unicode a layer is `mark[layer]`. Where
// layers meet, the last one gives the colour.
void canvas_row(const struct canvas *c, FILE *f, const struct term *t, int row,
                const char *const colour[CANVAS_LAYERS], const char mark[CANVAS_LAYERS]);
