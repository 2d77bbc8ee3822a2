// SPDX-License-Identifier: MIT
// The writer: see jsonw.h. The buffer doubles in the arena; what it leaves behind there is at most
// as much again as the text. Text is copied in runs between characters that need an escape: those
// of RFC 8259, and whatever a terminal might obey (utf8.h), for answers are read in terminals.
// Bytes that are not UTF-8 (a name out of an old file) are written as U+FFFD, so the result is
// always valid.

#include "api/json/jsonw.h"

#include "engine/base/utf8.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_SIZE = 512, NUMBER_MAX = 32 };

void jsonw_init(struct jsonw *w, struct arena *a)
{
    *w = (struct jsonw){.arena = a};
}

static bool reserve(struct jsonw *w, size_t more)
{
    if (w->full)
        return false;
    if (more < w->max - w->len)
        return true;
    size_t max = w->max ? w->max : FIRST_SIZE;
    while (max - w->len <= more)
        max *= 2;
    char *text = arena_alloc(w->arena, max, 1);
    if (!text) {
        w->full = true;
        return false;
    }
    if (w->len)
        memcpy(text, w->text, w->len);
    w->text = text;
    w->max = max;
    return true;
}

void jsonw_reserve(struct jsonw *w, size_t bytes)
{
    reserve(w, bytes);
}

static void jsonw_put(struct jsonw *w, const char *s, size_t len)
{
    if (!reserve(w, len))
        return;
    memcpy(w->text + w->len, s, len);
    w->len += len;
}

static void put_char(struct jsonw *w, char c)
{
    jsonw_put(w, &c, 1);
}

static void put_escape(struct jsonw *w, unsigned c)
{
    static const char *const shorts[] = {
        ['\b'] = "\\b", ['\t'] = "\\t", ['\n'] = "\\n", ['\f'] = "\\f",
        ['\r'] = "\\r", ['"'] = "\\\"", ['\\'] = "\\\\"};
    char code[8];
    if (c < sizeof shorts / sizeof *shorts && shorts[c])
        jsonw_put(w, shorts[c], 2);
    else
        jsonw_put(w, code, (size_t)snprintf(code, sizeof code, "\\u%04x", c));
}

// Length of the run at s that can be copied as it is. `raw`: JSON text, in which quotes and
// backslashes stand for themselves and no character below a blank is within a string.
static size_t plain_run(const char *s, size_t len, bool raw)
{
    size_t i = 0, step;
    for (; i < len; i += step) {
        unsigned char c = (unsigned char)s[i];
        step = c < 0x80 ? 1 : utf8_char(s + i, len - i);
        bool special = c < 0x20 || c == '"' || c == '\\';
        if ((special && !raw) || c == 0x7f ||
            (c >= 0x80 && (step == 0 || utf8_is_control(utf8_code(s + i)))))
            break;
    }
    return i;
}

// The character at s, which no run takes; returns its length.
static size_t put_special(struct jsonw *w, const char *s, size_t len)
{
    size_t n = utf8_char(s, len);
    if (n)
        put_escape(w, utf8_code(s));
    else
        jsonw_put(w, "\xEF\xBF\xBD", 3);
    return n ? n : 1;
}

static void jsonw_put_text(struct jsonw *w, const char *s, size_t len, bool raw)
{
    for (size_t at = 0; at < len;) {
        size_t run = plain_run(s + at, len - at, raw);
        jsonw_put(w, s + at, run);
        at += run;
        if (at < len)
            at += put_special(w, s + at, len - at);
    }
}

static void jsonw_put_quoted(struct jsonw *w, const char *s, size_t len)
{
    put_char(w, '"');
    jsonw_put_text(w, s, len, false);
    put_char(w, '"');
}

// What comes before every value: the comma, and the key in an object.
static void jsonw_begin(struct jsonw *w, const char *key)
{
    bool in_object = w->depth && w->close[w->depth - 1] == '}';
    BUG(in_object != (key != NULL));
    BUG(w->depth == 0 && w->has_member[0]);
    if (w->has_member[w->depth])
        put_char(w, ',');
    w->has_member[w->depth] = true;
    if (key) {
        jsonw_put_quoted(w, key, strlen(key));
        put_char(w, ':');
    }
}

static void open_with(struct jsonw *w, const char *key, char bracket, char close)
{
    jsonw_begin(w, key);
    BUG(w->depth == JSONW_DEPTH);
    put_char(w, bracket);
    w->close[w->depth++] = close;
    w->has_member[w->depth] = false;
}

void jsonw_object(struct jsonw *w, const char *key)
{
    open_with(w, key, '{', '}');
}

void jsonw_array(struct jsonw *w, const char *key)
{
    open_with(w, key, '[', ']');
}

void jsonw_end(struct jsonw *w)
{
    BUG(w->depth == 0);
    put_char(w, w->close[--w->depth]);
}

void jsonw_chars(struct jsonw *w, const char *key, const char *s, size_t len)
{
    jsonw_begin(w, key);
    jsonw_put_quoted(w, s, len);
}

void jsonw_string(struct jsonw *w, const char *key, const char *s)
{
    if (s)
        jsonw_chars(w, key, s, strlen(s));
    else
        jsonw_null(w, key);
}

void jsonw_int(struct jsonw *w, const char *key, int64_t value)
{
    char text[NUMBER_MAX];
    jsonw_begin(w, key);
    jsonw_put(w, text, (size_t)snprintf(text, sizeof text, "%lld", (long long)value));
}

void jsonw_bool(struct jsonw *w, const char *key, bool value)
{
    jsonw_json(w, key, value ? "true" : "false");
}

void jsonw_null(struct jsonw *w, const char *key)
{
    jsonw_json(w, key, "null");
}

void jsonw_real(struct jsonw *w, const char *key, double value)
{
    char text[NUMBER_MAX];
    if (!isfinite(value)) {
        jsonw_null(w, key);
        return;
    }
    int len = snprintf(text, sizeof text, "%.15g", value);
    if (strtod(text, NULL) != value)
        len = snprintf(text, sizeof text, "%.17g", value);
    jsonw_begin(w, key);
    jsonw_put(w, text, (size_t)len);
}

void jsonw_about(struct jsonw *w, const char *key, double value, double error)
{
    char text[NUMBER_MAX];
    if (!isfinite(value) || !(error > 0)) {
        jsonw_real(w, key, value);
        return;
    }
    double digits = value == 0 ? 1 : 1 + floor(log10(fabs(value))) - floor(log10(error));
    int n = digits < 1 ? 1 : digits > 17 ? 17 : (int)digits;
    jsonw_begin(w, key);
    jsonw_put(w, text, (size_t)snprintf(text, sizeof text, "%.*g", n, value));
}

void jsonw_float(struct jsonw *w, const char *key, float value)
{
    char text[NUMBER_MAX];
    if (!isfinite(value)) {
        jsonw_null(w, key);
        return;
    }
    int len = snprintf(text, sizeof text, "%.7g", (double)value);
    if (strtof(text, NULL) != value)
        len = snprintf(text, sizeof text, "%.9g", (double)value);
    jsonw_begin(w, key);
    jsonw_put(w, text, (size_t)len);
}

void jsonw_raw(struct jsonw *w, const char *key, struct json_span raw)
{
    jsonw_begin(w, key);
    if (raw.at)
        jsonw_put_text(w, raw.at, raw.len, true);
    else
        jsonw_put(w, "null", 4);
}

void jsonw_json(struct jsonw *w, const char *key, const char *json)
{
    jsonw_raw(w, key, (struct json_span){json, strlen(json)});
}

void jsonw_lacks(struct jsonw *w, const char *key)
{
    w->lacks = w->lacks ? w->lacks : key;
}

const char *jsonw_text(struct jsonw *w, size_t *len, struct err *e)
{
    BUG(w->depth || !w->has_member[0]);
    if (w->lacks) {
        fail(e, ERR_INTERNAL, "the answer has no \"%s\"", w->lacks);
        return NULL;
    }
    if (!reserve(w, 1)) {
        fail(e, ERR_TOO_LARGE, "the answer is larger than a request may take");
        return NULL;
    }
    w->text[w->len] = '\0';
    if (len)
        *len = w->len;
    return w->text;
}

const char *jsonw_line(struct jsonw *w, size_t *len, struct err *e)
{
    BUG(w->depth || !w->has_member[0]);
    if (reserve(w, 1))
        w->text[w->len++] = '\n';
    return jsonw_text(w, len, e);
}
