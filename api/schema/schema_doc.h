// SPDX-License-Identifier: MIT
#pragma once

// Inside of schema_json(), shared by schema_doc*.c only.

#include "api/schema/schema.h"

enum { ALIAS_DOC = 100 };

void doc_describe_pick(const struct field *f, struct jsonw *w);

static inline void doc_put_limits(struct jsonw *w, const struct field *f)
{
    if (f->min == 0 && f->max == 0)
        return;
    jsonw_real(w, f->above_min ? "exclusiveMinimum" : "minimum", f->min);
    jsonw_real(w, "maximum", f->max);
}

// The end of several forms of a value; null is a form too.
static inline void doc_any_of_end(struct jsonw *w, bool nullable)
{
    if (nullable) {
        jsonw_object(w, NULL);
        jsonw_string(w, "type", "null");
        jsonw_end(w);
    }
    jsonw_end(w);
}
