// SPDX-License-Identifier: MIT
#include "api/views/problem.h"
#include "api/json/json.h"
#include "tests/harness.h"

#include <cJSON.h>
#include <string.h>

static struct arena arena;
static struct faults faults;

static void fresh(size_t max)
{
    arena_release(&arena);
    arena_init(&arena, max);
    faults_init(&faults, &arena);
}

TEST(a_note_is_kept_once)
{
    fresh(1 << 20);
    note_add(&faults, "one");
    note_add(&faults, "two");
    note_add(&faults, "two");
    note_add(&faults, "%s", "one");
    ck_assert_uint_eq(faults.n_note, 2);
    ck_assert_str_eq(faults.note[1], "two");
}

LOOP_TEST(every_kind_of_error_has_a_problem, ERR_KIND_COUNT)
{
    const struct problem *p = problem_of((enum err_kind)_i);
    ck_assert_int_ge(p->status, 400);
    ck_assert_int_lt(p->status, 600);
    ck_assert_int_eq(strncmp(p->type, "/problems/", 10), 0);
    ck_assert_uint_gt(strlen(p->title), 5);
    cJSON *plain = cJSON_Parse(p->plain);
    ck_assert_int_eq(cJSON_GetObjectItem(plain, "status")->valueint, p->status);
    ck_assert_str_eq(cJSON_GetObjectItem(plain, "title")->valuestring, p->title);
    cJSON_Delete(plain);
}

TEST(a_problem_lists_every_fault)
{
    fresh(1 << 20);
    fault_add(&faults, "out_of_range", "/a/0", "must be between %d and %d", 1, 2);
    fault_add(&faults, "unknown_field", "/\"x", "unknown field");
    struct err e = {0};
    int status;
    size_t len;
    ck_assert(!faults_none(&faults, &e));
    const char *body = problem_body(&e, &faults, &arena, &status, &len);
    ck_assert_int_eq(status, 422);
    ck_assert_uint_eq(len, strlen(body));
    ck_assert_str_eq(
        body,
        "{\"type\":\"/problems/invalid\",\"title\":\"The request is not valid\",\"status\":422,"
        "\"detail\":\"2 fields need attention\",\"code\":\"invalid\",\"errors\":[{\"pointer\":"
        "\"#/a/0\",\"code\":\"out_of_range\",\"detail\":\"must be between 1 and 2\"},"
        "{\"pointer\":\"#/\\\"x\",\"code\":\"unknown_field\",\"detail\":\"unknown field\"}]}\n");
}

TEST(a_single_error_with_a_place_is_listed_and_one_without_is_not)
{
    fresh(1 << 20);
    struct err e = {.kind = ERR_INVALID, .at = "/target", .text = "no such column"};
    int status;
    size_t len;
    ck_assert_ptr_nonnull(strstr(problem_body(&e, NULL, &arena, &status, &len),
                                 "\"errors\":[{\"pointer\":\"#/target\",\"code\":\"invalid\","
                                 "\"detail\":\"no such column\"}]"));
    e = (struct err){.kind = ERR_NOT_FOUND, .text = "no job 7"};
    ck_assert_str_eq(problem_body(&e, &faults, &arena, &status, &len),
                     "{\"type\":\"/problems/not-found\",\"title\":\"Not found\","
                     "\"status\":404,\"detail\":\"no job 7\",\"code\":\"not_found\"}\n");
    ck_assert_int_eq(status, 404);
}

TEST(a_full_arena_still_answers)
{
    fresh(0);
    struct err e = {.kind = ERR_TOO_LARGE, .text = "too much"};
    int status;
    size_t len;
    fault_add(&faults, "too_long", "/a", "too long");
    const char *body = problem_body(&e, &faults, &arena, &status, &len);
    ck_assert_int_eq(status, 413);
    ck_assert_uint_eq(len, strlen(body));
    ck_assert_ptr_nonnull(strstr(body, "\"status\":413"));
    ck_assert_uint_eq(faults.total, 1);
    ck_assert_uint_eq(faults.n, 0);
}

TEST(one_fault_is_the_error_and_more_are_counted)
{
    fresh(1 << 20);
    struct err e = {0};
    ck_assert(faults_none(&faults, &e));
    ck_assert_int_eq(e.kind, ERR_NONE);
    fault_add(&faults, "wrong_type", "/a", "must be %s", "a number");
    ck_assert(!faults_none(&faults, &e));
    ck_assert_str_eq(e.at, "/a");
    ck_assert_str_eq(e.text, "a: must be a number");
    for (int i = 0; i < 99; i++)
        fault_add(&faults, "wrong_type", "/b", "no");
    e = (struct err){0};
    ck_assert(!faults_none(&faults, &e));
    ck_assert_str_eq(e.text, "100 fields need attention");
    int status;
    size_t len;
    ck_assert_ptr_nonnull(
        strstr(problem_body(&e, &faults, &arena, &status, &len), "\"more_errors\":36"));
}
