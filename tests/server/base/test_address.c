// SPDX-License-Identifier: MIT
#include "server/base/address.h"

#include "tests/harness.h"

#include <string.h>
#include <unistd.h>

static const char *const busy[] = {"127.0.0.1:0", "[::1]:0"};

LOOP_TEST(address_names_a_port_that_is_taken, 2)
{
    struct address a, b;
    struct err e = {0};
    ck_assert(address_parse(&a, busy[_i], &e));
    int fd = address_listen(&a, &e);
    if (fd < 0)
        return; // no IPv6 here
    ck_assert_uint_gt(a.port, 0);
    b = a;
    ck_assert_int_eq(address_listen(&b, &e), -1);
    ck_assert_int_eq(e.kind, ERR_BUSY);
    ck_assert_ptr_nonnull(strstr(e.text, "could not listen on"));
    close(fd);
}

static const struct {
    const char *text, *ip;
} heard[] = {
    {"127.0.0.1:0", "127.0.0.1"}, {"127.1:0", "127.0.0.1"}, {"0:0", "0.0.0.0"}, {"[::1]:0", "::1"}};

LOOP_TEST(address_says_what_its_host_stands_for, sizeof heard / sizeof *heard)
{
    struct address a = {0};
    struct err e = {0};
    ck_assert(address_parse(&a, heard[_i].text, &e));
    ck_assert_str_eq(a.ip, "");
    int fd = address_listen(&a, &e);
    if (fd < 0)
        return; // no IPv6 here
    ck_assert_str_eq(a.ip, heard[_i].ip);
    ck_assert_uint_gt(a.port, 0);
    close(fd);
}
