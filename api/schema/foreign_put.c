// SPDX-License-Identifier: MIT
// What the rows of foreign_table do with a value: compare, replace it, move it to its place in a
// job definition; see foreign.h. The way down is found in the schema, so that objects on it may be
// absent, called by an alias or given in their short form. Nothing here knows the table, whose rows
// call it.

#include "api/schema/foreign.h"

#include <cJSON.h>
#include <ctype.h>
#include <string.h>

enum { KEY_MAX = 64 };

// Where on the way down a value is: an object of the body, what describes it, its pointer, and the
// rest of the way.
struct way {
    cJSON *object;
    const struct schema *schema;
    const char *at, *rest;
};

static void foreign_put_put(struct foreign_use *u, struct way way, const cJSON *value,
                            const char *from);

static const struct field *find_field(const struct schema *s, const char *key)
{
    const struct field *f = s->field;
    while (f->key && strcmp(f->key, key) != 0)
        f++;
    return f->key ? f : NULL;
}

static cJSON *find_child(const cJSON *object, const struct field *f, const char *key)
{
    cJSON *child;
    cJSON_ArrayForEach(child, object)
    {
        if (f ? field_is_called(f, child->string) : strcmp(child->string, key) == 0)
            return child;
    }
    return NULL;
}

// The name that a choice is given by, or NULL.
static const char *pick_name(const cJSON *json)
{
    if (cJSON_IsObject(json))
        json = cJSON_GetObjectItemCaseSensitive(json, "type");
    return cJSON_GetStringValue(json);
}

// The row that is chosen in `json`, or by default; NULL when there is none of that name.
static const struct row *chosen_row(const struct field *f, const cJSON *json)
{
    cJSON *def = f->def ? cJSON_Parse(f->def) : NULL;
    const char *name = pick_name(json) ? pick_name(json) : pick_name(def);
    const struct row *row = name ? table_find(f->table, name) : NULL;
    cJSON_Delete(def);
    return row;
}

bool foreign_same(const char *a, const char *b)
{
    for (;; a++, b++) {
        a += strspn(a, "_");
        b += strspn(b, "_");
        if (tolower((unsigned char)*a) != tolower((unsigned char)*b))
            return false;
        if (!*a)
            return true;
    }
}

void foreign_value(struct foreign_use *u, cJSON *value)
{
    cJSON_Delete(u->value);
    u->value = value;
}

const char *foreign_chosen(const struct foreign_use *u, const char *pointer)
{
    char key[KEY_MAX];
    const struct schema *s = u->schema;
    const cJSON *json = u->root;
    const struct field *f = NULL;
    for (const char *at = pointer; *at;) {
        size_t len = strcspn(++at, "/");
        snprintf(key, sizeof key, "%.*s", (int)len, at);
        f = s ? find_field(s, key) : NULL;
        json = find_child(json, f, key);
        s = f ? f->sub : NULL;
        at += len;
    }
    const struct row *row = f && f->table ? chosen_row(f, json) : NULL;
    return row ? row->name : "";
}

// The value arrives, unless something is there already.
static void arrive(struct foreign_use *u, cJSON *object, const cJSON *there, const char *at,
                   const cJSON *value, const char *from)
{
    if (there && u->weak) {
        u->ignored = "another setting takes precedence";
    } else if (there) {
        fault_add(u->faults, "conflicting_fields", from,
                  "means the same as \"%s\", which is given too",
                  note_key(u->faults, fault_origin(u->faults, at)));
    } else {
        cJSON_AddItemToObject(object, strrchr(at, '/') + 1, cJSON_Duplicate(value, true));
        fault_move(u->faults, from, at);
        u->placed = true;
    }
}

// One of a hyperparameter's several numbers: the others keep their defaults.
static void put_part(struct foreign_use *u, cJSON *pick, const struct hyper *hyper, const char *at,
                     int i, const cJSON *value, const char *from)
{
    cJSON *array = cJSON_GetObjectItemCaseSensitive(pick, hyper->name);
    const char *part;
    bool ours = array == NULL;
    for (int k = 0; k < hyper->count; k++) {
        part = arena_printf(u->faults->arena, "%s/%d", at, k);
        ours |= strcmp(fault_origin(u->faults, part), part) != 0;
    }
    if (!ours) {
        arrive(u, pick, array, at, value, from);
        return;
    }
    if (!array) {
        array = cJSON_CreateDoubleArray(hyper->def, hyper->count);
        cJSON_AddItemToObject(pick, hyper->name, array);
    }
    cJSON_ReplaceItemInArray(array, i, cJSON_Duplicate(value, true));
    part = arena_printf(u->faults->arena, "%s/%d", at, i);
    fault_move(u->faults, from, part);
    u->placed = true;
}

static const struct hyper *put_find_hyper(const struct table *t, const struct row *row,
                                          const char *name)
{
    const struct hyper *hyper;
    size_t at;
    for (size_t k = 0; row && (hyper = hyper_at(t, row, k, &at)); k++)
        if (strcmp(hyper->name, name) == 0)
            return hyper;
    return NULL;
}

// The choice as an object, which it becomes when it was a name or nothing; else NULL.
static cJSON *pick_object(struct foreign_use *u, cJSON *object, cJSON *pick, const char *key,
                          const char *at)
{
    if (pick && !cJSON_IsString(pick))
        return cJSON_IsObject(pick) ? pick : NULL;
    cJSON *full = cJSON_CreateObject();
    if (!pick) {
        cJSON_AddItemToObject(object, key, full);
        return full;
    }
    cJSON_AddStringToObject(full, "type", pick->valuestring);
    fault_move(u->faults, at, arena_printf(u->faults->arena, "%s/type", at));
    cJSON_ReplaceItemInObjectCaseSensitive(object, pick->string, full);
    return full;
}

static void foreign_put_hyper(struct foreign_use *u, struct way way, const struct field *f,
                              cJSON *pick, const cJSON *value, const char *from)
{
    char name[KEY_MAX];
    size_t len = strcspn(way.rest + 1, "/");
    snprintf(name, sizeof name, "%.*s", (int)len, way.rest + 1);
    const struct row *row = chosen_row(f, pick);
    const struct hyper *hyper = put_find_hyper(f->table, row, name);
    if (!hyper && (row || !pick)) {
        u->ignored = arena_printf(u->faults->arena, "%s %s has no %s", f->table->what,
                                  row ? row->name : "by default", name);
        return;
    }
    pick = pick_object(u, way.object, pick, f->key, way.at);
    const char *at = arena_printf(u->faults->arena, "%s/%s", way.at, name);
    const char *index = way.rest + 1 + len;
    if (hyper && pick && *index)
        put_part(u, pick, hyper, at, index[1] - '0', value, from);
    else if (pick)
        arrive(u, pick, cJSON_GetObjectItemCaseSensitive(pick, name), at, value, from);
}

// An element in its long form, {"units": 8} for 8; NULL when it has none.
static cJSON *long_form(struct foreign_use *u, cJSON *array, int i, const struct schema *s,
                        const char *at)
{
    cJSON *item = cJSON_GetArrayItem(array, i);
    if (!cJSON_IsNumber(item))
        return cJSON_IsObject(item) ? item : NULL;
    cJSON *full = cJSON_CreateObject();
    cJSON_AddItemToObject(full, s->bare, cJSON_Duplicate(item, true));
    cJSON_ReplaceItemInArray(array, i, full);
    fault_move(u->faults, at, arena_printf(u->faults->arena, "%s/%s", at, s->bare));
    return full;
}

// A value for every element of a list, or an array of one for each.
static void put_each(struct foreign_use *u, struct way way, const struct field *f, cJSON *array,
                     const cJSON *value, const char *from)
{
    bool several = cJSON_IsArray(value);
    int n = cJSON_IsArray(array) ? cJSON_GetArraySize(array) : 0;
    if (n > f->max)
        return;
    if (several && cJSON_GetArraySize(value) != n) {
        fault_add(u->faults, cJSON_GetArraySize(value) > n ? "too_long" : "too_short", from,
                  "must have one value for each of %d layers, got %d", n,
                  cJSON_GetArraySize(value));
        return;
    }
    for (int i = 0; i < n; i++) {
        const char *at = arena_printf(u->faults->arena, "%s/%d", way.at, i);
        const char *origin = several ? arena_printf(u->faults->arena, "%s/%d", from, i) : from;
        cJSON *item = long_form(u, array, i, f->sub, at);
        if (item)
            foreign_put_put(u, (struct way){item, f->sub, at, way.rest + strlen("/*")},
                            several ? cJSON_GetArrayItem(value, i) : value, origin);
    }
}

static cJSON *make(cJSON *object, const struct field *f)
{
    cJSON *child = f->type == FIELD_LIST ? cJSON_Parse(f->def) : cJSON_CreateObject();
    cJSON_AddItemToObject(object, f->key, child);
    return child;
}

// Follow the rest of the way below an object.
static void foreign_put_put(struct foreign_use *u, struct way way, const cJSON *value,
                            const char *from)
{
    char key[KEY_MAX];
    size_t len = strcspn(way.rest + 1, "/");
    snprintf(key, sizeof key, "%.*s", (int)len, way.rest + 1);
    const struct field *f = find_field(way.schema, key);
    cJSON *child = find_child(way.object, f, key);
    const char *at = arena_printf(u->faults->arena, "%s/%s", way.at, child ? child->string : key);
    struct way next = {way.object, f ? f->sub : NULL, at, way.rest + 1 + len};
    if (!*next.rest || !f) {
        arrive(u, way.object, child, at, value, from);
    } else if (f->type == FIELD_PICK) {
        foreign_put_hyper(u, next, f, child, value, from);
    } else {
        next.object = child ? child : make(way.object, f);
        if (f->type == FIELD_LIST)
            put_each(u, next, f, next.object, value, from);
        else if (cJSON_IsObject(next.object))
            foreign_put_put(u, next, value, from);
        else
            u->ignored = arena_printf(u->faults->arena, "%s is off", note_key(u->faults, at));
    }
}

void foreign_put(struct foreign_use *u, const char *to, const cJSON *value)
{
    foreign_put_put(u, (struct way){u->root, u->schema, "", to}, value,
                    arena_printf(u->faults->arena, "/%s", u->row->name));
}

void foreign_also(struct foreign_use *u, const char *to, double value)
{
    struct foreign_use also = *u;
    cJSON *number = cJSON_CreateNumber(value);
    also.weak = true;
    foreign_put(&also, to, number);
    cJSON_Delete(number);
}
