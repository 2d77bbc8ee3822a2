// SPDX-License-Identifier: MIT
// See reserve.h. Memory that was never touched costs nothing but addresses. A bit tells of each
// piece whether it is lent.

#include "engine/base/reserve.h"

#include "engine/base/err.h"

#include <stdatomic.h>
#include <stdint.h>

static _Alignas(64) unsigned char room[RESERVE_PIECES][RESERVE_PIECE];
static _Atomic uint32_t lent;

void *reserve_take(size_t bytes)
{
    uint32_t now = atomic_load(&lent), bit;
    if (bytes > RESERVE_PIECE)
        return NULL;
    do {
        if (now == UINT32_MAX)
            return NULL;
        bit = ~now & (now + 1); // the lowest that is free
    } while (!atomic_compare_exchange_weak(&lent, &now, now | bit));
    return room[__builtin_ctz(bit)];
}

void reserve_give(void *piece)
{
    size_t i = (size_t)((unsigned char(*)[RESERVE_PIECE])piece - room);
    BUG(i >= RESERVE_PIECES);
    atomic_fetch_and(&lent, ~(UINT32_C(1) << i));
}
