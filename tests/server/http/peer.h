// SPDX-License-Identifier: MIT
#pragma once

// A client made of a bare socket, for tests that care about bytes. Everything aborts the test when
// the server does not answer within PEER_SECONDS.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PEER_SECONDS = 10, PEER_ROOM = 1 << 17 };

struct peer {
    int fd;
    size_t len; // bytes read and not yet consumed
    char in[PEER_ROOM];
};

struct response {
    int status;
    bool closes; // says "Connection: close"
    char head[8192], body[PEER_ROOM];
    size_t body_len;
};

void peer_open(struct peer *p, uint16_t port);
void peer_close(struct peer *p);
void peer_send(struct peer *p, const char *text);             // all of it
bool peer_try(struct peer *p, const char *bytes, size_t len); // false once the server hung up
void peer_zeros(struct peer *p, size_t n, bool chunked); // a body of n '0', as far as it is taken
void peer_answer(struct peer *p, struct response *a,
                 bool bodyless);  // bodyless: the answer to a HEAD
bool peer_at_end(struct peer *p); // read until the server hangs up; false: there was more to read
const char *answer_header(const struct response *a,
                          const char *name); // its value, NULL when absent

// One request on its own connection.
void peer_ask(uint16_t port, const char *request, struct response *a);
