// SPDX-License-Identifier: MIT
// Change notices as store.h gives them.

#include "server/store/notice.h"
#include "server/store/store_work.h"

_Static_assert(NOTICE_LOOK_MS <= STORE_NOTICE_MS / 2, "twice, should the writer just be busy");

uint64_t store_job_arrivals(struct store *s)
{
    return notice_arrivals(store_notice(s));
}

void store_job_await(struct store *s, uint64_t seen, int64_t ms)
{
    notice_await(store_notice(s), seen, ms);
}

void store_job_wake(struct store *s)
{
    notice_arrival(store_notice(s));
}

uint64_t store_model_edition(struct store *s, const char *name)
{
    return notice_edition(store_notice(s), name);
}
