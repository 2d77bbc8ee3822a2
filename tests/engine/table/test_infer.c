// SPDX-License-Identifier: MIT
#include "tests/harness.h"
#include "engine/table/infer.h"

#include <stdio.h>
#include <string.h>

// The columns as text: "name:n" for numeric, "name:c" for categorical, then the rows.
static const char *infer(const char *csv, char out[static 512])
{
    struct arena a;
    struct infer in;
    struct err e = {0};
    arena_init(&a, 1 << 20);
    infer_init(&in, &a);
    struct csv *p = csv_new(infer_record, &in);
    bool ok = csv_feed(p, csv, strlen(csv), &e) && csv_end(p, &e) && infer_end(&in, &e);
    int at = ok ? 0 : sprintf(out, "%s", e.text);
    for (size_t i = 0; ok && i < in.n_column; i++)
        at += sprintf(out + at, "%s:%c%zu ", in.column[i].name,
                      in.column[i].type == COLUMN_NUMERIC ? 'n' : 'c', in.column[i].n_missing);
    if (ok)
        sprintf(out + at, "%zu", in.n_row);
    csv_free(p);
    arena_release(&a);
    return out;
}

static const struct {
    const char *csv, *want;
} CASES[] = {
    {"a,b\n1,x\n2,y\n", "a:n0 b:c0 2"},
    {"1,x\n2,y\n", "c0:n0 c1:c0 2"},
    {"a,b\nNA,?\n2,null\n", "a:n1 b:n2 2"},
    {"a\n1\n2\n3\nx\n", "a:c0 4"},
    {"a\n1e3\n-.5\n 7 \n", "a:n0 3"},
    {"a\n0x10\n", "a:c0 1"},
    {"a\n\"\"\n\"1\"\n", "a:n1 2"},
    {"a\nInfinity\nband\n", "a:c0 2"},
    {"a\n1\n2\n1e999\n", "line 4: the number in column \"a\" is infinite or too large"},
    {"a,b\n1,2\nInfinity,3\n", "line 3: the number in column \"a\" is infinite or too large"},
    {"", "the table is empty"},
    {"\n\n", "the table is empty"},
    {"a,b\n", "the table has a header and no rows"},
    {"a,,c\n1,2,3\n", "line 1: the name of column 2 is empty"},
    {"a,b\x1b[2J\n1,2\n", "line 1: the name of column 2 has a control character, U+001B"},
    {"a\xc2\x9b,b\n1,2\n", "line 1: the name of column 1 has a control character, U+009B"},
    {"a,\"b\nc\"\n1,2\n", "line 1: the name of column 2 has a control character, U+000A"},
    {"\n\na\xe2\x80\xae,b\n1,2\n", "line 3: the name of column 1 has a control character, U+202E"},
    {"\xc3\xa4\xe2\x82\xac,b\n1,\x1b\n", "\xc3\xa4\xe2\x82\xac:n0 b:c0 1"},
    {"a,b,a\n1,2,3\n", "the header names \"a\" twice"},
    {"a,b\n1\n", "line 2 has 1 cell where the first has 2"},
};

LOOP_TEST(infer_finds_header_names_and_types, sizeof CASES / sizeof *CASES)
{
    char out[512];
    ck_assert_str_eq(infer(CASES[_i].csv, out), CASES[_i].want);
}
