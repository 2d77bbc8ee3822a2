// SPDX-License-Identifier: MIT
// See contract.h.

#include "tests/e2e/contract.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

struct breach {
    char *why;
    size_t room;
};

__attribute__((format(printf, 2, 3))) static bool breach(const struct breach *b, const char *fmt,
                                                         ...)
{
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(b->why, b->room, fmt, ap);
    va_end(ap);
    return false;
}

// "/jobs/7/cancel?x" fits "/jobs/{id}/cancel".
static bool fits_template(const char *path, const char *template)
{
    for (;; path++, template ++) {
        if (*template == '{') {
            size_t n = strcspn(path, "/?");
            path += n;
            template += strcspn(template, "}") + 1;
            if (n == 0)
                return false;
        }
        if (!*template)
            return !*path || *path == '?';
        if (*path != *template)
            return false;
    }
}

static const cJSON *find_path(const cJSON *openapi, const char *path)
{
    const cJSON *item;
    cJSON_ArrayForEach(item, cJSON_GetObjectItem(openapi, "paths"))
    {
        if (fits_template(path, item->string))
            return item;
    }
    return NULL;
}

// Who may not call learns nothing of what there is.
static bool is_refusal(const struct reply *r)
{
    return (r->status == 403 || r->status == 421) && !strcmp(r->media, "application/problem+json");
}

// Allow lists what the document lists, with HEAD beside GET, and OPTIONS, which every path has.
static bool allow_holds(const struct breach *b, const cJSON *path, const struct exchange_seen *x)
{
    const struct reply *r = x->reply;
    const cJSON *method;
    if (is_refusal(r))
        return true;
    if (r->status != (strcmp(x->method, "OPTIONS") ? 405 : 204))
        return breach(b, "status %d for a method that is not declared", r->status);
    cJSON_ArrayForEach(method, path)
    {
        if (!strcasestr(r->allow, method->string))
            return breach(b, "Allow \"%s\" leaves out %s", r->allow, method->string);
    }
    return strstr(r->allow, "OPTIONS") || breach(b, "Allow \"%s\" has no OPTIONS", r->allow);
}

static bool fits(const struct breach *b, const cJSON *openapi, const cJSON *schema,
                 const cJSON *value, const char *whose)
{
    struct shape s = {.root = openapi};
    return shape_fits(&s, schema, value) || breach(b, "the %s body: %s", whose, s.why);
}

static bool body_holds(const struct breach *b, const cJSON *openapi, const cJSON *response,
                       const struct reply *r)
{
    const cJSON *content = cJSON_GetObjectItem(response, "content");
    if (!content)
        return r->len == 0 || breach(b, "a body where none is declared");
    const cJSON *media = cJSON_GetObjectItem(content, r->media);
    if (!media)
        return breach(b, "media type \"%s\" is not declared", r->media);
    if (strcmp(r->media, "application/json") && strcmp(r->media, "application/problem+json"))
        return true;
    if (!r->json)
        return breach(b, "the body is not JSON");
    const cJSON *status = cJSON_GetObjectItem(r->json, "status");
    if (r->status >= 400 && (!cJSON_IsNumber(status) || status->valueint != r->status))
        return breach(b, "the problem does not carry status %d", r->status);
    return fits(b, openapi, cJSON_GetObjectItem(media, "schema"), r->json, "reply");
}

static bool request_holds(const struct breach *b, const cJSON *openapi, const cJSON *operation,
                          const struct exchange_seen *x)
{
    const cJSON *schema = json_at(operation, "/requestBody/content/application~1json/schema");
    if (!schema || !x->body || !x->json || x->reply->status >= 300)
        return true;
    cJSON *sent = cJSON_Parse(x->body);
    bool ok = sent ? fits(b, openapi, schema, sent, "accepted request")
                   : breach(b, "a body that is not JSON was accepted");
    cJSON_Delete(sent);
    return ok;
}

static const cJSON *find_parameter(const cJSON *operation, const char *name, size_t len)
{
    const cJSON *p;
    cJSON_ArrayForEach(p, cJSON_GetObjectItem(operation, "parameters"))
    {
        const char *declared = cJSON_GetStringValue(cJSON_GetObjectItem(p, "name"));
        if (strlen(declared) == len && memcmp(declared, name, len) == 0)
            return p;
    }
    return NULL;
}

// The tests write no escapes into values, so the text is the value.
static bool value_fits(const struct breach *b, const cJSON *openapi, const cJSON *schema,
                       const char *text)
{
    char plain[256];
    snprintf(plain, sizeof plain, "%.*s", (int)strcspn(text, "&"), text);
    bool number = strcmp(cJSON_GetObjectItem(schema, "type")->valuestring, "integer") == 0;
    cJSON *value = number ? cJSON_Parse(plain) : cJSON_CreateString(plain);
    bool ok = value ? fits(b, openapi, schema, value, "accepted query")
                    : breach(b, "query value \"%s\" was accepted", plain);
    cJSON_Delete(value);
    return ok;
}

static bool queries_hold(const struct breach *b, const cJSON *openapi, const cJSON *operation,
                         const struct exchange_seen *x)
{
    const char *name = strchr(x->path, '?');
    for (; name && x->reply->status < 300; name = strchr(name, '&')) {
        size_t len = strcspn(++name, "=&");
        const cJSON *p = find_parameter(operation, name, len);
        if (!p)
            return breach(b, "query \"%.*s\" was accepted undeclared", (int)len, name);
        if (!value_fits(b, openapi, cJSON_GetObjectItem(p, "schema"),
                        name + len + (name[len] == '=')))
            return false;
    }
    return true;
}

static bool operation_holds(const struct breach *b, const cJSON *openapi, const cJSON *operation,
                            const struct exchange_seen *x)
{
    char status[16];
    snprintf(status, sizeof status, "%d", x->reply->status);
    const cJSON *response =
        cJSON_GetObjectItem(cJSON_GetObjectItem(operation, "responses"), status);
    if (!response)
        return breach(b, "status %s is not declared", status);
    return body_holds(b, openapi, response, x->reply) && request_holds(b, openapi, operation, x) &&
           queries_hold(b, openapi, operation, x);
}

bool contract_holds(const cJSON *openapi, const struct exchange_seen *x, char *why, size_t room)
{
    const struct breach b = {why, room};
    const cJSON *path = find_path(openapi, x->path);
    if (!path)
        return x->reply->status == 404 || is_refusal(x->reply) ||
               breach(&b, "status %d for a path that is not declared", x->reply->status);
    const cJSON *operation = cJSON_GetObjectItem(path, x->method); // case does not matter
    if (!operation)
        return allow_holds(&b, path, x);
    return operation_holds(&b, openapi, operation, x);
}
