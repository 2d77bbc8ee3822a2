// SPDX-License-Identifier: MIT
#pragma once

// What the terminal can show, and printing that cannot upset it. One thread; nothing to free.

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

struct term {
    bool tty;          // somebody watches: lines may be drawn over
    bool colour;       // a terminal, and NO_COLOR is not set
    bool unicode;      // the locale's encoding is UTF-8
    int width, height; // in cells; 80 x 20 when unknown
};

// Looks at the stream, at COLUMNS and LINES, at NO_COLOR and TERM, and at the locale, which main()
// has set.
struct term term_look(FILE *f);

// The sequence to switch a colour on ("36"), or "" when there are no colours; "0" switches it off.
const char *term_colour(const struct term *t, const char *code, char out[12]);

// As printf(), for whatever a table, a server or a command line may have had a hand in: characters
// that a terminal might obey (utf8.h) are shown as \x1b or \u202e, and so are bytes that are no
// characters. Only line ends at the end of `fmt` are what they are; colours are printed past it.
__attribute__((format(printf, 2, 3))) void say(FILE *f, const char *fmt, ...);
void say_list(FILE *f, const char *fmt, va_list args);

// The same for one piece of a text; characters in `plain` are left as they are.
void say_text(FILE *f, const char *text, const char *plain);

// A bar of `cells` characters, filled to `fraction` (clamped to 0..1), in eighths of a cell.
void term_bar(FILE *f, const struct term *t, int cells, double fraction);

// "1.2 s", "48 s", "3 min 20 s", "2 h 5 min"; "" for what is not a time.
void term_duration(double seconds, char out[32]);
