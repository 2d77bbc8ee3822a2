// SPDX-License-Identifier: MIT
// How an input is changed: bits and bytes, pieces that go, come twice or change places, words of
// the target's dictionary, numbers at their limits, pieces of another input. A row is a mutation;
// rows that keep a text readable come several times as often as those that break it.

#include "tests/fuzz/fuzz.h"

#include <stdbool.h>
#include <string.h>

struct change {
    struct fuzz_rng *r;
    char *text;
    size_t *len;
    const struct fuzz_text *other;
    const char *const *words;
};

size_t fuzz_below(struct fuzz_rng *r, size_t n)
{
    unsigned long long z = r->state += 0x9E3779B97F4A7C15u; // splitmix64
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return (size_t)((z ^ z >> 31) % n);
}

static size_t place(const struct change *c)
{
    return fuzz_below(c->r, *c->len + 1);
}

// Put a piece in place of `gone` bytes at `at`; what has no room is left off.
static void replace(struct change *c, size_t at, size_t gone, const char *piece, size_t n)
{
    size_t rest = *c->len - at - gone;
    if (at + n + rest > FUZZ_LENGTH)
        return;
    memmove(c->text + at + n, c->text + at + gone, rest);
    memcpy(c->text + at, piece, n);
    *c->len = at + n + rest;
}

static void flip(struct change *c)
{
    if (*c->len)
        c->text[fuzz_below(c->r, *c->len)] ^= (char)(1 << fuzz_below(c->r, 8));
}

static void set_byte(struct change *c)
{
    static const char likely[] = "\0\xff\x80{}[]\",:\\0-.eE\n\r\t ;%&=/?\x1b\xc2\xe2\xf0";
    char byte = likely[fuzz_below(c->r, sizeof likely - 1)];
    size_t at = place(c);
    replace(c, at, at < *c->len && fuzz_below(c->r, 2), &byte, 1);
}

static void set_random(struct change *c)
{
    if (*c->len)
        c->text[fuzz_below(c->r, *c->len)] = (char)fuzz_below(c->r, 256);
}

static void cut(struct change *c)
{
    size_t at = place(c), n = fuzz_below(c->r, (*c->len - at) / (1 + fuzz_below(c->r, 8)) + 1);
    replace(c, at, n, "", 0);
}

static void truncate_text(struct change *c)
{
    *c->len = place(c);
}

static void insert_word(struct change *c)
{
    size_t n = 0, at = place(c);
    while (c->words[n])
        n++;
    if (n == 0)
        return;
    const char *word = c->words[fuzz_below(c->r, n)];
    replace(c, at, 0, word, strlen(word));
}

// A word in place of one between quotes.
static void replace_word(struct change *c)
{
    char *from = memchr(c->text, '"', *c->len);
    size_t n = 0, skip = fuzz_below(c->r, 12);
    while (c->words[n])
        n++;
    for (; from && skip; skip--)
        from = memchr(from + 1, '"', *c->len - (size_t)(from + 1 - c->text));
    const char *to = from ? memchr(from + 1, '"', *c->len - (size_t)(from + 1 - c->text)) : NULL;
    if (!to || n == 0)
        return;
    const char *word = c->words[fuzz_below(c->r, n)];
    replace(c, (size_t)(from - c->text) + 1, (size_t)(to - from) - 1, word, strlen(word));
}

static void replace_number(struct change *c)
{
    static const char *const edge[] = {"0",
                                       "-0",
                                       "1",
                                       "-1",
                                       "2",
                                       "0.5",
                                       "1e-999",
                                       "1e999",
                                       "-1e308",
                                       "1e308",
                                       "3.5e38",
                                       "255",
                                       "256",
                                       "65535",
                                       "65536",
                                       "65537",
                                       "2147483647",
                                       "2147483648",
                                       "-2147483649",
                                       "4294967295",
                                       "4294967296",
                                       "9007199254740993",
                                       "18446744073709551615",
                                       "18446744073709551616",
                                       "1e15",
                                       "0.1e-7",
                                       "00",
                                       "01",
                                       "1.",
                                       ".1",
                                       "1e",
                                       "0x10",
                                       "NaN",
                                       "16384",
                                       "16385",
                                       "1024",
                                       "64"};
    size_t at = place(c), end;
    while (at < *c->len && (c->text[at] < '0' || c->text[at] > '9'))
        at++;
    for (end = at; end < *c->len && strchr("0123456789.eE+-", c->text[end]) && c->text[end]; end++)
        ;
    const char *number = edge[fuzz_below(c->r, sizeof edge / sizeof *edge)];
    if (end > at)
        replace(c, at, end - at, number, strlen(number));
}

// A piece once more, often enough to pass limits.
static void repeat(struct change *c)
{
    char piece[256];
    size_t at = place(c), most = *c->len - at < sizeof piece ? *c->len - at : sizeof piece;
    size_t n = fuzz_below(c->r, most + 1), times = 1 + fuzz_below(c->r, 4) * fuzz_below(c->r, 40);
    memcpy(piece, c->text + at, n);
    for (; n && times; times--)
        replace(c, at, 0, piece, n);
}

static void splice(struct change *c)
{
    size_t from = fuzz_below(c->r, c->other->len + 1),
           n = fuzz_below(c->r, c->other->len - from + 1), at = place(c),
           gone = fuzz_below(c->r, *c->len - at + 1);
    replace(c, at, fuzz_below(c->r, 2) ? gone : 0, c->other->at + from, n);
}

// The member or element around a place of a text with brackets and commas, without its comma.
static bool member(struct fuzz_rng *r, const char *text, size_t len, size_t *from, size_t *to)
{
    int depth = 0;
    size_t at = fuzz_below(r, len + 1), end = at;
    for (; at > 0 && (depth > 0 || !strchr("[{,", text[at - 1]) || !text[at - 1]); at--)
        depth += (text[at - 1] == ']' || text[at - 1] == '}') -
                 (text[at - 1] == '[' || text[at - 1] == '{');
    for (depth = 0; end < len && (depth > 0 || !strchr(",]}", text[end]) || !text[end]); end++)
        depth += (text[end] == '[' || text[end] == '{') - (text[end] == ']' || text[end] == '}');
    *from = at;
    *to = end;
    return end > at && end - at < 1024;
}

// A member once more, under another key.
static void repeat_member(struct change *c)
{
    char piece[1025];
    size_t from, to, n;
    if (!member(c->r, c->text, *c->len, &from, &to))
        return;
    n = to - from;
    memcpy(piece, c->text + from, n);
    piece[n++] = ',';
    if (*piece == '"')
        piece[1] = (char)('a' + fuzz_below(c->r, 26));
    replace(c, from, 0, piece, n);
}

// A member of the other input before one of this, or in its place.
static void take_member(struct change *c)
{
    char piece[1025];
    size_t from, to, mine, mine_to;
    if (!member(c->r, c->other->at, c->other->len, &from, &to) ||
        !member(c->r, c->text, *c->len, &mine, &mine_to))
        return;
    size_t n = to - from;
    memcpy(piece, c->other->at + from, n);
    if (fuzz_below(c->r, 2)) {
        replace(c, mine, mine_to - mine, piece, n);
    } else {
        piece[n++] = ',';
        replace(c, mine, 0, piece, n);
    }
}

static void drop_member(struct change *c)
{
    size_t from, to;
    if (member(c->r, c->text, *c->len, &from, &to))
        replace(c, from, to - from + (to < *c->len && c->text[to] == ','), "", 0);
}

// A little-endian number, as heads of files have them.
static void set_integer(struct change *c)
{
    static const unsigned long long edge[] = {0,
                                              1,
                                              7,
                                              8,
                                              255,
                                              65536,
                                              0x7fffffff,
                                              0xffffffff,
                                              0x100000000,
                                              0x7fffffffffffffff,
                                              0xffffffffffffffff};
    unsigned long long n = edge[fuzz_below(c->r, sizeof edge / sizeof *edge)];
    size_t width = fuzz_below(c->r, 2) ? 8 : 4;
    if (*c->len >= width)
        memcpy(c->text + fuzz_below(c->r, *c->len / width) * width, &n, width);
}

void fuzz_mutate(struct fuzz_rng *r, char *text, size_t *len, const struct fuzz_text *other,
                 const char *const *words)
{
    static void (*const change[])(struct change *) = {
        flip,           set_byte,       set_byte,       set_random,    cut,
        truncate_text,  insert_word,    insert_word,    replace_word,  replace_word,
        replace_number, replace_number, replace_number, repeat,        splice,
        splice,         set_integer,    repeat_member,  repeat_member, take_member,
        take_member,    drop_member};
    struct change c = {r, text, len, other, words};
    for (size_t n = 1 + fuzz_below(r, 1 + fuzz_below(r, 8)); n; n--)
        change[fuzz_below(r, sizeof change / sizeof *change)](&c);
}
