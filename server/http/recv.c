// SPDX-License-Identifier: MIT
// See recv.h.

#include "server/http/recv.h"

#include <stdatomic.h>
#include <sys/socket.h>

static struct recv_claim *_Atomic owner[RECV_DESCRIPTORS];

void recv_claim(int fd, struct recv_claim *claim)
{
    atomic_store(&owner[fd], claim);
}

void recv_drop(int fd)
{
    atomic_store(&owner[fd], NULL);
}

// The symbol recv. The name in C is another, because checked builds know recv() as an inline
// function. In libc recvfrom() without an address is the same.
ssize_t recv_for_all(int fd, void *to, size_t room, int flags) __asm__("recv");

ssize_t recv_for_all(int fd, void *to, size_t room, int flags)
{
    struct recv_claim *c = fd >= 0 && fd < RECV_DESCRIPTORS ? atomic_load(&owner[fd]) : NULL;
    return c ? c->read(c, to, room) : recvfrom(fd, to, room, flags, NULL, NULL);
}
