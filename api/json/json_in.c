// SPDX-License-Identifier: MIT
// The pull reader: see json_in.h. Its whole state is one pointer, because a checked text needs no
// other: an opening bracket was stepped over by json_enter(), so what json_more() finds is a comma,
// a closing bracket or the first element.
//
// Numbers: digits are gathered into 64 bits. Up to 2^53 and 10^22 one multiplication or division
// of doubles is exact by itself (Clinger). Up to 19 digits and 10^27 an integer of 128 bits holds
// the product, or the quotient and whether anything was left over, and one rounding remains. The
// few others go to strtod.

#include "api/json/json_in.h"

#include "api/json/json_text.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { TEN_MAX = 22, FIVE_MAX = 27, DIGITS_MAX = 19, EXPONENT_MAX = 9999 };

static bool in_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static void in_skip_blanks(struct json_in *in)
{
    while (*in->at == ' ' || *in->at == '\n' || *in->at == '\r' || *in->at == '\t')
        in->at++;
}

struct json_in json_in(struct json_span span)
{
    struct json_in in = {span.at};
    in_skip_blanks(&in);
    return in;
}

enum json_kind json_kind(const struct json_in *in)
{
    switch (*in->at) {
    case 'n':
        return JSON_NULL;
    case 't':
    case 'f':
        return JSON_BOOL;
    case '"':
        return JSON_STRING;
    case '[':
        return JSON_ARRAY;
    case '{':
        return JSON_OBJECT;
    default:
        return JSON_NUMBER;
    }
}

const char *json_kind_name(enum json_kind kind)
{
    static const char *const name[] = {"null",     "true or false", "a number",
                                       "a string", "an array",      "an object"};
    return name[kind];
}

void json_enter(struct json_in *in)
{
    in->at++;
    in_skip_blanks(in);
}

bool json_more(struct json_in *in)
{
    in_skip_blanks(in);
    if (*in->at == ']' || *in->at == '}') {
        in->at++;
        return false;
    }
    if (*in->at == ',') {
        in->at++;
        in_skip_blanks(in);
    }
    return true;
}

bool json_key(struct json_in *in, struct json_text *key, struct arena *a)
{
    if (!json_more(in))
        return false;
    if (!json_string(in, key, a))
        *key = (struct json_text){0};
    in_skip_blanks(in);
    in->at++; // the colon
    in_skip_blanks(in);
    return true;
}

bool json_bool(struct json_in *in)
{
    bool yes = *in->at == 't';
    in->at += yes ? 4 : 5;
    return yes;
}

void json_null(struct json_in *in)
{
    in->at += 4;
}

// Past the string at `p`; *escaped tells whether it has a backslash.
static const char *string_end(const char *p, bool *escaped)
{
    for (p++; *p != '"'; p++)
        if (*p == '\\') {
            *escaped = true;
            p++;
        }
    return p + 1;
}

bool json_string(struct json_in *in, struct json_text *out, struct arena *a)
{
    bool escaped = false;
    const char *from = in->at;
    in->at = string_end(from, &escaped);
    *out = (struct json_text){from + 1, (size_t)(in->at - from) - 2};
    if (!escaped)
        return true;
    char *copy = arena_alloc(a, out->len, 1);
    if (!copy)
        return false;
    out->len = json_unescape(&from, copy);
    out->at = copy;
    return true;
}

static const char *container_end(const char *p)
{
    bool escaped;
    size_t depth = 0;
    do {
        if (*p == '"') {
            p = string_end(p, &escaped);
            continue;
        }
        depth += *p == '[' || *p == '{';
        depth -= *p == ']' || *p == '}';
        p++;
    } while (depth);
    return p;
}

static const char *scalar_end(const char *p)
{
    while (in_is_digit(*p) || (*p >= 'a' && *p <= 'z') || *p == '.' || *p == '-' || *p == '+' ||
           *p == 'E')
        p++;
    return p;
}

struct json_span json_skip(struct json_in *in)
{
    const char *from = in->at;
    bool escaped;
    if (*from == '[' || *from == '{')
        in->at = container_end(from);
    else
        in->at = *from == '"' ? string_end(from, &escaped) : scalar_end(from);
    return (struct json_span){from, (size_t)(in->at - from)};
}

// Numbers

static uint64_t five_to(int k)
{
    static const uint64_t five[FIVE_MAX + 1] = {
        1u,
        5u,
        25u,
        125u,
        625u,
        3125u,
        15625u,
        78125u,
        390625u,
        1953125u,
        9765625u,
        48828125u,
        244140625u,
        1220703125u,
        6103515625u,
        30517578125u,
        152587890625u,
        762939453125u,
        3814697265625u,
        19073486328125u,
        95367431640625u,
        476837158203125u,
        2384185791015625u,
        11920928955078125u,
        59604644775390625u,
        298023223876953125u,
        1490116119384765625u,
        7450580596923828125u,
    };
    return five[k];
}

static int bit_length(unsigned __int128 q)
{
    uint64_t high = (uint64_t)(q >> 64);
    return high ? 128 - __builtin_clzll(high) : 64 - __builtin_clzll((uint64_t)q);
}

// q * 2^e, or a little more when `rest`, to the nearest double. Bits beyond the upper 64 only
// matter by being there, so they are folded into the lowest.
static double rounded(unsigned __int128 q, bool rest, int e)
{
    int drop = bit_length(q) - 64;
    if (drop > 0) {
        rest |= (q & (((unsigned __int128)1 << drop) - 1)) != 0;
        q >>= drop;
        e += drop;
    }
    return ldexp((double)((uint64_t)q | rest), e);
}

// w * 10^k = w * 5^k * 2^k for |k| <= FIVE_MAX, w > 0.
static double scaled(uint64_t w, int k)
{
    if (k >= 0)
        return rounded((unsigned __int128)w * five_to(k), false, k);
    int shift = __builtin_clzll(w);
    unsigned __int128 n = (unsigned __int128)(w << shift) << 64;
    uint64_t d = five_to(-k);
    return rounded(n / d, n % d != 0, k - 64 - shift);
}

static double decimal(uint64_t w, int k)
{
    static const double ten[TEN_MAX + 1] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                            1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                            1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    if (w >> 53 || k < -TEN_MAX || k > TEN_MAX)
        return w ? scaled(w, k) : 0;
    return k < 0 ? (double)w / ten[-k] : (double)w * ten[k];
}

// The exponent after 'e', held within what a double could ever need.
static const char *read_exponent(const char *p, int *k)
{
    bool minus = *++p == '-';
    p += minus || *p == '+';
    int e = 0;
    for (; in_is_digit(*p); p++)
        e = e < EXPONENT_MAX ? e * 10 + (*p - '0') : e;
    *k += minus ? -e : e;
    return p;
}

double json_number(struct json_in *in)
{
    const char *p = in->at + (*in->at == '-'), *from = p;
    uint64_t w = 0;
    int k = 0;
    for (; in_is_digit(*p); p++)
        w = w * 10 + (uint64_t)(*p - '0');
    size_t n = (size_t)(p - from);
    if (*p == '.') {
        const char *fraction = ++p;
        for (; in_is_digit(*p); p++)
            w = w * 10 + (uint64_t)(*p - '0');
        n += (size_t)(p - fraction);
        k = n <= DIGITS_MAX ? -(int)(p - fraction) : 0;
    }
    if (*p == 'e' || *p == 'E')
        p = read_exponent(p, &k);
    const char *number = in->at;
    in->at = p;
    if (n > DIGITS_MAX || k < -FIVE_MAX || k > FIVE_MAX)
        return strtod(number, NULL);
    double value = decimal(w, k);
    return *number == '-' ? -value : value;
}

size_t json_count(struct json_span array)
{
    struct json_in in = json_in(array);
    size_t n = 0;
    for (json_enter(&in); json_more(&in); n++)
        json_skip(&in);
    return n;
}
