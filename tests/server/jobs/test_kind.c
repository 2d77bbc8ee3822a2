// SPDX-License-Identifier: MIT
#include "server/jobs/job_kind.h"

#include "tests/harness.h"

#include <string.h>

static const struct job_kind *kind_at(int i)
{
    const struct job_spec spec = {.kind = (enum job_kinds)i};
    return job_kind_of(&spec);
}

static const struct field *part_of(int kind)
{
    for (const struct field *f = job_schema.field; f->key; f++)
        if (f->only && f->only->word == kind)
            return f;
    return NULL;
}

// The definition knows a kind by its name, and its row can do all that a worker asks for.
LOOP_TEST(every_kind_is_whole, JOB_KINDS)
{
    const struct job_kind *k = kind_at(_i);
    const struct field *word = job_schema.field;
    while (strcmp(word->key, "kind") != 0)
        word++;
    ck_assert_str_eq(word->names[_i], k->row.name);
    ck_assert_ptr_eq(table_find(&job_kind_table, k->row.name), &k->row);
    size_t len = strlen(k->row.doc);
    ck_assert(len > 20 && k->row.doc[len - 1] == '.');
    ck_assert(k->resolve && k->begin && k->work && k->conclude);
    ck_assert(!k->result || (k->result->reply && k->result->size && k->result->doc));
}

// Its parameters are a part of the definition of its name, and there is room for them.
LOOP_TEST(every_part_belongs_to_its_kind, JOB_KINDS)
{
    const struct field *f = part_of(_i);
    if (!f)
        return;
    ck_assert_str_eq(f->key, kind_at(_i)->row.name);
    ck_assert_uint_eq(f->at, offsetof(struct job_spec, part) + (size_t)_i * JOB_PART_MAX);
    ck_assert_uint_gt(f->sub->size, 0);
    ck_assert_uint_le(f->sub->size, JOB_PART_MAX);
}
