// SPDX-License-Identifier: MIT
// Processes that are told to stop while their main() does nothing about it.

#include "server/base/signals.h"

#include "tests/harness.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

struct child {
    pid_t pid;
    int words; // what it has written
};

static int words_of_child;

static void say(void *word)
{
    ck_assert_int_eq(write(words_of_child, word, 1), 1);
}

static void stand_still(bool drains)
{
    struct err e = {0};
    if (!signals_take(1, &e))
        _exit(99);
    if (drains)
        signals_note_stop(say, "n");
    say("b"); // begun
    for (;;)
        pause();
}

static struct child start(bool drains)
{
    int end[2];
    char word;
    ck_assert_int_eq(pipe(end), 0);
    struct child c = {fork(), end[0]};
    if (c.pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        words_of_child = end[1];
        stand_still(drains);
    }
    close(end[1]);
    ck_assert_int_eq(read(c.words, &word, 1), 1);
    ck_assert_int_eq(word, 'b');
    return c;
}

static const struct stop {
    int number;
    bool drains;
    int status, notes;
} stops[] = {
    {SIGTERM, true, SIGNALS_CUT_OFF, 1},
    {SIGINT, true, SIGNALS_CUT_OFF, 1},
    {SIGTERM, false, 0, 0},
    {SIGINT, false, 0, 0},
};

LOOP_TEST(whoever_stands_still_is_cut_off_after_the_stop_is_noted, sizeof stops / sizeof *stops)
{
    char words[8];
    int status;
    if (harness_elsewhere("whoever_stands_still", _i))
        return;
    struct child c = start(stops[_i].drains);
    kill(c.pid, SIGHUP); // nothing to end for
    kill(c.pid, stops[_i].number);
    ck_assert_int_eq(read(c.words, words, sizeof words), stops[_i].notes);
    ck_assert_int_eq(waitpid(c.pid, &status, 0), c.pid);
    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == stops[_i].status, "status %#x",
                  (unsigned)status);
    close(c.words);
}
