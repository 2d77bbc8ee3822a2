// SPDX-License-Identifier: MIT
// Reading a choice of a table and its hyperparameters: see schema_reader.h. "adam" and {"type":
// "adam"} mean the row with its defaults; an object without type adjusts the row that the field's
// default names.

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

// Other names under which people know a hyperparameter.
static const struct {
    const char *given, *hyper;
} hyper_alias[] = {{"learning_rate", "lr"}, {"epsilon", "eps"}, {"warmup_ratio", "warmup"}};

static const struct hyper *pick_find_hyper(const struct field *f, const struct row *row,
                                           const char *name, size_t *at)
{
    const struct hyper *hyper;
    for (size_t i = 0; i < sizeof hyper_alias / sizeof *hyper_alias; i++)
        if (strcmp(hyper_alias[i].given, name) == 0)
            name = hyper_alias[i].hyper;
    for (size_t k = 0; (hyper = hyper_at(f->table, row, k, at)); k++)
        if (strcmp(hyper->name, name) == 0)
            return hyper;
    return NULL;
}

static void unknown_hyper(struct reader *r, const struct field *f, const struct row *row,
                          const char *name, const struct place *at)
{
    const char *known[ROW_HYPERS + TABLE_HYPERS + 1] = {"type"};
    const struct hyper *hyper;
    size_t n = 1, value;
    for (size_t k = 0; (hyper = hyper_at(f->table, row, k, &value)); k++)
        known[n++] = hyper->name;
    reader_unknown_field(r, at, nearest_in(name, known, n));
}

static void read_hyper_value(struct reader *r, const struct hyper *hyper, const cJSON *json,
                             double *to, const struct place *at)
{
    if (hyper->type == HYPER_BOOL && cJSON_IsBool(json))
        *to = cJSON_IsTrue(json);
    else if (hyper->type == HYPER_BOOL)
        reader_wrong_type(r, at, json, "true or false");
    else if (!cJSON_IsNumber(json))
        reader_wrong_type(r, at, json, hyper->type == HYPER_INT ? "a whole number" : "a number");
    else if ((hyper->type != HYPER_INT || reader_is_whole(r, at, json->valuedouble)) &&
             reader_in_range(r, at, hyper->min, hyper->max, false, json->valuedouble))
        *to = json->valuedouble;
}

static bool length_fits(struct reader *r, const struct hyper *hyper, const cJSON *json,
                        const struct place *at)
{
    int n = cJSON_IsArray(json) ? cJSON_GetArraySize(json) : 0;
    if (n <= hyper->count && n >= (hyper->list ? 1 : hyper->count))
        return true;
    reader_fault(r, at, "wrong_type", "must be an array of %s%d numbers",
                 hyper->list ? "1 to " : "", hyper->count);
    return false;
}

// An array of a value each; in a list each is above the one before.
static void read_hyper_values(struct reader *r, const struct hyper *hyper, const cJSON *json,
                              double *to, const struct place *at)
{
    size_t before = r->faults->total;
    const cJSON *child;
    struct place place = {.up = at};
    for (int i = 0; i < hyper->count; i++)
        to[i] = NAN;
    cJSON_ArrayForEach(child, json)
    {
        double *value = &to[place.index];
        read_hyper_value(r, hyper, child, value, &place);
        if (hyper->list && place.index > 0 && r->faults->total == before && *value <= value[-1])
            reader_fault(r, &place, "out_of_range",
                         "must be above the one before, %.15g, got %.15g", value[-1], *value);
        place.index++;
    }
}

static void read_hyper(struct reader *r, const struct hyper *hyper, const cJSON *json, double *to,
                       const struct place *at)
{
    if (hyper->count < 2)
        read_hyper_value(r, hyper, json, to, at);
    else if (length_fits(r, hyper, json, at))
        read_hyper_values(r, hyper, json, to, at);
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
    const struct hyper *hyper;
    size_t k = 0, value, before = r->faults->total;
    for (; (hyper = hyper_at(f->table, row, k, &value)); k++)
        if (!cJSON_GetObjectItemCaseSensitive(json, hyper->name))
            reader_fault(r, &(struct place){.up = at, .key = hyper->name}, "missing_field",
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
        const struct hyper *hyper = pick_find_hyper(f, row, child->string, &value);
        bool renamed = hyper && strcmp(hyper->name, child->string) != 0;
        if (renamed && !r->exact)
            reader_note(r, &place, NULL, hyper->name);
        if (hyper && !(renamed && r->exact))
            read_hyper(r, hyper, child, &pick.value[value], &place);
        else
            unknown_hyper(r, f, row, child->string, &place);
    }
    *(struct pick *)to = pick;
}
