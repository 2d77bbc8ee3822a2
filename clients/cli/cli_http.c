// SPDX-License-Identifier: MIT
// See cli_http.h. libcurl moves the bytes; this file decides what a failure means to a person:
// whether nobody listens, the daemon refused, or the answer is none of its kind.

#include "clients/cli/cli_http.h"

#include "clients/cli/cli_json.h"
#include "clients/cli/cli_say.h"
#include "clients/cli/cli_term.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { REPLY_MAX = 64 << 20, CONNECT_SECONDS = 10 };

struct reply {
    char *text; // ends in NUL; NULL while empty
    size_t len;
};

bool http_init(struct http *h, const char *server)
{
    *h = (struct http){.server = server};
    if (curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK && (h->curl = curl_easy_init()))
        return true;
    fputs("mlpd-cli: could not set up libcurl\n", stderr);
    return false;
}

void http_release(struct http *h)
{
    curl_easy_cleanup(h->curl);
    curl_global_cleanup();
}

static size_t http_keep(char *bytes, size_t size, size_t n, void *to)
{
    struct reply *r = to;
    size_t more = size * n;
    char *text = r->len + more > REPLY_MAX ? NULL : realloc(r->text, r->len + more + 1);
    if (!text)
        return 0;
    memcpy(text + r->len, bytes, more);
    r->text = text;
    r->len += more;
    text[r->len] = '\0';
    return more;
}

static bool set_url(const struct http *h, const struct request *r)
{
    size_t len = strlen(h->server);
    while (len && h->server[len - 1] == '/')
        len--;
    char *name = r->name ? curl_easy_escape(h->curl, r->name, 0) : NULL, *url = NULL;
    bool ok = asprintf(&url, "%.*s%s%s%s", (int)len, h->server, r->path, name ? name : "",
                       r->rest ? r->rest : "") >= 0 &&
              !curl_easy_setopt(h->curl, CURLOPT_URL, url);
    curl_free(name);
    free(url);
    return ok;
}

// A file's length is told when it is known; a pipe is sent in chunks.
static void set_file(const struct http *h, FILE *f)
{
    struct stat about;
    bool plain = !fstat(fileno(f), &about) && S_ISREG(about.st_mode);
    curl_easy_setopt(h->curl, CURLOPT_POST, 1L);
    curl_easy_setopt(h->curl, CURLOPT_READDATA, f);
    curl_easy_setopt(h->curl, CURLOPT_POSTFIELDSIZE_LARGE,
                     (curl_off_t)(plain ? about.st_size : -1));
}

// Without any of these the request is a GET.
static void set_body(const struct http *h, const struct request *r)
{
    if (r->file)
        set_file(h, r->file);
    else if (r->body || r->post)
        curl_easy_setopt(h->curl, CURLOPT_POSTFIELDS, r->body ? r->body : "");
}

static void print_fault(const cJSON *fault)
{
    const char *pointer = json_text_of(fault, "pointer"), *at = pointer + (*pointer == '#');
    if (!*at)
        at = json_text_of(fault, "parameter");
    say(stderr, "%s%s%s\n", at, *at ? ": " : "", json_text_of(fault, "detail"));
}

// One fault is told in one line; several stand below what they have in common.
static void print_problem(const struct http *h, long status, const cJSON *problem)
{
    const cJSON *faults = cJSON_GetObjectItemCaseSensitive(problem, "errors"), *fault;
    const char *detail = json_text_of(problem, "detail");
    double more = json_number_of(problem, "more_errors");
    int n = cJSON_GetArraySize(faults);
    fputs("mlpd-cli: ", stderr);
    if (n != 1 && *detail)
        say(stderr, "%s", detail);
    else if (n != 1)
        say(stderr, "%s answered with status %ld; is it mlpd?", h->server, status);
    fputs(n != 1 ? "\n" : "", stderr);
    cJSON_ArrayForEach(fault, faults)
    {
        fputs(n != 1 ? "  " : "", stderr);
        print_fault(fault);
    }
    if (more > 0)
        fprintf(stderr, "  and %.0f more\n", more);
}

static void print_failure(const struct http *h, CURLcode code, const char *why)
{
    if (code == CURLE_COULDNT_CONNECT)
        say(stderr, "mlpd-cli: nothing listens at %s\n", h->server);
    else
        say(stderr, "mlpd-cli: could not reach %s: %s\n", h->server,
            *why ? why : curl_easy_strerror(code));
    if (code == CURLE_COULDNT_CONNECT)
        fputs("  start the daemon with:  mlpd --data ./mlpd-data\n"
              "  or name another one:    mlpd-cli --server http://HOST:PORT ...\n",
              stderr);
}

static CURLcode perform(struct http *h, const struct request *r, struct reply *reply, char *why)
{
    struct curl_slist *headers = curl_slist_append(
        NULL, r->file ? "Content-Type: text/csv" : "Content-Type: application/json");
    headers = curl_slist_append(headers, "Expect:");
    curl_easy_reset(h->curl);
    curl_easy_setopt(h->curl, CURLOPT_ERRORBUFFER, why);
    curl_easy_setopt(h->curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(h->curl, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_SECONDS);
    curl_easy_setopt(h->curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(h->curl, CURLOPT_WRITEFUNCTION, http_keep);
    curl_easy_setopt(h->curl, CURLOPT_WRITEDATA, reply);
    curl_easy_setopt(h->curl, CURLOPT_HTTPHEADER, headers);
    set_body(h, r);
    CURLcode code = set_url(h, r) ? curl_easy_perform(h->curl) : CURLE_OUT_OF_MEMORY;
    curl_slist_free_all(headers);
    return code;
}

cJSON *http_json(struct http *h, const struct request *r)
{
    struct reply reply = {0};
    char why[CURL_ERROR_SIZE] = "";
    long status = 0;
    CURLcode code = perform(h, r, &reply, why);
    curl_easy_getinfo(h->curl, CURLINFO_RESPONSE_CODE, &status);
    cJSON *json = code == CURLE_OK && reply.text ? cJSON_Parse(reply.text) : NULL;
    free(reply.text);
    if (code == CURLE_OK && status / 100 == 2 && json)
        return json;
    if (code != CURLE_OK)
        print_failure(h, code, why);
    else
        print_problem(h, status, json);
    cJSON_Delete(json);
    return NULL;
}
