// SPDX-License-Identifier: MIT
// See xmllab.h.

#include "tests/api/views/xmllab.h"

#include "engine/base/utf8.h"
#include "tests/harness.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

size_t xml_count(const char *text, const char *what)
{
    size_t n = 0;
    for (; (text = strstr(text, what)); text++)
        n++;
    return n;
}

static size_t name_length(const char *s)
{
    size_t n = 0;
    while (isalnum((unsigned char)s[n]) || (n && (s[n] == '-' || s[n] == ':')))
        n++;
    return n;
}

static void expect_entity(const char *s)
{
    ck_assert_msg(!strncmp(s, "&amp;", 5) || !strncmp(s, "&lt;", 4) || !strncmp(s, "&gt;", 4) ||
                      !strncmp(s, "&quot;", 6),
                  "%.40s", s);
}

// name="value" name="value"; returns what follows: "/>" or ">".
static const char *expect_attributes(const char *s)
{
    const char *name[32];
    size_t len[32], n = 0;
    while (*s == ' ') {
        name[n] = ++s;
        len[n] = name_length(s);
        for (size_t k = 0; k < n; k++)
            ck_assert_msg(len[k] != len[n] || memcmp(name[k], name[n], len[n]) != 0, "%.40s", s);
        s += len[n];
        ck_assert_msg(len[n] && s[0] == '=' && s[1] == '"', "%.40s", s);
        for (s += 2; *s != '"'; s++) {
            ck_assert_msg(*s && *s != '<' && *s != '>', "%.40s", s);
            if (*s == '&')
                expect_entity(s);
        }
        s++;
        ck_assert_uint_lt(++n, 32);
    }
    return s;
}

void expect_xml(const char *s)
{
    char open[32][32];
    int depth = 0, roots = 0;
    ck_assert(utf8_valid(s, strlen(s)));
    for (; *s; s++) {
        ck_assert_msg((unsigned char)*s >= ' ' || *s == '\n', "%.40s", s);
        ck_assert_msg(*s != '>' && (depth || *s == '<' || *s == '\n'), "%.40s", s);
        if (*s == '&')
            expect_entity(s);
        if (*s != '<')
            continue;
        bool close = *++s == '/';
        size_t len = name_length(s += close);
        ck_assert_msg(len && len < 32, "%.40s", s);
        if (close) {
            ck_assert_int_gt(depth, 0);
            ck_assert_msg(strlen(open[--depth]) == len && !memcmp(open[depth], s, len), "%.40s", s);
            s += len;
        } else {
            roots += depth == 0;
            snprintf(open[depth], 32, "%.*s", (int)len, s);
            s = expect_attributes(s + len);
            depth += *s != '/';
            s += *s == '/';
        }
        ck_assert_msg(*s == '>' && depth < 31, "%.40s", s);
    }
    ck_assert_int_eq(depth, 0);
    ck_assert_int_eq(roots, 1);
}
