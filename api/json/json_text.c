// SPDX-License-Identifier: MIT
// Strings of JSON: see json_text.h. The text ends with a NUL, which no string may hold, so no loop
// compares with the end.

#include "api/json/json_text.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

static bool is_tail(char c)
{
    return ((unsigned char)c & 0xC0) == 0x80;
}

size_t utf8_length(const char *p)
{
    unsigned char a = (unsigned char)p[0], b = a ? (unsigned char)p[1] : 0;
    if (a < 0x80)
        return a != 0;
    if (a < 0xC2 || a > 0xF4 || !is_tail(p[1]))
        return 0;
    if (a < 0xE0)
        return 2;
    if (a == 0xE0 ? b < 0xA0 : a == 0xED ? b > 0x9F : a == 0xF0 ? b < 0x90 : a == 0xF4 && b > 0x8F)
        return 0; // too long for its value, a surrogate, or beyond U+10FFFF
    if (!is_tail(p[2]))
        return 0;
    if (a < 0xF0)
        return 3;
    return is_tail(p[3]) ? 4 : 0;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// The four hex digits at p, or -1.
static int hex4(const char *p)
{
    int code = 0;
    for (int i = 0; i < 4; i++) {
        int digit = hex_value(p[i]);
        if (digit < 0)
            return -1;
        code = code * 16 + digit;
    }
    return code;
}

static bool is_high(int code)
{
    return code >= 0xD800 && code < 0xDC00;
}

static bool is_low(int code)
{
    return code >= 0xDC00 && code < 0xE000;
}

// An escape's text after the backslash, mapped to what it stands for.
static char simple_escape(char c)
{
    switch (c) {
    case 'b':
        return '\b';
    case 'f':
        return '\f';
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case 't':
        return '\t';
    case '"':
    case '\\':
    case '/':
        return c;
    default:
        return 0;
    }
}

// A string being checked.
struct text_cursor {
    const char *at, *end;
    char *why;
    size_t max;
};

__attribute__((format(printf, 2, 3))) static bool stop(struct text_cursor *c, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    vsnprintf(c->why, c->max, fmt, args);
    va_end(args);
    return false;
}

static bool unicode_escape(struct text_cursor *c)
{
    int code = hex4(c->at + 2);
    if (code < 0)
        return stop(c, "expected four hex digits after \\u");
    if (code == 0)
        return stop(c, "\\u0000 is not allowed in a string");
    bool pair = is_high(code) && c->at[6] == '\\' && c->at[7] == 'u' && is_low(hex4(c->at + 8));
    if (is_low(code) || (is_high(code) && !pair))
        return stop(c, "\\u%04x is half of a surrogate pair", (unsigned)code);
    c->at += pair ? 12 : 6;
    return true;
}

static bool escape(struct text_cursor *c)
{
    if (c->at[1] == 'u')
        return unicode_escape(c);
    if (!simple_escape(c->at[1]))
        return stop(c, "expected one of \"\\/bfnrtu after a backslash");
    c->at += 2;
    return true;
}

// Anything in a string that is not plain ASCII.
static bool special(struct text_cursor *c)
{
    unsigned char byte = (unsigned char)*c->at;
    if (byte == '\\')
        return escape(c);
    if (c->at == c->end)
        return stop(c, "expected a closing quote, but the text ends here");
    if (byte < 0x20)
        return stop(c, "control character 0x%02x must be escaped", byte);
    size_t len = utf8_length(c->at);
    c->at += len;
    return len || stop(c, "byte 0x%02x is not valid UTF-8", byte);
}

const char *json_string_check(const char *p, const char *end, bool *escaped, const char **bad,
                              char *why, size_t max)
{
    struct text_cursor c = {p + 1, end, why, max};
    *escaped = false;
    while (*c.at != '"') {
        if ((signed char)*c.at >= 0x20 && *c.at != '\\') {
            c.at++;
            continue;
        }
        *escaped |= *c.at == '\\';
        if (!special(&c)) {
            *bad = c.at;
            return NULL;
        }
    }
    return c.at + 1;
}

static size_t utf8_encode(uint32_t code, char *out)
{
    size_t len = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    static const unsigned char lead[] = {0, 0, 0xC0, 0xE0, 0xF0};
    for (size_t i = len - 1; i > 0; i--, code >>= 6)
        out[i] = (char)(0x80 | (code & 0x3F));
    out[0] = (char)(lead[len] | code);
    return len;
}

static size_t unescape_unicode(const char **p, char *out)
{
    uint32_t code = (uint32_t)hex4(*p + 2);
    *p += 6;
    if (is_high((int)code)) {
        code = 0x10000 + ((code - 0xD800) << 10) + ((uint32_t)hex4(*p + 2) - 0xDC00);
        *p += 6;
    }
    return utf8_encode(code, out);
}

size_t json_unescape(const char **p, char *out)
{
    const char *first = out;
    for (++*p; **p != '"';) {
        if (**p != '\\') {
            *out++ = *(*p)++;
        } else if ((*p)[1] == 'u') {
            out += unescape_unicode(p, out);
        } else {
            *out++ = simple_escape((*p)[1]);
            *p += 2;
        }
    }
    ++*p;
    return (size_t)(out - first);
}
