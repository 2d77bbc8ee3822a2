// SPDX-License-Identifier: MIT
#pragma once

// A JSON object described by rows. One `struct field` says everything about one key: where its
// value goes in a C struct, its type, default, limits and meaning. schema_read() fills the struct,
// schema_write() prints it back, schema_json() and schema_markdown() describe it, the tests walk
// it. Adding a setting is a member of the struct and a row. Rows are constant data; the functions
// keep no state and may be called from any thread.
//
//     static const struct field split_fields[] = {
//         REAL("validation", struct data_spec, validation, .def = "0.15", .max = 0.9, .doc = "."),
//         {0},
//     };
//     const struct schema split_schema = {.name = "Split", .field = split_fields,
//                                         .size = sizeof(struct data_spec)};
//
// Replies are described in the same way (`reply` is set; the rows are in api/views): what has no
// row cannot be written, what has one cannot be absent in silence. There every type has a value
// that says "none", named at the types below. A nullable field is then null, an optional one is
// left out, and of any other the finished text is refused (jsonw_text()). What may be null and may
// be left out has a bool beside it, `on`. A schema of replies that are still written by hand has
// size 0 and rows without `at`.

#include "api/json/fault.h"
#include "api/json/json.h"
#include "api/json/jsonw.h"
#include "engine/base/row.h"

#include <stddef.h>
#include <stdio.h>

struct cJSON;

enum field_type {
    FIELD_RAW,    // struct json_span: any JSON, of the kind `of` if that is set; outermost only.
                  // None: without text
    FIELD_BOOL,   // bool. None: `on`
    FIELD_INT,    // int
    FIELD_WHOLE,  // int64_t, not negative. None: below 0
    FIELD_REAL,   // double. None: not finite
    FIELD_FLOAT,  // float. None: not finite. Of replies
    FIELD_MATRIX, // struct matrix: an array of its rows. None: NULL. Of replies
    FIELD_TIME,   // int64_t, milliseconds since 1970, printed as seconds. None: 0. Of replies
    FIELD_SEED,   // uint64_t: a number up to 2^53, or decimal digits in a string
    FIELD_WORD,   // an enum: index into names
    FIELD_STRING, // const char *, in the arena; one of names (and then constant) if those are
                  // given. None: NULL
    FIELD_NAME,   // const char *: [A-Za-z0-9][A-Za-z0-9._-]{0,63}. None: NULL
    FIELD_CONST,  // the only one of names, without a member. Of replies
    FIELD_PICK,   // struct pick: a row of `table`, by name or as {"type": name, hyperparameter:
                  // value}
    FIELD_OBJECT, // described by sub, whose struct lies at `at`. None: its first field has
                  // none and must have one
    FIELD_LIST,   // const T *, and how many at n_at: an array of `of`. None: NULL
    FIELD_MAP,    // the same, an object: sub's first field takes the key, its second the value
    FIELD_STORED, // const char *: an object that sub has written before, checked JSON. Its members
                  // stand among the others; `key` is not printed. None: NULL. Of replies
    FIELD_TYPES
};

enum { FIELD_ALIASES = 4, STRING_MAX = 1024, NAME_MAX_LEN = 64, SCHEMA_BODY_MAX = 64 << 10 };

// A word of another field of the same struct.
struct field_case {
    size_t at; // of the field, which comes first and is a WORD
    int word;
};

struct field {
    const char *key, *doc; // doc: a sentence
    enum field_type type;
    size_t at;       // offset in the struct
    const char *def; // JSON text read when the key is absent; NULL: null, or an object's defaults
    // Inclusive limits: of a number; of a string's bytes; of a list's or map's length. Both 0: any
    // number, 1 to STRING_MAX bytes, any length.
    double min, max;
    bool above_min;   // min itself is not allowed
    bool required;    // must be given
    bool optional;    // of a reply: may be absent
    bool nullable;    // null is allowed; of a body: and stored as 0, NULL or `on` == 0
    const char *zero; // word allowed besides, INT: which stands for 0, MAP: for true at `on`
    bool one;         // LIST: an element may stand for itself, and does when it is the only one
    const char *const *names;        // WORD, STRING, CONST: allowed words, then NULL
    const struct schema *sub;        // OBJECT, MAP, STORED, LIST of OBJECT; RAW for documentation
    const struct schema *const *any; // RAW OBJECT, for documentation: one of these, then NULL
    const struct table *table;       // PICK
    enum field_type of;              // LIST: type of the elements; RAW: type of the JSON
    bool gaps;                       // LIST of REAL, MATRIX: null may stand for an element, NaN
    size_t n_at;                     // LIST, MAP: offset of the size_t count
    // Of a body, nullable OBJECT: offset of an int that is 0 for null; MAP with `zero`: of a bool.
    // Of a reply: of a bool, not the struct's first member, that is false when there is none.
    size_t on;
    size_t given;                     // offset of a bool: whether the key was there; 0: nobody asks
    const char *alias[FIELD_ALIASES]; // other names it may be given under
    const struct field_case *only;    // may be given, and is printed, only while that is the word
    const char *instead; // key of a field that takes its place: the default is 0 when that one says
                         // something (more than null and 0), and both may not
};

struct schema {
    const char *name, *doc;    // name: of its OpenAPI component, "JobDefinition"
    const struct field *field; // ends with a row without key
    size_t size;               // of the struct; 0 when there is none
    size_t max;                // bytes of a body besides its raw fields; 0: SCHEMA_BODY_MAX
    const char *bare;          // key that a plain value in place of the object stands for
    bool reply;                // every field is there unless it is optional
    bool open;                 // of a reply: has other keys too
    // Rules across fields, run when the fields themselves are in order. `at` is the object's own
    // pointer.
    void (*check)(const void *, const char *at, struct faults *);
    // Of a body: turns what clients of other programs write into this schema's own, before it is
    // read.
    void (*rewrite)(const struct schema *, struct cJSON *body, struct faults *);
    // The i-th name that rewrite accepts besides, with a sentence; NULL past the last.
    const char *(*rewrites)(size_t i, const char **doc);
};

struct matrix {
    const float *v; // [rows, cols]
    size_t rows, cols;
};

// Beyond it a double skips integers: larger ones are read and written as strings.
#define SCHEMA_INTEGER_MAX (UINT64_C(1) << 53)

// Offset of a member, refused by the compiler when its type is not T.
#define AT(S, m, T) (offsetof(S, m) + 0 * sizeof(char[_Generic(((S *)0)->m, T : 1)]))
#define AS(k, S, m, T, TYPE, ...)                                                                  \
    {                                                                                              \
        .key = k, .type = TYPE, .at = AT(S, m, T), __VA_ARGS__                                     \
    }
#define BOOL(k, S, m, ...) AS(k, S, m, bool, FIELD_BOOL, __VA_ARGS__)
#define INT(k, S, m, ...) AS(k, S, m, int, FIELD_INT, __VA_ARGS__)
#define WHOLE(k, S, m, ...) AS(k, S, m, int64_t, FIELD_WHOLE, __VA_ARGS__)
#define REAL(k, S, m, ...) AS(k, S, m, double, FIELD_REAL, __VA_ARGS__)
#define SEED(k, S, m, ...) AS(k, S, m, uint64_t, FIELD_SEED, __VA_ARGS__)
#define WORD(k, S, m, T, ...) AS(k, S, m, T, FIELD_WORD, __VA_ARGS__)
#define STRING(k, S, m, ...) AS(k, S, m, const char *, FIELD_STRING, __VA_ARGS__)
#define NAME(k, S, m, ...) AS(k, S, m, const char *, FIELD_NAME, __VA_ARGS__)
#define PICK(k, S, m, ...) AS(k, S, m, struct pick, FIELD_PICK, __VA_ARGS__)
#define RAW(k, S, m, ...) AS(k, S, m, struct json_span, FIELD_RAW, __VA_ARGS__)
#define OBJECT(k, S, m, T, ...) AS(k, S, m, T, FIELD_OBJECT, __VA_ARGS__)
// An object that is one only in JSON: its members lie in the same struct.
#define PART(k, ...)                                                                               \
    {                                                                                              \
        .key = k, .type = FIELD_OBJECT, __VA_ARGS__                                                \
    }
#define LIST(k, S, m, n, T, ...)                                                                   \
    AS(k, S, m, T const *, FIELD_LIST, .n_at = AT(S, n, size_t), __VA_ARGS__)
#define MAP(k, S, m, n, T, ...)                                                                    \
    AS(k, S, m, T const *, FIELD_MAP, .n_at = AT(S, n, size_t), __VA_ARGS__)

// Read a body into `out` (s->size bytes, zeroed first), defaults included. A NUL follows the body
// as json_scan() wants it. Strings and lists are in the arena, raw spans in the body. Names that
// are aliases are noted in f. Every fault found is in f (codes: unknown_field, missing_field,
// conflicting_fields, wrong_type, not_an_integer, out_of_range, unknown_value, too_short, too_long,
// bad_name). Fails with ERR_MALFORMED (see json_scan), ERR_INVALID, or ERR_TOO_LARGE when more than
// the schema's maximum remains without the raw fields. f must have been initialised.
bool schema_read(const struct schema *s, const char *body, size_t len, void *out, struct arena *a,
                 struct faults *f, struct err *e);

struct query_text { // a parameter of a query, decoded
    const char *name, *value;
};
enum { QUERY_TEXTS = 32 }; // a query has at most so many

// The same for a query: n parameters into `out`, s->size bytes. Its fields are INT, WHOLE, WORD,
// STRING and NAME. Strings are in the arena. Every fault found is in f, which then has of_query;
// ERR_INVALID.
bool schema_read_query(const struct schema *s, const struct query_text *text, size_t n, void *out,
                       struct arena *a, struct faults *f, struct err *e);

// Read what schema_write() has printed, and nothing else: every key has to be there, under its own
// name, and choices of tables with all their parameters. No defaults, no aliases, no rewriting.
// Errors as schema_read().
bool schema_read_exact(const struct schema *s, const char *text, void *out, struct arena *a,
                       struct faults *f, struct err *e);

// Whether the key is a name of the field.
bool field_is_called(const struct field *f, const char *key);

// Whether the field belongs to what the struct says so far: see `only`.
bool field_is_meant(const struct field *f, const void *in);

// Print the struct with every field, resolved defaults included, so that reading it back gives the
// same; of a reply every field that is there.
void schema_write(const struct schema *s, const void *in, struct jsonw *w, const char *key);

// The same for a reply with a list that is written while it is made: print what comes before the
// LIST `list` and open it. The caller writes the elements; schema_write_rest() closes the list and
// prints what comes after.
void schema_write_to(const struct schema *s, const void *in, const char *list, struct jsonw *w);
void schema_write_rest(const struct schema *s, const void *in, const char *list, struct jsonw *w);

// Print a JSON Schema (2020-12, as OpenAPI 3.1 wants it); of a single field without its sentence.
void schema_json(const struct schema *s, struct jsonw *w, const char *key);
void schema_json_field(const struct field *f, struct jsonw *w, const char *key);

// Print a Markdown table, a line per key, nested keys with dots.
void schema_markdown(const struct schema *s, FILE *out);

// Whether the text may name a dataset or a model: what a FIELD_NAME accepts.
bool schema_is_name(const char *s);

// The number of fields, and of one element of a list or map.
size_t schema_count(const struct schema *s);
size_t field_size(const struct field *f);
