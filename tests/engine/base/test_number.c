// SPDX-License-Identifier: MIT
#include "tests/harness.h"
#include "tests/heap.h"
#include "engine/base/number.h"
#include "engine/base/rng.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *text;
    enum number_kind kind;
    double value;
} CASES[] = {
    {"", NUMBER_MISSING, 0},
    {"  ", NUMBER_MISSING, 0},
    {"?", NUMBER_MISSING, 0},
    {" ? ", NUMBER_MISSING, 0},
    {"NA", NUMBER_MISSING, 0},
    {"N/A", NUMBER_MISSING, 0},
    {"NaN", NUMBER_MISSING, 0},
    {"nan", NUMBER_MISSING, 0},
    {"null", NUMBER_MISSING, 0},
    {"NULL", NUMBER_MISSING, 0},
    {"0", NUMBER_FINITE, 0},
    {"-1.5", NUMBER_FINITE, -1.5},
    {"+.5", NUMBER_FINITE, .5},
    {"5.", NUMBER_FINITE, 5},
    {" 12 ", NUMBER_FINITE, 12},
    {"1e3", NUMBER_FINITE, 1000},
    {"1E-3", NUMBER_FINITE, .001},
    {"000000000000000000000000012", NUMBER_FINITE, 12},
    {"0.000000000000000000000000000001", NUMBER_FINITE, 1e-30},
    {"123456789012345678901234567890", NUMBER_FINITE, 123456789012345678901234567890.},
    {"9007199254740993", NUMBER_FINITE, 9007199254740992.},
    {"0e999999999999999999999", NUMBER_FINITE, 0},
    {"1e-999", NUMBER_FINITE, 0},
    {"1.7976931348623157e308", NUMBER_FINITE, 1.7976931348623157e308},
    {"1e999", NUMBER_INFINITE, 0},
    {"-1e99999999999999999999", NUMBER_INFINITE, 0},
    {"inf", NUMBER_INFINITE, 0},
    {"-Infinity", NUMBER_INFINITE, 0},
    {"+INF", NUMBER_INFINITE, 0},
    {"0x10", NUMBER_TEXT, 0},
    {"1,5", NUMBER_TEXT, 0},
    {"1 2", NUMBER_TEXT, 0},
    {"1e", NUMBER_TEXT, 0},
    {"1e+", NUMBER_TEXT, 0},
    {"e5", NUMBER_TEXT, 0},
    {".", NUMBER_TEXT, 0},
    {"-", NUMBER_TEXT, 0},
    {"--1", NUMBER_TEXT, 0},
    {"1.2.3", NUMBER_TEXT, 0},
    {"12abc", NUMBER_TEXT, 0},
    {"Nab", NUMBER_TEXT, 0},
    {"infinite", NUMBER_TEXT, 0},
};

LOOP_TEST(number_tells_numbers_gaps_and_texts_apart, sizeof CASES / sizeof *CASES)
{
    double v = -7;
    ck_assert_int_eq(number_parse(CASES[_i].text, strlen(CASES[_i].text), &v), CASES[_i].kind);
    if (CASES[_i].kind == NUMBER_FINITE)
        ck_assert_double_eq(v, CASES[_i].value);
}

TEST(number_reads_exactly_what_strtod_reads)
{
    uint64_t key = rng_key(1, RNG_PROBE, 0, 0);
    static const char *const FORMAT[] = {"%.17g", "%.6f", "%.3e", "%.15g", "%.25g"};
    for (uint64_t i = 0; i < 100000; i++) {
        char text[400];
        uint64_t bits = rng_u64(key, i);
        double v = rng_normal(key, i) * pow(10, (double)(bits % 40) - 20), got;
        if (i % 3 == 0) {
            memcpy(&v, &bits, sizeof v);
            v = isfinite(v) ? v : 1;
        }
        int len = snprintf(text, sizeof text, FORMAT[i % 5], v);
        ck_assert_int_eq(number_parse(text, (size_t)len, &got), NUMBER_FINITE);
        ck_assert_msg(got == strtod(text, NULL), "%s", text);
    }
}

// Halfway between two doubles, and a last digit far behind that decides.
TEST(number_reads_all_digits_of_a_long_number_and_allocates_nothing)
{
    enum { LONG = 100000 };
    char *text = malloc(LONG + 64);
    uint64_t key = rng_key(2, RNG_PROBE, 0, 0);
    for (uint64_t i = 0; i < 3000; i++) {
        uint64_t bits = rng_u64(key, i) & UINT64_C(0x7fffffffffffffff);
        double v, got;
        memcpy(&v, &bits, sizeof v);
        if (!isfinite(v))
            continue;
        long double half = (long double)v + ((long double)nextafter(v, INFINITY) - v) / 2;
        size_t len = (size_t)snprintf(text, LONG, i % 2 ? "%.1100Lf" : "%.900Le", half);
        if (i % 3 == 0 && i % 2) {
            memset(text + len, '0', 5000);
            memcpy(text + len + 5000, "1", 2);
            len += 5001;
        }
        unsigned long before = heap_allocations();
        enum number_kind kind = number_parse(text, len, &got);
        ck_assert_uint_eq(heap_allocations() - before, 0);
        ck_assert_int_eq(kind, NUMBER_FINITE);
        ck_assert_msg(got == strtod(text, NULL), "%s", text);
    }
    free(text);
}

TEST(number_prints_the_shortest_text_that_reads_back)
{
    static const struct {
        double v;
        const char *text;
    } PRINTS[] = {{0.1, "0.1"},
                  {3, "3"},
                  {-2.5, "-2.5"},
                  {1.0 / 3, "0.3333333333333333"},
                  {5e-324, "4.94065645841247e-324"},
                  {1e22, "1e+22"},
                  {452600, "452600"}};
    for (size_t i = 0; i < sizeof PRINTS / sizeof *PRINTS; i++) {
        char text[NUMBER_TEXT_SIZE];
        ck_assert_uint_eq(number_print(text, PRINTS[i].v), strlen(PRINTS[i].text));
        ck_assert_str_eq(text, PRINTS[i].text);
    }
}
