// SPDX-License-Identifier: MIT
#pragma once

// How the machine's memory (or the container's, if that is less) is shared out: each worker and
// each thread for long requests (which look at a new job's data) get equal parts of a half, the
// models in memory a quarter; the rest is for requests and the system. Pure functions of the
// settings; any thread.

#include "settings.h"

#include <stddef.h>

size_t memory_total(void); // bytes
size_t
memory_of_job(const struct settings *s); // of one job's training, and of looking at a job's data
size_t memory_of_models(void);           // of all models that predictions use
