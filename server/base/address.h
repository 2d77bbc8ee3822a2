// SPDX-License-Identifier: MIT
#pragma once

// Where the daemon listens: "127.0.0.1:8080", "localhost:8080", "[::1]:8080". Called by settings
// while flags are read and by http.c when it starts; one thread, nothing to free.

#include "engine/base/err.h"

#include <stdbool.h>
#include <stdint.h>

enum { ADDRESS_TEXT = 280, ADDRESS_IP = 46 }; // room for any printed address, for any IP address

struct address {
    char host[256];      // as given, without brackets
    uint16_t port;       // 0: any free port
    char ip[ADDRESS_IP]; // what the host stands for, once it is listened on; "" before
};

// Read HOST:PORT or [HOST]:PORT. ERR_INVALID when it is neither.
bool address_parse(struct address *a, const char *text, struct err *e);

// Whether only this machine can reach it: localhost, 127.0.0.0/8 or ::1.
bool address_is_loopback(const struct address *a);

// The inverse of address_parse().
void address_print(const struct address *a, char out[ADDRESS_TEXT]);

// A listening TCP socket, which the caller closes; a->port and a->ip receive what is in use. -1
// with ERR_INVALID when the name cannot be resolved, ERR_BUSY when the port is taken, ERR_INTERNAL
// otherwise.
int address_listen(struct address *a, struct err *e);
