// SPDX-License-Identifier: MIT
// Reading and writing safetensors: see safetensors.h. A file comes from anybody, so nothing of it
// is believed: the header must be JSON within its stated length, every tensor within the data, and
// together the tensors must fill the data exactly, without gaps or overlaps. Then no later reader
// has to check an offset.

#include "api/files/safetensors.h"

#include "api/json/json_in.h"
#include "api/json/json_text.h"
#include "api/json/jsonw.h"

#include <stdlib.h>
#include <string.h>

enum { PREFIX = 8, FLOAT = 4 };

static bool safetensors_damaged(struct err *e, const char *what)
{
    return fail(e, ERR_INVALID, "not a safetensors file that can be used: %s", what);
}

static uint64_t get_u64(const char *p)
{
    uint64_t n = 0;
    for (int i = PREFIX; i-- > 0;)
        n = n << 8 | (unsigned char)p[i];
    return n;
}

// A whole number of at most `max`.
static bool read_size(struct json_in *in, uint64_t max, uint64_t *out)
{
    if (json_kind(in) != JSON_NUMBER) {
        json_skip(in);
        return false;
    }
    double x = json_number(in);
    bool ok = x >= 0 && x <= (double)max && x == (double)(uint64_t)x;
    *out = ok ? (uint64_t)x : 0;
    return ok;
}

// An array of one or two whole numbers.
static bool read_sizes(struct json_span span, uint64_t max, uint64_t out[2], size_t *n)
{
    struct json_in in = json_in(span);
    bool ok = json_kind(&in) == JSON_ARRAY;
    *n = 0;
    if (!ok)
        return false;
    for (json_enter(&in); json_more(&in);)
        if (*n < 2)
            ok = read_size(&in, max, &out[(*n)++]) && ok;
        else {
            json_skip(&in);
            ok = false;
        }
    return ok && *n > 0;
}

static bool is_f32(struct json_span span, struct arena *a)
{
    struct json_text text;
    struct json_in in = json_in(span);
    return json_kind(&in) == JSON_STRING && json_string(&in, &text, a) && text.len == 3 &&
           memcmp(text.at, "F32", 3) == 0;
}

// One entry of the header; the member values have been found by the caller's walk.
static bool read_tensor(struct tensor *t, struct json_in *in, const char *data, uint64_t size,
                        struct arena *a, struct err *e)
{
    struct json_span dtype = {0}, shape = {0}, offsets = {0};
    struct {
        const char *key;
        struct json_span *to;
    } member[] = {{"dtype", &dtype}, {"shape", &shape}, {"data_offsets", &offsets}};
    struct json_text key;
    if (json_kind(in) != JSON_OBJECT)
        return safetensors_damaged(e, "a tensor is not described by an object");
    for (json_enter(in); json_key(in, &key, a);) {
        struct json_span value = json_skip(in);
        for (size_t i = 0; key.at && i < sizeof member / sizeof *member; i++)
            if (strlen(member[i].key) == key.len && memcmp(member[i].key, key.at, key.len) == 0)
                *member[i].to = value;
    }
    uint64_t dim[2], range[2];
    size_t rank, n;
    if (!dtype.at || !is_f32(dtype, a))
        return safetensors_damaged(e, "a tensor is not of type F32");
    if (!shape.at || !read_sizes(shape, UINT32_MAX, dim, &rank))
        return safetensors_damaged(e, "a tensor's shape is not one or two whole numbers");
    if (!offsets.at || !read_sizes(offsets, size, range, &n) || n != 2 || range[0] > range[1])
        return safetensors_damaged(e, "a tensor's offsets do not lie in the file");
    t->vector = rank == 1;
    t->rows = rank == 1 ? 1 : (uint32_t)dim[0];
    t->cols = (uint32_t)dim[rank - 1];
    t->at = data + range[0];
    uint64_t cells;
    if (__builtin_mul_overflow((uint64_t)t->rows, (uint64_t)t->cols, &cells) ||
        cells > size / FLOAT || cells * FLOAT != range[1] - range[0])
        return safetensors_damaged(e, "a tensor's shape and offsets disagree");
    return true;
}

static int by_place(const void *a, const void *b)
{
    const struct tensor *x = a, *y = b;
    return (x->at > y->at) - (x->at < y->at);
}

static size_t tensor_bytes(const struct tensor *t)
{
    return (size_t)t->rows * t->cols * FLOAT;
}

// Sorted by place, tensors touch each other and fill the data exactly.
static bool covers(struct safetensors *s, const char *data, uint64_t size, struct err *e)
{
    const char *end = data;
    qsort(s->tensor, s->n, sizeof *s->tensor, by_place);
    for (size_t i = 0; i < s->n; i++) {
        if (s->tensor[i].at != end)
            return safetensors_damaged(e, "tensors overlap or leave a gap");
        end += tensor_bytes(&s->tensor[i]);
    }
    return end == data + size || safetensors_damaged(e, "there are bytes after the last tensor");
}

static bool safetensors_read_header(struct safetensors *s, const char *header, const char *data,
                                    uint64_t size, struct arena *a, struct err *e)
{
    struct json_in in = json_in((struct json_span){header, (size_t)(data - header)});
    struct json_text key;
    for (json_enter(&in); json_key(&in, &key, a);) {
        if (!key.at)
            return fail(e, ERR_TOO_LARGE, "the model file's header needs more memory than allowed");
        if (key.len == 12 && memcmp(key.at, "__metadata__", 12) == 0) {
            s->metadata = json_skip(&in);
            continue;
        }
        if (s->n == SAFETENSORS_MAX)
            return safetensors_damaged(e, "it has too many tensors");
        struct tensor *t = &s->tensor[s->n++];
        char *name = arena_alloc(a, key.len + 1, 1);
        if (!name)
            return fail(e, ERR_TOO_LARGE, "the model file's header needs more memory than allowed");
        memcpy(name, key.at, key.len);
        name[key.len] = '\0';
        t->name = name;
        if (!read_tensor(t, &in, data, size, a, e))
            return false;
    }
    return true;
}

bool safetensors_read(struct safetensors *s, const char *bytes, size_t len, struct arena *a,
                      struct err *e)
{
    *s = (struct safetensors){0};
    uint64_t n = len >= PREFIX ? get_u64(bytes) : 0;
    if (len < PREFIX || n > len - PREFIX || n > SAFETENSORS_HEADER_MAX)
        return safetensors_damaged(e, "its header does not fit into it");
    const char *header = bytes + PREFIX;
    s->tensor = arena_alloc(a, SAFETENSORS_MAX, sizeof *s->tensor);
    if (!s->tensor)
        return fail(e, ERR_TOO_LARGE, "the model file's header needs more memory than allowed");
    struct faults faults;
    struct err why = {0};
    faults_init(&faults, a);
    if (n == 0 || header[0] != '{' || !json_scan(header, n, NULL, 0, a, &faults, &why))
        return safetensors_damaged(e, "its header is not JSON");
    const char *data = header + n;
    uint64_t size = len - PREFIX - n;
    return safetensors_read_header(s, header, data, size, a, e) && covers(s, data, size, e);
}

// The text of the string, decoded, with a NUL behind it.
static char *safetensors_decode(struct json_span string, struct arena *a)
{
    char *text = arena_alloc(a, string.len, 1);
    if (text)
        text[json_unescape(&string.at, text)] = '\0';
    return text;
}

bool safetensors_metadata(const struct safetensors *s, const char *key, char **value,
                          struct arena *a, struct err *e)
{
    struct json_text name;
    *value = NULL;
    if (!s->metadata.at)
        return true;
    struct json_in in = json_in(s->metadata);
    if (json_kind(&in) != JSON_OBJECT)
        return true;
    for (json_enter(&in); json_key(&in, &name, a);) {
        if (!name.at)
            return fail(e, ERR_TOO_LARGE, "the file's metadata need more memory than allowed");
        bool mine = strlen(key) == name.len && memcmp(key, name.at, name.len) == 0;
        if (!mine || json_kind(&in) != JSON_STRING) {
            json_skip(&in);
            continue;
        }
        *value = safetensors_decode(json_skip(&in), a);
        return *value ||
               fail(e, ERR_TOO_LARGE, "the file's \"%s\" needs more memory than allowed", key);
    }
    return true;
}

static void write_tensor(struct jsonw *w, const struct tensor_entry *t)
{
    jsonw_object(w, t->name);
    jsonw_string(w, "dtype", "F32");
    jsonw_array(w, "shape");
    if (!t->vector)
        jsonw_int(w, NULL, t->rows);
    jsonw_int(w, NULL, t->cols);
    jsonw_end(w);
    jsonw_array(w, "data_offsets");
    jsonw_int(w, NULL, (int64_t)(t->at * FLOAT));
    jsonw_int(w, NULL, (int64_t)((t->at + (size_t)t->rows * t->cols) * FLOAT));
    jsonw_end(w);
    jsonw_end(w);
}

const char *safetensors_header(const struct metadata_entry *meta, size_t n_meta,
                               const struct tensor_entry *tensor, size_t n, size_t *len,
                               struct arena *a, struct err *e)
{
    struct jsonw w;
    jsonw_init(&w, a);
    jsonw_object(&w, NULL);
    jsonw_object(&w, "__metadata__");
    for (size_t i = 0; i < n_meta; i++)
        jsonw_string(&w, meta[i].key, meta[i].value);
    jsonw_end(&w);
    for (size_t i = 0; i < n; i++)
        write_tensor(&w, &tensor[i]);
    jsonw_end(&w);
    size_t json_len;
    const char *json = jsonw_text(&w, &json_len, e);
    if (!json)
        return NULL;
    size_t padded = (json_len + 7) / 8 * 8;
    char *out = arena_alloc(a, PREFIX + padded, 1);
    if (!out) {
        fail(e, ERR_TOO_LARGE, "the model's header needs more memory than allowed");
        return NULL;
    }
    for (int i = 0; i < PREFIX; i++)
        out[i] = (char)(padded >> (8 * i) & 0xff);
    memcpy(out + PREFIX, json, json_len);
    memset(out + PREFIX + json_len, ' ', padded - json_len);
    *len = PREFIX + padded;
    return out;
}
