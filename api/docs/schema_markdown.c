// SPDX-License-Identifier: MIT
// What a schema says about itself for readers: see schema.h.

#include "api/schema/schema.h"

#include <string.h>

static void print_names(const struct field *f, FILE *out)
{
    const char *comma = "";
    for (size_t i = 0; f->table && i < f->table->n; i++, comma = ", ")
        fprintf(out, "%s`%s`", comma, f->table->row[i]->name);
    for (size_t i = 0; f->names && f->names[i]; i++, comma = ", ")
        fprintf(out, "%s`%s`", comma, f->names[i]);
}

static void print_limits(const struct field *f, FILE *out)
{
    bool number = !f->names && (f->type == FIELD_INT || f->type == FIELD_REAL);
    const char *comma = number || f->names || f->table ? ", " : "";
    print_names(f, out);
    if (number)
        fprintf(out, "%s%.15g to %.15g", f->above_min ? "above " : "", f->min, f->max);
    if (f->zero) {
        fprintf(out, "%s`\"%s\"`", comma, f->zero);
        comma = ", ";
    }
    if (f->nullable)
        fprintf(out, "%s`null`", comma);
}

static void print_fields(const struct schema *s, const char *prefix, FILE *out)
{
    char key[128];
    for (const struct field *f = s->field; f->key; f++) {
        bool is_list = f->type == FIELD_LIST && !f->one;
        snprintf(key, sizeof key, "%s%s%s", prefix, f->key, is_list ? "[]" : "");
        fprintf(out, "| `%s` | %s%s%s | ", key, f->def ? "`" : "", f->def ? f->def : "",
                f->def ? "`" : "");
        print_limits(f, out);
        fprintf(out, " | %s |\n", f->doc);
        if (f->type != FIELD_OBJECT && f->of != FIELD_OBJECT)
            continue;
        strcat(key, ".");
        if (f->sub)
            print_fields(f->sub, key, out);
    }
}

void schema_markdown(const struct schema *s, FILE *out)
{
    fprintf(out, "| key | default | allowed | meaning |\n|---|---|---|---|\n");
    print_fields(s, "", out);
}
