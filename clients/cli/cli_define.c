// SPDX-License-Identifier: MIT
// See cli_define.h. A value goes to the daemon as it was typed, so a number that a double cannot
// hold, such as a long seed, arrives whole; only objects are taken apart, for a later --set may
// reach into them. What a key means is the daemon's business.

#include "clients/cli/cli_define.h"

#include "clients/cli/cli.h"

#include <stdlib.h>
#include <string.h>

static cJSON *define_value_of(const char *text)
{
    cJSON *json = cJSON_ParseWithOpts(text, NULL, true);
    if (!json)
        return cJSON_CreateString(text);
    if (cJSON_IsObject(json))
        return json;
    cJSON_Delete(json);
    return cJSON_CreateRaw(text);
}

static void define_put(cJSON *object, const char *key, cJSON *value)
{
    if (cJSON_GetObjectItemCaseSensitive(object, key))
        cJSON_ReplaceItemInObjectCaseSensitive(object, key, value);
    else
        cJSON_AddItemToObject(object, key, value);
}

// The object under `key`, made when there is none; NULL when something else is there.
static cJSON *inner(cJSON *object, const char *key)
{
    cJSON *found = cJSON_GetObjectItemCaseSensitive(object, key);
    if (!found)
        return cJSON_AddObjectToObject(object, key);
    return cJSON_IsObject(found) ? found : NULL;
}

// `path` is cut at its dots.
static bool cli_define_set(cJSON *object, char *path, const char *value, const char *assignment)
{
    for (char *dot; (dot = strchr(path, '.')); path = dot + 1) {
        *dot = '\0';
        object = inner(object, path);
        if (object)
            continue;
        usage_error("--set %s: \"%s\" was set to a plain value before", assignment, path);
        return false;
    }
    define_put(object, path, define_value_of(value));
    return true;
}

static bool well_formed(const char *path)
{
    return *path && *path != '.' && !strstr(path, "..") && path[strlen(path) - 1] != '.';
}

bool define_set(cJSON *job, const char *assignment)
{
    const char *equals = strchr(assignment, '=');
    char *path = strndup(assignment, equals ? (size_t)(equals - assignment) : 0);
    bool fine = path && well_formed(path);
    if (!fine)
        usage_error("--set expects KEY=JSON, such as model.layers=[64,64], got \"%s\"", assignment);
    bool ok = fine && cli_define_set(job, path, equals + 1, assignment);
    free(path);
    return ok;
}
