// SPDX-License-Identifier: MIT
#include "harness.h"
#include "schedule.h"
#include "tables.h"

#include <math.h>

// Factors at known steps of known runs; a row that is not here fails the walk below.
static const struct {
    const char *name;
    double min, warmup; // knobs; min where the row has one
    uint64_t k, n;
    double factor;
} known[] = {
    {"constant", 0, 0, 0, 100, 1},
    {"constant", 0, 0, 99, 100, 1},
    {"cosine", 0, 0, 0, 100, 1},
    {"cosine", 0, 0, 25, 100, .85355339059327373},
    {"cosine", 0, 0, 50, 100, .5},
    {"cosine", 0, 0, 75, 100, .14644660940672627},
    {"cosine", 0, 0, 99, 100, .00024671981713422},
    {"cosine", .1, 0, 50, 100, .55},
    {"cosine", .1, 0, 100, 100, .1},
    // warm-up as a share: 5 % of 100 steps are 5
    {"constant", 0, .05, 0, 100, .2},
    {"constant", 0, .05, 3, 100, .8},
    {"constant", 0, .05, 4, 100, 1},
    {"constant", 0, .05, 5, 100, 1},
    {"cosine", 0, .05, 4, 100, 1},
    {"cosine", 0, .05, 5, 100, 1},
    {"cosine", 0, .2, 60, 100, .5},
    {"cosine", .5, .2, 60, 100, .75},
    // warm-up as a number of steps
    {"constant", 0, 10, 0, 100, .1},
    {"constant", 0, 10, 8, 100, .9},
    {"cosine", 0, 20, 60, 100, .5},
    {"cosine", 0, 1, 0, 100, 1},
    // a warm-up that rounds to no step, and one longer than the run
    {"cosine", 0, .001, 0, 100, 1},
    {"constant", 0, 200, 99, 100, .5},
    {"cosine", 0, 100, 99, 100, 1},
    {"cosine", 0, 0, 0, 1, 1},
};
enum { KNOWN = sizeof known / sizeof *known };

LOOP_TEST(a_schedule_gives_its_known_values, KNOWN)
{
    struct pick p = pick_row(&schedule_table, table_find(&schedule_table, known[_i].name));
    const struct knob *knob;
    size_t at;
    for (size_t k = 0; (knob = knob_at(&schedule_table, p.row, k, &at)); k++)
        p.value[at] = knob->name[0] == 'w' ? known[_i].warmup : known[_i].min;
    double got = schedule_factor(&p, known[_i].k, known[_i].n, 10);
    ck_assert_msg(fabs(got - known[_i].factor) < 1e-12, "%s, step %d of %d: %.17g, expected %.17g",
                  known[_i].name, (int)known[_i].k, (int)known[_i].n, got, known[_i].factor);
}

// Whatever the row: known above, within [0, 1], never above 0 only at the end of a warm-up.
LOOP_TEST(every_schedule_is_known_and_stays_between_nothing_and_the_full_rate, schedule_table.n)
{
    const struct row *row = schedule_table.row[_i];
    int found = 0;
    for (int i = 0; i < KNOWN; i++)
        found += table_find(&schedule_table, known[i].name) == row;
    ck_assert_msg(found, "schedule \"%s\" has no known values here", row->name);
    struct pick p = pick_row(&schedule_table, row);
    for (uint64_t k = 0; k < 1000; k++) {
        double f = schedule_factor(&p, k, 1000, 10);
        ck_assert_msg(f >= 0 && f <= 1, "schedule \"%s\", step %d: %g", row->name, (int)k, f);
    }
}
