// SPDX-License-Identifier: MIT
#pragma once

// What the process reads of a socket with recv(). libmicrohttpd has no hook for that, but a
// program's own function of a name goes before a shared library's: ours asks whoever has claimed
// the descriptor, and the system for all others. Any thread.

#include <stddef.h>
#include <sys/types.h>

enum { RECV_DESCRIPTORS = 1 << 16 }; // numbers of descriptors that can be claimed

// Embedded in whatever reads; must live until it is dropped.
struct recv_claim {
    ssize_t (*read)(struct recv_claim *claim, void *to, size_t room); // as recv() without flags
};

// From now on reads of fd, which is below RECV_DESCRIPTORS, go to the claim.
void recv_claim(int fd, struct recv_claim *claim);
void recv_drop(int fd);
