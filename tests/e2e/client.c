// SPDX-License-Identifier: MIT
// See client.h. One curl handle for the process, so connections are kept alive as real clients keep
// them; a forked test starts with a handle of its own.

#include "tests/e2e/client.h"

#include "tests/e2e/contract.h"

#include <curl/curl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

enum { REPLIES = 64, TEXTS = 16, TEXT_ROOM = 4096, PATIENCE_S = 100, POLL_MS = 4 };

static struct reply ring[REPLIES];
static size_t n_reply;
static cJSON *openapi;

const char *text(const char *fmt, ...)
{
    static char buffer[TEXTS][TEXT_ROOM];
    static size_t n;
    char *at = buffer[n++ % TEXTS];
    va_list ap;
    va_start(ap, fmt);
    int len = vsnprintf(at, TEXT_ROOM, fmt, ap);
    va_end(ap);
    ck_assert_int_lt(len, TEXT_ROOM);
    return at;
}

static struct reply *next_reply(void)
{
    struct reply *r = &ring[n_reply++ % REPLIES];
    free(r->body);
    cJSON_Delete(r->json);
    *r = (struct reply){.body = calloc(1, 1)};
    return r;
}

static size_t take_body(char *bytes, size_t size, size_t n, void *to)
{
    struct reply *r = to;
    r->body = realloc(r->body, r->len + size * n + 1);
    memcpy(r->body + r->len, bytes, size * n);
    r->len += size * n;
    r->body[r->len] = '\0';
    return size * n;
}

static size_t take_header(char *bytes, size_t size, size_t n, void *to)
{
    struct reply *r = to;
    const struct {
        const char *name;
        char *at;
        size_t room;
    } row[] = {{"Content-Type: ", r->media, sizeof r->media},
               {"Location: ", r->location, sizeof r->location},
               {"Allow: ", r->allow, sizeof r->allow},
               {"Idempotent-Replayed: ", r->replayed, sizeof r->replayed},
               {"Access-Control-Allow-Origin: ", r->origin, sizeof r->origin},
               {"Access-Control-Allow-Methods: ", r->methods, sizeof r->methods},
               {"Access-Control-Allow-Headers: ", r->headers, sizeof r->headers},
               {"Access-Control-Expose-Headers: ", r->exposed, sizeof r->exposed}};
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        size_t len = strlen(row[i].name);
        if (size * n > len + 2 && strncasecmp(bytes, row[i].name, len) == 0)
            snprintf(row[i].at, row[i].room, "%.*s", (int)(size * n - len - 2), bytes + len);
    }
    return size * n;
}

static CURL *handle(void)
{
    static CURL *curl;
    static pid_t owner;
    if (curl && owner == getpid()) {
        curl_easy_reset(curl);
        return curl;
    }
    owner = getpid();
    curl = curl_easy_init();
    ck_assert_ptr_nonnull(curl);
    return curl;
}

// A server may refuse a long body before it has all of it; curl calls that a failure to send though
// the answer has arrived.
static void perform(CURL *curl, const struct reply *r, const char *method, const char *path)
{
    CURLcode code = curl_easy_perform(curl);
    long status = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    bool refused = code == CURLE_SEND_ERROR && status >= 400 && r->len > 0;
    ck_assert_msg(code == CURLE_OK || refused, "%s %s: %s", method, path, curl_easy_strerror(code));
}

static struct curl_slist *header_lines(const char *lines)
{
    struct curl_slist *list = NULL;
    for (size_t len; lines && *lines; lines += len + (lines[len] == '\n')) {
        len = strcspn(lines, "\n");
        list = curl_slist_append(list, text("%.*s", (int)len, lines));
    }
    return list;
}

static struct reply *exchange(const struct daemon *d, const char *method, const char *path,
                              const char *body, size_t len, const char *header)
{
    struct reply *r = next_reply();
    CURL *curl = handle();
    struct curl_slist *headers = header_lines(header);
    char url[TEXT_ROOM + 64];
    snprintf(url, sizeof url, "http://127.0.0.1:%d%s", d->port, path);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)PATIENCE_S);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, r);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, r);
    if (body) {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)len);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
    }
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
    perform(curl, r, method, path);
    long status;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    r->status = (int)status;
    if (strstr(r->media, "json"))
        r->json = cJSON_Parse(r->body);
    curl_slist_free_all(headers);
    return r;
}

const struct reply *http_bytes(const struct daemon *d, const char *method, const char *path,
                               const char *body, size_t len, const char *header)
{
    char why[600] = "";
    if (!openapi)
        openapi = cJSON_Parse(exchange(d, "GET", "/openapi.json", NULL, 0, NULL)->body);
    ck_assert_ptr_nonnull(openapi);
    const struct reply *r = exchange(d, method, path, body, len, header);
    bool json = !header || !strstr(header, "octet-stream");
    bool ok = contract_holds(openapi, &(struct exchange_seen){method, path, body, json, r}, why,
                             sizeof why);
    ck_assert_msg(ok, "%s %s breaks the promise of /openapi.json: %s\n%.600s", method, path, why,
                  r->body);
    return r;
}

const struct reply *http(const struct daemon *d, const char *method, const char *path,
                         const char *body)
{
    return http_bytes(d, method, path, body, body ? strlen(body) : 0, NULL);
}

double number_at(const struct reply *r, const char *pointer)
{
    const cJSON *v = json_at(r->json, pointer);
    ck_assert_msg(cJSON_IsNumber(v), "no number at %s: %.600s", pointer, r->body);
    return v->valuedouble;
}

const char *string_at(const struct reply *r, const char *pointer)
{
    const cJSON *v = json_at(r->json, pointer);
    ck_assert_msg(cJSON_IsString(v), "no string at %s: %.600s", pointer, r->body);
    return v->valuestring;
}

static void upload(const struct daemon *d, const char *name, const char *csv, size_t len)
{
    const struct reply *r =
        http_bytes(d, "POST", text("/datasets?name=%s", name), csv, len, "Content-Type: text/csv");
    expect_status(r, 201);
    ck_assert_str_eq(r->location, text("/datasets/%s", name));
}

void upload_file(const struct daemon *d, const char *name, const char *path)
{
    size_t len;
    char *csv = file_text(source_path(path), &len);
    ck_assert_msg(csv != NULL, "there is no %s", path);
    upload(d, name, csv, len);
    free(csv);
}

void upload_text(const struct daemon *d, const char *name, const char *csv)
{
    upload(d, name, csv, strlen(csv));
}

int submit(const struct daemon *d, const char *job)
{
    const struct reply *r = http(d, "POST", "/jobs", job);
    expect_status(r, 201);
    int id = (int)number_at(r, "/id");
    ck_assert_str_eq(r->location, text("/jobs/%d", id));
    return id;
}

static bool ended(const char *status)
{
    return !strcmp(status, "succeeded") || !strcmp(status, "failed") ||
           !strcmp(status, "cancelled");
}

const struct reply *wait_status(const struct daemon *d, int job, const char *status)
{
    const struct timespec nap = {.tv_nsec = POLL_MS * 1000000};
    const char *path = text("/jobs/%d", job), *is = "";
    for (int ms = 0; ms < PATIENCE_S * 1000; ms += POLL_MS) {
        const struct reply *r = http(d, "GET", path, NULL);
        expect_status(r, 200);
        is = string_at(r, "/status");
        if (strcmp(is, status) == 0)
            return r;
        ck_assert_msg(!ended(is), "job %d is %s, not %s: %.600s", job, is, status, r->body);
        nanosleep(&nap, NULL);
    }
    ck_abort_msg("job %d is still %s", job, is);
    return NULL;
}

const struct reply *train(const struct daemon *d, const char *job)
{
    return wait_status(d, submit(d, job), "succeeded");
}
