// SPDX-License-Identifier: MIT
#include "api/schema/scope.h"

#include "tests/harness.h"

#include <string.h>

LOOP_TEST(a_scope_has_a_word_of_its_own_and_a_sentence, SCOPE_COUNT)
{
    if (_i == SCOPE_NONE) {
        ck_assert_ptr_null(scope_table[_i].word);
        return;
    }
    ck_assert_ptr_nonnull(scope_table[_i].doc);
    for (int k = SCOPE_NONE + 1; k < _i; k++)
        ck_assert_str_ne(scope_table[k].word, scope_table[_i].word);
}

LOOP_TEST(a_scope_opens_what_names_it_and_nothing_else, SCOPE_COUNT)
{
    const struct principal p = {"p", SCOPE_BIT(_i) & ~SCOPE_BIT(SCOPE_NONE)};
    for (int k = SCOPE_NONE; k < SCOPE_COUNT; k++) {
        struct err e = {0};
        bool may = principal_may(&p, (enum scope)k, &e);
        ck_assert_int_eq(may, k == _i && k != SCOPE_NONE);
        ck_assert_int_eq(e.kind, may ? ERR_NONE : ERR_FORBIDDEN);
        ck_assert(may || k == SCOPE_NONE || strstr(e.text, scope_table[k].word));
    }
}

TEST(the_anonymous_may_all_but_what_nobody_may)
{
    for (int k = SCOPE_NONE; k < SCOPE_COUNT; k++) {
        struct err e = {0};
        ck_assert_int_eq(principal_may(&principal_anonymous, (enum scope)k, &e), k != SCOPE_NONE);
    }
}
