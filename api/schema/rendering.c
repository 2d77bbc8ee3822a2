// SPDX-License-Identifier: MIT
// Lists of renderings: see rendering.h.

#include "api/schema/rendering.h"

#include <stdio.h>
#include <string.h>

const struct rendering *rendering_find(const struct rendering *const *list, const char *name)
{
    while (*list && strcmp((*list)->name, name) != 0)
        list++;
    return *list;
}

static void rendering_add(char out[RENDERING_WORDS], const char *before, const char *word)
{
    size_t at = strlen(out);
    snprintf(out + at, RENDERING_WORDS - at, "%s%.*s", before, (int)strcspn(word, ";"), word);
}

static const char *separator(const struct rendering *const *list, size_t i)
{
    return i == 0 ? "" : list[i + 1] ? ", " : " or ";
}

const char *rendering_names(const struct rendering *const *list, char out[RENDERING_WORDS])
{
    *out = '\0';
    for (size_t i = 0; list[i]; i++)
        rendering_add(out, separator(list, i), list[i]->name);
    return out;
}

const char *rendering_media(const struct rendering *const *list, char out[RENDERING_WORDS])
{
    *out = '\0';
    for (size_t i = 0; list[i]; i++)
        rendering_add(out, separator(list, i), list[i]->media);
    return out;
}
