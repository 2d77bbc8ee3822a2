// SPDX-License-Identifier: MIT
#pragma once

// Reading replies without asking whether each member is there. Texts belong to the tree.

#include <cjson/cJSON.h>

// The member's text, or "".
const char *json_text_of(const cJSON *object, const char *key);

// The member's number, or NaN: absent, null, another type.
double json_number_of(const cJSON *object, const char *key);

// The array's i-th number, or NaN.
double json_number_at(const cJSON *array, int i);
