// SPDX-License-Identifier: MIT
// Reading a choice of a table and its knobs: see schema_reader.h. "adam" and {"type": "adam"} mean
// the row with its defaults; an object without type adjusts the row that the field's default names.

#include "api/schema/schema_reader.h"

#include "engine/base/nearest.h"

#include <math.h>
#include <string.h>

static const char *pick_row_name(const void *table, size_t i)
{
    return ((const struct table *)table)->row[i]->name;
}

static const struct row *find_row(struct reader *r, const struct field *f, const char *name,
                                  const struct place *at)
{
    const struct row *row = table_find(f->table, name);
    if (row && r->exact && strcmp(row->name, name) != 0)
        row = NULL;
    if (!row)
        reader_unknown_value(r, at, name, pick_row_name, f->table, f->table->n);
    else if (strcmp(row->name, name) != 0)
        reader_note(r, at, name, row->name);
    return row;
}

// Other names under which people know a knob.
static const struct {
    const char *given, *knob;
} knob_alias[] = {{"learning_rate", "lr"}, {"epsilon", "eps"}, {"warmup_ratio", "warmup"}};

static const struct knob *pick_find_knob(const struct field *f, const struct row *row,
                                         const char *name, size_t *at)
{
    const struct knob *knob;
    for (size_t i = 0; i < sizeof knob_alias / sizeof *knob_alias; i++)
        if (strcmp(knob_alias[i].given, name) == 0)
            name = knob_alias[i].knob;
    for (size_t k = 0; (knob = knob_at(f->table, row, k, at)); k++)
        if (strcmp(knob->name, name) == 0)
            return knob;
    return NULL;
}

static void unknown_knob(struct reader *r, const struct field *f, const struct row *row,
                         const char *name, const struct place *at)
{
    const char *known[ROW_KNOBS + TABLE_KNOBS + 1] = {"type"};
    const struct knob *knob;
    size_t n = 1, value;
    for (size_t k = 0; (knob = knob_at(f->table, row, k, &value)); k++)
        known[n++] = knob->name;
    reader_unknown_field(r, at, nearest_in(name, known, n));
}

static void read_knob_value(struct reader *r, const struct knob *knob, const cJSON *json,
                            double *to, const struct place *at)
{
    if (knob->type == KNOB_BOOL && cJSON_IsBool(json))
        *to = cJSON_IsTrue(json);
    else if (knob->type == KNOB_BOOL)
        reader_wrong_type(r, at, json, "true or false");
    else if (!cJSON_IsNumber(json))
        reader_wrong_type(r, at, json, knob->type == KNOB_INT ? "a whole number" : "a number");
    else if ((knob->type != KNOB_INT || reader_is_whole(r, at, json->valuedouble)) &&
             reader_in_range(r, at, knob->min, knob->max, false, json->valuedouble))
        *to = json->valuedouble;
}

static bool length_fits(struct reader *r, const struct knob *knob, const cJSON *json,
                        const struct place *at)
{
    int n = cJSON_IsArray(json) ? cJSON_GetArraySize(json) : 0;
    if (n <= knob->count && n >= (knob->list ? 1 : knob->count))
        return true;
    reader_fault(r, at, "wrong_type", "must be an array of %s%d numbers", knob->list ? "1 to " : "",
                 knob->count);
    return false;
}

// An array of a value each; in a list each is above the one before.
static void read_knob_values(struct reader *r, const struct knob *knob, const cJSON *json,
                             double *to, const struct place *at)
{
    size_t before = r->faults->total;
    const cJSON *child;
    struct place place = {.up = at};
    for (int i = 0; i < knob->count; i++)
        to[i] = NAN;
    cJSON_ArrayForEach(child, json)
    {
        double *value = &to[place.index];
        read_knob_value(r, knob, child, value, &place);
        if (knob->list && place.index > 0 && r->faults->total == before && *value <= value[-1])
            reader_fault(r, &place, "out_of_range",
                         "must be above the one before, %.15g, got %.15g", value[-1], *value);
        place.index++;
    }
}

static void read_knob(struct reader *r, const struct knob *knob, const cJSON *json, double *to,
                      const struct place *at)
{
    if (knob->count < 2)
        read_knob_value(r, knob, json, to, at);
    else if (length_fits(r, knob, json, at))
        read_knob_values(r, knob, json, to, at);
}

// The row that a field's default picks; NULL when it picks none.
static const struct row *default_row(struct reader *r, const struct field *f)
{
    struct pick pick = {0};
    cJSON *json = f->def ? cJSON_Parse(f->def) : NULL;
    if (json && !cJSON_IsNull(json))
        read_pick(r, f, json, (char *)&pick, &(struct place){0});
    cJSON_Delete(json);
    return pick.row;
}

static const struct row *read_row(struct reader *r, const struct field *f, const cJSON *json,
                                  const struct place *at)
{
    const cJSON *type = cJSON_GetObjectItemCaseSensitive(json, "type");
    const struct place place = {.up = at, .key = "type"};
    const struct row *row = NULL;
    if (cJSON_IsString(type))
        row = find_row(r, f, type->valuestring, &place);
    else if (type)
        reader_wrong_type(r, &place, type, "a string");
    else if (r->exact || !(row = default_row(r, f)))
        reader_fault(r, &place, "missing_field", "must name the %s", f->table->what);
    return row;
}

// Whether every parameter of the row is there.
static bool pick_is_whole(struct reader *r, const struct field *f, const struct row *row,
                          const cJSON *json, const struct place *at)
{
    const struct knob *knob;
    size_t k = 0, value, before = r->faults->total;
    for (; (knob = knob_at(f->table, row, k, &value)); k++)
        if (!cJSON_GetObjectItemCaseSensitive(json, knob->name))
            reader_fault(r, &(struct place){.up = at, .key = knob->name}, "missing_field",
                         "must be given");
    return r->faults->total == before;
}

void read_pick(struct reader *r, const struct field *f, const cJSON *json, char *to,
               const struct place *at)
{
    if ((!cJSON_IsString(json) || r->exact) && !cJSON_IsObject(json)) {
        reader_wrong_type(r, at, json, r->exact ? "an object" : "a name or an object");
        return;
    }
    const struct row *row =
        cJSON_IsString(json) ? find_row(r, f, json->valuestring, at) : read_row(r, f, json, at);
    if (!row || (r->exact && !pick_is_whole(r, f, row, json, at)))
        return;
    struct pick pick = pick_row(f->table, row);
    const cJSON *child;
    cJSON_ArrayForEach(child, json)
    {
        struct place place = {.up = at, .key = child->string};
        size_t value;
        if (strcmp(child->string, "type") == 0)
            continue;
        const struct knob *knob = pick_find_knob(f, row, child->string, &value);
        bool renamed = knob && strcmp(knob->name, child->string) != 0;
        if (renamed && !r->exact)
            reader_note(r, &place, NULL, knob->name);
        if (knob && !(renamed && r->exact))
            read_knob(r, knob, child, &pick.value[value], &place);
        else
            unknown_knob(r, f, row, child->string, &place);
    }
    *(struct pick *)to = pick;
}
