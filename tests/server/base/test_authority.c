// SPDX-License-Identifier: MIT
#include "server/base/authority.h"

#include "tests/harness.h"

#include <string.h>

static const struct {
    const char *text, *host; // NULL: not an authority
    int port;
    bool ip;
} texts[] = {
    {"example.org", "example.org", -1, false},
    {"a-b_c.d9:80", "a-b_c.d9", 80, false},
    {"x:", "x", -1, false},
    {"x.", "x", -1, false},
    {"x.:1", "x", 1, false},
    {"10.0.0.1:65535", "10.0.0.1", 65535, true},
    {"10.0.0.1", "10.0.0.1", -1, true},
    {"10.0.0.256", "10.0.0.256", -1, false}, // a name, as far as anybody can tell
    {"0x7f.1", "0x7f.1", -1, false},
    {"[::1]", "::1", -1, true},
    {"[::1]:0", "::1", 0, true},
    {"[::ffff:1.2.3.4]:8080", "::ffff:1.2.3.4", 8080, true},
    {"", NULL, 0, false},
    {".", NULL, 0, false},
    {".x", NULL, 0, false},
    {"x..", NULL, 0, false},
    {"x..y", NULL, 0, false},
    {":80", NULL, 0, false},
    {"::1", NULL, 0, false},
    {"x:65536", NULL, 0, false},
    {"x:000080", NULL, 0, false},
    {"x:-1", NULL, 0, false},
    {"x:8 ", NULL, 0, false},
    {"x:8:9", NULL, 0, false},
    {"[::1", NULL, 0, false},
    {"[]", NULL, 0, false},
    {"[::1]x", NULL, 0, false},
    {"[::1]:x", NULL, 0, false},
    {"[127.0.0.1]", NULL, 0, false},
    {"[fe80::1%eth0]", NULL, 0, false},
    {"a@b", NULL, 0, false},
    {"a b", NULL, 0, false},
    {"a,b", NULL, 0, false},
    {"a/b", NULL, 0, false},
    {"a%2fb", NULL, 0, false},
    {"b\xc3\xbc"
     "cher.de",
     NULL, 0, false},
    {"*.x", NULL, 0, false},
};

LOOP_TEST(authority_is_a_host_and_perhaps_a_port, sizeof texts / sizeof *texts)
{
    const char *text = texts[_i].text;
    struct authority a;
    bool read = authority_read(&a, text, strlen(text));
    ck_assert_msg(read == (texts[_i].host != NULL), "\"%s\"", text);
    if (!read)
        return;
    ck_assert_uint_eq(a.host_len, strlen(texts[_i].host));
    ck_assert(!memcmp(a.host, texts[_i].host, a.host_len));
    ck_assert_int_eq(a.port, texts[_i].port);
    ck_assert(a.is_ip == texts[_i].ip);
}

TEST(authority_reads_no_further_than_it_is_told)
{
    struct authority a;
    ck_assert(authority_read(&a, "ab:801", 5));
    ck_assert_int_eq(a.port, 80);
    ck_assert(authority_read(&a, "abc", 2));
    ck_assert_uint_eq(a.host_len, 2);
    ck_assert(!authority_read(&a, "[::1]", 4));
}

TEST(authority_has_names_of_up_to_253_bytes)
{
    char name[256];
    struct authority a;
    memset(name, 'a', sizeof name);
    ck_assert(authority_read(&a, name, 253));
    ck_assert(!authority_read(&a, name, 254));
}

static const struct {
    const char *text;
    bool reads;
} hosts[] = {{"x", true},     {"::1", true}, {"[::1]", true},    {"10.0.0.1", true},
             {"x:80", false}, {"x:", false}, {"[::1]:8", false}, {"", false}};

LOOP_TEST(authority_reads_a_host_without_a_port, sizeof hosts / sizeof *hosts)
{
    struct authority a;
    ck_assert(authority_read_host(&a, hosts[_i].text, strlen(hosts[_i].text)) == hosts[_i].reads);
}

static const struct {
    const char *text;
    int port; // -2: not an origin
} origins[] = {
    {"http://x", 80},
    {"HTTPS://x", 443},
    {"https://x:80", 80},
    {"http://[::1]:3000", 3000},
    {"chrome-extension://abc", -1},
    {"null", -2},
    {"", -2},
    {"x", -2},
    {"://x", -2},
    {"http://", -2},
    {"http:/x", -2},
    {"http://x/", -2},
    {"http://a@x", -2},
    {"-x://y", -2},
    {"h ttp://x", -2},
    {"http://x http://y", -2},
    {"http://x:y", -2},
};

LOOP_TEST(authority_reads_an_origin_with_the_port_of_its_scheme, sizeof origins / sizeof *origins)
{
    const char *text = origins[_i].text;
    struct authority a;
    bool read = authority_read_origin(&a, text, strlen(text));
    ck_assert_msg(read == (origins[_i].port != -2), "\"%s\"", text);
    ck_assert(!read || a.port == origins[_i].port);
}

static const struct {
    const char *text;
    bool loopback, unspecified;
} kinds[] = {
    {"localhost", true, false},
    {"a.LOCALHOST", true, false},
    {"localhost.", true, false},
    {"alocalhost", false, false},
    {"localhost.a", false, false},
    {"127.0.0.1", true, false},
    {"127.255.255.255", true, false},
    {"126.0.0.1", false, false},
    {"128.0.0.1", false, false},
    {"0.0.0.0", false, true},
    {"0.0.0.1", false, false},
    {"[::1]", true, false},
    {"[::]", false, true},
    {"[::2]", false, false},
    {"[::ffff:127.1.1.1]", true, false},
    {"[::ffff:0.0.0.0]", false, true},
    {"[7f00::]", false, false},
    {"[1::]", false, false},
    {"[::127.0.0.1]", false, false},
};

LOOP_TEST(authority_knows_loopback_and_the_address_of_all, sizeof kinds / sizeof *kinds)
{
    struct authority a;
    ck_assert(authority_read(&a, kinds[_i].text, strlen(kinds[_i].text)));
    ck_assert_msg(authority_is_loopback(&a) == kinds[_i].loopback, "%s", kinds[_i].text);
    ck_assert_msg(authority_is_unspecified(&a) == kinds[_i].unspecified, "%s", kinds[_i].text);
}

static const struct {
    const char *a, *b;
    bool same;
} pairs[] = {
    {"x", "X:80", true},       {"x", "y", false},
    {"x", "xx", false},        {"[::1]", "[0::1]", true},
    {"[::1]", "[::2]", false}, {"1.2.3.4", "[::ffff:1.2.3.4]", true},
    {"1.2.3.4", "x", false},   {"1.2.3.4", "1.2.3.5", false},
    {"x", "x.", true},
};

LOOP_TEST(authority_compares_names_and_addresses, sizeof pairs / sizeof *pairs)
{
    struct authority a, b;
    ck_assert(authority_read(&a, pairs[_i].a, strlen(pairs[_i].a)));
    ck_assert(authority_read(&b, pairs[_i].b, strlen(pairs[_i].b)));
    ck_assert(authority_same_host(&a, &b) == pairs[_i].same);
    ck_assert(authority_same_host(&b, &a) == pairs[_i].same);
}

static const struct {
    const char *pattern, *host;
    bool is, matches;
} host_patterns[] = {
    {"x", "x", true, true},
    {"x", "a.x", true, false},
    {".x", "x", true, true},
    {".x", "a.X", true, true},
    {".x", "ax", true, false},
    {"*.x", "x", true, false},
    {"*.x", "a.x", true, true},
    {"*.x", "ax", true, false},
    {"*", "x", true, true},
    {"::1", "[::1]:80", true, true},
    {"[::1]", "[::1]", true, true},
    {"1.2.3.4", "1.2.3.4", true, true},
    {"*.0.0.1", "9.0.0.1", true, false},
    {".1.2.3.4", "x", false, false},
    {"x:80", "x", false, false},
    {"*x", "x", false, false},
    {"a.*", "a.x", false, false},
    {"*.", "x", false, false},
    {".", "x", false, false},
    {"", "x", false, false},
    {"**", "x", false, false},
    {"http://x", "x", false, false},
    {"*.*.x", "a.b.x", false, false},
};

LOOP_TEST(authority_matches_patterns_of_hosts, sizeof host_patterns / sizeof *host_patterns)
{
    const char *pattern = host_patterns[_i].pattern, *text = host_patterns[_i].host;
    size_t len = strlen(pattern);
    struct authority host;
    ck_assert(authority_read(&host, text, strlen(text)));
    ck_assert_msg(authority_is_host_pattern(pattern, len) == host_patterns[_i].is, "%s", pattern);
    ck_assert_msg(authority_matches_host(pattern, len, &host) == host_patterns[_i].matches, "%s %s",
                  pattern, text);
}

static const struct {
    const char *pattern, *origin;
    bool is, matches;
} origin_patterns[] = {
    {"http://x", "http://X:80", true, true},
    {"http://x", "https://x", true, false},
    {"http://x:1", "http://x:2", true, false},
    {"http://x", "http://y", true, false},
    {"http://x", "null", true, false},
    {"*", "null", true, true},
    {"*", "http://x", true, true},
    {"app://y", "app://y", true, true},
    {"app://y", "apq://y", true, false},
    {"null", "null", false, false},
    {"http://x/", "http://x", false, false},
    {"x", "http://x", false, false},
    {"http://*.x", "http://a.x", false, false},
    {"", "", false, false},
};

LOOP_TEST(authority_matches_patterns_of_origins, sizeof origin_patterns / sizeof *origin_patterns)
{
    const char *pattern = origin_patterns[_i].pattern, *text = origin_patterns[_i].origin;
    size_t len = strlen(pattern);
    ck_assert_msg(authority_is_origin_pattern(pattern, len) == origin_patterns[_i].is, "%s",
                  pattern);
    ck_assert_msg(authority_matches_origin(pattern, len, text, strlen(text)) ==
                      origin_patterns[_i].matches,
                  "%s %s", pattern, text);
}
