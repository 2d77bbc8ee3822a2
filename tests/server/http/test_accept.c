// SPDX-License-Identifier: MIT
// What is sent for which Accept: one row per rule of RFC 9110 section 12.5.1, and what clients
// really send.

#include "server/http/accept.h"

#include "tests/harness.h"

#include <stdio.h>
#include <string.h>

static const struct rendering json = {.name = "json", .media = "application/json"},
                              svg = {.name = "svg", .media = "image/svg+xml"},
                              csv = {.name = "csv", .media = "text/csv; charset=utf-8"},
                              txt = {.name = "txt", .media = "text/plain; charset=utf-8"};
static const struct rendering *const forms[] = {&json, &svg, &csv, &txt, NULL};

#define FIREFOX                                                                                    \
    "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/png,"       \
    "image/svg+xml,*/*;q=0.8"
#define CHROME                                                                                     \
    "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;"  \
    "q=0.8,application/signed-exchange;v=b3;q=0.7"

static const struct {
    const char *accept, *more; // values of one header, and of a second one; NULL: not sent
    const char *wanted;        // NULL: nothing is acceptable
} asked[] = {
    // Nothing asked
    {NULL, NULL, "json"},
    {"", NULL, "json"},
    {" , ,", NULL, "json"},
    {"*/*", NULL, "json"},
    {"*/*;q=0.1", NULL, "json"},
    // By name, by type
    {"image/svg+xml", NULL, "svg"},
    {"IMAGE/SVG+XML", NULL, "svg"},
    {"text/csv", NULL, "csv"},
    {"text/*", NULL, "csv"},
    {"image/*", NULL, "svg"},
    {"text/html, text/plain", NULL, "txt"},
    {"application/*, image/*", NULL, "json"},
    {"image/svg", NULL, NULL},
    {"image/svg+xmlx", NULL, NULL},
    {"text/html", NULL, NULL},
    {"audio/*", NULL, NULL},
    // Weights
    {"application/json;q=0.5, text/csv", NULL, "csv"},
    {"application/json;q=0.5, text/csv;q=0.50", NULL, "json"},
    {"text/csv;q=0.123, text/plain;q=0.124", NULL, "txt"},
    {"text/csv ; q=0.3 ,text/plain\t;\tq=0.2", NULL, "csv"},
    {"text/csv;Q=0.3,text/plain;Q=0.4", NULL, "txt"},
    {"application/json;q=0, */*", NULL, "svg"},
    {"*/*, application/json;q=0.000", NULL, "svg"},
    {"*/*;q=0", NULL, NULL},
    {"text/csv;q=0", NULL, NULL},
    {"*/*;q=0, text/csv;q=0.001", NULL, "csv"},
    {"text/csv;q=1.000, text/plain;q=1.", NULL, "csv"},
    // The most precise range counts
    {"text/*, text/csv;q=0.2", NULL, "txt"},
    {"text/*;q=0.1, text/csv;q=0.2, */*;q=0.3", NULL, "json"},
    {"*/*;q=0.9, image/*;q=0.1, application/json;q=0, text/*;q=0.2", NULL, "csv"},
    {"text/csv;q=0.1, text/csv;q=0.9, text/plain;q=0.5", NULL, "csv"},
    // Parameters
    {"text/csv;charset=utf-8", NULL, "csv"},
    {"text/csv;charset=UTF-8;q=1", NULL, "csv"},
    {"text/csv; charset=\"utf-8\"", NULL, "csv"},
    {"text/csv;charset=iso-8859-1", NULL, NULL},
    {"text/csv;charset=iso-8859-1, text/plain;q=0.1", NULL, "txt"},
    {"application/json;charset=utf-8", NULL, "json"},
    {"text/csv;header=present", NULL, "csv"},
    {"text/csv;a=\"x,y;q=0\\\"\";q=0.5, text/plain;q=0.4", NULL, "csv"},
    {"text/csv;;", NULL, "csv"},
    // What cannot be read counts as not sent
    {"nonsense", NULL, "json"},
    {"text", NULL, "json"},
    {"text/", NULL, "json"},
    {"/csv", NULL, "json"},
    {"*/csv", NULL, "json"},
    {"text /csv", NULL, "json"},
    {"text/csv;q", NULL, "json"},
    {"text/csv;q=", NULL, "json"},
    {"text/csv;q=2", NULL, "json"},
    {"text/csv;q=1.001", NULL, "json"},
    {"text/csv;q=0.1234", NULL, "json"},
    {"text/csv;q=.5", NULL, "json"},
    {"text/csv;q=-1", NULL, "json"},
    {"text/csv;q=\"1\"", NULL, "json"},
    {"text/csv;a=\"x", NULL, "json"},
    {"text/csv text/plain", NULL, "json"},
    {"text/csv;q=7, text/plain", NULL, "txt"},
    {"\xff\xfe, text/plain", NULL, "txt"},
    // Several headers are one list
    {"text/html", "text/csv", "csv"},
    {"*/*;q=0.1", "image/svg+xml", "svg"},
    {"", "text/csv", "csv"},
    {"text/csv;q=0", "*/*;q=0", NULL},
    // What browsers send
    {CHROME, NULL, "json"},
    {FIREFOX, NULL, "svg"},
    {"image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8", NULL, "svg"}, // <img>
};

LOOP_TEST(accept_chooses_the_form, sizeof asked / sizeof *asked)
{
    struct head head = {.n_line = 0};
    struct err e = {0};
    ck_assert(head_add(&head, "Host", "x", &e));
    if (asked[_i].accept)
        ck_assert(head_add(&head, "accept", asked[_i].accept, &e));
    ck_assert(head_add(&head, "Accept-Language", "text/csv", &e));
    if (asked[_i].more)
        ck_assert(head_add(&head, "ACCEPT", asked[_i].more, &e));
    const struct rendering *r = accept_choose(&head, forms);
    ck_assert_msg(r || !asked[_i].wanted, "%s: none", asked[_i].accept);
    ck_assert_pstr_eq(r ? r->name : NULL, asked[_i].wanted);
}
