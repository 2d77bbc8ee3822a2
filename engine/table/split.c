// SPDX-License-Identifier: MIT
// Rows that have their targets and some weight are grouped by class (one single group when not
// stratified), each group is shuffled, and test, validation and training take their seats from it
// in this order. How many seats a group gives is its exact share rounded down, and one more for the
// largest remainders, ties broken at random; but the last row of a group always trains. Where
// classes are too small for that, the rows are divided as one group. At the end each part is
// shuffled.
//
// Every draw is a function of (split seed, what it is for), so a split can be computed again.

#include "engine/table/prep.h"

#include "engine/table/prep_parts.h"

#include "engine/base/rng.h"

#include <math.h>
#include <stdlib.h>

enum draw { DRAW_GROUP, DRAW_TIES, DRAW_PART };
enum part { PART_TEST, PART_VAL, PART_TRAIN };

struct group {
    uint32_t *row; // of this class, shuffled
    size_t n;      // rows not given away yet
    size_t give;   // rows that the part at hand takes; while counting, rows seen
    size_t rest;   // remainder of its share
    uint64_t tie;  // order among equal remainders
};

struct job {
    struct group *group;
    size_t n_group;
    uint32_t *row; // grouped
    size_t n_row;  // that are of use
    uint64_t seed;
    const struct halt *halt;
};

static uint64_t split_key(const struct job *j, enum draw what, uint64_t which)
{
    return rng_key(j->seed, RNG_SPLIT, what, which);
}

// The group of a row, or SIZE_MAX when it is of no use.
static size_t split_group_of(const struct job *j, const struct prep *p, const struct frame *f,
                             size_t row)
{
    if (!prep_usable(p, f, (uint32_t)row))
        return SIZE_MAX;
    return j->n_group > 1 ? (size_t)prep_target_value(p, 0, f, (uint32_t)row) : 0;
}

static void count_rows(struct job *j, const struct prep *p, const struct frame *f)
{
    for (size_t i = 0; i < f->n_row && !halt_due(j->halt, i); i++) {
        size_t g = split_group_of(j, p, f, i);
        if (g != SIZE_MAX)
            j->group[g].give++;
    }
    for (size_t g = 0; g < j->n_group; g++) {
        j->group[g].row = j->row + j->n_row;
        j->n_row += j->group[g].give;
    }
}

static void place_rows(struct job *j, const struct prep *p, const struct frame *f)
{
    for (size_t i = 0; i < f->n_row && !halt_due(j->halt, i); i++) {
        size_t g = split_group_of(j, p, f, i);
        if (g != SIZE_MAX)
            j->group[g].row[j->group[g].n++] = (uint32_t)i;
    }
    for (size_t g = 0; g < j->n_group; g++)
        rng_shuffle(split_key(j, DRAW_GROUP, g), j->group[g].row, j->group[g].n, j->halt);
}

// Sort the rows that have a target into groups.
static bool fill_groups(struct job *j, const struct prep *p, const struct frame *f, size_t n_group,
                        struct arena *a, struct err *e)
{
    j->n_group = n_group;
    j->n_row = 0;
    j->group = prep_alloc(a, n_group, sizeof *j->group, e);
    j->row = prep_alloc(a, f->n_row, sizeof *j->row, e);
    if (!j->group || !j->row)
        return false;
    for (size_t g = 0; g < n_group; g++)
        j->group[g] = (struct group){0};
    count_rows(j, p, f);
    place_rows(j, p, f);
    return halt_go_on(j->halt, e);
}

// Rows that may leave for test and validation: all but one of each group.
static size_t spare(const struct job *j)
{
    size_t n = 0;
    for (size_t g = 0; g < j->n_group; g++)
        n += j->group[g].n ? j->group[g].n - 1 : 0;
    return n;
}

static int by_rest(const void *a, const void *b)
{
    const struct group *x = *(struct group *const *)a, *y = *(struct group *const *)b;
    if (x->rest != y->rest)
        return x->rest < y->rest ? 1 : -1;
    return (x->tie > y->tie) - (x->tie < y->tie);
}

// Decide how many of each group's rows a part of `seats` rows takes.
static void share_out(struct job *j, enum part part, size_t seats, struct group **order)
{
    size_t all = 0, left = seats;
    for (size_t g = 0; g < j->n_group; g++)
        all += j->group[g].n;
    for (size_t g = 0; g < j->n_group; g++) {
        struct group *it = order[g] = &j->group[g];
        it->give = it->n * seats / all;
        it->rest = it->n * seats % all;
        it->tie = rng_u64(split_key(j, DRAW_TIES, part), g);
        left -= it->give;
    }
    qsort(order, j->n_group, sizeof *order, by_rest);
    for (size_t g = 0; left; g = (g + 1) % j->n_group)
        if (order[g]->n > order[g]->give + 1) {
            order[g]->give++;
            left--;
        }
}

static uint32_t *take_part(struct job *j, enum part part, size_t n, struct arena *a, struct err *e)
{
    uint32_t *out = prep_alloc(a, n, sizeof *out, e);
    size_t at = 0;
    for (size_t g = 0; out && g < j->n_group; g++)
        for (struct group *it = &j->group[g]; it->give && !halt_due(j->halt, at); it->give--)
            out[at++] = it->row[--it->n];
    if (out)
        rng_shuffle(split_key(j, DRAW_PART, part), out, n, j->halt);
    return out;
}

static size_t seats_of(double share, size_t n)
{
    size_t k = (size_t)llround(share * (double)n);
    return share > 0 && k == 0 ? 1 : k;
}

// Sizes of the parts, and groups that can fill them.
static bool choose_sizes(struct job *j, const struct prep *p, const struct frame *f,
                         const struct data_spec *s, struct split *out, struct arena *a,
                         struct err *e)
{
    bool stratify = s->stratify && p->answer.n_class;
    if (!fill_groups(j, p, f, stratify ? p->answer.n_class : 1, a, e))
        return false;
    out->n_test = seats_of(s->test, j->n_row);
    out->n_val = seats_of(s->validation, j->n_row);
    size_t wanted = out->n_test + out->n_val;
    if (wanted >= j->n_row)
        return fail_at(e, ERR_INVALID, "/split",
                       "%zu rows have %s: too few for the training, validation and test parts "
                       "that are wanted",
                       j->n_row, p->weight ? "a target and a weight above 0" : "a target");
    out->n_train = j->n_row - wanted;
    out->n_dropped = f->n_row - j->n_row;
    return spare(j) >= wanted || fill_groups(j, p, f, 1, a, e);
}

bool prep_split(const struct prep *p, const struct frame *f, const struct data_spec *s,
                struct split *out, const struct halt *halt, struct arena *a, struct err *e)
{
    struct job j = {.seed = s->split_seed, .halt = halt};
    *out = (struct split){0};
    if (!choose_sizes(&j, p, f, s, out, a, e))
        return false;
    struct group **order = prep_alloc(a, j.n_group, sizeof *order, e);
    if (!order)
        return false;
    share_out(&j, PART_TEST, out->n_test, order);
    if (!(out->test = take_part(&j, PART_TEST, out->n_test, a, e)))
        return false; // its rows are still in their groups, which would give too many now
    share_out(&j, PART_VAL, out->n_val, order);
    if (!(out->val = take_part(&j, PART_VAL, out->n_val, a, e)))
        return false;
    for (size_t g = 0; g < j.n_group; g++)
        j.group[g].give = j.group[g].n;
    out->train = take_part(&j, PART_TRAIN, out->n_train, a, e);
    return out->train && halt_go_on(halt, e);
}
