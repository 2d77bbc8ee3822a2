// SPDX-License-Identifier: MIT
#pragma once

// Rows of the schemas of replies. Used by the files of this folder alone.
//
// A reply `n` is a plain struct n_reply in a header, and here a row for each member in the order in
// which they are printed, under the member's name; REPLY() makes the schema n_view of them:
//
//     struct gap_reply {
//         int64_t from, to;
//     };
//     FIELDS(gap) = {
//         R_WHOLE(gap, from, .doc = "The first epoch that is missing."),
//         R_WHOLE(gap, to, .doc = "The last one."),
//         {0},
//     };
//     REPLY(gap, "Gap", "Epochs that could not be stored.");
//
// What a member holds when there is none is said in schema.h, at its type; `.nullable` prints it as
// null, `.optional` leaves it out, and one that may be both has a bool beside it, `.on`. A curve is
// R_REALS() with `.gaps`. A long list can be written while it is made: schema_write_to().

#include "api/schema/schema.h"

#define FIELDS(name) static const struct field name##_fields[]
#define REPLY(n, title, text)                                                                      \
    const struct schema n##_view = {.name = title,                                                 \
                                    .doc = text,                                                   \
                                    .field = n##_fields,                                           \
                                    .size = sizeof(struct n##_reply),                              \
                                    .reply = true}

#define R_ROW(n, m, T, TYPE, ...) AS(#m, struct n##_reply, m, T, TYPE, __VA_ARGS__)
#define R_TEXT(n, m, ...) R_ROW(n, m, const char *, FIELD_STRING, __VA_ARGS__)
#define R_INT(n, m, ...) R_ROW(n, m, int, FIELD_INT, __VA_ARGS__)
#define R_WHOLE(n, m, ...) R_ROW(n, m, int64_t, FIELD_WHOLE, __VA_ARGS__)
#define R_REAL(n, m, ...) R_ROW(n, m, double, FIELD_REAL, __VA_ARGS__)
#define R_FLOAT(n, m, ...) R_ROW(n, m, float, FIELD_FLOAT, __VA_ARGS__)
#define R_MATRIX(n, m, ...) R_ROW(n, m, struct matrix, FIELD_MATRIX, __VA_ARGS__)
#define R_TIME(n, m, ...) R_ROW(n, m, int64_t, FIELD_TIME, __VA_ARGS__)
#define R_BOOL(n, m, ...) R_ROW(n, m, bool, FIELD_BOOL, __VA_ARGS__)
#define R_JSON(n, m, ...) R_ROW(n, m, struct json_span, FIELD_RAW, __VA_ARGS__)
#define R_OBJECT(n, m, of, ...)                                                                    \
    R_ROW(n, m, struct of##_reply, FIELD_OBJECT, .sub = &of##_view, __VA_ARGS__)
#define R_STORED(n, m, of, ...)                                                                    \
    R_ROW(n, m, const char *, FIELD_STORED, .sub = &of##_view, __VA_ARGS__)
// Lists; the count is the member n_m.
#define R_TEXTS(n, m, ...)                                                                         \
    LIST(#m, struct n##_reply, m, n_##m, const char *, .of = FIELD_STRING, __VA_ARGS__)
#define R_WHOLES(n, m, ...)                                                                        \
    LIST(#m, struct n##_reply, m, n_##m, int64_t, .of = FIELD_WHOLE, __VA_ARGS__)
#define R_REALS(n, m, ...)                                                                         \
    LIST(#m, struct n##_reply, m, n_##m, double, .of = FIELD_REAL, __VA_ARGS__)
#define R_ITEMS(n, m, item, ...)                                                                   \
    LIST(#m, struct n##_reply, m, n_##m, struct item##_reply, .of = FIELD_OBJECT,                  \
         .sub = &item##_view, __VA_ARGS__)
#define R_MAP(n, m, item, ...)                                                                     \
    MAP(#m, struct n##_reply, m, n_##m, struct item##_reply, .sub = &item##_view, __VA_ARGS__)
// "object": "job"
#define R_KIND(word)                                                                               \
    {                                                                                              \
        .key = "object", .type = FIELD_CONST, .names = (const char *const[]){word, NULL},          \
        .doc = "Always " word "."                                                                  \
    }

// A page of `item`, as struct list_reply has it.
#define LIST_VIEW(view, item, order, title, text)                                                  \
    FIELDS(view) = {                                                                               \
        R_KIND("list"),                                                                            \
        LIST("data", struct list_reply, data, n, void, .of = FIELD_OBJECT, .sub = &item##_view,    \
             .doc = order),                                                                        \
        R_BOOL(list, has_more, .doc = "Whether there are more."),                                  \
        R_WHOLE(list, first_id, .nullable = true, .doc = "Id of the first one, or null."),         \
        R_WHOLE(list, last_id, .nullable = true,                                                   \
                .doc = "Id of the last one, for \"after\"; or null."),                             \
        {0},                                                                                       \
    };                                                                                             \
    const struct schema view##_view = {.name = title,                                              \
                                       .doc = text,                                                \
                                       .field = view##_fields,                                     \
                                       .size = sizeof(struct list_reply),                          \
                                       .reply = true}

// Without a struct, of what handlers print by themselves.

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
#define VIEW(n, title, text)                                                                       \
    const struct schema n##_view = {.name = title, .doc = text, .field = n##_fields, .reply = true}
