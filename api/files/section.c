// SPDX-License-Identifier: MIT
// See section.h. A model may have thousands of columns and classes, so sections are read with the
// pull reader, without a tree, and texts are decoded where they stand: a text never becomes longer,
// and what has been read is not looked at again.

#include "api/files/section.h"

#include "api/json/json_text.h"

#include <math.h>
#include <string.h>

enum { WANTED = 8 };

static bool section_version(const struct section *s, const struct json_want *want, int version,
                            struct err *e)
{
    double found = 0;
    if (want->value.at) {
        struct json_in in = json_in(want->value);
        found = json_kind(&in) == JSON_NUMBER ? json_number(&in) : 0;
    }
    return found == version ||
           fail(e, ERR_INVALID,
                "the model file's \"%s\" has version %.9g, and this program reads version %d",
                s->what, found, version);
}

bool section_open(struct section *s, const char *what, char *json, int version,
                  struct json_want *want, size_t n, struct arena *a, struct err *e)
{
    struct json_want all[WANTED];
    struct faults faults;
    struct err why = {0};
    BUG(n + 1 > WANTED);
    faults_init(&faults, a);
    memcpy(all, want, n * sizeof *want);
    all[n] = (struct json_want){.key = "version"};
    *s = (struct section){.what = what, .text = json, .a = a};
    s->ok = json && json_scan(json, strlen(json), all, n + 1, a, &faults, &why);
    if (!s->ok)
        return section_end(s, e);
    if (!section_version(s, &all[n], version, e))
        return false;
    memcpy(want, all, n * sizeof *want);
    for (size_t i = 0; i < n; i++)
        s->ok = s->ok && want[i].value.at;
    return section_end(s, e);
}

bool section_end(const struct section *s, struct err *e)
{
    return s->ok || fail(e, ERR_INVALID, "the model file's \"%s\" is damaged", s->what);
}

void section_go(struct section *s, const struct json_want *want)
{
    s->in = s->ok ? json_in(want->value) : (struct json_in){NULL};
}

bool section_next(struct section *s, enum json_kind kind)
{
    if (s->ok)
        s->ok = json_more(&s->in);
    if (s->ok && json_kind(&s->in) != kind)
        s->ok = false;
    return s->ok;
}

double section_next_number(struct section *s)
{
    double v = section_next(s, JSON_NUMBER) ? json_number(&s->in) : 0;
    s->ok = s->ok && isfinite(v);
    return v;
}

double section_next_std(struct section *s)
{
    double std = section_next_number(s);
    s->ok = s->ok && isnormal(std) && std > 0;
    return std;
}

// Its end is put where its closing quote was.
const char *section_text(struct section *s)
{
    if (!s->ok || json_kind(&s->in) != JSON_STRING) {
        s->ok = false;
        return "";
    }
    char *out = s->text + (s->in.at - s->text) + 1;
    out[json_unescape(&s->in.at, out)] = '\0';
    return out;
}

const char *section_next_text(struct section *s)
{
    return section_next(s, JSON_STRING) ? section_text(s) : "";
}

size_t section_length(struct section *s)
{
    struct json_in ahead = s->in;
    size_t n = 0;
    if (!s->ok || json_kind(&ahead) != JSON_ARRAY)
        return s->ok = false;
    for (json_enter(&ahead); json_more(&ahead); json_skip(&ahead))
        n++;
    return n;
}

const char *const *section_texts(struct section *s, size_t *n, size_t max)
{
    *n = section_length(s);
    const char **list = s->ok && *n <= max ? arena_alloc(s->a, *n, sizeof *list) : NULL;
    if (!list) {
        s->ok = false;
        return NULL;
    }
    json_enter(&s->in);
    for (size_t i = 0; i < *n; i++)
        list[i] = section_next_text(s);
    if (s->ok)
        json_more(&s->in);
    return list;
}

size_t section_word(struct section *s, const char *const *words)
{
    const char *t = section_text(s);
    for (size_t i = 0; s->ok && words[i]; i++)
        if (strcmp(t, words[i]) == 0)
            return i;
    s->ok = false;
    return 0;
}
