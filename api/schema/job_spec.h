// SPDX-License-Identifier: MIT
#pragma once

// A job definition as structs: what the rows of job_schema.c fill. Constant once filled.

#include "api/json/json.h"
#include "engine/model/model_spec.h"
#include "engine/table/data_spec.h"
#include "engine/train/train_spec.h"

// KIND_train, KIND_lr_finder, ...
enum job_kinds {
#define JOB_KIND(name, part, result) KIND_##name,
#include "api/schema/job_kind.def"
    JOB_KINDS
};

// Room for a kind's parameters: a struct of the kind's own, which job_part_<name> describes.
enum { JOB_PART_MAX = 128 };
struct job_part {
    _Alignas(16) char room[JOB_PART_MAX];
};

// Strings and arrays belong to the arena given to job_spec_read(), the two spans to its body.
struct job_spec {
    const char *name;      // the dataset's when not given; NULL for nameless inline data
    const char *dataset;   // name of a stored dataset, or NULL
    struct json_span data; // inline data in place of it (see inline.h); at is NULL when absent
    struct data_spec prep; // columns, preparation, split
    struct model_spec model;
    bool own_model; // it says what network it wants, in its own words or in another library's
    struct train_spec train;
    enum job_kinds kind;
    struct job_part part[JOB_KINDS]; // that of its kind counts: job_part()
    const char *from;                // model whose weights are the first ones, or NULL
    int from_version;                // 0: the latest
    int planned;  // epochs it will take, or what its kind counts so; set once its data is
                  // known
    int priority; // higher runs earlier
    struct json_span metadata; // an object, kept as it came; at is NULL when absent
};

// The parameters of the job's kind.
static inline const void *job_part(const struct job_spec *s)
{
    return s->part[s->kind].room;
}

enum { COLUMNS_MAX = 16384, TARGETS_MAX = 1024, CLASSES_MAX = 1024, UNITS_MAX = 65536 };

// Bytes of a definition, as given and as resolved, without inline data.
enum { JOB_DEFINITION_MAX = 1 << 20 };
