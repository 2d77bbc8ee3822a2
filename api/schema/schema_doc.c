// SPDX-License-Identifier: MIT
// What a schema says about itself for machines: see schema.h. A field of plain
// type is one JSON Schema object; a choice, an object that has a short form and a number with a
// word for 0 are an "anyOf" of several.

#include "api/schema/schema_doc.h"

#include <string.h>

static void doc_describe(const struct field *f, struct jsonw *w, const char *key);
static void describe_object(const struct schema *s, struct jsonw *w, bool nullable);

static const char *type_word(const struct field *f)
{
    static const char *const word[FIELD_TYPES] = {
        [FIELD_BOOL] = "boolean",  [FIELD_INT] = "integer",  [FIELD_WHOLE] = "integer",
        [FIELD_REAL] = "number",   [FIELD_FLOAT] = "number", [FIELD_TIME] = "number",
        [FIELD_MATRIX] = "array",  [FIELD_SEED] = "integer", [FIELD_WORD] = "string",
        [FIELD_STRING] = "string", [FIELD_NAME] = "string",  [FIELD_CONST] = "string",
        [FIELD_OBJECT] = "object", [FIELD_LIST] = "array",   [FIELD_MAP] = "object",
    };
    return word[f->type == FIELD_RAW ? f->of : f->type];
}

static void put_type(struct jsonw *w, const char *word, bool nullable)
{
    if (!nullable) {
        jsonw_string(w, "type", word);
        return;
    }
    jsonw_array(w, "type");
    jsonw_string(w, NULL, word);
    jsonw_string(w, NULL, "null");
    jsonw_end(w);
}

static void put_words(struct jsonw *w, const char *const *names, bool nullable)
{
    jsonw_array(w, "enum");
    for (; *names; names++)
        jsonw_string(w, NULL, *names);
    if (nullable)
        jsonw_null(w, NULL);
    jsonw_end(w);
}

static void put_count(struct jsonw *w, const struct field *f, const char *min, const char *max)
{
    if (f->max == 0)
        return;
    jsonw_real(w, min, f->min);
    jsonw_real(w, max, f->max);
}

static void put_doc(struct jsonw *w, const struct field *f)
{
    if (f->doc)
        jsonw_string(w, "description", f->doc);
    if (f->def)
        jsonw_json(w, "default", f->def);
}

static void describe_number(const struct field *f, struct jsonw *w)
{
    bool or_string = f->zero || f->type == FIELD_SEED;
    if (or_string) {
        jsonw_array(w, "anyOf");
        jsonw_object(w, NULL);
    }
    put_type(w, type_word(f), f->nullable && !or_string);
    doc_put_limits(w, f);
    if (!or_string)
        return;
    if (f->type == FIELD_SEED)
        jsonw_int(w, "minimum", 0);
    jsonw_end(w);
    jsonw_object(w, NULL);
    jsonw_string(w, f->zero ? "const" : "pattern", f->zero ? f->zero : "^[0-9]{1,20}$");
    if (!f->zero)
        jsonw_string(w, "type", "string");
    jsonw_end(w);
    doc_any_of_end(w, f->nullable);
}

static void describe_string(const struct field *f, struct jsonw *w)
{
    put_type(w, "string", f->nullable);
    if (f->names)
        put_words(w, f->names, f->nullable);
    else if (f->type == FIELD_NAME)
        jsonw_string(w, "pattern", "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$");
    else
        put_count(w, f, "minLength", "maxLength");
}

static void describe_list(const struct field *f, struct jsonw *w)
{
    const struct field each = {
        .type = f->of, .names = f->names, .sub = f->sub, .table = f->table, .nullable = f->gaps};
    if (f->one) {
        jsonw_array(w, "anyOf");
        doc_describe(&each, w, NULL);
        jsonw_object(w, NULL);
    }
    put_type(w, "array", f->nullable && !f->one);
    put_count(w, f, "minItems", "maxItems");
    doc_describe(&each, w, "items");
    if (f->one) {
        jsonw_end(w);
        doc_any_of_end(w, f->nullable);
    }
}

static void describe_matrix(const struct field *f, struct jsonw *w)
{
    const struct field each = {.type = FIELD_LIST, .of = FIELD_REAL, .gaps = f->gaps};
    put_type(w, "array", f->nullable);
    doc_describe(&each, w, "items");
}

static void describe_map(const struct field *f, struct jsonw *w)
{
    if (f->zero) {
        jsonw_array(w, "anyOf");
        jsonw_object(w, NULL);
        jsonw_string(w, "const", f->zero);
        jsonw_end(w);
        jsonw_object(w, NULL);
    }
    put_type(w, "object", f->nullable && !f->zero);
    put_count(w, f, "minProperties", "maxProperties");
    doc_describe(&f->sub->field[1], w, "additionalProperties");
    if (f->zero) {
        jsonw_end(w);
        doc_any_of_end(w, f->nullable);
    }
}

// The object itself or, where it has one, its short form.
static void describe_sub(const struct field *f, struct jsonw *w)
{
    const struct schema *s = f->sub;
    if (!s->bare) {
        describe_object(s, w, f->nullable);
        return;
    }
    const struct field *brief = s->field;
    while (strcmp(brief->key, s->bare) != 0)
        brief++;
    jsonw_array(w, "anyOf");
    jsonw_object(w, NULL);
    describe_object(s, w, false);
    jsonw_end(w);
    doc_describe(brief, w, NULL);
    doc_any_of_end(w, f->nullable);
}

static void describe_any(const struct field *f, struct jsonw *w)
{
    jsonw_array(w, "anyOf");
    for (size_t i = 0; f->any[i]; i++)
        doc_describe(&(struct field){.type = FIELD_OBJECT, .sub = f->any[i], .doc = f->any[i]->doc},
                     w, NULL);
    doc_any_of_end(w, f->nullable);
}

static void describe_raw(const struct field *f, struct jsonw *w)
{
    if (f->sub && f->of == FIELD_LIST)
        describe_list(&(struct field){.of = FIELD_OBJECT, .sub = f->sub, .nullable = f->nullable},
                      w);
    else if (f->sub)
        describe_sub(f, w);
    else if (f->any)
        describe_any(f, w);
    else if (f->of)
        put_type(w, type_word(f), f->nullable);
}

static void describe_bool(const struct field *f, struct jsonw *w)
{
    put_type(w, "boolean", f->nullable);
}

static void doc_describe(const struct field *f, struct jsonw *w, const char *key)
{
    static void (*const describe_as[FIELD_TYPES])(const struct field *, struct jsonw *) = {
        [FIELD_RAW] = describe_raw,       [FIELD_BOOL] = describe_bool,
        [FIELD_INT] = describe_number,    [FIELD_WHOLE] = describe_number,
        [FIELD_REAL] = describe_number,   [FIELD_TIME] = describe_number,
        [FIELD_FLOAT] = describe_number,  [FIELD_MATRIX] = describe_matrix,
        [FIELD_SEED] = describe_number,   [FIELD_WORD] = describe_string,
        [FIELD_STRING] = describe_string, [FIELD_NAME] = describe_string,
        [FIELD_CONST] = describe_string,  [FIELD_PICK] = doc_describe_pick,
        [FIELD_OBJECT] = describe_sub,    [FIELD_LIST] = describe_list,
        [FIELD_MAP] = describe_map,
    };
    jsonw_object(w, key);
    put_doc(w, f);
    describe_as[f->type](f, w);
    jsonw_end(w);
}

static bool is_required(const struct schema *s, const struct field *f)
{
    return f->required || (s->reply && !f->optional);
}

static void put_required(const struct schema *s, struct jsonw *w)
{
    for (const struct field *f = s->field; f->key; f++)
        if (is_required(s, f) && f->type == FIELD_STORED)
            put_required(f->sub, w);
        else if (is_required(s, f))
            jsonw_string(w, NULL, f->key);
}

static void put_properties(const struct schema *s, struct jsonw *w)
{
    for (const struct field *f = s->field; f->key; f++)
        if (f->type == FIELD_STORED)
            put_properties(f->sub, w);
        else
            doc_describe(f, w, f->key);
}

static void doc_put_name(struct jsonw *w, const char *name, const char *doc)
{
    jsonw_object(w, name);
    jsonw_string(w, "description", doc);
    jsonw_end(w);
}

// Keys that become others when a body is read.
static void put_other_names(struct jsonw *w, const struct schema *s)
{
    char text[ALIAS_DOC];
    const char *name, *doc;
    for (const struct field *f = s->field; f->key; f++)
        for (int i = 0; i < FIELD_ALIASES && f->alias[i]; i++) {
            snprintf(text, sizeof text, "Another name of %s.", f->key);
            doc_put_name(w, f->alias[i], text);
        }
    for (size_t i = 0; s->rewrites && (name = s->rewrites(i, &doc)); i++)
        doc_put_name(w, name, doc);
}

// The inside of an object's description.
static void describe_object(const struct schema *s, struct jsonw *w, bool nullable)
{
    put_type(w, "object", nullable);
    jsonw_object(w, "properties");
    put_properties(s, w);
    put_other_names(w, s);
    jsonw_end(w);
    jsonw_array(w, "required");
    put_required(s, w);
    jsonw_end(w);
    jsonw_bool(w, "additionalProperties", s->open);
}

void schema_json_field(const struct field *f, struct jsonw *w, const char *key)
{
    struct field bare = *f;
    bare.doc = NULL;
    doc_describe(&bare, w, key);
}

void schema_json(const struct schema *s, struct jsonw *w, const char *key)
{
    jsonw_object(w, key);
    jsonw_string(w, "title", s->name);
    jsonw_string(w, "description", s->doc);
    describe_object(s, w, false);
    jsonw_end(w);
}
