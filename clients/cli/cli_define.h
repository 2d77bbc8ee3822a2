// SPDX-License-Identifier: MIT
#pragma once

// Job definitions from the command line.

#include <cjson/cJSON.h>
#include <stdbool.h>

// Set a member of `job` from "key.path=JSON", making the objects on the way. What is not JSON is
// taken as a text ("optimizer.type=sgd"); numbers keep their digits. On failure says why on stderr
// and returns false.
bool define_set(cJSON *job, const char *assignment);
