// SPDX-License-Identifier: MIT
// From JSON to a struct: see schema.h. The raw fields' texts are lifted out first, the small rest
// becomes a tree, and the tree is read row by row, each by the function of its type. Defaults are
// JSON text and are read like anything a client sends.

#include "api/json/json_tree.h"
#include "api/schema/schema_reader.h"

#include <stdint.h>
#include <string.h>

enum { RAW_FIELDS = 4 };

static read_fn schema_read_value;
static void read_object(struct reader *r, const struct schema *s, const cJSON *json, char *base,
                        const struct place *at, bool bare);

static void read_raw(struct reader *r, const struct field *f, const cJSON *json, char *to,
                     const struct place *at)
{
    (void)json;
    struct json_span text = {0};
    for (size_t i = 0; i < r->n_raw; i++)
        if (strcmp(r->raw[i].key, f->key) == 0)
            text = r->raw[i].value;
    char open = text.at ? *text.at : 0;
    if (open == 'n' && f->nullable)
        return;
    if (f->of == FIELD_OBJECT && open != '{')
        reader_fault(r, at, "wrong_type", "must be an object");
    else if (f->of == FIELD_LIST && open != '[')
        reader_fault(r, at, "wrong_type", "must be an array");
    else if (f->max > 0 && text.len > f->max)
        reader_fault(r, at, "too_long", "must be at most %.0f bytes, got %zu", f->max, text.len);
    else
        *(struct json_span *)to = text;
}

static bool count_allowed(struct reader *r, const struct field *f, size_t n, const char *of,
                          const struct place *at)
{
    if (f->max == 0 || (n >= f->min && n <= f->max))
        return true;
    reader_fault(r, at, n > f->max ? "too_long" : "too_short",
                 "must have between %.0f and %.0f %s, got %zu", f->min, f->max, of, n);
    return false;
}

// Room for a container's elements, recorded in the struct around `to`.
static char *read_elements(struct reader *r, const struct field *f, size_t n, char *to,
                           const struct place *at)
{
    char *item = reader_room(r, at, n, field_size(f));
    *(void **)to = item;
    *(size_t *)(to - f->at + f->n_at) = item ? n : 0;
    return item;
}

static void schema_read_list(struct reader *r, const struct field *f, const cJSON *json, char *to,
                             const struct place *at)
{
    const struct field each = {.type = f->of, .names = f->names, .sub = f->sub, .table = f->table};
    const cJSON *child;
    bool lone = f->one && !cJSON_IsArray(json);
    if (!lone && !cJSON_IsArray(json)) {
        reader_wrong_type(r, at, json, "an array");
        return;
    }
    size_t n = lone ? 1 : (size_t)cJSON_GetArraySize(json), size = field_size(f);
    char *item = count_allowed(r, f, n, "elements", at) ? read_elements(r, f, n, to, at) : NULL;
    if (item && lone)
        schema_read_value(r, &each, json, item, at);
    if (!item || lone)
        return;
    struct place place = {.up = at};
    cJSON_ArrayForEach(child, json)
    {
        schema_read_value(r, &each, child, item + place.index * size, &place);
        place.index++;
    }
}

static void read_map_word(struct reader *r, const struct field *f, const cJSON *json, char *to,
                          const struct place *at)
{
    bool known = strcmp(json->valuestring, f->zero) == 0;
    *(bool *)(to - f->at + f->on) = known;
    if (!known)
        reader_fault(r, at, "unknown_value", "must be \"%s\" or an object, got \"%.64s\"", f->zero,
                     json->valuestring);
}

static void read_map(struct reader *r, const struct field *f, const cJSON *json, char *to,
                     const struct place *at)
{
    if (f->zero && cJSON_IsString(json)) {
        read_map_word(r, f, json, to, at);
        return;
    }
    if (!cJSON_IsObject(json)) {
        reader_wrong_type(r, at, json, "an object");
        return;
    }
    size_t n = (size_t)cJSON_GetArraySize(json), size = field_size(f);
    char *item = count_allowed(r, f, n, "members", at) ? read_elements(r, f, n, to, at) : NULL;
    if (!item)
        return;
    const struct field *key = &f->sub->field[0], *value = &f->sub->field[1];
    const cJSON *child;
    cJSON_ArrayForEach(child, json)
    {
        struct place place = {.up = at, .key = child->string};
        *(const char **)(item + key->at) = reader_keep(r, &place, child->string);
        schema_read_value(r, value, child, item + value->at, &place);
        item += size;
    }
}

static void read_sub(struct reader *r, const struct field *f, const cJSON *json, char *to,
                     const struct place *at)
{
    const struct schema *s = f->sub;
    if (cJSON_IsObject(json)) {
        read_object(r, s, json, to, at, false);
    } else if (s->bare && !r->exact && !cJSON_IsArray(json)) {
        cJSON value = *json, object = {.type = cJSON_Object, .child = &value};
        value.string = (char *)(uintptr_t)s->bare;
        value.next = value.prev = NULL;
        read_object(r, s, &object, to, at, true);
    } else {
        reader_wrong_type(r, at, json, "an object");
    }
}

static read_fn *const read_as[FIELD_TYPES] = {
    [FIELD_RAW] = read_raw,     [FIELD_BOOL] = read_bool,     [FIELD_INT] = read_int,
    [FIELD_WHOLE] = read_whole, [FIELD_REAL] = read_real,     [FIELD_SEED] = read_seed,
    [FIELD_WORD] = read_word,   [FIELD_STRING] = read_string, [FIELD_NAME] = read_name,
    [FIELD_PICK] = read_pick,   [FIELD_OBJECT] = read_sub,    [FIELD_LIST] = schema_read_list,
    [FIELD_MAP] = read_map,
};

// Null leaves what zeroed memory says already.
static void schema_read_value(struct reader *r, const struct field *f, const cJSON *json, char *to,
                              const struct place *at)
{
    if (!cJSON_IsNull(json) || f->type == FIELD_RAW)
        read_as[f->type](r, f, json, to, at);
    else if (!f->nullable)
        reader_fault(r, at, "wrong_type", "must not be null");
}

static void read_default(struct reader *r, const struct field *f, char *to, const struct place *at)
{
    if (!f->def) {
        if (f->type == FIELD_OBJECT && !f->nullable)
            read_object(r, f->sub, NULL, to, at, false);
        return;
    }
    cJSON *json = cJSON_Parse(f->def);
    if (json)
        schema_read_value(r, f, json, to, at);
    else
        reader_no_room(r, at);
    cJSON_Delete(json);
}

bool field_is_called(const struct field *f, const char *key)
{
    for (int i = 0; i < FIELD_ALIASES && f->alias[i]; i++)
        if (strcmp(f->alias[i], key) == 0)
            return true;
    return strcmp(f->key, key) == 0;
}

static bool schema_read_takes(const struct reader *r, const struct field *f, const char *key)
{
    return r->exact ? strcmp(f->key, key) == 0 : field_is_called(f, key);
}

// The member that gives f its value; a fault when there are two, under different names.
static const cJSON *find_member(struct reader *r, const struct field *f, const cJSON *json,
                                const struct place *at)
{
    const cJSON *child, *found = NULL;
    cJSON_ArrayForEach(child, json)
    {
        if (!schema_read_takes(r, f, child->string))
            continue;
        if (found)
            reader_fault(r, &(struct place){.up = at, .key = child->string}, "conflicting_fields",
                         "means the same as \"%s\", which is given too", found->string);
        found = child;
    }
    return found;
}

static const char *field_key(const void *schema, size_t i)
{
    return ((const struct schema *)schema)->field[i].key;
}

static void refuse_unknown(struct reader *r, const struct schema *s, const cJSON *json,
                           const struct place *at)
{
    const cJSON *child;
    cJSON_ArrayForEach(child, json)
    {
        const struct field *f = s->field;
        while (f->key && !schema_read_takes(r, f, child->string))
            f++;
        if (!f->key)
            reader_unknown_field(r, &(struct place){.up = at, .key = child->string},
                                 nearest(child->string, field_key, s, schema_count(s)));
    }
}

static bool says_something(const cJSON *json)
{
    return json && !cJSON_IsNull(json) && !(cJSON_IsNumber(json) && json->valuedouble == 0);
}

// The member that takes f's place, if it says something.
static const cJSON *find_instead(const struct schema *s, const struct field *f, const cJSON *json)
{
    const struct field *other = s->field;
    const cJSON *child;
    if (!f->instead)
        return NULL;
    while (strcmp(other->key, f->instead) != 0)
        other++;
    cJSON_ArrayForEach(child, json)
    {
        if (field_is_called(other, child->string) && says_something(child))
            return child;
    }
    return NULL;
}

static void schema_read_named(struct reader *r, const struct field *f, const cJSON *json, char *to,
                              const struct place *at)
{
    if (strcmp(json->string, f->key) != 0)
        reader_note(r, at, NULL, f->key);
    schema_read_value(r, f, json, to, at);
}

// A member that has no meaning beside the word that another has.
static void refuse_other_case(struct reader *r, const struct schema *s, const struct field *f,
                              const char *base, const struct place *at)
{
    const struct field *other = s->field;
    int word;
    if (field_is_meant(f, base))
        return;
    memcpy(&word, base + f->only->at, sizeof word);
    while (other->type != FIELD_WORD || other->at != f->only->at)
        other++;
    reader_fault(r, at, "conflicting_fields", "needs \"%s\": \"%s\", got \"%s\"",
                 other->key, other->names[f->only->word], other->names[word]);
}

static void read_field(struct reader *r, const struct schema *s, const struct field *f,
                       const cJSON *json, char *to, const struct place *at, bool bare)
{
    const cJSON *child = find_member(r, f, json, at),
                *other = r->exact ? NULL : find_instead(s, f, json);
    struct place own = {.up = at, .key = child ? child->string : f->key};
    const struct place *place = bare ? at : &own;
    if (f->given)
        *(bool *)(to - f->at + f->given) = child;
    if (f->only && child)
        refuse_other_case(r, s, f, to - f->at, place);
    if (child && other && says_something(child))
        reader_fault(r, place, "conflicting_fields", "cannot be given together with \"%s\"",
                     other->string);
    else if (child)
        schema_read_named(r, f, child, to, place);
    else if (f->required || (r->exact && field_is_meant(f, to - f->at)))
        reader_fault(r, place, "missing_field", "must be given");
    else if (!other && !r->exact)
        read_default(r, f, to, place);
}

// `json` is NULL for an object of defaults only. With `bare` its one member has the object's own
// place.
static void read_object(struct reader *r, const struct schema *s, const cJSON *json, char *base,
                        const struct place *at, bool bare)
{
    size_t before = r->faults->total;
    refuse_unknown(r, s, json, at);
    for (const struct field *f = s->field; f->key; f++)
        read_field(r, s, f, json, base + f->at, at, bare);
    if (!s->check || r->faults->total > before)
        return;
    char pointer[POINTER_MAX];
    pointer[place_print(at, pointer, sizeof pointer)] = '\0';
    s->check(base, pointer, r->faults);
}

void reader_object(struct reader *r, const struct schema *s, const cJSON *json, char *base)
{
    read_object(r, s, json, base, &(const struct place){0}, false);
}

static size_t raw_fields(const struct schema *s, struct json_want *want)
{
    size_t n = 0;
    for (const struct field *f = s->field; f->key; f++)
        if (f->type == FIELD_RAW) {
            BUG(n == RAW_FIELDS);
            want[n++].key = f->key;
        }
    return n;
}

static void read_root(struct reader *r, const struct schema *s, cJSON *json, void *out)
{
    const struct place root = {0};
    if (s->rewrite && !r->exact && cJSON_IsObject(json))
        s->rewrite(s, json, r->faults);
    if (cJSON_IsObject(json))
        read_object(r, s, json, out, &root, false);
    else
        reader_wrong_type(r, &root, json, "an object");
}

static bool schema_read_text(const struct schema *s, const char *body, size_t len, bool exact,
                             void *out, struct arena *a, struct faults *f, struct err *e)
{
    struct json_want want[RAW_FIELDS];
    size_t n = raw_fields(s, want);
    memset(out, 0, s->size);
    if (!json_scan(body, len, want, n, a, f, e))
        return false;
    const char *rest = json_rest(body, len, want, n, s->max ? s->max : SCHEMA_BODY_MAX, a, e);
    if (!rest)
        return false;
    struct reader r = {a, f, want, n, exact};
    struct json_tree tree;
    json_tree_begin(&tree, strlen(rest));
    cJSON *json = cJSON_Parse(rest);
    if (json)
        read_root(&r, s, json, out);
    if (!json_tree_end(&tree, e))
        return false;
    if (!json)
        return fail(e, ERR_MALFORMED, "could not read the body: a number has over 63 characters");
    return faults_none(f, e);
}

bool schema_read(const struct schema *s, const char *body, size_t len, void *out, struct arena *a,
                 struct faults *f, struct err *e)
{
    return schema_read_text(s, body, len, false, out, a, f, e);
}

bool schema_read_exact(const struct schema *s, const char *text, void *out, struct arena *a,
                       struct faults *f, struct err *e)
{
    return schema_read_text(s, text, strlen(text), true, out, a, f, e);
}
