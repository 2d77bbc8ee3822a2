// SPDX-License-Identifier: MIT
// What must hold of every row of the route table, and nobody else notices.

#include "api/schema/rendering.h"
#include "api/schema/route.h"
#include "tests/harness.h"

#include <string.h>

static bool may_fail(const struct route *r, enum err_kind kind)
{
    for (int i = 0; i < ROUTE_FAILS; i++)
        if (r->fails[i] == kind)
            return true;
    return false;
}

// A suffix must be told from a name, and who asks for a form that there is not is told so.
TEST(a_route_with_forms_can_be_asked_for_each)
{
    size_t found = 0;
    for (size_t i = 0; i < route_count; i++) {
        const struct route *r = &route_table[i];
        if (!r->rendering)
            continue;
        found++;
        ck_assert_int_eq(r->method, GET);
        ck_assert_int_ne(strrchr(r->path, '/')[1], '{');
        ck_assert_ptr_null(strchr(strrchr(r->path, '/'), '.'));
        ck_assert_ptr_null(r->produces);
        ck_assert(may_fail(r, ERR_NOT_ACCEPTABLE));
        ck_assert(may_fail(r, ERR_NOT_FOUND));
        ck_assert_str_eq(r->rendering[0]->media, "application/json");
        for (const struct rendering *const *f = r->rendering; *f; f++) {
            ck_assert_ptr_eq(rendering_find(r->rendering, (*f)->name), *f);
            ck_assert_uint_gt(strlen((*f)->doc), 10);
            for (const struct rendering *const *g = r->rendering; g < f; g++)
                ck_assert_str_ne((*g)->media, (*f)->media);
        }
    }
    ck_assert_uint_gt(found, 0);
}
