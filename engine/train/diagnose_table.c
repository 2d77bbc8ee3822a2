// SPDX-License-Identifier: MIT
// The list of symptoms, from diagnose.def.

#include "engine/train/diagnose.h"

const struct symptom *const symptom_list[] = {
#define SYMPTOM(name) &symptom_##name,
#include "engine/train/diagnose.def"
};
const size_t symptom_count = sizeof symptom_list / sizeof *symptom_list;
