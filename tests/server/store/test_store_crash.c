// SPDX-License-Identifier: MIT
// A child process submits and trains as fast as it can and reports each acknowledged write through
// a pipe, until it is killed with SIGKILL; the next one goes on in the same folder. In the end
// everything that was reported must be there.
//
// The child is this program again, told by an environment variable: it opens its own connections,
// since SQLite's must not cross a fork.
#include "server/store/store.h"

#include "tests/server/lab.h"

#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { KILLS = 20, ACKS_MAX = 100, SUBMITTERS = 3, REPORT_FD = 9 };

extern char **environ;

struct ack {
    int64_t job;
    int64_t version; // of the published model; 0: the job was submitted
    char key[48];
};

// The child ------------------------------------------------------------------------------------

static struct store *child_store;
static struct queue *child_queue;

static void must(bool ok, const struct err *e)
{
    if (ok)
        return;
    fprintf(stderr, "child: %s\n", e->text);
    abort();
}

static void report(const struct ack *ack)
{
    if (write(REPORT_FD, ack, sizeof *ack) != sizeof *ack)
        _exit(1);
}

static void *child_submit(void *arg)
{
    static _Atomic int n;
    (void)arg;
    for (;;) {
        struct arena a;
        struct err e = {0};
        struct ack ack = {0};
        struct job_row row;
        bool replayed;
        arena_init(&a, 1 << 20);
        snprintf(ack.key, sizeof ack.key, "%d-%d", (int)getpid(), n++);
        struct job_new job = {"n", NULL, lab_digest, "{}", "{}", 0, 0, 0, ack.key, "p", 0};
        must(store_job_submit(child_store, &job, &row, &replayed, &a, &e), &e);
        ack.job = row.id;
        report(&ack);
        arena_release(&a);
    }
    return NULL;
}

static void child_train(struct arena *a)
{
    static const double value[] = {1, 2};
    static const struct metric_row row[] = {{1, 1, value, NULL}, {2, 2, value, NULL}};
    static const struct series series[] = {{"", "a", SERIES_REAL}, {"", "b", SERIES_REAL}};
    static const struct series_list list[SERIES_KINDS] = {{series, 2}};
    static const struct job_beat beat = {
        .epoch = 2, .epochs = 2, .series = list, .row = row, .n_row = 2};
    static const struct model_new model = {"m", lab_digest, "regression", "{}", 1};
    struct err e = {0};
    struct ack ack = {0};
    struct job_row job;
    struct ticket *t = queue_claim_wait(child_queue, "w", &job, a, &e);
    must(t && queue_beat(child_queue, t, &beat, &e), &e);
    struct job_end end = {.state = JOB_SUCCEEDED, .model = &model};
    must(queue_finish(child_queue, t, &end, &e), &e);
    ack.version = end.version;
    ack.job = job.id;
    report(&ack);
}

// From here on, a write past the limit is an error of the disk.
static void limit_files(rlim_t bytes)
{
    struct rlimit limit = {bytes, bytes}, no_core = {0, 0};
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &limit);
    setrlimit(RLIMIT_CORE, &no_core);
}

__attribute__((constructor)) static void child_main(void)
{
    const char *dir = getenv("MLPD_TEST_CRASH");
    if (!dir)
        return;
    struct err e = {0};
    int64_t n;
    if (getenv("MLPD_TEST_FILE_BYTES"))
        limit_files((rlim_t)atol(getenv("MLPD_TEST_FILE_BYTES")));
    child_store = store_open(dir, &clock_system, &e);
    must(child_store, &e);
    child_queue = queue_new(child_store, &clock_system, &n, &e);
    must(child_queue, &e);
    for (int i = 0; i < SUBMITTERS; i++) {
        pthread_t thread;
        must(pthread_create(&thread, NULL, child_submit, NULL) == 0, &e);
    }
    for (;;) {
        struct arena a;
        arena_init(&a, 1 << 20);
        child_train(&a);
        arena_release(&a);
    }
}

// The parent -----------------------------------------------------------------------------------

static pid_t spawn(const char *dir, int report_to)
{
    char *argv[] = {"crash-child", NULL};
    posix_spawn_file_actions_t actions;
    pid_t pid;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, report_to, REPORT_FD);
    setenv("MLPD_TEST_CRASH", dir, 1);
    int rc = posix_spawn(&pid, "/proc/self/exe", &actions, NULL, argv, environ);
    unsetenv("MLPD_TEST_CRASH");
    posix_spawn_file_actions_destroy(&actions);
    ck_assert_int_eq(rc, 0);
    return pid;
}

// Run a child, kill it after `wanted` reports unless it ends before, and take all that it had
// reported by then. *signal tells what ended it.
static size_t run_child(const char *dir, size_t wanted, struct ack *ack, size_t room, int *signal)
{
    int fd[2], status;
    size_t n = 0;
    ck_assert_int_eq(pipe2(fd, O_CLOEXEC), 0);
    pid_t pid = spawn(dir, fd[1]);
    close(fd[1]);
    while (n < room && read(fd[0], &ack[n], sizeof *ack) == sizeof *ack)
        if (++n == wanted)
            kill(pid, SIGKILL);
    close(fd[0]);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_msg(WIFSIGNALED(status), "status %x", status);
    *signal = WTERMSIG(status);
    return n;
}

static void check_ack(struct lab *l, const struct ack *ack)
{
    char text[160];
    int64_t n = 0;
    if (ack->version)
        snprintf(
            text, sizeof text,
            "SELECT count(*) FROM models m JOIN jobs j ON j.id = m.job_id WHERE j.id = %" PRId64
            " AND m.version = %" PRId64 " AND j.state = 'succeeded'",
            ack->job, ack->version);
    else
        snprintf(text, sizeof text,
                 "SELECT count(*) FROM jobs WHERE id = %" PRId64 " AND idem_key = '%s'", ack->job,
                 ack->key);
    ck_assert(store_exec(l->store, text, &n));
    ck_assert_msg(n == 1, "lost: job %" PRId64 " version %" PRId64, ack->job, ack->version);
}

TEST(no_acknowledged_write_is_lost_by_kill_9)
{
    enum { ROOM = KILLS * (ACKS_MAX + 2000) };
    struct ack *ack = calloc(ROOM, sizeof *ack);
    struct lab l;
    size_t n = 0;
    unsigned seed = 1;
    int64_t faults = 0, rescued;
    lab_init(&l);
    store_close(l.store);
    for (int i = 0; i < KILLS; i++) {
        int signal;
        n += run_child(l.dir, 1 + (size_t)rand_r(&seed) % ACKS_MAX, ack + n, ROOM - n, &signal);
        ck_assert_int_eq(signal, SIGKILL);
    }
    l.store = store_open(l.dir, &l.clock, &l.err);
    ck_assert_msg(l.store != NULL, "%s", l.err.text);
    ck_assert_int_gt(n, KILLS);
    for (size_t i = 0; i < n; i++)
        check_ack(&l, &ack[i]);
    ck_assert(
        store_exec(l.store, "SELECT integrity_check <> 'ok' FROM pragma_integrity_check", &faults));
    ck_assert_int_eq(faults, 0);
    ck_assert(store_exec(l.store, "SELECT count(*) FROM pragma_foreign_key_check", &faults));
    ck_assert_int_eq(faults, 0);
    OK(store_job_rescue_dead(l.store, &rescued, &l.err));
    ck_assert_int_le(rescued, 1);
    free(ack);
    lab_release(&l);
}

TEST(an_error_of_the_disk_stops_the_daemon_and_loses_nothing)
{
    enum { ROOM = 100000 };
    struct ack *ack = calloc(ROOM, sizeof *ack);
    struct lab l;
    int signal;
    lab_init(&l);
    store_close(l.store);
    setenv("MLPD_TEST_FILE_BYTES", "400000", 1);
    size_t n = run_child(l.dir, ROOM, ack, ROOM, &signal);
    unsetenv("MLPD_TEST_FILE_BYTES");
    ck_assert_int_eq(signal, SIGABRT);
    l.store = store_open(l.dir, &l.clock, &l.err);
    ck_assert_msg(l.store != NULL, "%s", l.err.text);
    ck_assert_int_gt(n, 0);
    for (size_t i = 0; i < n; i++)
        check_ack(&l, &ack[i]);
    free(ack);
    lab_release(&l);
}
