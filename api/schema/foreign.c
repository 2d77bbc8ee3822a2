// SPDX-License-Identifier: MIT
// Applying the rows of foreign_table to a body: see foreign.h. The body's tree is rewritten before
// the schema reads it, so the rest of the program knows our names only; each change is noted for
// the reply, and a value of ours that was given as well is never overwritten.

#include "api/schema/foreign.h"

#include <cJSON.h>
#include <string.h>

enum { TEXT_MAX = 64 };

// A plain value as a word; "" for others.
static const char *text_of(const cJSON *json, char out[TEXT_MAX])
{
    out[0] = '\0';
    if (cJSON_IsString(json))
        snprintf(out, TEXT_MAX, "%s", json->valuestring);
    else if (cJSON_IsNumber(json))
        snprintf(out, TEXT_MAX, "%.15g", json->valuedouble);
    else if (cJSON_IsBool(json) || cJSON_IsNull(json))
        snprintf(out, TEXT_MAX, "%s",
                 cJSON_IsNull(json)   ? "null"
                 : cJSON_IsTrue(json) ? "true"
                                      : "false");
    return out;
}

static const struct foreign_word *foreign_find_word(const struct foreign *row, const cJSON *value)
{
    char text[TEXT_MAX];
    text_of(value, text);
    for (const struct foreign_word *w = row->word; w && w->given; w++)
        if (foreign_same(w->given, text))
            return w;
    return NULL;
}

static void say(const struct foreign_use *u, const char *given, const char *became)
{
    const char *name = u->row->name, *space = *given ? " " : "";
    if (u->refused)
        fault_add(u->faults, "unsupported_option", arena_printf(u->faults->arena, "/%s", name),
                  "%s", u->refused);
    else if (u->placed)
        note_add(u->faults, "%s%s%s became %s%s%s%s%s", name, space, given,
                 note_key(u->faults, u->to), *became ? " " : "", became, u->row->doc ? "; " : "",
                 u->row->doc ? u->row->doc : "");
    else if (u->ignored)
        note_add(u->faults, "%s%s%s is ignored: %s", name, space, given, u->ignored);
}

// Without a place to go: ignored at the value that does nothing, else refused.
static void dismiss(struct foreign_use *u, const char *given)
{
    if (!*u->row->off)
        u->ignored = u->row->doc;
    else if (foreign_same(given, u->row->off))
        u->ignored = "it has no effect";
    else
        u->refused = u->row->doc;
}

// The value in our words, at its place.
static void move(struct foreign_use *u)
{
    const struct foreign_word *word = foreign_find_word(u->row, u->value);
    if (word && word->means)
        foreign_value(u, cJSON_Parse(word->means));
    else if (word)
        u->ignored = "it has no effect";
    if (!u->ignored)
        foreign_put(u, u->to, u->value);
}

static void apply(const struct foreign *row, const struct schema *s, cJSON *body, struct faults *f)
{
    const cJSON *there = cJSON_GetObjectItemCaseSensitive(body, row->name);
    if (!there || (row->own && !foreign_find_word(row, there)))
        return;
    struct foreign_use u = {
        .row = row, .schema = s, .root = body, .faults = f, .to = row->to, .weak = row->weak};
    char given[TEXT_MAX], became[TEXT_MAX];
    u.value = cJSON_DetachItemFromObjectCaseSensitive(body, row->name);
    text_of(u.value, given);
    if (cJSON_IsNull(u.value))
        u.ignored = "it has no effect";
    else if (row->turn)
        row->turn(&u);
    if (!u.ignored && u.to)
        move(&u);
    else if (!u.ignored)
        dismiss(&u, given);
    text_of(u.value, became);
    say(&u, given, foreign_same(given, became) ? "" : became);
    cJSON_Delete(u.value);
}

void foreign_rewrite(const struct schema *s, cJSON *body, struct faults *f)
{
    for (size_t i = 0; i < foreign_count; i++)
        apply(&foreign_table[i], s, body, f);
}

// Names that are the schema's own as well have their description there.
const char *foreign_name(size_t i, const char **doc)
{
    static const char *const what[] = {"An option of another library, without effect here.",
                                       "An option of another library, moved to its place here."};
    size_t seen = 0;
    for (size_t k = 0; k < foreign_count; k++) {
        *doc = what[foreign_table[k].to != NULL];
        if (!foreign_table[k].own && seen++ == i)
            return foreign_table[k].name;
    }
    return NULL;
}
