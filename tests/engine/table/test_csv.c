// SPDX-License-Identifier: MIT
#include "engine/table/csv.h"
#include "tests/harness.h"
#include "engine/base/utf8.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Records as text: "line:cell|cell;" with quoted cells in brackets.
struct log {
    char text[4096];
    size_t len;
};

static bool note(void *to, const struct csv_cell *cell, size_t n, size_t line,
                 struct err *e __attribute__((unused)))
{
    struct log *log = to;
    char *at = log->text + log->len;
    at += sprintf(at, "%zu:", line);
    for (size_t i = 0; i < n; i++)
        at += sprintf(at, "%s%s%.*s%s", i ? "|" : "", cell[i].quoted ? "[" : "", (int)cell[i].len,
                      cell[i].text, cell[i].quoted ? "]" : "");
    *at++ = ';';
    *at = '\0';
    log->len = (size_t)(at - log->text);
    return true;
}

// Parse text cut at the given border (and byte by byte for border SIZE_MAX); the error, if any,
// follows the records.
static const char *parse(const char *text, size_t len, size_t border, struct log *log)
{
    struct err e = {0};
    struct csv *p = csv_new(note, log);
    log->len = 0;
    log->text[0] = '\0';
    bool ok = true;
    if (border == SIZE_MAX)
        for (size_t i = 0; ok && i < len; i++)
            ok = csv_feed(p, text + i, 1, &e);
    else
        ok = csv_feed(p, text, border, &e) && csv_feed(p, text + border, len - border, &e);
    if (!ok || !csv_end(p, &e))
        sprintf(log->text + log->len, "%s", e.text);
    csv_free(p);
    return log->text;
}

#define TEXT(s) s, sizeof s - 1

static const struct {
    const char *in;
    size_t len;
    const char *out;
} CASES[] = {
    {TEXT("a,b\n1,2\n"), "1:a|b;2:1|2;"},
    {TEXT("a,b\r\n1,2\r\n"), "1:a|b;2:1|2;"},
    {TEXT("a,b\r1,2\r"), "1:a|b;2:1|2;"},
    {TEXT("a,b\n1,2"), "1:a|b;2:1|2;"},
    {TEXT("a,b\r\n1,2\r"), "1:a|b;2:1|2;"},
    {TEXT("\xEF\xBB\xBF\"a\",b\n1,\n"), "1:[a]|b;2:1|;"},
    {TEXT("\n\r\n  \na,b\n\n\n1,2\n\n"), "4:a|b;7:1|2;"},
    {TEXT("a,b\n\"x,\"\"y\"\"\n\r\nz\",\"\"\n3,4\n"), "1:a|b;2:[x,\"y\"\n\r\nz]|[];5:3|4;"},
    {TEXT("a,b\n \"x\" , \" y \" \n  3 , 4  \n"), "1:a|b;2:[x]|[ y ];3:3|4;"},
    {TEXT("a,b\n5\" pipe,x\"y\"\n"), "1:a|b;2:5\" pipe|x\"y\";"},
    {TEXT("a;b,c;d\n1;2;3\n"), "1:a|b,c|d;2:1|2|3;"},
    {TEXT("a\tb\n1\t\n"), "1:a|b;2:1|;"},
    {TEXT("\"a,x,y\"|b\n1|2\n"), "1:[a,x,y]|b;2:1|2;"},
    {TEXT("a\n1\n\"\"\n"), "1:a;2:1;3:[];"},
    {TEXT("\"a\"\"\"\n\"\"\"\"\n"), "1:[a\"];2:[\"];"},
    {TEXT("n\xC3\xA4me,b\n\xE2\x82\xAC,\xF0\x9F\x98\x80\n"),
     "1:n\xC3\xA4me|b;2:\xE2\x82\xAC|\xF0\x9F\x98\x80;"},
    {TEXT(""), ""},
    {TEXT("\xEF\xBB\xBF"), ""},
    {TEXT("\n\n"), ""},
    {TEXT("a,b\n1,2\n3\n4,5\n"), "1:a|b;2:1|2;line 3 has 1 cell where the first has 2"},
    {TEXT("a,b\n\"\n\",2\n3,4,5\n"), "1:a|b;2:[\n]|2;line 4 has 3 cells where the first has 2"},
    {TEXT("a,b\n1,\"x\ny\n"), "1:a|b;line 2: a quote is opened here and never closed"},
    {TEXT("\"a,b\n1,2\n"), "line 1: a quote is opened here and never closed"},
    {TEXT("a,b\n1,\"x\"y\n"), "1:a|b;line 2: text after a closing quote"},
    {TEXT("a,b\n1,\"x\" \"y\"\n"), "1:a|b;line 2: text after a closing quote"},
    {TEXT("a,b\n1,\0002\n"), "1:a|b;line 2: a NUL byte (is this UTF-16 or a binary file?)"},
    {TEXT("a,b\n1,2\n3,\xC3\n"), "1:a|b;2:1|2;line 3 is not valid UTF-8 (column 2)"},
    {TEXT("a,b\n\xFF,2\n"), "1:a|b;line 2 is not valid UTF-8 (column 1)"},
};
enum { N_CASES = sizeof CASES / sizeof *CASES };

LOOP_TEST(csv_reads_the_same_records_wherever_the_chunks_end, N_CASES)
{
    struct log log;
    for (size_t border = 0; border <= CASES[_i].len; border++)
        ck_assert_str_eq(parse(CASES[_i].in, CASES[_i].len, border, &log), CASES[_i].out);
    ck_assert_str_eq(parse(CASES[_i].in, CASES[_i].len, SIZE_MAX, &log), CASES[_i].out);
}

// The same cases behind enough records that blocks of every alignment begin inside them.
LOOP_TEST(csv_reads_the_same_records_at_every_alignment, 70)
{
    struct log log;
    char text[256], want[512];
    int pad = _i;
    int len = sprintf(text, "%0*d,b\n1,\"x\"\"\r\n,\xC3\xA4\"\n,3\n", pad + 1, 0);
    sprintf(want, "1:%0*d|b;2:1|[x\"\r\n,\xC3\xA4];4:|3;", pad + 1, 0);
    for (size_t border = 0; border <= (size_t)len; border += 5)
        ck_assert_str_eq(parse(text, (size_t)len, border, &log), want);
}

static bool same_row(void *to, const struct csv_cell *cell, size_t n, size_t line, struct err *e)
{
    size_t *expected = to;
    bool ok = n == 2 && line == *expected && cell[0].len == 1 && cell[1].len == 3 &&
              memcmp(cell[1].text, "x\"y", 3) == 0;
    *expected += 1;
    return ok || fail(e, ERR_CONFLICT, "a record near line %zu is wrong", line);
}

// Long enough for the parser to move what it holds at every place within a record.
TEST(csv_loses_nothing_when_its_window_moves_in_the_middle_of_a_record)
{
    static const char ROW[] = "1,\"x\"\"y\"\r\n";
    enum { LEN = sizeof ROW - 1, ROWS = 100000 };
    char *text = malloc(LEN * ROWS);
    for (size_t i = 0; i < ROWS; i++)
        memcpy(text + i * LEN, ROW, LEN);
    static const size_t FED[] = {LEN * ROWS, 39999, 65533};
    for (size_t k = 0; k < sizeof FED / sizeof *FED; k++) {
        struct err e = {0};
        size_t line = 1;
        struct csv *p = csv_new(same_row, &line);
        for (size_t at = 0, n; at < LEN * ROWS; at += n) {
            n = LEN * ROWS - at < FED[k] ? LEN * ROWS - at : FED[k];
            ck_assert_msg(csv_feed(p, text + at, n, &e), "%s", e.text);
        }
        ck_assert(csv_end(p, &e));
        ck_assert_uint_eq(line, ROWS + 1);
        csv_free(p);
    }
    free(text);
}

struct sum {
    size_t records, bytes, cells;
};

static bool count(void *to, const struct csv_cell *cell, size_t n,
                  size_t line __attribute__((unused)), struct err *e __attribute__((unused)))
{
    struct sum *s = to;
    s->records++;
    s->cells += n;
    for (size_t i = 0; i < n; i++)
        s->bytes += cell[i].len;
    return true;
}

static bool feed(const char *text, size_t len, size_t piece, struct sum *s, struct err *e)
{
    struct csv *p = csv_new(count, s);
    bool ok = true;
    for (size_t at = 0; ok && at < len; at += piece)
        ok = csv_feed(p, text + at, len - at < piece ? len - at : piece, e);
    ok = ok && csv_end(p, e);
    csv_free(p);
    return ok;
}

static const size_t PIECES[] = {1000, 65536, 100000, 1 << 22};

LOOP_TEST(csv_takes_a_record_of_one_mebibyte_and_refuses_one_byte_more,
          sizeof PIECES / sizeof *PIECES)
{
    char *text = malloc(3 << 20);
    for (size_t more = 0; more < 2; more++) {
        struct err e = {0};
        struct sum s = {0};
        size_t len = (size_t)sprintf(text, "a,b\n");
        memset(text + len, 'x', CSV_MAX_RECORD + more);
        memcpy(text + len + 10, ",\"", 2);
        memcpy(text + len + CSV_MAX_RECORD + more - 1, "\"\n", 2);
        len += CSV_MAX_RECORD + more + 1;
        bool ok = feed(text, len, PIECES[_i], &s, &e);
        ck_assert_int_eq(ok, !more);
        if (more) {
            ck_assert_int_eq(e.kind, ERR_TOO_LARGE);
            ck_assert_str_eq(e.text, "line 2: the record is longer than 1048576 bytes");
        } else {
            ck_assert_uint_eq(s.bytes, 2 + CSV_MAX_RECORD - 3);
        }
    }
    free(text);
}

LOOP_TEST(csv_takes_16384_columns_and_refuses_one_more, 2)
{
    char *text = malloc(1 << 17);
    size_t len = 0;
    struct err e = {0};
    struct sum s = {0};
    for (int i = 0; i < CSV_MAX_COLUMNS + _i; i++)
        len += (size_t)sprintf(text + len, "%sx", i ? "," : "");
    text[len++] = '\n';
    ck_assert_int_eq(feed(text, len, 1000, &s, &e), _i == 0);
    if (_i)
        ck_assert_str_eq(e.text, "line 1 has more than 16384 columns");
    else
        ck_assert_uint_eq(s.cells, CSV_MAX_COLUMNS);
    free(text);
}

static bool stop(void *to __attribute__((unused)),
                 const struct csv_cell *cell __attribute__((unused)),
                 size_t n __attribute__((unused)), size_t line, struct err *e)
{
    return line < 2 || fail(e, ERR_CONFLICT, "enough");
}

TEST(csv_stops_when_the_callback_fails)
{
    struct err e = {0};
    struct csv *p = csv_new(stop, NULL);
    ck_assert(!csv_feed(p, "a\n1\n2\n", 6, &e));
    ck_assert_int_eq(e.kind, ERR_CONFLICT);
    csv_free(p);
}

TEST(utf8_accepts_every_character_and_nothing_malformed)
{
    for (unsigned c = 0x80; c < 0x110000; c++) {
        char s[4];
        size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
        for (size_t i = n; i-- > 1;)
            s[i] = (char)(0x80 | (c >> 6 * (n - 1 - i) & 0x3F));
        s[0] = (char)((0xF00 >> n) | c >> 6 * (n - 1));
        bool surrogate = c >= 0xD800 && c < 0xE000;
        ck_assert_msg(utf8_valid(s, n) == !surrogate, "U+%X", c);
        if (c % 97 == 0)
            ck_assert(!utf8_valid(s, n - 1));
    }
    for (size_t i = 0; i < 40; i++) {
        char s[40];
        memset(s, 'a', sizeof s);
        ck_assert(utf8_valid(s, i));
        s[i] = '\x80';
        ck_assert_msg(!utf8_valid(s, sizeof s), "byte %zu", i);
    }
    ck_assert(!utf8_valid("\xC0\x80", 2) && !utf8_valid("\xE0\x80\x80", 3));
    ck_assert(!utf8_valid("\xF4\x90\x80\x80", 4) && !utf8_valid("plain text\x80", 11));
}
