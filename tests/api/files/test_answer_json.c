// SPDX-License-Identifier: MIT
#include "api/files/answer_json.h"
#include "engine/table/task.h"
#include "tests/harness.h"

#include <stdio.h>
#include <string.h>

static struct arena arena;
static struct err err;

static void begin(void)
{
    arena_release(&arena);
    arena_init(&arena, 16 << 20);
    err = (struct err){0};
}

static const char *text_of(const struct answer *a)
{
    struct jsonw w;
    jsonw_init(&w, &arena);
    answer_write(a, &w);
    const char *text = jsonw_text(&w, NULL, &err);
    ck_assert_ptr_nonnull(text);
    return text;
}

static bool read_text(struct answer *a, const char *text)
{
    return answer_read(a, arena_text(&arena, text, strlen(text)), &arena, &err);
}

static const char *const target[] = {"pr\xc3\xa4is", "t", "quote\"d"};
static const char *const classes[] = {"-1", "1.5", "a,b"};
static double mean[] = {2. / 3, -1e-310, 0}, std[] = {1e300, 1, .1};

// As many targets and classes as the task bears; `i` goes over all tasks, twice.
static struct answer answer_of(int i)
{
    const struct task *task = task_list[(size_t)i % task_count];
    bool one = task->classes || (size_t)i < task_count;
    return (struct answer){.task = task,
                           .target = one ? target + 1 : target,
                           .n_target = one ? 1 : 3,
                           .class_name = classes,
                           .n_class = task->classes ? 3 : 0,
                           .mean = mean,
                           .std = std};
}
#define EACH (2 * (int)task_count)

LOOP_TEST(what_is_written_is_read_again_bit_for_bit, EACH)
{
    struct answer a, want = answer_of(_i);
    begin();
    const char *text = text_of(&want);
    ck_assert_msg(read_text(&a, text), "%s: %s", err.text, text);
    ck_assert(a.task == want.task && a.n_target == want.n_target && a.n_class == want.n_class);
    for (size_t i = 0; i < a.n_target; i++)
        ck_assert_str_eq(a.target[i], want.target[i]);
    for (size_t i = 0; i < a.n_class; i++)
        ck_assert_str_eq(a.class_name[i], want.class_name[i]);
    ck_assert_mem_eq(a.mean, want.mean, a.n_target * sizeof *a.mean);
    ck_assert_mem_eq(a.std, want.std, a.n_target * sizeof *a.std);
    ck_assert_str_eq(text_of(&a), text);
}

#define ANSWER(version, task, targets, classes, scale)                                             \
    "{\"version\":" version ",\"task\":" task ",\"targets\":" targets ",\"classes\":" classes      \
    ",\"scale\":" scale "}"
static const char *const damaged[] = {
    "",
    "[]",
    "{}",
    ANSWER("0", "\"regression\"", "[\"t\"]", "[]", "[0,1]"),
    ANSWER("2", "\"regression\"", "[\"t\"]", "[]", "[0,1]"),
    ANSWER("\"1\"", "\"regression\"", "[\"t\"]", "[]", "[0,1]"),
    ANSWER("1", "\"regression\"", "\"t\"", "[]", "[0,1]"),
    ANSWER("1", "\"regression\"", "[]", "[]", "[]"),
    ANSWER("1", "\"regression\"", "[1]", "[]", "[0,1]"),
    ANSWER("1", "\"ranking\"", "[\"t\"]", "[]", "[0,1]"),
    ANSWER("1", "\"auto\"", "[\"t\"]", "[]", "[0,1]"),
    ANSWER("1", "7", "[\"t\"]", "[]", "[0,1]"),
    ANSWER("1", "\"regression\"", "[\"t\"]", "[\"a\",\"b\"]", "[0,1]"),
    ANSWER("1", "\"regression\"", "[\"t\"]", "[1]", "[0,1]"),
    ANSWER("1", "\"classification\"", "[\"t\"]", "[]", "[0,1]"),
    ANSWER("1", "\"classification\"", "[\"t\"]", "[\"a\"]", "[0,1]"),
    ANSWER("1", "\"classification\"", "[\"t\",\"u\"]", "[\"a\",\"b\"]", "[0,1,0,1]"),
    ANSWER("1", "\"regression\"", "[\"t\"]", "[]", "[0]"),
    ANSWER("1", "\"regression\"", "[\"t\"]", "[]", "[0,1,2]"),
    ANSWER("1", "\"regression\"", "[\"t\"]", "[]", "[0,\"1\"]"),
    ANSWER("1", "\"regression\"", "[\"t\"]", "[]", "{}"),
    ANSWER("1", "\"regression\"", "[\"t\"]", "[]", "[0,0]"),
    ANSWER("1", "\"regression\"", "[\"t\"]", "[]", "[0,-1]"),
    ANSWER("1", "\"regression\"", "[\"t\"]", "[]", "[0,5e-324]"),
    ANSWER("1", "\"regression\"", "[\"t\"]", "[]", "[0,2.2250738585072009e-308]"),
    ANSWER("1", "\"regression\"", "[\"t\"]", "[]", "[0,1e999]"),
    ANSWER("1", "\"regression\"", "[\"t\"]", "[]", "[1e999,1]"),
    "{\"version\":1,\"task\":\"regression\",\"task\":\"regression\",\"targets\":[\"t\"],"
    "\"classes\":[],\"scale\":[0,1]}",
};

LOOP_TEST(a_damaged_answer_is_refused, sizeof damaged / sizeof *damaged)
{
    struct answer a;
    begin();
    ck_assert_msg(!read_text(&a, damaged[_i]), "%s", damaged[_i]);
    ck_assert_int_eq(err.kind, ERR_INVALID);
}

LOOP_TEST(an_answer_cut_off_anywhere_is_refused, EACH)
{
    struct answer a, want = answer_of(_i);
    char text[2000];
    begin();
    snprintf(text, sizeof text, "%s", text_of(&want));
    for (size_t len = strlen(text); len-- > 0;) {
        text[len] = '\0';
        begin();
        ck_assert_msg(!read_text(&a, text), "%s", text);
    }
}

// Any byte replaced by any bracket, quote or digit: refused or read, but never worse.
LOOP_TEST(one_wrong_byte_does_no_harm, EACH)
{
    struct answer a, want = answer_of(_i);
    char text[2000];
    begin();
    snprintf(text, sizeof text, "%s", text_of(&want));
    for (size_t i = 0; text[i]; i++)
        for (const char *c = "[]{}\",:\\0e-n "; *c; c++) {
            char keep = text[i];
            text[i] = *c;
            begin();
            if (!read_text(&a, text))
                ck_assert_int_eq(err.kind, ERR_INVALID);
            text[i] = keep;
        }
}
