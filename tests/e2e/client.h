// SPDX-License-Identifier: MIT
#pragma once

// The client of the end-to-end tests: libcurl, one exchange at a time, from one thread.
//
// EVERY exchange is held against the daemon's own /openapi.json: path and method are declared (or
// the answer is 404 or 405 with Allow), the status is declared for them, the body is of the
// declared media type and fits the declared schema, query parameters are declared, and an accepted
// request body fits the schema of requests. A breach fails the test, whatever it is about.

#include "tests/e2e/daemon.h"
#include "tests/harness.h"
#include "tests/e2e/shape.h"

#include <cJSON.h>

// What came back. Good until 64 further exchanges; nothing to free.
struct reply {
    int status;
    char *body; // NUL-terminated
    size_t len;
    cJSON *json;    // NULL when the body is not JSON
    char media[64]; // Content-Type
    char location[128], allow[64];
    char replayed[16]; // Idempotent-Replayed; "" like any header that is absent
    // What browsers want to know: Access-Control-Allow-Origin, -Methods, -Headers, Expose-Headers.
    char origin[64], methods[64], headers[64], exposed[96];
};

// One request; `body` NULL sends none.
const struct reply *http(const struct daemon *d, const char *method, const char *path,
                         const char *body);

// One request with everything: a body of any bytes and headers, one a line ("If-Match: x"), or
// NULL. As curl's --data-binary does, a body goes as application/x-www-form-urlencoded unless the
// header says otherwise.
const struct reply *http_bytes(const struct daemon *d, const char *method, const char *path,
                               const char *body, size_t len, const char *header);

// printf into a buffer that is good until 16 further calls.
__attribute__((format(printf, 1, 2))) const char *text(const char *fmt, ...);

// The number or string at a JSON Pointer of the reply; the test fails when there is none.
double number_at(const struct reply *r, const char *pointer);
const char *string_at(const struct reply *r, const char *pointer);

#define expect_status(r, wanted)                                                                   \
    ck_assert_msg((r)->status == (wanted), "status %d in place of %d: %.600s", (r)->status,        \
                  (wanted), (r)->body)

// Everyday steps, each failing the test when it does not go well.
void upload_file(const struct daemon *d, const char *name, const char *path);
void upload_text(const struct daemon *d, const char *name, const char *csv);
int submit(const struct daemon *d, const char *job);
const struct reply *wait_status(const struct daemon *d, int job, const char *status);
const struct reply *train(const struct daemon *d, const char *job); // submit, wait until succeeded
