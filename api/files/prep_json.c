// SPDX-License-Identifier: MIT
// Preprocessing to JSON and back: see prep_json.h. Columns are arrays, not objects, because a table
// may have thousands.

#include "api/files/prep_json.h"

#include "api/json/json_in.h"
#include "api/json/json_text.h"
#include "api/schema/job_schema.h"

#include <string.h>

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

static void write_targets(struct jsonw *w, const struct prep *p)
{
    if (p->n_target == 1) {
        jsonw_string(w, "target", p->target->name);
        return;
    }
    jsonw_array(w, "target");
    for (size_t i = 0; i < p->n_target; i++)
        jsonw_string(w, NULL, p->target[i].name);
    jsonw_end(w);
}

void prep_write(const struct prep *p, struct jsonw *w, const char *key)
{
    jsonw_object(w, key);
    write_targets(w, p);
    jsonw_string(w, "task", task_words[p->task]);
    write_texts(w, "classes", p->class_name, p->n_class);
    jsonw_array(w, "y");
    for (size_t i = 0; i < p->n_target; i++) {
        jsonw_real(w, NULL, p->y_mean[i]);
        jsonw_real(w, NULL, p->y_std[i]);
    }
    jsonw_end(w);
    jsonw_array(w, "columns");
    for (size_t i = 0; i < p->n_column; i++)
        json_write_column(w, &p->column[i]);
    jsonw_end(w);
    jsonw_end(w);
}

// Reading. Every helper expects the next element of an array to be of its kind; `ok` goes false and
// stays so.
struct prep_reader {
    char *text; // that `in` reads
    struct json_in in;
    struct arena *a;
    bool ok;
};

static bool next(struct prep_reader *r, enum json_kind kind)
{
    if (r->ok)
        r->ok = json_more(&r->in);
    if (r->ok && json_kind(&r->in) != kind)
        r->ok = false;
    return r->ok;
}

static double next_number(struct prep_reader *r)
{
    return next(r, JSON_NUMBER) ? json_number(&r->in) : 0;
}

// Decoded in place, its end where its closing quote was: a text never becomes longer, and what has
// been read is not looked at again.
static const char *text(struct prep_reader *r)
{
    if (!r->ok || json_kind(&r->in) != JSON_STRING) {
        r->ok = false;
        return "";
    }
    char *out = r->text + (r->in.at - r->text) + 1;
    out[json_unescape(&r->in.at, out)] = '\0';
    return out;
}

static const char *next_text(struct prep_reader *r)
{
    return next(r, JSON_STRING) ? text(r) : "";
}

// The reader stands before an array; how many elements it has.
static size_t json_length(struct prep_reader *r)
{
    struct json_in ahead = r->in;
    size_t n = 0;
    if (json_kind(&ahead) != JSON_ARRAY)
        return r->ok = false;
    for (json_enter(&ahead); json_more(&ahead); json_skip(&ahead))
        n++;
    return n;
}

static const char *const *texts(struct prep_reader *r, size_t *n)
{
    *n = json_length(r);
    const char **list = r->ok ? arena_alloc(r->a, *n, sizeof *list) : NULL;
    if (!list) {
        r->ok = false;
        return NULL;
    }
    json_enter(&r->in);
    for (size_t i = 0; i < *n; i++)
        list[i] = next_text(r);
    if (r->ok)
        json_more(&r->in);
    return list;
}

static size_t word(struct prep_reader *r, const char *const *words)
{
    const char *t = r->ok ? text(r) : "";
    for (size_t i = 0; words[i]; i++)
        if (strcmp(t, words[i]) == 0)
            return i;
    r->ok = false;
    return 0;
}

static void json_read_column(struct prep_reader *r, struct prep_column *c, size_t at)
{
    if (!next(r, JSON_ARRAY))
        return;
    json_enter(&r->in);
    *c = (struct prep_column){.at = at, .name = next_text(r)};
    if (next(r, JSON_STRING))
        c->type = (enum column_type)word(r, type_word);
    if (c->type == COLUMN_CATEGORICAL) {
        if (next(r, JSON_ARRAY))
            c->level = texts(r, &c->n_level);
        c->width = c->n_level + 1;
    } else {
        c->mean = next_number(r);
        c->std = next_number(r);
        c->fill = next_number(r);
        c->indicator = next(r, JSON_BOOL) && json_bool(&r->in);
        c->width = c->indicator ? 2 : 1;
    }
    r->ok = r->ok && !json_more(&r->in);
}

static void read_columns(struct prep_reader *r, struct prep *p)
{
    p->n_column = json_length(r);
    p->column = r->ok && p->n_column <= FRAME_MAX_COLUMNS
                    ? arena_alloc(r->a, p->n_column, sizeof *p->column)
                    : NULL;
    if (!p->column) {
        r->ok = false;
        return;
    }
    json_enter(&r->in);
    for (size_t i = 0; r->ok && i < p->n_column; i++) {
        json_read_column(r, &p->column[i], p->n_feature);
        p->n_feature += p->column[i].width;
    }
}

// One name, or an array of them.
static void read_targets(struct prep_reader *r, struct prep *p)
{
    bool several = r->ok && json_kind(&r->in) == JSON_ARRAY;
    const char *lone = several ? NULL : text(r), *const *name = &lone;
    p->n_target = 1;
    if (several)
        name = texts(r, &p->n_target);
    p->target = r->ok ? arena_zalloc(r->a, p->n_target, sizeof *p->target) : NULL;
    r->ok = p->target && p->n_target > 0;
    for (size_t i = 0; r->ok && i < p->n_target; i++)
        p->target[i] = (struct prep_target){.name = name[i], .source = SIZE_MAX};
}

static void read_scales(struct prep_reader *r, struct prep *p)
{
    size_t n = p->n_target;
    p->y_mean = r->ok && json_length(r) == 2 * n ? arena_alloc(r->a, n, sizeof *p->y_mean) : NULL;
    p->y_std = p->y_mean ? arena_alloc(r->a, n, sizeof *p->y_std) : NULL;
    r->ok = p->y_std;
    if (r->ok)
        json_enter(&r->in);
    for (size_t i = 0; r->ok && i < n; i++) {
        p->y_mean[i] = next_number(r);
        p->y_std[i] = next_number(r);
    }
}

// What prep_init() promises of a task and its classes.
static bool classes_fit(const struct prep *p)
{
    if (p->task == TASK_CLASSIFICATION)
        return p->n_class >= 2 && p->n_target == 1;
    return p->task != TASK_AUTO && p->n_class == 0;
}

enum { TARGET, TASK, CLASSES, Y, COLUMNS, MEMBERS };

// The reader at another member.
static void go(struct prep_reader *r, const struct json_want *want)
{
    r->in = r->ok ? json_in(want->value) : (struct json_in){NULL};
}

static void read_members(struct prep_reader *r, const struct json_want *want, struct prep *p)
{
    go(r, &want[TARGET]);
    read_targets(r, p);
    go(r, &want[TASK]);
    p->task = (enum task)word(r, task_words);
    go(r, &want[CLASSES]);
    p->class_name = r->ok ? texts(r, &p->n_class) : NULL;
    go(r, &want[Y]);
    read_scales(r, p);
    go(r, &want[COLUMNS]);
    if (r->ok)
        read_columns(r, p);
}

bool prep_read(struct prep *p, char *json, struct arena *a, struct err *e)
{
    struct json_want want[MEMBERS] = {
        {.key = "target"}, {.key = "task"}, {.key = "classes"}, {.key = "y"}, {.key = "columns"}};
    struct faults faults;
    struct err why = {0};
    *p = (struct prep){0};
    faults_init(&faults, a);
    struct prep_reader r = {
        .text = json, .a = a, .ok = json_scan(json, strlen(json), want, MEMBERS, a, &faults, &why)};
    for (int i = 0; i < MEMBERS; i++)
        r.ok = r.ok && want[i].value.at;
    read_members(&r, want, p);
    if (!r.ok || !classes_fit(p))
        return fail(e, ERR_INVALID, "the model file's description of its inputs is damaged");
    prep_index(p, a);
    return true;
}
