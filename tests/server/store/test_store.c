// SPDX-License-Identifier: MIT
#include "server/store/store.h"

#include "tests/server/lab.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { THREADS = 16, EACH = 20 };

struct crowd {
    struct lab *lab;
    pthread_t thread[THREADS];
};

static void *submit_many(void *arg)
{
    for (int i = 0; i < EACH; i++)
        lab_submit(arg, "crowd");
    return NULL;
}

static void crowd_start(struct crowd *c, struct lab *l)
{
    c->lab = l;
    for (int i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&c->thread[i], NULL, submit_many, l), 0);
}

static void crowd_join(struct crowd *c)
{
    for (int i = 0; i < THREADS; i++)
        pthread_join(c->thread[i], NULL);
}

struct holder {
    struct lab *lab;
    atomic_bool holds, over;
};

// Holds the writer until a command of every thread waits, or until it is told.
static bool hold(struct store *s, struct conn *c, void *arg, struct err *e)
{
    (void)c, (void)e;
    struct holder *h = arg;
    h->holds = true;
    while (!h->over && store_stats(s).waiting < THREADS)
        usleep(100);
    return true;
}

static void *hold_writer(void *arg)
{
    struct holder *h = arg;
    struct err e = {0};
    ck_assert(store_write(h->lab->store, hold, h, &e));
    return NULL;
}

TEST(writes_that_wait_share_a_commit)
{
    struct lab l;
    struct crowd crowd;
    pthread_t holder;
    lab_init(&l);
    struct holder h = {.lab = &l};
    struct store_stats before = store_stats(l.store);
    ck_assert_int_eq(pthread_create(&holder, NULL, hold_writer, &h), 0);
    while (!h.holds)
        usleep(100);
    crowd_start(&crowd, &l);
    pthread_join(holder, NULL);
    crowd_join(&crowd);
    struct store_stats after = store_stats(l.store);
    int64_t commands = after.commands - before.commands, commits = after.commits - before.commits;
    ck_assert_int_eq(commands, THREADS * EACH + 1);
    ck_assert_msg(commits <= commands / 2, "%d commits", (int)commits);
    lab_release(&l);
}

static bool write_then_refuse(struct store *s, struct conn *c, void *arg, struct err *e)
{
    (void)s, (void)arg;
    SQL(c, e, NULL, NULL, "DELETE FROM jobs");
    e->kind = ERR_CONFLICT;
    return false;
}

TEST(a_refused_command_leaves_no_trace_and_its_neighbours_alone)
{
    struct lab l;
    struct crowd crowd;
    lab_init(&l);
    crowd_start(&crowd, &l);
    for (int i = 0; i < EACH; i++)
        REFUSED(ERR_CONFLICT, store_write(l.store, write_then_refuse, NULL, &e));
    crowd_join(&crowd);
    int64_t n = 0;
    ck_assert(store_exec(l.store, "SELECT count(*) FROM jobs", &n));
    ck_assert_int_eq(n, THREADS * EACH);
    lab_release(&l);
}

TEST(a_second_daemon_is_refused_until_the_first_has_closed)
{
    struct lab l;
    lab_init(&l);
    REFUSED(ERR_CONFLICT, store_open(l.dir, &l.clock, &e));
    lab_submit(&l, "still usable");
    lab_reopen(&l);
    lab_release(&l);
}

static void put_bytes(const struct lab *l, const char *name, size_t n)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", l->dir, name);
    FILE *f = fopen(path, "w");
    ck_assert_ptr_nonnull(f);
    for (size_t i = 0; i < n; i++)
        fputc('x', f);
    fclose(f);
}

enum { OTHER_PATH, LOCK_REMOVED, LOCK_REPLACED, WAYS };

// By another name of the folder, or after what could be a lock file has gone.
LOOP_TEST(a_second_daemon_is_refused_whatever_it_tries, WAYS)
{
    struct lab l;
    char lock[128], twin[128];
    lab_init(&l);
    snprintf(lock, sizeof lock, "%s/mlpd.lock", l.dir);
    snprintf(twin, sizeof twin, "%s.twin", l.dir);
    ck_assert_int_eq(symlink(l.dir, twin), 0);
    if (_i == LOCK_REMOVED || _i == LOCK_REPLACED)
        unlink(lock);
    if (_i == LOCK_REPLACED)
        put_bytes(&l, "mlpd.lock", 0);
    REFUSED(ERR_CONFLICT, store_open(_i == OTHER_PATH ? twin : l.dir, &l.clock, &e));
    unlink(twin);
    unlink(lock);
    lab_release(&l);
}

static void swap(const struct lab *l, const char *from, const char *to)
{
    char a[128], b[128];
    snprintf(a, sizeof a, "%s/%s", l->dir, from);
    snprintf(b, sizeof b, "%s/%s", l->dir, to);
    ck_assert_int_eq(rename(a, b), 0);
}

LOOP_TEST(nothing_is_acknowledged_while_the_database_is_not_where_it_was, 4)
{
    static const char *const name[] = {"mlpd.db", "mlpd.db-wal"};
    struct lab l;
    struct job_row row;
    struct job_new job = {"n", NULL, lab_digest, "{}", "{}", 0, 0, 0, NULL, NULL, 0};
    bool replayed;
    lab_init(&l);
    lab_submit(&l, "before");
    swap(&l, name[_i % 2], "away");
    if (_i >= 2) // another file has its name
        put_bytes(&l, name[_i % 2], 0);
    REFUSED(ERR_INTERNAL, store_job_submit(l.store, &job, &row, &replayed, &l.arena, &e));
    ck_assert_int_eq(row.id, 0); // no job that somebody could take for real
    swap(&l, "away", name[_i % 2]);
    ck_assert_int_eq(lab_submit(&l, "after"), 2);
    lab_release(&l);
}

TEST(a_log_without_its_database_is_refused_and_kept)
{
    struct lab l;
    lab_init(&l);
    store_close(l.store);
    for (int i = 0; i < 2; i++) { // missing, then empty
        char path[128];
        struct stat st;
        swap(&l, "mlpd.db", "away");
        put_bytes(&l, "mlpd.db-wal", 5000);
        if (i == 1)
            put_bytes(&l, "mlpd.db", 0);
        REFUSED(ERR_CONFLICT, l.store = store_open(l.dir, &l.clock, &e));
        snprintf(path, sizeof path, "%s/mlpd.db-wal", l.dir);
        ck_assert(stat(path, &st) == 0 && st.st_size == 5000);
        unlink(path);
        swap(&l, "away", "mlpd.db");
    }
    l.store = store_open(l.dir, &l.clock, &l.err);
    ck_assert_msg(l.store != NULL, "%s", l.err.text);
    lab_release(&l);
}

TEST(nobody_else_may_read_what_is_stored)
{
    static const char *const name[] = {"", "mlpd.db", "mlpd.db-wal", "mlpd.db-shm"};
    struct lab l;
    lab_init(&l);
    store_close(l.store);
    for (size_t i = 1; i < sizeof name / sizeof *name; i++) {
        char path[128];
        snprintf(path, sizeof path, "%s/%s", l.dir, name[i]);
        unlink(path);
    }
    ck_assert_int_eq(rmdir(l.dir), 0);
    mode_t before = umask(0);
    l.store = store_open(l.dir, &l.clock, &l.err);
    ck_assert_msg(l.store != NULL, "%s", l.err.text);
    lab_submit(&l, "n");
    lab_job(&l, 1);
    umask(before);
    for (size_t i = 0; i < sizeof name / sizeof *name; i++) {
        char path[128];
        struct stat st;
        snprintf(path, sizeof path, "%s/%s", l.dir, name[i]);
        ck_assert_int_eq(stat(path, &st), 0);
        ck_assert_msg((st.st_mode & 07777) == (i ? 0600 : 0700), "%s: %o", name[i], st.st_mode);
    }
    lab_release(&l);
}

TEST(a_database_damaged_while_nobody_had_it_is_refused)
{
    struct lab l;
    char path[128], zero[200] = {0};
    int64_t page;
    lab_init(&l);
    lab_submit(&l, "n");
    ck_assert(store_exec(l.store, "SELECT rootpage FROM sqlite_schema WHERE name = 'jobs'", &page));
    store_close(l.store);
    snprintf(path, sizeof path, "%s/mlpd.db", l.dir);
    int fd = open(path, O_RDWR);
    ck_assert_int_eq(pwrite(fd, zero, sizeof zero, (page - 1) * 4096), sizeof zero);
    close(fd);
    l.store = NULL;
    REFUSED(ERR_INTERNAL, l.store = store_open(l.dir, &l.clock, &e));
    lab_release(&l);
}

static void copy_file(const struct lab *l, const char *from, const char *to)
{
    char command[320];
    snprintf(command, sizeof command, "cp %s/%s %s/%s", l->dir, from, l->dir, to);
    ck_assert_int_eq(system(command), 0);
}

// A backup was put back, but not the log of a killed daemon away: either is somebody's last copy.
TEST(a_database_beside_the_log_of_another_is_refused_and_both_are_kept)
{
    static const char *const name[] = {"mlpd.db", "mlpd.db-wal"};
    struct lab l;
    struct stat before[2], after;
    char path[128];
    lab_init(&l);
    for (int i = 0; i < 40; i++)
        lab_submit(&l, "backup");
    store_close(l.store);
    copy_file(&l, "mlpd.db", "backup");
    l.store = store_open(l.dir, &l.clock, &l.err);
    ck_assert_msg(l.store != NULL, "%s", l.err.text);
    for (int i = 0; i < 400; i++)
        lab_submit(&l, "later");
    copy_file(&l, "mlpd.db-wal", "log"); // as a kill leaves it
    store_close(l.store);
    swap(&l, "backup", "mlpd.db");
    swap(&l, "log", "mlpd.db-wal");
    for (int i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "%s/%s", l.dir, name[i]);
        ck_assert_int_eq(stat(path, &before[i]), 0);
    }
    l.store = NULL;
    REFUSED(ERR_INTERNAL, l.store = store_open(l.dir, &l.clock, &e));
    for (int i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "%s/%s", l.dir, name[i]);
        ck_assert_msg(stat(path, &after) == 0, "%s is gone", name[i]);
        ck_assert_int_eq(after.st_size, before[i].st_size);
        ck_assert_int_eq(after.st_mtim.tv_nsec, before[i].st_mtim.tv_nsec);
    }
    lab_release(&l);
}

static size_t read_whole(const char *path, char *to, size_t room)
{
    FILE *f = fopen(path, "r");
    ck_assert_ptr_nonnull(f);
    size_t n = fread(to, 1, room, f);
    fclose(f);
    return n;
}

static const struct {
    const char *sql;
    bool our_log; // beside it lies the log of a first start of ours that was killed
} foreign[] = {
    {"CREATE TABLE theirs (x)", false},
    {"PRAGMA page_size = 512; CREATE TABLE theirs (x)", false},
    {"CREATE VIEW theirs AS SELECT 1", false},
    {"PRAGMA user_version = 3", false},
    {"PRAGMA application_id = 7; CREATE TABLE theirs (x)", false},
    {"PRAGMA journal_mode = WAL; CREATE TABLE theirs (x)", false},
    {"CREATE TABLE theirs (x)", true},
};

// Somebody has given the wrong folder.
LOOP_TEST(the_database_of_another_program_is_refused_and_not_touched,
          sizeof foreign / sizeof *foreign)
{
    enum { ROOM = 1 << 16 };
    static char before[ROOM], after[ROOM];
    char path[128];
    struct lab l;
    struct stat st;
    struct sqlite3 *db;
    lab_init(&l);
    lab_submit(&l, "n");
    if (foreign[_i].our_log)
        copy_file(&l, "mlpd.db-wal", "log"); // as a kill leaves it
    store_close(l.store);
    snprintf(path, sizeof path, "%s/mlpd.db", l.dir);
    unlink(path);
    ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
    ck_assert_int_eq(sqlite3_exec(db, foreign[_i].sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    if (foreign[_i].our_log)
        swap(&l, "log", "mlpd.db-wal");
    ck_assert_int_eq(chmod(path, 0644), 0);
    size_t n = read_whole(path, before, ROOM);
    l.store = NULL;
    REFUSED(ERR_CONFLICT, l.store = store_open(l.dir, &l.clock, &e));
    ck_assert_uint_eq(read_whole(path, after, ROOM), n);
    ck_assert_mem_eq(before, after, n);
    ck_assert(stat(path, &st) == 0 && (st.st_mode & 07777) == 0644);
    lab_release(&l);
}

TEST(an_empty_file_is_empty_again_when_nothing_came_of_it)
{
    char path[128];
    struct lab l;
    struct stat st;
    lab_init(&l);
    store_close(l.store);
    snprintf(path, sizeof path, "%s/mlpd.db", l.dir);
    unlink(path);
    put_bytes(&l, "mlpd.db", 0);
    l.store = store_open(l.dir, &l.clock, &l.err);
    ck_assert_msg(l.store != NULL, "%s", l.err.text);
    store_discard(l.store);
    ck_assert(stat(path, &st) == 0 && st.st_size == 0);
    l.store = store_open(l.dir, &l.clock, &l.err);
    ck_assert_msg(l.store != NULL, "%s", l.err.text);
    lab_release(&l);
}

TEST(a_newer_schema_is_refused)
{
    struct lab l;
    lab_init(&l);
    char path[128];
    snprintf(path, sizeof path, "%s/mlpd.db", l.dir);
    store_close(l.store);
    uint32_t version = 0x10000000; // 16, big-endian, where the file's header keeps it
    int fd = open(path, O_RDWR);
    ck_assert_int_eq(pwrite(fd, &version, sizeof version, 60), sizeof version);
    close(fd);
    l.store = NULL;
    REFUSED(ERR_CONFLICT, l.store = store_open(l.dir, &l.clock, &e));
    lab_release(&l);
}

// A start that is killed before its log is written back has a head without an owner.
TEST(a_first_start_that_was_killed_is_gone_on_with)
{
    static const char *const name[] = {"mlpd.db", "mlpd.db-wal"};
    struct lab l;
    int64_t n = 0;
    lab_init(&l);
    lab_submit(&l, "n");
    for (int i = 0; i < 2; i++)
        copy_file(&l, name[i], i ? "log" : "head");
    store_close(l.store);
    swap(&l, "head", name[0]);
    swap(&l, "log", name[1]);
    l.store = store_open(l.dir, &l.clock, &l.err);
    ck_assert_msg(l.store != NULL, "%s", l.err.text);
    ck_assert(store_exec(l.store, "SELECT count(*) FROM jobs", &n));
    ck_assert_int_eq(n, 1);
    lab_release(&l);
}

TEST(a_file_that_is_no_database_is_refused)
{
    struct lab l;
    lab_init(&l);
    store_close(l.store);
    char path[128];
    snprintf(path, sizeof path, "%s/mlpd.db", l.dir);
    FILE *f = fopen(path, "w");
    for (int i = 0; i < 1000; i++)
        fputs("not a database at all\n", f);
    fclose(f);
    REFUSED(ERR_INTERNAL, l.store = store_open(l.dir, &l.clock, &e));
    lab_release(&l);
}

TEST(a_folder_that_cannot_be_made_is_refused)
{
    struct err e = {0};
    ck_assert_ptr_null(store_open("/tmp/no/such/parent", &clock_system, &e));
    ck_assert_int_eq(e.kind, ERR_INVALID);
    ck_assert_ptr_nonnull(strstr(e.text, "\"/tmp/no/such/parent\""));
}

TEST(a_reader_is_not_opened_on_another_database)
{
    struct lab l, now;
    struct job_row row;
    char away[80];
    lab_init(&l);
    snprintf(away, sizeof away, "%s.moved", l.dir);
    ck_assert_int_eq(rename(l.dir, away), 0);
    now = l;
    arena_init(&now.arena, 1 << 20);
    OK(now.store = store_open(now.dir, &now.clock, &l.err));
    int64_t id = lab_submit(&now, "n");
    REFUSED(ERR_INTERNAL, store_job_get(l.store, id, &row, &l.arena, &e));
    lab_release(&now);
    REFUSED(ERR_INTERNAL, store_job_get(l.store, id, &row, &l.arena, &e)); // nothing is there
    strcpy(l.dir, away);
    lab_release(&l);
}

// A pipe would keep the start waiting for whoever writes to it.
LOOP_TEST(what_is_no_file_is_no_database, 4)
{
    static const char *const name[] = {"mlpd.db", "mlpd.db-wal"};
    char path[96];
    struct lab l;
    lab_init(&l);
    store_close(l.store);
    snprintf(path, sizeof path, "%.64s/%s", l.dir, name[_i % 2]);
    unlink(path);
    ck_assert_int_eq(_i < 2 ? mkfifo(path, 0600) : mkdir(path, 0700), 0);
    l.store = store_open(l.dir, &l.clock, &l.err);
    ck_assert_ptr_null(l.store);
    ck_assert_msg(strstr(l.err.text, path) && strstr(l.err.text, "is not a file"), "%s",
                  l.err.text);
    ck_assert_int_eq(remove(path), 0);
    lab_release(&l);
}

// As on a file system that is read-only.
LOOP_TEST(a_folder_that_cannot_be_written_is_named, 2)
{
    struct lab l;
    uid_t before = geteuid();
    lab_init(&l);
    store_close(l.store);
    char db[96];
    snprintf(db, sizeof db, "%.64s/mlpd.db", l.dir);
    ck_assert(chmod(db, 0400) == 0 && chmod(l.dir, _i == 0 ? 0555 : 0777) == 0);
    if (before == 0)
        ck_assert_int_eq(seteuid(65534), 0);
    l.store = store_open(l.dir, &l.clock, &l.err);
    ck_assert_int_eq(seteuid(before), 0);
    chmod(l.dir, 0700);
    if (before == 0 || _i == 0) { // one's own file is made writable
        ck_assert_ptr_null(l.store);
        ck_assert_int_eq(l.err.kind, ERR_INVALID);
        ck_assert_msg(strstr(l.err.text, "could not write to"), "%s", l.err.text);
        ck_assert_ptr_nonnull(strstr(l.err.text, _i == 0 ? l.dir : db));
    }
    lab_release(&l);
}

// Writes while a read stands in the middle of its rows.
static bool write_meanwhile(struct sqlite3_stmt *st, void *ctx, struct err *e)
{
    (void)st, (void)e;
    lab_submit(ctx, "meanwhile");
    return true;
}

static bool read_slowly(struct store *s, struct conn *c, void *arg, struct err *e)
{
    (void)s;
    return SQL(c, e, write_meanwhile, arg, "SELECT id FROM jobs") == 3;
}

TEST(an_open_reader_neither_blocks_a_write_nor_sees_it)
{
    struct lab l;
    lab_init(&l);
    for (int i = 0; i < 3; i++)
        lab_submit(&l, "before");
    OK(store_read(l.store, read_slowly, &l, &l.err));
    ck_assert_int_eq(lab_submit(&l, "last"), 7);
    lab_release(&l);
}

static bool write_on_reader(struct store *s, struct conn *c, void *arg, struct err *e)
{
    (void)s, (void)arg;
    return SQL(c, e, NULL, NULL, "DELETE FROM jobs") >= 0;
}

TEST(a_reader_cannot_write)
{
    struct lab l;
    lab_init(&l);
    lab_submit(&l, "kept");
    REFUSED(ERR_INTERNAL, store_read(l.store, write_on_reader, NULL, &e));
    ck_assert_str_eq(lab_job(&l, 1).name, "kept");
    lab_release(&l);
}

static void *read_many(void *arg)
{
    struct lab *l = arg;
    struct arena a;
    struct err e = {0};
    arena_init(&a, 1 << 20);
    for (int i = 0; i < EACH; i++) {
        struct job_list list;
        ck_assert_msg(store_job_list(l->store, 10, 0, JOB_QUEUED, &list, &a, &e), "%s", e.text);
        ck_assert_int_eq(list.n, 10);
    }
    arena_release(&a);
    return NULL;
}

TEST(more_threads_than_connections_can_read_while_others_write)
{
    struct lab l;
    struct crowd crowd;
    pthread_t reader[24];
    lab_init(&l);
    for (int i = 0; i < 10; i++)
        lab_submit(&l, "first");
    crowd_start(&crowd, &l);
    for (int i = 0; i < 24; i++)
        ck_assert_int_eq(pthread_create(&reader[i], NULL, read_many, &l), 0);
    for (int i = 0; i < 24; i++)
        pthread_join(reader[i], NULL);
    crowd_join(&crowd);
    lab_release(&l);
}

TEST(a_full_disk_is_an_error_that_passes)
{
    struct lab l;
    lab_init(&l);
    char *large = calloc(1, 1 << 20);
    memset(large, 'x', (1 << 20) - 1);
    large[0] = large[(1 << 20) - 2] = '"';
    struct job_new job = {"large", NULL, lab_digest, large, "{}", 0, 0, 0, NULL, NULL, 0};
    struct job_row row;
    bool replayed;
    ck_assert(store_exec(l.store, "PRAGMA max_page_count = 60", NULL));
    REFUSED(ERR_NO_SPACE, store_job_submit(l.store, &job, &row, &replayed, &l.arena, &e));
    ck_assert_int_eq(lab_submit(&l, "small"), 1);
    ck_assert(store_exec(l.store, "PRAGMA max_page_count = 100000", NULL));
    OK(store_job_submit(l.store, &job, &row, &replayed, &l.arena, &l.err));
    ck_assert_int_eq(row.id, 2);
    free(large);
    lab_release(&l);
}

TEST(the_log_shrinks_to_nothing_when_idle)
{
    struct lab l;
    lab_init(&l);
    submit_many(&l);
    ck_assert_int_gt(store_stats(l.store).wal_bytes, 0);
    while (store_stats(l.store).wal_bytes > 0)
        usleep(10000);
    ck_assert_int_eq(lab_submit(&l, "after"), EACH + 1);
    lab_release(&l);
}

TEST(an_answer_larger_than_the_arena_is_an_error_and_changes_nothing)
{
    struct lab l;
    lab_init(&l);
    struct arena tight;
    struct job_new job = {"n", NULL, lab_digest, "{}", "{}", 0, 0, 0, NULL, NULL, 0};
    struct job_row row;
    bool replayed;
    arena_init(&tight, 64);
    REFUSED(ERR_TOO_LARGE, store_job_submit(l.store, &job, &row, &replayed, &tight, &e));
    ck_assert_int_eq(lab_submit(&l, "first"), 1);
    arena_release(&tight);
    lab_release(&l);
}

TEST(a_halted_store_has_done_what_was_asked_and_takes_nothing_more)
{
    struct lab l;
    struct arena a;
    struct job_row row;
    bool replayed;
    struct job_new job = {"n", NULL, lab_digest, "{}", "{}", 0, 0, 0, NULL, NULL, 0};
    lab_init(&l);
    arena_init(&a, 1 << 20);
    int64_t id = lab_submit(&l, "n");
    ck_assert(store_halt(l.store, 10000));
    REFUSED(ERR_CANCELLED, store_job_submit(l.store, &job, &row, &replayed, &a, &e));
    ck_assert_int_eq(lab_job(&l, id).state, JOB_QUEUED);
    lab_reopen(&l);
    ck_assert_int_eq(lab_job(&l, id).state, JOB_QUEUED);
    arena_release(&a);
    lab_release(&l);
}

TEST(a_store_whose_writer_hangs_is_not_waited_for)
{
    struct lab l;
    pthread_t holder;
    lab_init(&l);
    struct holder h = {.lab = &l};
    ck_assert_int_eq(pthread_create(&holder, NULL, hold_writer, &h), 0);
    while (!h.holds)
        usleep(100);
    ck_assert(!store_halt(l.store, 10));
    h.over = true;
    pthread_join(holder, NULL);
    lab_release(&l);
}
