// SPDX-License-Identifier: MIT
#pragma once

// Inside of schema_json(), shared by schema_doc*.c only.

#include "api/schema/schema.h"

enum { ALIAS_DOC = 100 };

void doc_describe_pick(const struct field *f, struct jsonw *w);

void doc_put_limits(struct jsonw *w, const struct field *f);

// The end of several forms of a value; null is a form too.
void doc_any_of_end(struct jsonw *w, bool nullable);
