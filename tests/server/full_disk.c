// SPDX-License-Identifier: MIT
// See full_disk.h.

#include "tests/server/full_disk.h"

#include "server/store/store_work.h"

#include "tests/harness.h"

static bool limit_pages(struct store *s, struct conn *c, void *arg, struct err *e)
{
    (void)s;
    return (*(bool *)arg ? SQL(c, e, NULL, NULL, "PRAGMA max_page_count = 1")
                         : SQL(c, e, NULL, NULL, "PRAGMA max_page_count = 1000000")) >= 0;
}

void full_disk(struct store *s, bool on)
{
    struct err e = {0};
    ck_assert_msg(store_write(s, limit_pages, &on, &e), "%s", e.text);
}
