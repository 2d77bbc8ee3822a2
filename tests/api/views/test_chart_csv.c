// SPDX-License-Identifier: MIT
// CSV of charts, read back by the reader of uploads and by a number's bits.

#include "tests/api/views/chartlab.h"
#include "tests/harness.h"
#include "engine/base/number.h"
#include "engine/table/csv.h"

#include <float.h>
#include <math.h>
#include <string.h>

TEST(csv_has_a_head_and_a_row_an_epoch)
{
    static const char *const name[] = {"train_loss", "a,\"b\"", ""};
    struct chart *c = lab_chart(2, name);
    lab_set(c, 0, 0, 0.1);
    lab_set(c, 0, 1, NAN);
    lab_set(c, 1, 0, -INFINITY);
    lab_set(c, 1, 1, 1 / 3.0);
    ck_assert_str_eq(lab_write(c, &chart_csv), "epoch,step,train_loss,\"a,\"\"b\"\"\"\r\n"
                                               "1,1,0.1,\r\n"
                                               "2,2,-inf,0.3333333333333333\r\n");
    ck_assert_str_eq(lab_write(lab_chart(0, name), &chart_csv),
                     "epoch,step,train_loss,\"a,\"\"b\"\"\"\r\n");
}

struct seen_rows {
    const struct chart *c;
    size_t n; // records, the head among them
};

static void check_value(const struct csv_cell *cell, double wanted)
{
    double v = NAN;
    enum number_kind kind = number_parse(cell->text, cell->len, &v);
    ck_assert_int_eq(kind, isnan(wanted)   ? NUMBER_MISSING
                           : isinf(wanted) ? NUMBER_INFINITE
                                           : NUMBER_FINITE);
    if (kind == NUMBER_FINITE)
        ck_assert(memcmp(&v, &wanted, sizeof v) == 0);
}

static bool check_record(void *ctx, const struct csv_cell *cell, size_t n, size_t line,
                         struct err *e)
{
    struct seen_rows *s = ctx;
    const struct chart *c = s->c;
    (void)line, (void)e;
    ck_assert_uint_eq(n, 2 + c->n_column);
    for (size_t k = 0; k < n && s->n == 0; k++) {
        const char *name = k == 0 ? "epoch" : k == 1 ? "step" : c->name[k - 2];
        ck_assert_uint_eq(cell[k].len, strlen(name));
        ck_assert(memcmp(cell[k].text, name, cell[k].len) == 0);
    }
    for (size_t k = 0; k < n && s->n > 0; k++) {
        size_t i = s->n - 1;
        check_value(&cell[k], k == 0   ? (double)c->epoch[i]
                              : k == 1 ? (double)c->step[i]
                                       : c->value[i * c->n_column + k - 2]);
    }
    s->n++;
    return true;
}

static void check_read_back(const struct chart *c)
{
    struct seen_rows seen = {c, 0};
    struct err e = {0};
    struct csv *p = csv_new(check_record, &seen);
    const char *text = lab_write(c, &chart_csv);
    ck_assert_msg(csv_feed(p, text, strlen(text), &e) && csv_end(p, &e), "%s", e.text);
    csv_free(p);
    ck_assert_uint_eq(seen.n, c->n + 1);
}

TEST(csv_reads_back_as_the_same_numbers)
{
    static const char *const name[] = {"a", "b", "c", ""};
    static const double v[] = {0.1,
                               1 / 3.0,
                               DBL_MAX,
                               DBL_MIN,
                               5e-324,
                               -0.0,
                               1e22,
                               123456789012,
                               2.5e-8,
                               NAN,
                               -1,
                               DBL_EPSILON,
                               1 - DBL_EPSILON / 2,
                               M_PI * 1e5,
                               INFINITY};
    enum { N = sizeof v / sizeof *v };
    struct chart *c = lab_chart(N, name);
    for (size_t i = 0; i < N; i++)
        for (size_t k = 0; k < 3; k++)
            lab_set(c, i, k, v[(i + 5 * k) % N]);
    check_read_back(c);
    for (size_t i = 0; i < lab_odd_count(); i++)
        if (i < 4 || i > 18)
            check_read_back(lab_odd(i == 1 || i == 2 ? 0 : i));
}
