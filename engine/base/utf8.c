// SPDX-License-Identifier: MIT
// Table 3-7 of the Unicode standard as a table: by lead byte, how many bytes follow and what the
// first of them may be.

#include "engine/base/utf8.h"

#include <stdint.h>
#include <string.h>

static const struct lead {
    unsigned char from, to;          // lead bytes
    unsigned char n;                 // continuation bytes
    unsigned char second, second_to; // range of the first of them
} LEADS[] = {
    {0xC2, 0xDF, 1, 0x80, 0xBF}, {0xE0, 0xE0, 2, 0xA0, 0xBF}, {0xE1, 0xEC, 2, 0x80, 0xBF},
    {0xED, 0xED, 2, 0x80, 0x9F}, {0xEE, 0xEF, 2, 0x80, 0xBF}, {0xF0, 0xF0, 3, 0x90, 0xBF},
    {0xF1, 0xF3, 3, 0x80, 0xBF}, {0xF4, 0xF4, 3, 0x80, 0x8F},
};

// Length of the character at s (above ASCII), 0 when it is malformed or cut off.
static size_t character(const unsigned char *s, size_t len)
{
    for (size_t i = 0; i < sizeof LEADS / sizeof *LEADS; i++) {
        const struct lead *l = &LEADS[i];
        if (*s < l->from || *s > l->to)
            continue;
        if (len <= l->n || s[1] < l->second || s[1] > l->second_to)
            return 0;
        for (size_t k = 2; k <= l->n; k++)
            if ((s[k] & 0xC0) != 0x80)
                return 0;
        return l->n + 1;
    }
    return 0;
}

bool utf8_valid(const char *s, size_t len)
{
    const unsigned char *at = (const unsigned char *)s, *end = at + len;
    while (at < end) {
        uint64_t eight;
        if (end - at >= 8 && !(memcpy(&eight, at, 8), eight & UINT64_C(0x8080808080808080))) {
            at += 8;
            continue;
        }
        size_t n = *at < 0x80 ? 1 : character(at, (size_t)(end - at));
        if (n == 0)
            return false;
        at += n;
    }
    return true;
}

size_t utf8_char(const char *s, size_t len)
{
    const unsigned char *at = (const unsigned char *)s;
    return len == 0 ? 0 : *at < 0x80 ? 1 : character(at, len);
}

unsigned utf8_code(const char *s)
{
    const unsigned char *at = (const unsigned char *)s;
    unsigned code = *at;
    if (code < 0x80)
        return code;
    int more = code >= 0xF0 ? 3 : code >= 0xE0 ? 2 : 1;
    code &= 0x3Fu >> more;
    for (int i = 1; i <= more; i++)
        code = code << 6 | (at[i] & 0x3F);
    return code;
}

bool utf8_is_control(unsigned code)
{
    static const struct {
        unsigned from, to;
    } range[] = {{0, 0x1F},        {0x7F, 0x9F},     {0x61C, 0x61C},
                 {0x200E, 0x200F}, {0x2028, 0x202E}, {0x2066, 0x2069}};
    for (size_t i = 0; i < sizeof range / sizeof *range; i++)
        if (code >= range[i].from && code <= range[i].to)
            return true;
    return false;
}

const char *utf8_find_control(const char *s, size_t len)
{
    for (const char *end = s + len; s < end;) {
        size_t n = utf8_char(s, (size_t)(end - s));
        if (n == 0 || utf8_is_control(utf8_code(s)))
            return s;
        s += n;
    }
    return NULL;
}
