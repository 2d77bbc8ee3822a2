// SPDX-License-Identifier: MIT
// See scope.h.

#include "api/schema/scope.h"

const struct scope_row scope_table[SCOPE_COUNT] = {
#define X(name, word, doc) [SCOPE_##name] = {word, doc},
    SCOPES(X)
#undef X
};

#define X(name, word, doc) | SCOPE_BIT(SCOPE_##name)
const struct principal principal_anonymous = {"anonymous", 0 SCOPES(X)};
#undef X

bool principal_may(const struct principal *p, enum scope scope, struct err *e)
{
    const char *word = scope_table[scope].word;
    return (p->scopes & SCOPE_BIT(scope)) ||
           fail(e, ERR_FORBIDDEN, "this needs the scope \"%s\", which \"%s\" does not have",
                word ? word : "none", p->name);
}
