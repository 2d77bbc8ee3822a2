// SPDX-License-Identifier: MIT
// The strict scanner: recursive descent, bounded by JSON_DEPTH.
//
// A NUL follows, which is valid nowhere inside JSON, so no loop compares with the end. What is read
// beyond it is noticed when the value is complete.
//
// The place of a fault costs nothing while all is well: as a failure unwinds, every level notes
// which of its members it was in.

#include "api/json/json.h"

#include "api/json/json_keys.h"
#include "api/json/json_text.h"

#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SURELY_FINITE = 200 };

struct scan_step {
    const char *key; // NULL: an element of an array
    size_t len, index;
};

struct scan {
    const char *text, *end, *at;
    struct json_want *want;
    size_t n_want;
    struct json_keys keys;
    struct scan_step path[JSON_DEPTH];
    size_t n_path;
    const char *code; // NULL when out of memory
    char why[128];
};

static bool value(struct scan *s, size_t depth);

__attribute__((format(printf, 3, 4))) static bool stop(struct scan *s, const char *code,
                                                       const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    vsnprintf(s->why, sizeof s->why, fmt, args);
    va_end(args);
    s->code = code;
    return false;
}

static bool expected(struct scan *s, const char *what)
{
    unsigned char c = (unsigned char)*s->at;
    if (s->at >= s->end)
        return stop(s, "malformed", "expected %s, but the text ends here", what);
    if (c > ' ' && c < 0x7f)
        return stop(s, "malformed", "expected %s, found '%c'", what, c);
    return stop(s, "malformed", "expected %s, found byte 0x%02x", what, c);
}

static bool json_no_memory(struct scan *s)
{
    s->code = NULL;
    return false;
}

// Note where a failure came from; the innermost level is the first to do so.
static bool within(struct scan *s, size_t depth, struct scan_step step)
{
    s->path[depth] = step;
    if (s->n_path <= depth)
        s->n_path = depth + 1;
    return false;
}

static bool json_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static void json_skip_blanks(struct scan *s)
{
    while (is_blank(*s->at))
        s->at++;
}

static const char *skip_digits(const char *p)
{
    while (json_is_digit(*p))
        p++;
    return p;
}

// Values

static bool string(struct scan *s, bool *escaped)
{
    const char *bad,
        *after = json_string_check(s->at, s->end, escaped, &bad, s->why, sizeof s->why);
    if (after) {
        s->at = after;
        return true;
    }
    s->at = bad;
    s->code = "malformed";
    return false;
}

static void keep_wanted(struct scan *s, const struct json_key *k, const char *from)
{
    for (size_t i = 0; i < s->n_want; i++)
        if (strlen(s->want[i].key) == k->len && memcmp(s->want[i].key, k->text, k->len) == 0)
            s->want[i].value = (struct json_span){from, (size_t)(s->at - from)};
}

static bool scan_key(struct scan *s)
{
    bool escaped;
    const char *from = s->at;
    if (*from != '"')
        return expected(s, "a key in quotes");
    return string(s, &escaped) &&
           (json_keys_push(&s->keys, from, s->at, escaped) || json_no_memory(s));
}

// "key": value
static bool json_member(struct scan *s, size_t depth)
{
    if (!scan_key(s))
        return false;
    size_t mine = s->keys.n - 1;
    json_skip_blanks(s);
    if (*s->at != ':')
        return expected(s, "':'");
    s->at++;
    json_skip_blanks(s);
    const char *from = s->at;
    bool ok = value(s, depth + 1);
    const struct json_key *k = &s->keys.key[mine];
    if (!ok)
        return within(s, depth, (struct scan_step){.key = k->text, .len = k->len});
    if (depth == 0)
        keep_wanted(s, k, from);
    return true;
}

static bool close_object(struct scan *s, size_t depth, size_t first)
{
    const struct json_key *again;
    s->at++;
    if (!json_keys_pop(&s->keys, first, &again))
        return json_no_memory(s);
    if (!again)
        return true;
    s->at = again->at;
    stop(s, "duplicate_key", "the key \"%.*s\" was given already", (int)again->len, again->text);
    return within(s, depth, (struct scan_step){.key = again->text, .len = again->len});
}

static bool object(struct scan *s, size_t depth)
{
    size_t first = s->keys.n;
    s->at++;
    json_skip_blanks(s);
    for (bool more = *s->at != '}'; more;) {
        if (!json_member(s, depth))
            return false;
        json_skip_blanks(s);
        if (*s->at == '}')
            break;
        if (*s->at != ',')
            return expected(s, "',' or '}'");
        s->at++;
        json_skip_blanks(s);
    }
    return close_object(s, depth, first);
}

static bool array(struct scan *s, size_t depth)
{
    s->at++;
    json_skip_blanks(s);
    bool more = *s->at != ']';
    for (size_t i = 0; more; i++) {
        if (!value(s, depth + 1))
            return within(s, depth, (struct scan_step){.index = i});
        json_skip_blanks(s);
        if (*s->at == ']')
            break;
        if (*s->at != ',')
            return expected(s, "',' or ']'");
        s->at++;
        json_skip_blanks(s);
    }
    s->at++;
    return true;
}

// Short numbers with at most two digits of exponent cannot overflow and need no conversion.
static bool json_is_finite(struct scan *s, const char *from, size_t exponent_len)
{
    if (exponent_len <= 2 && s->at - from <= SURELY_FINITE)
        return true;
    if (isfinite(strtod(from, NULL)))
        return true;
    int shown = s->at - from > 24 ? 24 : (int)(s->at - from);
    s->at = from;
    return stop(s, "not_finite", "the number %.*s is too large for a double", shown, from);
}

static bool json_digits(struct scan *s, const char *where)
{
    const char *from = s->at;
    s->at = skip_digits(from);
    return s->at > from || expected(s, where);
}

static bool scan_number(struct scan *s)
{
    const char *from = s->at;
    s->at += *s->at == '-';
    if (*s->at == '0' && json_is_digit(s->at[1]))
        return stop(s, "malformed", "a number must not start with 0");
    if (!json_digits(s, "a digit"))
        return false;
    if (*s->at == '.') {
        s->at++;
        if (!json_digits(s, "a digit after the decimal point"))
            return false;
    }
    size_t exponent_len = 0;
    if (*s->at == 'e' || *s->at == 'E') {
        s->at++;
        s->at += *s->at == '+' || *s->at == '-';
        const char *exponent = s->at;
        if (!json_digits(s, "a digit of the exponent"))
            return false;
        exponent_len = (size_t)(s->at - exponent);
    }
    return json_is_finite(s, from, exponent_len);
}

static bool literal(struct scan *s, const char *word)
{
    size_t len = strlen(word);
    if (strncmp(s->at, word, len) != 0)
        return expected(s, "a value");
    s->at += len;
    return true;
}

static bool deeper(struct scan *s, size_t depth)
{
    return depth < JSON_DEPTH || stop(s, "too_deep", "nested deeper than %d levels", JSON_DEPTH);
}

static bool value(struct scan *s, size_t depth)
{
    bool escaped;
    switch (*s->at) {
    case '{':
        return deeper(s, depth) && object(s, depth);
    case '[':
        return deeper(s, depth) && array(s, depth);
    case '"':
        return string(s, &escaped);
    case 't':
        return literal(s, "true");
    case 'f':
        return literal(s, "false");
    case 'n':
        return literal(s, "null");
    default:
        return *s->at == '-' || json_is_digit(*s->at) ? scan_number(s) : expected(s, "a value");
    }
}

static bool whole(struct scan *s)
{
    json_skip_blanks(s);
    if (!value(s, 0))
        return false;
    while (s->at < s->end && is_blank(*s->at))
        s->at++;
    return s->at == s->end || expected(s, "the end of the text");
}

// Reporting

static size_t escape_step(char *out, size_t max, const struct scan_step *step)
{
    size_t n = 0;
    for (size_t i = 0; i < step->len && n + 2 < max; i++) {
        char c = step->key[i];
        if (c == '~' || c == '/')
            out[n++] = '~';
        out[n++] = c == '~' ? '0' : c == '/' ? '1' : c;
    }
    return n;
}

static void print_path(const struct scan *s, char *out, size_t max)
{
    size_t n = 0;
    for (size_t i = 0; i < s->n_path && n + 24 < max; i++) {
        out[n++] = '/';
        if (s->path[i].key)
            n += escape_step(out + n, max - n - 1, &s->path[i]);
        else
            n += (size_t)snprintf(out + n, max - n, "%zu", s->path[i].index);
    }
    out[n] = '\0';
}

static bool json_report(const struct scan *s, const char *place, struct faults *f, struct err *e)
{
    if (!s->code)
        return fail(e, ERR_TOO_LARGE,
                    s->keys.too_many ? "the body has more than %d keys in one object"
                                     : "the body's keys need more memory than it may have",
                    JSON_KEYS);
    size_t line = 1;
    const char *start = s->text;
    for (const char *p = s->text; p < s->at; p++)
        if (*p == '\n') {
            line++;
            start = p + 1;
        }
    size_t column = (size_t)(s->at - start) + 1;
    fault_add(f, s->code, place, "line %zu, column %zu: %s", line, column, s->why);
    return fail_at(e, ERR_MALFORMED, place,
                   "could not read the body as JSON: line %zu, column %zu: %s", line, column,
                   s->why);
}

bool json_scan(const char *text, size_t len, struct json_want *want, size_t n, struct arena *a,
               struct faults *f, struct err *e)
{
    if (len >= UINT32_MAX)
        return fail(e, ERR_TOO_LARGE, "a JSON text must be smaller than 4 GiB");
    struct scan s = {.text = text, .end = text + len, .at = text, .want = want, .n_want = n};
    char place[sizeof e->at] = "";
    struct arena_mark mark = arena_mark(a);
    json_keys_init(&s.keys, a);
    for (size_t i = 0; i < n; i++)
        want[i].value = (struct json_span){0};
    bool ok = whole(&s);
    if (!ok)
        print_path(&s, place, sizeof place); // of keys that are decoded in the arena
    arena_rewind(a, mark);
    return ok || json_report(&s, place, f, e);
}

// The found value that starts soonest after p, or NULL.
static const struct json_want *next_wanted(const struct json_want *want, size_t n, const char *p)
{
    const struct json_want *best = NULL;
    for (size_t i = 0; i < n; i++)
        if (want[i].value.at >= p && want[i].value.at &&
            (!best || want[i].value.at < best->value.at))
            best = &want[i];
    return best;
}

const char *json_rest(const char *text, size_t len, const struct json_want *want, size_t n,
                      size_t max, struct arena *a, struct err *e)
{
    size_t size = len;
    for (size_t i = 0; i < n; i++)
        size -= want[i].value.len;
    if (size == len && len <= max && !text[len])
        return text;
    char *rest = size <= max ? arena_alloc(a, size + 4 * n + 1, 1) : NULL;
    if (!rest) {
        fail(e, ERR_TOO_LARGE, "the body must not be larger than %zu bytes besides its data", max);
        return NULL;
    }
    char *out = rest;
    const char *end = text + len;
    for (const struct json_want *w; (w = next_wanted(want, n, text));) {
        out = mempcpy(out, text, (size_t)(w->value.at - text));
        out = mempcpy(out, "null", 4);
        text = w->value.at + w->value.len;
    }
    out = mempcpy(out, text, (size_t)(end - text));
    *out = '\0';
    return rest;
}
