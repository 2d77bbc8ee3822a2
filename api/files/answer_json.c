// SPDX-License-Identifier: MIT
// See answer_json.h: {"version": 1, "task": "regression", "targets": ["y"], "classes": [], "scale":
// [mean, std, ...]}.

#include "api/files/answer_json.h"

#include "api/files/section.h"
#include "api/schema/job_spec.h"
#include "engine/table/task.h"

enum { VERSION = 1 };

static void write_names(struct jsonw *w, const char *key, const char *const *name, size_t n)
{
    jsonw_array(w, key);
    for (size_t i = 0; i < n; i++)
        jsonw_string(w, NULL, name[i]);
    jsonw_end(w);
}

void answer_write(const struct answer *a, struct jsonw *w)
{
    jsonw_object(w, NULL);
    jsonw_int(w, "version", VERSION);
    jsonw_string(w, "task", a->task->row.name);
    write_names(w, "targets", a->target, a->n_target);
    write_names(w, "classes", a->class_name, a->n_class);
    jsonw_array(w, "scale");
    for (size_t i = 0; i < a->n_target; i++) {
        jsonw_real(w, NULL, a->mean[i]);
        jsonw_real(w, NULL, a->std[i]);
    }
    jsonw_end(w);
    jsonw_end(w);
}

static void read_scale(struct section *s, struct answer *a)
{
    size_t n = a->n_target;
    a->mean = section_length(s) == 2 * n ? arena_alloc(s->a, n, sizeof *a->mean) : NULL;
    a->std = a->mean ? arena_alloc(s->a, n, sizeof *a->std) : NULL;
    s->ok = s->ok && a->std;
    if (s->ok)
        json_enter(&s->in);
    for (size_t i = 0; s->ok && i < n; i++) {
        a->mean[i] = section_next_number(s);
        a->std[i] = section_next_std(s);
    }
}

// What prep_init() promises of a task and its classes.
static bool answer_plausible(const struct answer *a)
{
    if (!a->task || a->n_target == 0)
        return false;
    return a->task->classes ? a->n_class >= 2 && a->n_target == 1 : a->n_class == 0;
}

bool answer_read(struct answer *out, char *json, struct arena *a, struct err *e)
{
    enum { TASK, TARGETS, CLASSES, SCALE, MEMBERS };
    struct json_want want[MEMBERS] = {
        {.key = "task"}, {.key = "targets"}, {.key = "classes"}, {.key = "scale"}};
    struct section s;
    *out = (struct answer){0};
    if (!section_open(&s, "answer", json, VERSION, want, MEMBERS, a, e))
        return false;
    section_go(&s, &want[TASK]);
    out->task = task_at((int)section_word(&s, task_words));
    section_go(&s, &want[TARGETS]);
    out->target = section_texts(&s, &out->n_target, TARGETS_MAX);
    section_go(&s, &want[CLASSES]);
    out->class_name = section_texts(&s, &out->n_class, CLASSES_MAX);
    section_go(&s, &want[SCALE]);
    read_scale(&s, out);
    s.ok = s.ok && answer_plausible(out);
    return section_end(&s, e);
}
