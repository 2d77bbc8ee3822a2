// SPDX-License-Identifier: MIT
// From the parameters of a query to a struct: see schema.h. They become the members of an object,
// digits numbers and all else strings, and go the way of a body's, so that the same rows give the
// same faults.

#include "api/json/json_tree.h"
#include "api/schema/schema_reader.h"

#include <stdlib.h>
#include <string.h>

static bool is_whole(const char *text)
{
    const char *digits = text + (*text == '-');
    return *digits && !digits[strspn(digits, "0123456789")];
}

static cJSON query_member(const struct schema *s, const struct query_text *text)
{
    cJSON out = {.type = cJSON_String};
    out.string = (char *)(uintptr_t)text->name;
    out.valuestring = (char *)(uintptr_t)text->value;
    for (const struct field *f = s->field; f->key; f++) {
        bool number = f->type == FIELD_INT || f->type == FIELD_WHOLE;
        if (number && field_is_called(f, text->name) && is_whole(text->value)) {
            out.type = cJSON_Number;
            out.valuedouble = strtod(text->value, NULL);
        }
    }
    return out;
}

// Whether one before has the same name.
static bool is_repeated(const struct query_text *text, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (strcmp(text[k].name, text[i].name) == 0)
            return true;
    return false;
}

bool schema_read_query(const struct schema *s, const struct query_text *text, size_t n, void *out,
                       struct arena *a, struct faults *f, struct err *e)
{
    cJSON member[QUERY_TEXTS], object = {.type = cJSON_Object}, **last = &object.child;
    struct reader r = {.arena = a, .faults = f};
    struct json_tree tree;
    memset(out, 0, s->size);
    f->of_query = true;
    if (n > QUERY_TEXTS)
        return fail(e, ERR_INVALID, "the query has over %d parameters", QUERY_TEXTS);
    for (size_t i = 0; i < n; i++) {
        const struct place at = {.up = &(const struct place){0}, .key = text[i].name};
        if (is_repeated(text, i)) {
            reader_fault(&r, &at, "conflicting_fields", "is given twice");
            continue;
        }
        member[i] = query_member(s, &text[i]);
        *last = &member[i];
        last = &member[i].next;
    }
    json_tree_begin(&tree, 0); // defaults are parsed
    reader_object(&r, s, &object, out);
    if (!json_tree_end(&tree, e) || !faults_none(f, e))
        return false;
    f->of_query = false;
    return true;
}
