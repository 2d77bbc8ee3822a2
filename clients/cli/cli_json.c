// SPDX-License-Identifier: MIT
// See cli_json.h.

#include "clients/cli/cli_json.h"

#include <math.h>

const char *json_text_of(const cJSON *object, const char *key)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);
    return cJSON_IsString(item) ? item->valuestring : "";
}

static double cli_json_number(const cJSON *item)
{
    return cJSON_IsNumber(item) ? item->valuedouble : NAN;
}

double json_number_of(const cJSON *object, const char *key)
{
    return cli_json_number(cJSON_GetObjectItemCaseSensitive(object, key));
}

double json_number_at(const cJSON *array, int i)
{
    return cli_json_number(cJSON_GetArrayItem(array, i));
}
