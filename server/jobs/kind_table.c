// SPDX-License-Identifier: MIT
// See job_kind.h.

#include "server/jobs/job_kind.h"

#define JOB_KIND(name, part, result) extern const struct job_kind job_kind_##name;
#include "api/schema/job_kind.def"

static const struct row *const kind_row[JOB_KINDS] = {
#define JOB_KIND(name, part, result) [KIND_##name] = &job_kind_##name.row,
#include "api/schema/job_kind.def"
};

const struct table job_kind_table = {.what = "job kind", .row = kind_row, .n = JOB_KINDS};

const struct job_kind *job_kind_of(const struct job_spec *s)
{
    return (const struct job_kind *)(const void *)kind_row[s->kind];
}
