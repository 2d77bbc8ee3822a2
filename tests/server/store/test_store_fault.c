// SPDX-License-Identifier: MIT
// What the store makes of a system that fails it: no memory, a disk that cannot be read, a file
// that is damaged while it is in use, a client that has gone.
#include "server/store/store.h"

#include "tests/server/lab.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct {
    int code;
    enum err_kind kind;
    bool bad; // a connection that has met it is not used on
} code[] = {
    {SQLITE_ERROR, ERR_INTERNAL, false},
    {SQLITE_MISUSE, ERR_INTERNAL, false},
    {SQLITE_FULL, ERR_NO_SPACE, false},
    {SQLITE_BUSY, ERR_BUSY, false},
    {SQLITE_BUSY_SNAPSHOT, ERR_BUSY, false},
    {SQLITE_BUSY_RECOVERY, ERR_BUSY, false},
    {SQLITE_LOCKED, ERR_BUSY, false},
    {SQLITE_PROTOCOL, ERR_BUSY, false},
    {SQLITE_CANTOPEN, ERR_BUSY, false},
    {SQLITE_NOMEM, ERR_BUSY, false},
    {SQLITE_IOERR_NOMEM, ERR_BUSY, false},
    {SQLITE_IOERR_SHMMAP, ERR_BUSY, false},
    {SQLITE_IOERR_SHMOPEN, ERR_BUSY, false},
    {SQLITE_TOOBIG, ERR_TOO_LARGE, false},
    {SQLITE_CONSTRAINT_TRIGGER, ERR_CONFLICT, false},
    {SQLITE_CONSTRAINT_UNIQUE, ERR_CONFLICT, false},
    {SQLITE_CONSTRAINT_CHECK, ERR_INTERNAL, false},
    {SQLITE_INTERRUPT, ERR_CANCELLED, false},
    {SQLITE_CORRUPT, ERR_INTERNAL, true},
    {SQLITE_CORRUPT_INDEX, ERR_INTERNAL, true},
    {SQLITE_NOTADB, ERR_INTERNAL, true},
    {SQLITE_IOERR, ERR_INTERNAL, true},
    {SQLITE_IOERR_READ, ERR_INTERNAL, true},
    {SQLITE_IOERR_SHORT_READ, ERR_INTERNAL, true},
};

LOOP_TEST(every_result_of_sqlite_has_a_meaning, sizeof code / sizeof *code)
{
    struct conn c = {0};
    struct err e = {0};
    ck_assert(!conn_fail(&c, code[_i].code, &e));
    ck_assert_msg(e.kind == code[_i].kind, "%d is %s", code[_i].code, err_word(e.kind));
    ck_assert_int_eq(c.bad, code[_i].bad);
    ck_assert_int_eq(strstr(e.text, "damaged") != NULL,
                     (code[_i].code & 0xff) == SQLITE_CORRUPT || code[_i].code == SQLITE_NOTADB);
}

enum { LARGE = 1 << 20 };

// A job whose definition takes a megabyte to read or write; false with the error.
static bool submit_large(struct lab *l, struct err *e)
{
    struct job_row row;
    bool replayed;
    char *spec = malloc(LARGE);
    memset(spec, 'x', LARGE);
    spec[0] = spec[LARGE - 2] = '"';
    spec[LARGE - 1] = '\0';
    const struct job_new job = {"large", NULL, lab_digest, spec, "{}", 0, 0, 0, NULL, NULL, 0};
    bool ok = store_job_submit(l->store, &job, &row, &replayed, &l->arena, e);
    free(spec);
    return ok;
}

static bool get(struct lab *l, int64_t id, struct err *e)
{
    struct job_row row;
    return store_job_get(l->store, id, &row, &l->arena, e);
}

TEST(no_memory_is_told_as_busy_and_passes)
{
    struct lab l;
    lab_init(&l);
    OK(submit_large(&l, &l.err));
    sqlite3_hard_heap_limit64(sqlite3_memory_used() + LARGE / 2);
    REFUSED(ERR_BUSY, get(&l, 1, &e));
    REFUSED(ERR_BUSY, submit_large(&l, &e));
    sqlite3_hard_heap_limit64(0);
    OK(get(&l, 1, &l.err));
    OK(submit_large(&l, &l.err));
    ck_assert_str_eq(lab_job(&l, 2).name, "large"); // the one that failed took no number
    lab_release(&l);
}

// Every allocation in turn fails, of those that a read and a write make. Nothing may be told but
// that there is no memory, and nothing be half done.
TEST(memory_may_end_at_any_point)
{
    struct lab l;
    int64_t jobs = 0, n;
    bool ok[2] = {false, false};
    lab_init(&l);
    for (int64_t room = 0; !ok[0] || !ok[1]; room += 2048) {
        struct err e[2] = {{0}, {0}};
        struct job_row row;
        bool replayed;
        const struct job_new job = {.name = "n", .digest = lab_digest, .spec = "{}", "{}"};
        lab_reopen(&l);
        sqlite3_hard_heap_limit64(sqlite3_memory_used() + room + 1);
        ok[0] = get(&l, 1, &e[0]) || e[0].kind == ERR_NOT_FOUND;
        ok[1] = store_job_submit(l.store, &job, &row, &replayed, &l.arena, &e[1]);
        sqlite3_hard_heap_limit64(0);
        for (int i = 0; i < 2; i++)
            ck_assert_msg(ok[i] || e[i].kind == ERR_BUSY, "%s: %s", err_word(e[i].kind), e[i].text);
        jobs += ok[1];
        ck_assert(store_exec(l.store, "SELECT count(*) FROM jobs", &n) && n == jobs);
        ck_assert(store_exec(l.store, "SELECT count(*) FROM job_events", &n) && n == jobs);
    }
    lab_release(&l);
}

// A disk that cannot be read ---------------------------------------------------------------------

static atomic_bool unreadable;

static ssize_t read_or_fail(int fd, void *to, size_t n)
{
    errno = EIO;
    return unreadable ? -1 : read(fd, to, n);
}

static ssize_t pread_or_fail(int fd, void *to, size_t n, off_t at)
{
    errno = EIO;
    return unreadable ? -1 : pread(fd, to, n, at);
}

static void replace_calls(bool by_ours)
{
    static const struct {
        const char *name;
        sqlite3_syscall_ptr ours;
    } call[] = {{"read", (sqlite3_syscall_ptr)read_or_fail},
                {"pread", (sqlite3_syscall_ptr)pread_or_fail},
                {"pread64", (sqlite3_syscall_ptr)pread_or_fail}};
    sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);
    for (size_t i = 0; i < sizeof call / sizeof *call; i++)
        vfs->xSetSystemCall(vfs, call[i].name, by_ours ? call[i].ours : NULL);
}

enum { FIRST_READ, FROM_DATABASE, FROM_LOG, READS };

// When it begins to read, or in the middle of it.
LOOP_TEST(a_disk_that_a_reader_cannot_read_is_told_in_its_own_words, READS)
{
    struct lab l;
    struct err e = {0};
    replace_calls(true);
    lab_init(&l);
    lab_submit(&l, "n");
    OK(submit_large(&l, &l.err));
    if (_i != FROM_LOG)
        lab_reopen(&l);
    if (_i != FIRST_READ)
        OK(get(&l, 1, &l.err));
    unreadable = true;
    ck_assert(!get(&l, 2, &e));
    unreadable = false;
    ck_assert_msg(e.kind == ERR_INTERNAL && strstr(e.text, "could not read the database"), "%s",
                  e.text);
    OK(get(&l, 2, &l.err));
    lab_release(&l);
    replace_calls(false);
}

// The start looks at the whole file -------------------------------------------------------------

static _Atomic int64_t reads_left;

static ssize_t pread_some(int fd, void *to, size_t n, off_t at)
{
    errno = EIO;
    return reads_left-- <= 0 ? -1 : pread(fd, to, n, at);
}

static bool start(struct lab *l, struct err *e)
{
    l->store = store_open(l->dir, &l->clock, e);
    return l->store;
}

static void not_told_as_damage(const struct err *e, int64_t at)
{
    ck_assert_msg(e->kind && !strstr(e->text, "damaged") && !strstr(e->text, "backup"),
                  "%" PRId64 ": %s: %s", at, err_word(e->kind), e->text);
}

static void lab_with_a_megabyte(struct lab *l)
{
    lab_init(l);
    OK_IN(l, submit_large(l, &l->err));
    store_close(l->store);
}

TEST(memory_that_ends_in_the_check_at_the_start_is_no_damage)
{
    struct lab l;
    int64_t failed = 0;
    bool ok = false;
    lab_with_a_megabyte(&l);
    for (int64_t room = 0; !ok; room += 4096) {
        struct err e = {0};
        sqlite3_hard_heap_limit64(sqlite3_memory_used() + room + 1);
        ok = start(&l, &e);
        sqlite3_hard_heap_limit64(0);
        failed += !ok;
        if (!ok)
            not_told_as_damage(&e, room);
    }
    ck_assert_int_gt(failed, 10);
    lab_release(&l);
}

TEST(a_disk_that_fails_in_the_check_at_the_start_is_no_damage)
{
    sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);
    struct lab l;
    int64_t reads = 0;
    bool ok = false;
    lab_with_a_megabyte(&l);
    for (; !ok; reads += 7) {
        struct err e = {0};
        reads_left = reads;
        vfs->xSetSystemCall(vfs, "pread", (sqlite3_syscall_ptr)pread_some);
        vfs->xSetSystemCall(vfs, "pread64", (sqlite3_syscall_ptr)pread_some);
        ok = start(&l, &e);
        reads_left = INT64_MAX;
        if (!ok)
            not_told_as_damage(&e, reads);
    }
    ck_assert_int_gt(reads, 100);
    lab_release(&l);
    vfs->xSetSystemCall(vfs, "pread", NULL);
    vfs->xSetSystemCall(vfs, "pread64", NULL);
}

// Damage -----------------------------------------------------------------------------------------

static void overwrite(const struct lab *l, int64_t page, int64_t n)
{
    static const char zero[4096];
    char path[128];
    snprintf(path, sizeof path, "%s/mlpd.db", l->dir);
    int fd = open(path, O_RDWR);
    for (int64_t i = 0; i < n; i++)
        ck_assert_int_eq(pwrite(fd, zero, sizeof zero, (page - 1 + i) * 4096), sizeof zero);
    close(fd);
}

static int64_t database_bytes(const struct lab *l)
{
    struct stat st;
    char path[128];
    snprintf(path, sizeof path, "%s/mlpd.db", l->dir);
    return stat(path, &st) == 0 ? (int64_t)st.st_size : 0;
}

TEST(damage_met_while_running_ends_writing_and_nothing_else)
{
    struct lab l;
    int64_t page;
    lab_init(&l);
    for (int i = 0; i < 200; i++)
        lab_submit(&l, "n");
    struct dataset_new d = {"d", lab_digest, "{}", 1, 1, 1};
    struct dataset_row row;
    OK(store_dataset_put(l.store, &d, &row, &l.arena, &l.err));
    ck_assert(store_exec(l.store, "SELECT rootpage FROM sqlite_schema WHERE name = 'jobs'", &page));
    lab_reopen(&l);
    OK(store_dataset_get(l.store, "d", 0, &row, &l.arena, &l.err));
    overwrite(&l, page, 1);
    REFUSED(ERR_INTERNAL, get(&l, 1, &e));
    OK(store_dataset_put(l.store, &d, &row, &l.arena, &l.err));   // the writer has not met it yet
    ck_assert(store_exec(l.store, "PRAGMA shrink_memory", NULL)); // and has the page in memory
    REFUSED(ERR_INTERNAL, store_job_cancel(l.store, 1, &(struct job_row){0}, &l.arena, &e));
    REFUSED(ERR_INTERNAL, store_dataset_put(l.store, &d, &row, &l.arena, &e));
    OK(store_dataset_get(l.store, "d", 0, &row, &l.arena, &l.err));
    int64_t bytes = database_bytes(&l);
    store_close(l.store);
    l.store = NULL;
    ck_assert_int_eq(database_bytes(&l), bytes); // for whoever wants to look at it
    lab_release(&l);
}

// A client that has gone -------------------------------------------------------------------------

static atomic_bool gone;

// A read that would take hours.
static bool count_for_ever(struct store *s, struct conn *c, void *arg, struct err *e)
{
    (void)s;
    atomic_bool *began = arg;
    *began = true;
    return SQL(c, e, NULL, NULL,
               "WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n) "
               "SELECT count(*) FROM n WHERE i < 0 LIMIT ?",
               BIND_INT(1)) >= 0;
}

static void *leave_when_begun(void *arg)
{
    atomic_bool *began = arg;
    while (!*began)
        usleep(100);
    gone = true;
    return NULL;
}

TEST(a_client_that_goes_ends_its_reads)
{
    struct lab l;
    pthread_t client;
    atomic_bool began = false;
    lab_init(&l);
    gone = false;
    store_watch(&gone);
    ck_assert_int_eq(pthread_create(&client, NULL, leave_when_begun, &began), 0);
    REFUSED(ERR_CANCELLED, store_read(l.store, count_for_ever, &began, &e));
    pthread_join(client, NULL);
    store_watch(NULL);
    lab_release(&l);
}

TEST(reads_for_a_client_that_has_gone_do_not_begin_and_writes_do)
{
    struct lab l;
    lab_init(&l);
    gone = true;
    store_watch(&gone);
    lab_submit(&l, "n");
    REFUSED(ERR_CANCELLED, get(&l, 1, &e));
    store_watch(NULL);
    OK(get(&l, 1, &l.err));
    lab_release(&l);
}

static void *read_meanwhile(void *arg)
{
    struct lab *l = arg;
    struct err e = {0};
    struct arena a;
    struct job_row row;
    arena_init(&a, 1 << 20);
    ck_assert_msg(store_job_get(l->store, 1, &row, &a, &e), "%s", e.text);
    arena_release(&a);
    return NULL;
}

TEST(one_client_that_has_gone_is_nothing_to_another)
{
    struct lab l;
    pthread_t other;
    lab_init(&l);
    lab_submit(&l, "n");
    gone = true;
    store_watch(&gone);
    ck_assert_int_eq(pthread_create(&other, NULL, read_meanwhile, &l), 0);
    pthread_join(other, NULL);
    store_watch(NULL);
    lab_release(&l);
}
