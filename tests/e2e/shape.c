// SPDX-License-Identifier: MIT
// See shape.h. A row is a keyword and the function that checks it; a function is given the whole
// schema, because some keywords speak of their neighbours.

#include "tests/e2e/shape.h"

#include <math.h>
#include <regex.h>
#include <stdio.h>
#include <string.h>

static bool misfit(struct shape *s, const char *keyword, const cJSON *value)
{
    if (*s->why)
        return false;
    snprintf(s->why, sizeof s->why, "\"%.40s\" of the schema is broken by \"%.80s\"", keyword,
             value->string ? value->string : "an element");
    return false;
}

const cJSON *json_at(const cJSON *json, const char *pointer)
{
    char key[128];
    while (json && *pointer == '/') {
        size_t n = 0;
        for (pointer++; *pointer && *pointer != '/' && n < sizeof key - 1; pointer++, n++) {
            key[n] = *pointer;
            if (pointer[0] == '~' && (pointer[1] == '0' || pointer[1] == '1'))
                key[n] = *++pointer == '0' ? '~' : '/';
        }
        key[n] = '\0';
        int index = 0;
        sscanf(key, "%d", &index);
        json = cJSON_IsArray(json) ? cJSON_GetArrayItem(json, index)
                                   : cJSON_GetObjectItemCaseSensitive(json, key);
    }
    return json;
}

static bool has_type(const char *word, const cJSON *v)
{
    const struct {
        const char *word;
        bool is;
    } row[] = {{"object", cJSON_IsObject(v)},
               {"array", cJSON_IsArray(v)},
               {"string", cJSON_IsString(v)},
               {"boolean", cJSON_IsBool(v)},
               {"null", cJSON_IsNull(v)},
               {"number", cJSON_IsNumber(v)},
               {"integer", cJSON_IsNumber(v) && v->valuedouble == floor(v->valuedouble)}};
    for (size_t i = 0; i < sizeof row / sizeof *row; i++)
        if (strcmp(word, row[i].word) == 0)
            return row[i].is;
    return false;
}

static bool check_type(struct shape *s, const cJSON *schema, const cJSON *k, const cJSON *v)
{
    const cJSON *word;
    (void)s, (void)schema;
    if (cJSON_IsString(k))
        return has_type(k->valuestring, v);
    cJSON_ArrayForEach(word, k) if (has_type(word->valuestring, v)) return true;
    return false;
}

static bool check_properties(struct shape *s, const cJSON *schema, const cJSON *k, const cJSON *v)
{
    const cJSON *p;
    (void)schema;
    cJSON_ArrayForEach(p, k)
    {
        const cJSON *member = cJSON_GetObjectItemCaseSensitive(v, p->string);
        if (member && !shape_fits(s, p, member))
            return false;
    }
    return true;
}

static bool check_additional(struct shape *s, const cJSON *schema, const cJSON *k, const cJSON *v)
{
    const cJSON *known = cJSON_GetObjectItemCaseSensitive(schema, "properties"), *member;
    if (!cJSON_IsObject(v))
        return true;
    cJSON_ArrayForEach(member, v)
    {
        if (cJSON_GetObjectItemCaseSensitive(known, member->string) || cJSON_IsTrue(k))
            continue;
        if (cJSON_IsFalse(k))
            return misfit(s, "additionalProperties", member);
        if (!shape_fits(s, k, member))
            return false;
    }
    return true;
}

static bool check_required(struct shape *s, const cJSON *schema, const cJSON *k, const cJSON *v)
{
    const cJSON *name;
    (void)schema;
    cJSON_ArrayForEach(name, k)
    {
        if (!cJSON_IsObject(v) || cJSON_GetObjectItemCaseSensitive(v, name->valuestring))
            continue;
        snprintf(s->why, sizeof s->why, "required \"%.80s\" is absent", name->valuestring);
        return false;
    }
    return true;
}

static bool check_items(struct shape *s, const cJSON *schema, const cJSON *k, const cJSON *v)
{
    const cJSON *item;
    (void)schema;
    if (cJSON_IsArray(v))
        cJSON_ArrayForEach(item, v) if (!shape_fits(s, k, item)) return false;
    return true;
}

static bool check_enum(struct shape *s, const cJSON *schema, const cJSON *k, const cJSON *v)
{
    const cJSON *allowed;
    (void)s, (void)schema;
    cJSON_ArrayForEach(allowed, k) if (cJSON_Compare(allowed, v, true)) return true;
    return false;
}

static bool check_const(struct shape *s, const cJSON *schema, const cJSON *k, const cJSON *v)
{
    (void)s, (void)schema;
    return cJSON_Compare(k, v, true);
}

static size_t matches(const struct shape *s, const cJSON *list, const cJSON *v)
{
    const cJSON *branch;
    size_t n = 0;
    cJSON_ArrayForEach(branch, list)
    {
        struct shape quiet = {.root = s->root};
        n += shape_fits(&quiet, branch, v);
    }
    return n;
}

static bool check_any_of(struct shape *s, const cJSON *schema, const cJSON *k, const cJSON *v)
{
    (void)schema;
    return matches(s, k, v) > 0;
}

static bool check_one_of(struct shape *s, const cJSON *schema, const cJSON *k, const cJSON *v)
{
    (void)schema;
    return matches(s, k, v) == 1;
}

static bool check_ref(struct shape *s, const cJSON *schema, const cJSON *k, const cJSON *v)
{
    const cJSON *meant = json_at(s->root, k->valuestring + 1);
    (void)schema;
    return meant && shape_fits(s, meant, v);
}

static bool check_pattern(struct shape *s, const cJSON *schema, const cJSON *k, const cJSON *v)
{
    regex_t re;
    (void)s, (void)schema;
    if (!cJSON_IsString(v))
        return true;
    if (regcomp(&re, k->valuestring, REG_EXTENDED | REG_NOSUB) != 0)
        return false;
    bool found = regexec(&re, v->valuestring, 0, NULL, 0) == 0;
    regfree(&re);
    return found;
}

// What a limit is about: a number itself, the length of anything else; NaN when the keyword does
// not concern this type.
static double measure(const char *keyword, const cJSON *v)
{
    bool items = strstr(keyword, "Items"), members = strstr(keyword, "Properties");
    bool length = strstr(keyword, "Length");
    if (items)
        return cJSON_IsArray(v) ? cJSON_GetArraySize(v) : NAN;
    if (members)
        return cJSON_IsObject(v) ? cJSON_GetArraySize(v) : NAN;
    if (length)
        return cJSON_IsString(v) ? (double)strlen(v->valuestring) : NAN;
    return cJSON_IsNumber(v) ? v->valuedouble : NAN;
}

static bool check_least(struct shape *s, const cJSON *schema, const cJSON *k, const cJSON *v)
{
    (void)s, (void)schema;
    return !(measure(k->string, v) < k->valuedouble);
}

static bool check_most(struct shape *s, const cJSON *schema, const cJSON *k, const cJSON *v)
{
    (void)s, (void)schema;
    return !(measure(k->string, v) > k->valuedouble);
}

static bool check_above(struct shape *s, const cJSON *schema, const cJSON *k, const cJSON *v)
{
    (void)s, (void)schema;
    return !(measure(k->string, v) <= k->valuedouble);
}

static bool annotation(struct shape *s, const cJSON *schema, const cJSON *k, const cJSON *v)
{
    (void)s, (void)schema, (void)k, (void)v;
    return true;
}

static const struct {
    const char *keyword;
    bool (*check)(struct shape *, const cJSON *schema, const cJSON *keyword, const cJSON *value);
} rows[] = {
    {"type", check_type},
    {"properties", check_properties},
    {"additionalProperties", check_additional},
    {"required", check_required},
    {"items", check_items},
    {"enum", check_enum},
    {"const", check_const},
    {"anyOf", check_any_of},
    {"oneOf", check_one_of},
    {"$ref", check_ref},
    {"pattern", check_pattern},
    {"minimum", check_least},
    {"minItems", check_least},
    {"minLength", check_least},
    {"minProperties", check_least},
    {"maximum", check_most},
    {"maxItems", check_most},
    {"maxLength", check_most},
    {"maxProperties", check_most},
    {"exclusiveMinimum", check_above},
    {"title", annotation},
    {"description", annotation},
    {"default", annotation},
    {"x-torch", annotation},
};

static bool check_keyword(struct shape *s, const cJSON *schema, const cJSON *k, const cJSON *v)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (strcmp(k->string, rows[i].keyword) == 0)
            return rows[i].check(s, schema, k, v) || misfit(s, k->string, v);
    snprintf(s->why, sizeof s->why, "the schema has an unknown keyword \"%.80s\"", k->string);
    return false;
}

bool shape_fits(struct shape *s, const cJSON *schema, const cJSON *value)
{
    const cJSON *k;
    cJSON_ArrayForEach(k, schema) if (!check_keyword(s, schema, k, value)) return false;
    return true;
}
