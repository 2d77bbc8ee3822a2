// SPDX-License-Identifier: MIT
#include "api/files/safetensors.h"
#include "tests/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct arena arena;
static struct err err;
static struct safetensors st;

static void begin(void)
{
    arena_release(&arena);
    arena_init(&arena, 64 << 20);
    err = (struct err){0};
}

static const char *metadata(const char *key)
{
    char *value;
    ck_assert_msg(safetensors_metadata(&st, key, &value, &arena, &err), "%s", err.text);
    return value;
}

// A file of its own on the heap, a NUL behind it, so that a byte read too far is a sanitizer's
// report.
static bool read_file(const char *bytes, size_t len)
{
    char *copy = malloc(len + 1);
    memcpy(copy, bytes, len);
    copy[len] = '\0';
    begin();
    bool ok = safetensors_read(&st, copy, len, &arena, &err);
    free(copy);
    return ok;
}

// Header text and that many bytes of data, zeros.
static size_t make(char *out, const char *header, size_t data)
{
    size_t n = strlen(header);
    for (int i = 0; i < 8; i++)
        out[i] = (char)(n >> (8 * i) & 0xff);
    memcpy(out + 8, header, n);
    memset(out + 8 + n, 0, data + 1);
    return 8 + n + data;
}

enum { FLOATS = 11 };
static const struct tensor_entry entry[] = {{"b", 1, 3, true, 6},
                                            {"w\"1", 2, 3, false, 0},
                                            {"layers.0.weight", 1, 1, false, 9},
                                            {"last", 1, 1, true, 10}};
static const struct metadata_entry meta[] = {
    {"format", "x"}, {"job", "{\"a\":\"\\u00e9 \\\\ \xc3\xa9\"}"}, {"empty", ""}};

static char *written(size_t *len)
{
    size_t header_len;
    float value[FLOATS];
    begin();
    const char *header = safetensors_header(meta, 3, entry, 4, &header_len, &arena, &err);
    ck_assert_ptr_nonnull(header);
    ck_assert_uint_eq(header_len % 8, 0);
    for (int i = 0; i < FLOATS; i++)
        value[i] = (float)i / 3;
    *len = header_len + sizeof value;
    char *file = calloc(1, *len + 1);
    memcpy(file, header, header_len);
    memcpy(file + header_len, value, sizeof value);
    return file;
}

TEST(what_is_written_is_read_again)
{
    size_t len;
    char *file = written(&len);
    begin();
    ck_assert_msg(safetensors_read(&st, file, len, &arena, &err), "%s", err.text);
    ck_assert_uint_eq(st.n, 4);
    for (size_t i = 0; i < 4; i++) {
        const struct tensor *t = &st.tensor[i];
        const struct tensor_entry *e = entry;
        while (strcmp(e->name, t->name) != 0)
            ck_assert(++e < entry + 4);
        ck_assert(t->rows == e->rows && t->cols == e->cols && t->vector == e->vector);
        for (size_t k = 0; k < (size_t)t->rows * t->cols; k++) {
            float x, want = (float)(e->at + k) / 3;
            memcpy(&x, t->at + 4 * k, sizeof x);
            ck_assert_mem_eq(&x, &want, sizeof x);
        }
    }
    for (int i = 0; i < 3; i++)
        ck_assert_str_eq(metadata(meta[i].key), meta[i].value);
    ck_assert_ptr_null(metadata("none"));
    free(file);
}

TEST(a_file_cut_off_anywhere_is_refused)
{
    size_t len;
    char *file = written(&len);
    for (size_t cut = 0; cut < len; cut++) {
        ck_assert_msg(!read_file(file, cut), "%zu of %zu bytes are accepted", cut, len);
        ck_assert_int_eq(err.kind, ERR_INVALID);
    }
    ck_assert(read_file(file, len));
    free(file);
}

// Whatever one wrong byte makes of the header, what is read stays inside the file.
TEST(one_wrong_byte_in_the_header_never_leads_outside_the_file)
{
    size_t len;
    char *file = written(&len);
    for (size_t i = 0; i < len - FLOATS * 4; i++)
        for (int bit = 0; bit < 8; bit += 1) {
            file[i] ^= (char)(1 << bit);
            begin();
            if (safetensors_read(&st, file, len, &arena, &err))
                for (size_t k = 0; k < st.n; k++)
                    ck_assert(st.tensor[k].at >= file &&
                              st.tensor[k].at + (size_t)st.tensor[k].rows * st.tensor[k].cols * 4 <=
                                  file + len);
            else
                ck_assert_int_eq(err.kind, ERR_INVALID);
            file[i] ^= (char)(1 << bit);
        }
    free(file);
}

#define T(dtype, shape, from, to)                                                                  \
    "{\"dtype\":\"" dtype "\",\"shape\":" shape ",\"data_offsets\":[" from "," to "]}"

static const struct {
    const char *header;
    size_t data;
    const char *says; // part of the text; NULL: it is fine
} files[] = {
    {"{\"a\":" T("F32", "[2]", "0", "8") "}", 8, NULL},
    {"{\"a\":" T("F32", "[2,1]", "0", "8") "}   ", 8, NULL},
    {"{\"a\":" T("F32", "[2]", "8", "16") ",\"b\":" T("F32", "[2]", "0", "8") "}", 16, NULL},
    {"{}", 0, NULL},
    {"{\"__metadata__\":{}}", 0, NULL},
    {"", 0, "header is not JSON"},
    {"[]", 0, "header is not JSON"},
    {" {}", 0, "header is not JSON"},
    {"{\"a\":1}", 0, "not described by an object"},
    {"{} x", 0, "header is not JSON"},
    {"{\"a\":" T("F32", "[2]", "0", "8") ",\"a\":" T("F32", "[2]", "8", "16") "}", 16,
     "header is not JSON"}, // a name twice
    {"{\"a\":{\"dtype\":\"F32\",\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", 8,
     "header is not JSON"},
    {"{\"a\":" T("F32", "[2]", "0", "8") "}", 12, "bytes after the last"},
    {"{\"a\":" T("F32", "[2]", "0", "8") "}", 4, "offsets do not lie"},
    {"{}", 4, "bytes after the last"},
    {"{\"a\":" T("F32", "[2]", "4", "12") "}", 12, "overlap or leave a gap"},
    {"{\"a\":" T("F32", "[1]", "0", "4") ",\"b\":" T("F32", "[1]", "8", "12") "}", 12,
     "overlap or leave a gap"},
    {"{\"a\":" T("F32", "[2]", "0", "8") ",\"b\":" T("F32", "[2]", "4", "12") "}", 12,
     "overlap or leave a gap"},
    {"{\"a\":" T("F32", "[2]", "0", "8") ",\"b\":" T("F32", "[2]", "0", "8") "}", 8,
     "overlap or leave a gap"},
    {"{\"a\":" T("F64", "[1]", "0", "8") "}", 8, "not of type F32"},
    {"{\"a\":" T("F16", "[4]", "0", "8") "}", 8, "not of type F32"},
    {"{\"a\":" T("f32", "[2]", "0", "8") "}", 8, "not of type F32"},
    {"{\"a\":{\"dtype\":1,\"shape\":[2],\"data_offsets\":[0,8]}}", 8, "not of type F32"},
    {"{\"a\":{\"shape\":[2],\"data_offsets\":[0,8]}}", 8, "not of type F32"},
    {"{\"a\":{\"dtype\":\"F32\",\"data_offsets\":[0,8]}}", 8, "shape is not"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2]}}", 8, "offsets do not lie"},
    {"{\"a\":" T("F32", "[]", "0", "4") "}", 4, "shape is not"},
    {"{\"a\":" T("F32", "[1,1,2]", "0", "8") "}", 8, "shape is not"},
    {"{\"a\":" T("F32", "2", "0", "8") "}", 8, "shape is not"},
    {"{\"a\":" T("F32", "[-2]", "0", "8") "}", 8, "shape is not"},
    {"{\"a\":" T("F32", "[1.5]", "0", "6") "}", 6, "shape is not"},
    {"{\"a\":" T("F32", "[\"2\"]", "0", "8") "}", 8, "shape is not"},
    {"{\"a\":" T("F32", "[4294967296]", "0", "8") "}", 8, "shape is not"},
    {"{\"a\":" T("F32", "[1e300]", "0", "8") "}", 8, "shape is not"},
    {"{\"a\":" T("F32", "[2,[2]]", "0", "8") "}", 8, "shape is not"},
    {"{\"a\":" T("F32", "[4294967295,4294967295]", "0", "8") "}", 8, "disagree"},
    {"{\"a\":" T("F32", "[65536,65536]", "0", "0") "}", 0, "disagree"},           // 2^34 bytes
    {"{\"a\":" T("F32", "[2147483648,2147483648]", "0", "0") "}", 0, "disagree"}, // 2^64 bytes
    {"{\"a\":" T("F32", "[3]", "0", "8") "}", 8, "disagree"},
    {"{\"a\":" T("F32", "[1]", "0", "8") "}", 8, "disagree"},
    {"{\"a\":" T("F32", "[2]", "8", "0") "}", 8, "offsets do not lie"},
    {"{\"a\":" T("F32", "[2]", "0", "18446744073709551616") "}", 8, "offsets do not lie"},
    {"{\"a\":" T("F32", "[2]", "-8", "0") "}", 8, "offsets do not lie"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0]}}", 8, "offsets do not lie"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8,8]}}", 8, "offsets do not lie"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":{}}}", 8, "offsets do not lie"},
    {"{\"a\":[]}", 0, "not described by an object"},
};

LOOP_TEST(a_hostile_file_is_refused_and_told_why, sizeof files / sizeof *files)
{
    static char file[4096];
    bool ok = read_file(file, make(file, files[_i].header, files[_i].data));
    ck_assert_msg(ok == !files[_i].says, "%s: %s", files[_i].header, err.text);
    if (files[_i].says)
        ck_assert_msg(err.kind == ERR_INVALID && strstr(err.text, files[_i].says), "%s: %s",
                      files[_i].header, err.text);
}

static const unsigned char lengths[][8] = {
    {3},
    {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
    {0xf8, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
    {0, 0, 0, 0, 0, 0, 0, 0x80},
    {0, 0, 0, 0, 1},
    {0},
};

LOOP_TEST(a_header_length_that_lies_is_refused, sizeof lengths / sizeof *lengths)
{
    char file[10] = {0};
    memcpy(file, lengths[_i], 8);
    memcpy(file + 8, "{}", 2);
    ck_assert(!read_file(file, sizeof file));
    ck_assert_int_eq(err.kind, ERR_INVALID);
}

TEST(metadata_that_are_no_texts_are_not_there)
{
    static char file[512];
    static const char *const header[] = {"{\"__metadata__\":{\"format\":1}}",
                                         "{\"__metadata__\":[\"format\"]}",
                                         "{\"__metadata__\":\"format\"}", "{}"};
    for (int i = 0; i < 4; i++) {
        size_t len = make(file, header[i], 0);
        begin();
        ck_assert(safetensors_read(&st, file, len, &arena, &err));
        ck_assert_ptr_null(metadata("format"));
    }
}

TEST(too_many_tensors_are_refused)
{
    char *header = malloc(1 << 20), *p = header, *file = malloc(1 << 20);
    p += sprintf(p, "{");
    for (int i = 0; i <= SAFETENSORS_MAX; i++)
        p += sprintf(p, "%s\"t%d\":" T("F32", "[0]", "0", "0"), i ? "," : "", i);
    sprintf(p, "}");
    ck_assert(!read_file(file, make(file, header, 0)));
    ck_assert_ptr_nonnull(strstr(err.text, "too many"));
    free(header);
    free(file);
}
