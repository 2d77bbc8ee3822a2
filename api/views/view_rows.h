// SPDX-License-Identifier: MIT
#pragma once

// Rows of the schemas of replies, which have no struct behind them. Used by views*.c alone.

#include "api/schema/schema.h"

#define V_TEXT(k, ...)                                                                             \
    {                                                                                              \
        .key = k, .type = FIELD_STRING, __VA_ARGS__                                                \
    }
#define V_WHOLE(k, ...)                                                                            \
    {                                                                                              \
        .key = k, .type = FIELD_INT, __VA_ARGS__                                                   \
    }
#define V_NUMBER(k, ...)                                                                           \
    {                                                                                              \
        .key = k, .type = FIELD_REAL, __VA_ARGS__                                                  \
    }
#define V_OBJECT(k, s, ...)                                                                        \
    {                                                                                              \
        .key = k, .type = FIELD_OBJECT, .sub = &s, __VA_ARGS__                                     \
    }
#define V_ITEMS(k, s, ...)                                                                         \
    {                                                                                              \
        .key = k, .type = FIELD_LIST, .of = FIELD_OBJECT, .sub = &s, __VA_ARGS__                   \
    }
#define V_TEXTS(k, ...)                                                                            \
    {                                                                                              \
        .key = k, .type = FIELD_LIST, .of = FIELD_STRING, __VA_ARGS__                              \
    }
#define V_ANY(k, ...)                                                                              \
    {                                                                                              \
        .key = k, .type = FIELD_RAW, __VA_ARGS__                                                   \
    }
#define FIELDS(name) static const struct field name##_fields[]
#define VIEW(n, title, text)                                                                       \
    const struct schema n##_view = {.name = title, .doc = text, .field = n##_fields, .reply = true}
