// SPDX-License-Identifier: MIT
// Reading Accept: see accept.h. Sections are those of RFC 9110.
//
// Accept says what somebody would like, and nothing is at stake but the form of the answer. So what
// cannot be read in it counts as not sent, unlike in fields that say where a request ends: a client
// that spells its second choice badly still gets its first one.
//
// Of a range's parameters only charset is looked at, because all that we send is UTF-8 and nothing
// else tells two of our forms apart. Of the ranges that a form matches the most precise one counts,
// whatever its weight: "text/csv;q=0, */*" is anything but CSV. Weights are in thousandths.

#include "server/http/accept.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#define TOKEN                                                                                      \
    "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz" // 5.6.2

static const char BLANK[] = " \t";

struct accept_range {
    const char *type, *subtype;
    size_t type_len, subtype_len;
    int weight; // 0 to 1000
    bool utf8;  // it does not ask for another charset
};

// What is known of one rendering while the ranges go by.
struct accept_score {
    int precision, weight; // of the most precise range so far; 0: none matched
};

// A quoted string's length, quotes included; 0 when it has no end.
static size_t accept_quoted(const char *s)
{
    for (size_t i = 1; s[i]; i++) {
        if (s[i] == '"')
            return i + 1;
        i += s[i] == '\\' && s[i + 1];
    }
    return 0;
}

// "0", "0.5", "1.000" (12.4.2) in thousandths; -1 when it is none.
static int accept_weight(const char *s, size_t len)
{
    int weight = *s == '1' ? 1000 : 0, digit = 100;
    if (len < 1 || len > 5 || (*s != '0' && *s != '1') || (len > 1 && s[1] != '.'))
        return -1;
    for (size_t i = 2; i < len; i++, digit /= 10) {
        if (s[i] < '0' || s[i] > '9')
            return -1;
        weight += digit * (s[i] - '0');
    }
    return weight <= 1000 ? weight : -1;
}

static bool accept_is(const char *s, size_t len, const char *word)
{
    return strlen(word) == len && strncasecmp(s, word, len) == 0;
}

static bool accept_parameter(struct accept_range *r, const char *name, size_t name_len,
                             const char *value, size_t len)
{
    if (accept_is(name, name_len, "q"))
        r->weight = accept_weight(value, len);
    else if (accept_is(name, name_len, "charset"))
        r->utf8 = accept_is(value, len, "utf-8") || accept_is(value, len, "\"utf-8\"");
    return r->weight >= 0;
}

// The parameters behind a range, up to the comma or the end; NULL when they cannot be read.
static const char *accept_parameters(const char *s, struct accept_range *r)
{
    for (;;) {
        s += strspn(s, BLANK);
        if (*s != ';')
            return *s == ',' || !*s ? s : NULL;
        s += 1 + strspn(s + 1, BLANK);
        size_t name = strspn(s, TOKEN);
        if (!name)
            continue; // 5.6.6 allows an empty one
        if (s[name] != '=')
            return NULL;
        const char *value = s + name + 1;
        size_t len = *value == '"' ? accept_quoted(value) : strspn(value, TOKEN);
        if (!len || !accept_parameter(r, s, name, value, len))
            return NULL;
        s = value + len;
    }
}

// Read a range; returns where the next one begins, *ok says whether this one could be read.
static const char *accept_next(const char *s, struct accept_range *r, bool *ok)
{
    *r = (struct accept_range){.type = s, .weight = 1000, .utf8 = true};
    r->type_len = strspn(s, TOKEN);
    *ok = r->type_len && s[r->type_len] == '/';
    if (*ok) {
        r->subtype = s + r->type_len + 1;
        r->subtype_len = strspn(r->subtype, TOKEN);
        bool every = accept_is(r->type, r->type_len, "*");
        const char *end = accept_parameters(r->subtype + r->subtype_len, r);
        *ok = r->subtype_len && end && (!every || accept_is(r->subtype, r->subtype_len, "*"));
        s = end ? end : s;
    }
    return s + strcspn(s, ",");
}

// 0: the range does not match; 1: as anything, 2: as one of its type, 3: by name.
static int accept_precision(const struct accept_range *r, const char *media)
{
    size_t type = strcspn(media, "/"), subtype = strcspn(media + type + 1, ";");
    if (!r->utf8)
        return 0;
    if (accept_is(r->type, r->type_len, "*"))
        return 1;
    if (r->type_len != type || strncasecmp(r->type, media, type) != 0)
        return 0;
    if (accept_is(r->subtype, r->subtype_len, "*"))
        return 2;
    bool same =
        r->subtype_len == subtype && strncasecmp(r->subtype, media + type + 1, subtype) == 0;
    return same ? 3 : 0;
}

static void accept_count(struct accept_score *score, const struct accept_range *r,
                         const char *media)
{
    int precision = accept_precision(r, media);
    if (precision > score->precision)
        *score = (struct accept_score){precision, r->weight};
    else if (precision && precision == score->precision && r->weight > score->weight)
        score->weight = r->weight;
}

// How much the header likes a media type; true when it has something that can be read.
static bool accept_ask(const struct head *h, const char *media, struct accept_score *score)
{
    bool said = false, ok;
    *score = (struct accept_score){0, 0};
    for (size_t i = 0; i < h->n_line; i++) {
        if (strcasecmp(h->line[i].name, "Accept") != 0)
            continue;
        const char *s = h->line[i].value;
        for (s += strspn(s, ", \t"); *s; s += strspn(s, ", \t")) {
            struct accept_range r;
            s = accept_next(s, &r, &ok);
            said |= ok;
            if (ok)
                accept_count(score, &r, media);
        }
    }
    return said;
}

const struct rendering *accept_choose(const struct head *h, const struct rendering *const *list)
{
    const struct rendering *best = NULL;
    struct accept_score score;
    for (int most = 0; *list; list++) {
        if (!accept_ask(h, (*list)->media, &score))
            return *list;
        if (score.weight > most) {
            best = *list;
            most = score.weight;
        }
    }
    return best;
}
