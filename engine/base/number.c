// SPDX-License-Identifier: MIT
// A cell is read by a strict grammar, [+-] digits [. digits] [e [+-] digits], that also collects
// up to 19 digits and the power of ten. Where those are small enough for one exact multiplication
// or division (Clinger's fast path: nearly every cell of a real table) the result is already
// correctly rounded; everything else goes through strtod in the C locale. Nothing is allocated.

#include "engine/base/number.h"

#include <locale.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { MAX_DIGITS = 19, EXACT_POWER = 22, LONG_DIGITS = 800 };

static const char *const MISSING[] = {"?", "NA", "N/A", "NaN", "nan", "null", "NULL"};
static const char *const INFINITE[] = {"inf", "infinity"};

struct decimal {
    uint64_t digits; // the first 19 significant ones
    int n;           // how many of them
    long power;      // value = digits * 10^power
    bool negative;
    bool cut; // there were more
};

static bool number_is_digit(const char *s, const char *end)
{
    return s < end && *s >= '0' && *s <= '9';
}

static const char *number_digits(const char *s, const char *end, struct decimal *d, bool fraction)
{
    for (; number_is_digit(s, end); s++) {
        if (d->n < MAX_DIGITS) {
            d->digits = d->digits * 10 + (uint64_t)(*s - '0');
            d->n += d->digits != 0;
            d->power -= fraction;
        } else {
            d->cut = true;
        }
    }
    return s;
}

// The exponent saturates: far beyond a double there is nothing left to tell apart.
static const char *exponent(const char *s, const char *end, struct decimal *d)
{
    bool negative = s < end && *s == '-';
    s += s < end && (*s == '-' || *s == '+');
    if (!number_is_digit(s, end))
        return NULL;
    long value = 0;
    for (; number_is_digit(s, end); s++)
        value = value < 100000000 ? value * 10 + (*s - '0') : value;
    d->power += negative ? -value : value;
    return s;
}

static bool read_decimal(const char *s, const char *end, struct decimal *d)
{
    *d = (struct decimal){.negative = s < end && *s == '-'};
    s += s < end && (*s == '-' || *s == '+');
    const char *begin = s, *point;
    s = point = number_digits(s, end, d, false);
    if (s < end && *s == '.')
        s = number_digits(s + 1, end, d, true);
    if (s - begin - (s != point) <= 0)
        return false;
    if (s < end && (*s | 0x20) == 'e')
        s = exponent(s + 1, end, d);
    return s == end;
}

static double exact(const struct decimal *d)
{
    static const double TEN[EXACT_POWER + 1] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                                1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                                1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    double v = (double)d->digits;
    v = d->power < 0 ? v / TEN[-d->power] : v * TEN[d->power];
    return d->negative ? -v : v;
}

// The digits of a number of any length that can matter: doubles, and what lies halfway between two
// of them, have 767 at most. Of those behind it matters only whether one is not zero.
struct long_decimal {
    char text[LONG_DIGITS + 32];
    size_t n;
    struct decimal d; // its power
    bool rest;
};

static void long_digit(struct long_decimal *l, char c, bool fraction)
{
    if (l->n < LONG_DIGITS) {
        l->text[l->n] = c;
        l->n += l->n > 0 || c != '0';
        l->d.power -= fraction;
    } else {
        l->rest |= c != '0';
        l->d.power += !fraction;
    }
}

static double slow(const char *s, const char *end)
{
    struct long_decimal l = {.n = 0};
    bool negative = *s == '-', fraction = false;
    for (s += *s == '-' || *s == '+'; number_is_digit(s, end) || (s < end && *s == '.'); s++)
        if (*s == '.')
            fraction = true;
        else
            long_digit(&l, *s, fraction);
    if (s < end)
        exponent(s + 1, end, &l.d);
    if (l.rest) {
        l.text[l.n++] = '1';
        l.d.power--;
    }
    snprintf(l.text + l.n, sizeof l.text - l.n, "e%ld", l.d.power);
    locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t)0); // glibc hands out a constant
    double v = l.n ? strtod_l(l.text, NULL, c) : 0;
    freelocale(c);
    return negative ? -v : v;
}

static bool among(const char *const *word, size_t n, const char *s, size_t len,
                  int (*compare)(const char *, const char *, size_t))
{
    for (size_t i = 0; i < n; i++)
        if (strlen(word[i]) == len && compare(word[i], s, len) == 0)
            return true;
    return false;
}

static enum number_kind classify_word(const char *s, size_t len)
{
    size_t sign = len && (*s == '-' || *s == '+');
    if (!len || among(MISSING, sizeof MISSING / sizeof *MISSING, s, len, strncmp))
        return NUMBER_MISSING;
    if (among(INFINITE, sizeof INFINITE / sizeof *INFINITE, s + sign, len - sign, strncasecmp))
        return NUMBER_INFINITE;
    return NUMBER_TEXT;
}

enum number_kind number_parse(const char *text, size_t len, double *value)
{
    const char *s = text, *end = text + len;
    while (s < end && (*s == ' ' || *s == '\t'))
        s++;
    while (end > s && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    struct decimal d;
    if (!read_decimal(s, end, &d))
        return classify_word(s, (size_t)(end - s));
    bool fast = !d.cut && d.digits <= UINT64_C(1) << 53 && labs(d.power) <= EXACT_POWER;
    double v = fast ? exact(&d) : slow(s, end);
    if (!isfinite(v))
        return NUMBER_INFINITE;
    *value = v;
    return NUMBER_FINITE;
}

size_t number_print(char out[static NUMBER_TEXT_SIZE], double v)
{
    int len = 0;
    for (int digit = 15; digit <= 17; digit++) {
        len = snprintf(out, NUMBER_TEXT_SIZE, "%.*g", digit, v);
        if (strtod(out, NULL) == v)
            break;
    }
    return (size_t)len;
}
