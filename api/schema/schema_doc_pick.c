// SPDX-License-Identifier: MIT
// What is said of a choice of a table: a name, another name of a row, or an object of a row with
// its hyperparameters. See schema_doc.h.

#include "api/schema/schema_doc.h"

static void doc_put_hyper(struct jsonw *w, const struct hyper *k)
{
    static const char *const type[] = {
        [HYPER_REAL] = "number", [HYPER_INT] = "integer", [HYPER_BOOL] = "boolean"};
    const struct field limits = {.min = k->min, .max = k->max};
    jsonw_string(w, "type", type[k->type]);
    if (k->type != HYPER_BOOL)
        doc_put_limits(w, &limits);
}

static void put_hyper_default(struct jsonw *w, const char *key, const struct hyper *k, size_t i)
{
    if (k->type == HYPER_BOOL)
        jsonw_bool(w, key, k->def[i] != 0);
    else
        jsonw_real(w, key, k->def[i]);
}

static void describe_hyper(struct jsonw *w, const struct hyper *k)
{
    jsonw_object(w, k->name);
    jsonw_string(w, "description", k->doc);
    if (k->count < 2) {
        doc_put_hyper(w, k);
        put_hyper_default(w, "default", k, 0);
    } else {
        jsonw_string(w, "type", "array");
        jsonw_object(w, "items");
        doc_put_hyper(w, k);
        jsonw_end(w);
        jsonw_int(w, "minItems", k->list ? 1 : k->count);
        jsonw_int(w, "maxItems", k->count);
        jsonw_array(w, "default");
        for (size_t i = 0; i < hyper_length(k, k->def); i++)
            put_hyper_default(w, NULL, k, i);
        jsonw_end(w);
    }
    jsonw_end(w);
}

static void describe_row(struct jsonw *w, const struct table *t, const struct row *row)
{
    const struct hyper *hyper;
    size_t at;
    jsonw_object(w, NULL);
    jsonw_string(w, "type", "object");
    jsonw_string(w, "description", row->doc);
    if (row->torch)
        jsonw_string(w, "x-torch", row->torch);
    jsonw_object(w, "properties");
    jsonw_object(w, "type");
    jsonw_string(w, "const", row->name);
    jsonw_end(w);
    for (size_t k = 0; (hyper = hyper_at(t, row, k, &at)); k++)
        describe_hyper(w, hyper);
    jsonw_end(w);
    jsonw_bool(w, "additionalProperties", false);
    jsonw_end(w);
}

static void describe_aliases(struct jsonw *w, const struct row *row)
{
    char text[ALIAS_DOC];
    snprintf(text, sizeof text, "Another name of %s.", row->name);
    for (int i = 0; i < ROW_ALIASES && row->alias[i]; i++) {
        jsonw_object(w, NULL);
        jsonw_string(w, "const", row->alias[i]);
        jsonw_string(w, "description", text);
        jsonw_end(w);
    }
}

void doc_describe_pick(const struct field *f, struct jsonw *w)
{
    jsonw_array(w, "anyOf");
    jsonw_object(w, NULL);
    jsonw_string(w, "type", "string");
    jsonw_array(w, "enum");
    for (size_t i = 0; i < f->table->n; i++)
        jsonw_string(w, NULL, f->table->row[i]->name);
    jsonw_end(w);
    jsonw_end(w);
    for (size_t i = 0; i < f->table->n; i++)
        describe_aliases(w, f->table->row[i]);
    for (size_t i = 0; i < f->table->n; i++)
        describe_row(w, f->table, f->table->row[i]);
    doc_any_of_end(w, f->nullable);
}
