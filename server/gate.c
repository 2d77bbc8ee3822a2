// SPDX-License-Identifier: MIT
// The gate: see gate.h. What it cannot see stays accepted: lines that end in a bare line feed and
// folded headers are mended by libmicrohttpd before we get them.

#include "gate.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { JSON_LIMIT = 64 << 10, NONE_LIMIT = 64 << 10 };

static const char *const names[HEAD_COUNT] = {
    [HEAD_HOST] = "host",
    [HEAD_LENGTH] = "content-length",
    [HEAD_TRANSFER] = "transfer-encoding",
    [HEAD_TYPE] = "content-type",
    [HEAD_CODING] = "content-encoding",
    [HEAD_SITE] = "sec-fetch-site",
};

// Media types that we read, by what a row's body is. `curl -d` and `--data-binary` declare a form
// whatever they send, so that name stands for both.
static const struct {
    const char *name;
    enum body_kind kind;
} media[] = {
    {"application/json", BODY_JSON},
    {"application/x-www-form-urlencoded", BODY_JSON},
    {"application/json", BODY_FILE},
    {"application/octet-stream", BODY_FILE},
    {"application/x-www-form-urlencoded", BODY_FILE},
    {"text/csv", BODY_STREAM},
    {"application/octet-stream", BODY_STREAM},
    {"application/x-www-form-urlencoded", BODY_STREAM},
};

static bool is_token(const char *s, size_t len)
{
    static const char others[] = "!#$%&'*+-.^_`|~";
    for (size_t i = 0; i < len; i++) {
        char low = s[i] | 0x20;
        bool ok = (low >= 'a' && low <= 'z') || (s[i] >= '0' && s[i] <= '9') ||
                  memchr(others, s[i], sizeof others - 1);
        if (!ok)
            return false;
    }
    return len > 0;
}

static bool is_field_text(const char *s, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (((unsigned char)s[i] < ' ' && s[i] != '\t') || s[i] == 0x7f)
            return false;
    return true;
}

void gate_header(struct head *h, const char *name, size_t name_len, const char *value,
                 size_t value_len)
{
    if (!is_token(name, name_len) || !is_field_text(value, value_len))
        h->broken = true;
    for (int i = 0; i < HEAD_COUNT; i++)
        if (!strcasecmp(name, names[i])) {
            h->field[i].n++;
            h->field[i].value = value;
        }
}

static bool is_length(const char *s)
{
    size_t digits = strspn(s, "0123456789");
    return digits > 0 && digits <= 18 && !s[digits];
}

static bool is(const struct head *h, enum head_name i, const char *value)
{
    return h->field[i].n && !strcasecmp(h->field[i].value, value);
}

bool gate_framing(const struct head *h, struct err *e)
{
    bool modern = !strcmp(h->version, "HTTP/1.1");
    const struct {
        bool wrong;
        const char *why;
    } rules[] = {
        {!modern && strcmp(h->version, "HTTP/1.0"), "this server speaks HTTP/1.1 and HTTP/1.0"},
        {h->broken, "a header has a name or a value that is not allowed in HTTP"},
        {modern && !h->field[HEAD_HOST].n, "HTTP/1.1 requires a Host header"},
        {h->field[HEAD_HOST].n > 1, "there is more than one Host header"},
        {h->field[HEAD_LENGTH].n > 1, "there is more than one Content-Length header"},
        {h->field[HEAD_LENGTH].n && !is_length(h->field[HEAD_LENGTH].value),
         "Content-Length is not a number of bytes"},
        {h->field[HEAD_LENGTH].n && h->field[HEAD_TRANSFER].n,
         "Content-Length and Transfer-Encoding exclude each other"},
        {h->field[HEAD_TRANSFER].n > 1 ||
             (h->field[HEAD_TRANSFER].n && !is(h, HEAD_TRANSFER, "chunked")),
         "the only Transfer-Encoding read here is \"chunked\""},
        {h->field[HEAD_TRANSFER].n && !modern, "HTTP/1.0 has no Transfer-Encoding"},
        {h->changes && is(h, HEAD_SITE, "cross-site"),
         "a page of another site may not change anything here"},
    };
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        if (rules[i].wrong)
            return fail(e, ERR_MALFORMED, "%s", rules[i].why);
    return true;
}

static size_t announced(const struct head *h)
{
    return h->field[HEAD_LENGTH].n ? strtoull(h->field[HEAD_LENGTH].value, NULL, 10) : 0;
}

bool gate_has_body(const struct head *h)
{
    return h->field[HEAD_TRANSFER].n || announced(h);
}

size_t gate_limit(const struct route *row, size_t max_upload)
{
    const size_t of_kind[] = {[BODY_NONE] = NONE_LIMIT,
                              [BODY_JSON] = JSON_LIMIT,
                              [BODY_FILE] = JSON_LIMIT,
                              [BODY_STREAM] = max_upload};
    return row->max_body ? row->max_body : of_kind[row->body_kind];
}

bool gate_too_large(size_t limit, struct err *e)
{
    return fail(e, ERR_TOO_LARGE, "the body may be %zu bytes at most", limit);
}

static bool check_media(const char *type, enum body_kind kind, struct err *e)
{
    size_t len = strcspn(type, "; \t");
    const char *read = kind == BODY_JSON   ? "application/json"
                       : kind == BODY_FILE ? "application/json or application/octet-stream"
                                           : "text/csv";
    if (!len || kind == BODY_NONE)
        return true;
    for (size_t i = 0; i < sizeof media / sizeof *media; i++)
        if (media[i].kind == kind && strlen(media[i].name) == len &&
            !strncasecmp(media[i].name, type, len))
            return true;
    return fail(e, ERR_UNSUPPORTED, "cannot read \"%.*s\"; send %s", (int)(len < 80 ? len : 80),
                type, read);
}

bool gate_body(const struct head *h, const struct route *row, size_t limit, size_t *length,
               struct err *e)
{
    *length = announced(h);
    if (h->field[HEAD_CODING].n && !is(h, HEAD_CODING, "identity"))
        return fail(e, ERR_UNSUPPORTED,
                    "cannot read a body with a Content-Encoding; send it plain");
    if (h->field[HEAD_TYPE].n && !check_media(h->field[HEAD_TYPE].value, row->body_kind, e))
        return false;
    return *length <= limit || gate_too_large(limit, e);
}
