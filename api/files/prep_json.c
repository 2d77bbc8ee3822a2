// SPDX-License-Identifier: MIT
// Preprocessing to JSON and back: see prep_json.h. Columns are arrays, not objects, because a table
// may have thousands.

#include "api/files/prep_json.h"

#include "api/files/section.h"

enum { VERSION = 1 };

static const char *const type_word[] = {
    [COLUMN_NUMERIC] = "numeric", [COLUMN_CATEGORICAL] = "categorical", NULL};

static void write_texts(struct jsonw *w, const char *key, const char *const *text, size_t n)
{
    jsonw_array(w, key);
    for (size_t i = 0; i < n; i++)
        jsonw_string(w, NULL, text[i]);
    jsonw_end(w);
}

static void json_write_column(struct jsonw *w, const struct prep_column *c)
{
    jsonw_array(w, NULL);
    jsonw_string(w, NULL, c->name);
    jsonw_string(w, NULL, type_word[c->type]);
    if (c->type == COLUMN_CATEGORICAL) {
        write_texts(w, NULL, c->level, c->n_level);
    } else {
        jsonw_real(w, NULL, c->mean);
        jsonw_real(w, NULL, c->std);
        jsonw_real(w, NULL, c->fill);
        jsonw_bool(w, NULL, c->indicator);
    }
    jsonw_end(w);
}

void prep_write(const struct prep *p, struct jsonw *w)
{
    jsonw_object(w, NULL);
    jsonw_int(w, "version", VERSION);
    jsonw_array(w, "columns");
    for (size_t i = 0; i < p->n_column; i++)
        json_write_column(w, &p->column[i]);
    jsonw_end(w);
    jsonw_end(w);
}

static void json_read_column(struct section *s, struct prep_column *c, size_t at)
{
    if (!section_next(s, JSON_ARRAY))
        return;
    json_enter(&s->in);
    *c = (struct prep_column){.at = at, .name = section_next_text(s)};
    if (section_next(s, JSON_STRING))
        c->type = (enum column_type)section_word(s, type_word);
    if (c->type == COLUMN_CATEGORICAL) {
        if (section_next(s, JSON_ARRAY))
            c->level = section_texts(s, &c->n_level, PREP_MAX_LEVELS);
        c->width = c->n_level + 1;
    } else {
        c->mean = section_next_number(s);
        c->std = section_next_std(s);
        c->fill = section_next_number(s);
        c->indicator = section_next(s, JSON_BOOL) && json_bool(&s->in);
        c->width = c->indicator ? 2 : 1;
    }
    s->ok = s->ok && !json_more(&s->in);
}

static void read_columns(struct section *s, struct prep *p)
{
    p->n_column = section_length(s);
    p->column = s->ok && p->n_column <= FRAME_MAX_COLUMNS
                    ? arena_alloc(s->a, p->n_column, sizeof *p->column)
                    : NULL;
    if (!p->column) {
        s->ok = false;
        return;
    }
    json_enter(&s->in);
    for (size_t i = 0; s->ok && i < p->n_column; i++) {
        json_read_column(s, &p->column[i], p->n_feature);
        p->n_feature += p->column[i].width;
    }
}

bool prep_read(struct prep *p, char *json, struct arena *a, struct err *e)
{
    struct json_want columns = {.key = "columns"};
    struct section s;
    *p = (struct prep){0};
    if (!section_open(&s, "preprocessing", json, VERSION, &columns, 1, a, e))
        return false;
    section_go(&s, &columns);
    read_columns(&s, p);
    if (!section_end(&s, e))
        return false;
    return prep_index(p, NULL, a, e);
}
