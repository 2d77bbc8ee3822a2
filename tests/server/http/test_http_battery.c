// SPDX-License-Identifier: MIT
// Raw requests and what is answered: every row of battery_*.c, each on a connection of its own.

#include "tests/server/http/battery.h"
#include "tests/server/http/edge.h"
#include "tests/harness.h"

#include <string.h>

enum { SHORT = 700 }; // longer rows are sent at once only

static void run(size_t i, enum battery_way way, size_t first, size_t last)
{
    struct http *h = edge_serve(NULL);
    for (size_t cut = first; cut <= last; cut++)
        battery_run(http_port(h), i, way, cut);
    http_stop(h);
    ck_assert_int_eq(atomic_load(&seen.begun),
                     atomic_load(&seen.ended) + atomic_load(&seen.undone));
}

LOOP_TEST(http_gate_answers_every_row_of_the_battery, battery_count())
{
    run((size_t)_i, AT_ONCE, 0, 0);
}

LOOP_TEST(http_gate_answers_the_battery_byte_by_byte, battery_count())
{
    const char *theme;
    const struct battery_case *c = battery_row((size_t)_i, &theme);
    if (!c->times && c->len < SHORT)
        run((size_t)_i, BY_BYTE, 0, 0);
}

LOOP_TEST(http_gate_answers_the_battery_cut_anywhere, battery_count())
{
    const char *theme;
    const struct battery_case *c = battery_row((size_t)_i, &theme);
    if (c->cut)
        run((size_t)_i, IN_TWO, 1, c->len - 1);
}

TEST(http_battery_names_each_row_once)
{
    for (size_t i = 0; i < battery_count(); i++) {
        const char *theme, *other;
        const struct battery_case *c = battery_row(i, &theme);
        for (size_t k = 0; k < i; k++) {
            const struct battery_case *d = battery_row(k, &other);
            ck_assert_msg(strcmp(theme, other) || strcmp(c->name, d->name), "%s: \"%s\" twice",
                          theme, c->name);
        }
    }
}
