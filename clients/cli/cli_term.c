// SPDX-License-Identifier: MIT
// See cli_term.h. Block characters and braille only in UTF-8, colours only for people. Whatever
// comes from the daemon is printed with its control characters escaped: a name must not be able to
// drive a terminal.

#include "clients/cli/cli_term.h"

#include "engine/base/utf8.h"

#include <langinfo.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { WIDTH = 80, HEIGHT = 20, LEAST = 20, MOST = 1000 };

static int from_environment(const char *name, int otherwise)
{
    const char *text = getenv(name);
    long n = text ? strtol(text, NULL, 10) : 0;
    return n >= LEAST / 2 && n <= MOST ? (int)n : otherwise;
}

struct term term_look(FILE *f)
{
    struct winsize size = {0};
    const char *name = getenv("TERM"), *no_colour = getenv("NO_COLOR");
    struct term t = {.tty = isatty(fileno(f)), .width = WIDTH, .height = HEIGHT};
    if (t.tty && !ioctl(fileno(f), TIOCGWINSZ, &size) && size.ws_col >= LEAST &&
        size.ws_row >= LEAST / 2) {
        t.width = size.ws_col < MOST ? size.ws_col : MOST;
        t.height = size.ws_row < MOST ? size.ws_row : MOST;
    }
    t.width = from_environment("COLUMNS", t.width);
    t.height = from_environment("LINES", t.height);
    t.tty = t.tty && !(name && !strcmp(name, "dumb"));
    t.colour = t.tty && !(no_colour && *no_colour);
    t.unicode = !strcmp(nl_langinfo(CODESET), "UTF-8");
    return t;
}

const char *term_colour(const struct term *t, const char *code, char out[12])
{
    snprintf(out, 12, "\033[%sm", code);
    return t->colour ? out : "";
}

static void put_character(FILE *f, const char *s, size_t n, const char *plain)
{
    unsigned code = utf8_code(s);
    if (!utf8_is_control(code) || (code < 0x80 && strchr(plain, (int)code)))
        fwrite(s, 1, n, f);
    else
        fprintf(f, code < 0x80 ? "\\x%02x" : "\\u%04x", code);
}

void say_text(FILE *f, const char *text, const char *plain)
{
    for (size_t left = strlen(text), n; left; text += n, left -= n) {
        n = utf8_char(text, left);
        if (n)
            put_character(f, text, n, plain);
        else
            fprintf(f, "\\x%02x", (unsigned char)*text);
        n += n == 0;
    }
}

static size_t line_ends(const char *fmt)
{
    size_t n = 0;
    for (const char *end = fmt + strlen(fmt); end > fmt && end[-1] == '\n'; end--)
        n++;
    return n;
}

void say_list(FILE *f, const char *fmt, va_list args)
{
    char *text;
    size_t ends = line_ends(fmt);
    if (vasprintf(&text, fmt, args) < 0)
        abort();
    text[strlen(text) - ends] = '\0';
    say_text(f, text, "");
    for (free(text); ends; ends--)
        fputc('\n', f);
}

void say(FILE *f, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    say_list(f, fmt, args);
    va_end(args);
}

void term_bar(FILE *f, const struct term *t, int cells, double fraction)
{
    static const char *const part[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
    double share = fraction >= 0 ? fmin(fraction, 1) : 0;
    int eighths = (int)(share * cells * 8), full = eighths / 8, used = full;
    for (int i = 0; i < full; i++)
        fputs(t->unicode ? "█" : "#", f);
    if (t->unicode && eighths % 8) {
        fputs(part[eighths % 8], f);
        used++;
    }
    fprintf(f, "%*s", cells - used, "");
}

void term_duration(double seconds, char out[32])
{
    bool fine = isfinite(seconds) && seconds >= 0 && seconds < 1e9;
    long s = fine ? lround(seconds) : 0;
    if (!fine)
        out[0] = '\0';
    else if (seconds < 9.95)
        snprintf(out, 32, "%.1f s", seconds);
    else if (s < 60)
        snprintf(out, 32, "%ld s", s);
    else if (s < 3600)
        snprintf(out, 32, "%ld min %ld s", s / 60, s % 60);
    else
        snprintf(out, 32, "%ld h %ld min", s / 3600, s / 60 % 60);
}
