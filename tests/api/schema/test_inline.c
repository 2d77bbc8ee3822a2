// SPDX-License-Identifier: MIT
#include "api/schema/inline.h"
#include "tests/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct arena arena;
static struct faults faults;
static struct err err;
static char csv[1 << 20];
static size_t csv_len, csv_max = sizeof csv;

static bool collect(void *ctx, const char *text, size_t len, struct err *e)
{
    ck_assert_ptr_eq(ctx, csv);
    if (csv_len + len >= csv_max)
        return fail_at(e, ERR_NO_SPACE, "", "the disk is full");
    memcpy(csv + csv_len, text, len);
    csv[csv_len += len] = '\0';
    return true;
}

static bool rewrite(const char *data)
{
    arena_release(&arena);
    arena_init(&arena, 1 << 20);
    faults_init(&faults, &arena);
    err = (struct err){0};
    csv[csv_len = 0] = '\0';
    size_t len = strlen(data);
    ck_assert_msg(json_scan(data, len, NULL, 0, &arena, &faults, &err), "%s", err.text);
    return inline_to_csv((struct json_span){data, len}, collect, csv, &arena, &faults, &err);
}

static const struct {
    const char *data, *csv;
} good[] = {
    {"{\"x\":[[1,2.50],[-3e4,null]],\"y\":[0,1]}", "x0,x1,y\n1,2.50,0\n-3e4,,1\n"},
    {"{ \"y\" : [ \"a\", null ], \"x\" : [ [ true ], [ \"q\" ] ] }", "x0,y\ntrue,a\nq,\n"},
    {"{\"columns\":[\"age\",\"sex\"],\"rows\":[[31,\"f\"],[null,\"m\"]]}", "age,sex\n31,f\n,m\n"},
    {"{\"rows\":[[\"a,b\",\"say \\\"hi\\\"\"],[\"two\\nlines\",\"\"],[\" x\",\"\\u00e9;\"]],"
     "\"columns\":[\"p q\",\"r,s\"]}",
     "p q,\"r,s\"\n\"a,b\",\"say \"\"hi\"\"\"\n\"two\nlines\",\"\"\n\" x\",\"\xc3\xa9;\"\n"},
    {"{\"x\":[[1],[2]],\"y\":[[3,\"a\"],[null,\"b\"]]}", "x0,y0,y1\n1,3,a\n2,,b\n"},
    {"{\"x\":[[1],[2]],\"y\":[[3],[4]]}", "x0,y\n1,3\n2,4\n"},
    {"{\"columns\":[\"only\"],\"rows\":[[null],[1]]}", "only\n\"\"\n1\n"},
};

LOOP_TEST(an_inline_table_becomes_csv, sizeof good / sizeof *good)
{
    ck_assert_msg(rewrite(good[_i].data), "%s: %s", err.at, err.text);
    ck_assert_str_eq(csv, good[_i].csv);
}

static const struct {
    const char *data, *pointer, *code, *detail;
} bad[] = {
    {"{\"columns\":[\"a\",\"b\"],\"rows\":[[1,2],[3]]}", "/data/rows/1", "ragged_row",
     "must have 2 cells, got 1"},
    {"{\"columns\":[\"a\",\"b\"],\"rows\":[[1,2,3]]}", "/data/rows/0", "ragged_row",
     "must have 2 cells, got 3"},
    {"{\"columns\":[\"a\"],\"rows\":[[[1]]]}", "/data/rows/0/0", "wrong_type",
     "must be a number, a string, true, false or null, got an array"},
    {"{\"columns\":[\"a\"],\"rows\":[1]}", "/data/rows/0", "wrong_type",
     "must be an array of cells, got a number"},
    {"{\"columns\":[\"a\"],\"rows\":[]}", "/data/rows", "too_short", "must have at least one row"},
    {"{\"columns\":[],\"rows\":[[]]}", "/data/columns", "too_short",
     "must have at least one column"},
    {"{\"columns\":[\"a\",1],\"rows\":[[1,2]]}", "/data/columns/1", "wrong_type",
     "must be a string, got a number"},
    {"{\"columns\":[\"a\",\"\"],\"rows\":[[1,2]]}", "/data/columns/1", "too_short",
     "must not be empty"},
    {"{\"columns\":[\"a\",\"b\\u009b\"],\"rows\":[[1,2]]}", "/data/columns/1", "bad_name",
     "must not have a control character, got U+009B"},
    {"{\"columns\":[\"12.5\"],\"rows\":[[1]]}", "/data/columns/0", "bad_name",
     "must not be a number, got \"12.5\""},
    {"{\"columns\":[\"a\"]}", "/data/rows", "missing_field", "must be given"},
    {"{\"x\":[[1]]}", "/data/y", "missing_field", "must be given"},
    {"{\"x\":[[1]],\"y\":{}}", "/data/y", "wrong_type", "must be an array"},
    {"{\"x\":[[1],[2]],\"y\":[1]}", "/data/y", "ragged_row",
     "must have as many values as x has rows, 2, got 1"},
    {"{\"x\":[[1,2],[3]],\"y\":[1,2]}", "/data/x/1", "ragged_row", "must have 2 cells, got 1"},
    {"{\"x\":[[1],[2]],\"y\":[1,[1]]}", "/data/y/1", "wrong_type",
     "must be a number, a string, true, false or null, got an array"},
    {"{\"x\":[[1],[2]],\"y\":[[1,2],1]}", "/data/y/1", "wrong_type",
     "must be an array of cells, got a number"},
    {"{\"x\":[[1],[2]],\"y\":[[1,2],[1,2,3]]}", "/data/y/1", "ragged_row",
     "must have 2 cells, got 3"},
    {"{\"x\":[[1]],\"y\":[[]]}", "/data/y/0", "wrong_type",
     "must be a number, a string, true, false or null, got an array"},
    {"{\"x\":[[1]],\"y\":[[[1]]]}", "/data/y/0/0", "wrong_type",
     "must be a number, a string, true, false or null, got an array"},
    {"{\"x\":[],\"y\":[]}", "/data/x", "too_short", "must have at least one row"},
    {"{\"x\":[[]],\"y\":[1]}", "/data/x/0", "too_short", "must have at least one column"},
    {"{\"x\":[1],\"y\":[1]}", "/data/x/0", "wrong_type", "must be an array of cells, got a number"},
    {"{\"x\":[[1]],\"y\":[1],\"rows\":[]}", "/data", "conflicting_fields",
     "must hold x and y, or columns and rows"},
    {"{\"x\":[[1]],\"y\":[1],\"z\":0}", "/data", "unknown_field",
     "must hold x and y, or columns and rows; unknown field \"z\""},
    {"{}", "/data/columns", "missing_field", "must be given"},
};

LOOP_TEST(a_bad_inline_table_is_refused_by_place, sizeof bad / sizeof *bad)
{
    ck_assert(!rewrite(bad[_i].data));
    ck_assert_int_eq(err.kind, ERR_INVALID);
    ck_assert_str_eq(faults.item[0].pointer, bad[_i].pointer);
    ck_assert_str_eq(faults.item[0].code, bad[_i].code);
    ck_assert_str_eq(faults.item[0].detail, bad[_i].detail);
}

TEST(a_table_larger_than_the_buffer_arrives_whole)
{
    char *data = malloc(1 << 20), *p = data, *want = malloc(1 << 20), *q = want;
    p += sprintf(p, "{\"columns\":[\"a\",\"b\"],\"rows\":[");
    q += sprintf(q, "a,b\n");
    for (int i = 0; i < 20000; i++) {
        p += sprintf(p, "%s[%d,\"x\\u0022y%d\"]", i ? "," : "", i, i);
        q += sprintf(q, "%d,\"x\"\"y%d\"\n", i, i);
    }
    sprintf(p, "]}");
    ck_assert_msg(rewrite(data), "%s", err.text);
    ck_assert_str_eq(csv, want);
    csv_max = 40000;
    ck_assert(!rewrite(data));
    ck_assert_int_eq(err.kind, ERR_NO_SPACE);
    csv_max = sizeof csv;
    free(data);
    free(want);
}

TEST(a_refusal_of_the_sink_ends_it)
{
    csv_max = 4;
    ck_assert(!rewrite(good[0].data));
    ck_assert_int_eq(err.kind, ERR_NO_SPACE);
    csv_max = sizeof csv;
}

static const struct {
    const char *data;
    size_t n;
} aims[] = {
    {"{\"x\":[[1]],\"y\":[1]}", 1},      {"{\"y\":[[1,2]],\"x\":[[1]]}", 2},
    {"{\"x\":[[1]],\"y\":[[1]]}", 1},    {"{\"x\":[[1]],\"y\":[]}", 1},
    {"{\"x\":[[1]],\"y\":7}", 1},        {"{\"x\":[[1]]}", 1},
    {"{\"columns\":[],\"rows\":[]}", 0}, {"{}", 0},
};

LOOP_TEST(data_tells_how_many_targets_it_has, sizeof aims / sizeof *aims)
{
    const char *data = aims[_i].data;
    ck_assert_uint_eq(inline_targets((struct json_span){data, strlen(data)}), aims[_i].n);
    ck_assert_uint_eq(inline_targets((struct json_span){NULL, 0}), 0);
}
