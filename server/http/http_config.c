// SPDX-License-Identifier: MIT
// See http_config.h.

#include "server/http/http_config.h"

const struct http_limits http_limits_default = {
    .header_ms = 10000,
    .idle_ms = 60000,
    .body_ms = 30000,
    .reply_ms = 30000,
    .min_rate = 4096,
    .fair_ms = 5000,
    .fair_rate = 4 << 20,
    .fair_hold = 1 << 20,
    .tick_ms = 250,
    .shed_ms = 1000,
    .gone_ms = 1000,
    .linger_ms = 2000,
    .max_connections = 1024,
    .max_requests = 512,
    .slow_waiting = 32,
    .slow_wait_ms = 5000,
    .drain = 4 << 20,
};
