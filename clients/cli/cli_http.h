// SPDX-License-Identifier: MIT
#pragma once

// Requests to the daemon. One connection, kept open between requests; one thread. Replies are cJSON
// trees that the caller deletes.

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdio.h>

struct http {
    const char *server; // "http://127.0.0.1:8080"; the caller's
    void *curl;
};

// `path`, then `name` percent-encoded, then `rest`: "/models/" "my model" "/predict".
struct request {
    const char *path, *name, *rest; // the last two may be NULL
    const char *body;               // JSON; NULL for none
    FILE *file;                     // a body streamed from here, in place of `body`; or NULL
    bool post;                      // POST without a body
};

// On failure says why on stderr and returns false.
bool http_init(struct http *h, const char *server);
void http_release(struct http *h);

// The reply to a request that the daemon granted. Otherwise NULL, after printing why: the problem
// document's faults, or how to start a daemon when none listens.
cJSON *http_json(struct http *h, const struct request *r);
