// SPDX-License-Identifier: MIT
// Table 3-7 of the Unicode standard as a table: by lead byte, how many bytes follow and what the
// first of them may be.

#include "utf8.h"

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
