// SPDX-License-Identifier: MIT
#include "engine/base/err.h"
#include "tests/harness.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

TEST(the_first_failure_wins_and_every_failure_returns_false)
{
    struct err e = {0};
    ck_assert(!fail_at(&e, ERR_INVALID, "/a/0", "must be %d", 7));
    ck_assert(!fail(&e, ERR_INTERNAL, "something later"));
    ck_assert_int_eq(e.kind, ERR_INVALID);
    ck_assert_str_eq(e.at, "/a/0");
    ck_assert_str_eq(e.text, "must be 7");
}

TEST(a_failure_without_a_place_has_an_empty_pointer)
{
    struct err e = {.at = "left over"};
    fail(&e, ERR_BUSY, "try again");
    ck_assert_str_eq(e.at, "");
}

TEST(long_texts_and_pointers_are_cut_to_their_room)
{
    char longer[1000];
    struct err e = {0};
    memset(longer, 'x', sizeof longer);
    longer[sizeof longer - 1] = '\0';
    fail_at(&e, ERR_INVALID, longer, "%s", longer);
    ck_assert_uint_eq(strlen(e.at), sizeof e.at - 1);
    ck_assert_uint_eq(strlen(e.text), sizeof e.text - 1);
}

LOOP_TEST(every_kind_has_a_word_of_its_own, ERR_KIND_COUNT)
{
    const char *word = err_word((enum err_kind)_i);
    ck_assert_uint_gt(strlen(word), 0);
    ck_assert_uint_eq(strspn(word, "abcdefghijklmnopqrstuvwxyz_"), strlen(word));
    for (int k = 0; k < _i; k++)
        ck_assert_str_ne(word, err_word((enum err_kind)k));
}

TEST(our_own_mistakes_abort_and_name_their_place)
{
    int out[2], status;
    char said[256] = "";
    ck_assert_int_eq(pipe(out), 0);
    pid_t child = fork();
    if (child == 0) {
        dup2(out[1], 2);
        BUG(1 + 1 == 2);
        _exit(0);
    }
    close(out[1]);
    ck_assert_int_gt(read(out[0], said, sizeof said - 1), 0);
    close(out[0]);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    ck_assert_ptr_nonnull(strstr(said, "1 + 1 == 2 at "));
    ck_assert_ptr_nonnull(strstr(said, "test_err.c:"));
}

TEST(err_pass_keeps_kind_place_and_text)
{
    struct err why = {0}, e = {0};
    fail_at(&why, ERR_INVALID, "/target", "no such column");
    ck_assert(!err_pass(&e, &why));
    ck_assert_int_eq(e.kind, ERR_INVALID);
    ck_assert_str_eq(e.at, "/target");
    ck_assert_str_eq(e.text, "no such column");
    err_pass(&e, &(struct err){.kind = ERR_BUSY, .text = "another"}); // the first stays
    ck_assert_int_eq(e.kind, ERR_INVALID);
}
