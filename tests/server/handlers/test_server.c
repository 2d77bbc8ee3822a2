// SPDX-License-Identifier: MIT
// Starting and stopping the whole daemon inside this process.

#include "server/handlers/server.h"

#include "server/jobs/queue.h"
#include "server/base/settings.h"
#include "server/store/store_work.h"

#include <arpa/inet.h>
#include <ftw.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "tests/harness.h"

static const char digest[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

struct rig {
    char dir[64];
    struct settings settings;
    struct log log;
    struct server server;
    struct err err;
};

#define NEED(call) ck_assert_msg((call), "%s", r->err.text)

static void rig_init(struct rig *r, const char *listen)
{
    *r = (struct rig){.dir = "/tmp/mlpd-test-XXXXXX", .log = {2, LEVEL_OFF}};
    ck_assert_ptr_nonnull(mkdtemp(r->dir));
    settings_default(&r->settings);
    r->settings.data = r->dir;
    r->settings.workers = 1;
    NEED(address_parse(&r->settings.address, listen, &r->err));
    r->server = (struct server){.settings = &r->settings, .log = &r->log};
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st, (void)type, (void)at;
    return remove(path);
}

static void rig_remove(const struct rig *r)
{
    ck_assert_int_eq(nftw(r->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

// A job that a worker cannot begin, as nobody has its data.
static void submit(struct rig *r, struct store *s)
{
    struct arena a;
    struct job_row row;
    bool replayed;
    const struct job_new job = {.name = "n", .digest = digest, .spec = "{}", .metadata = "{}"};
    arena_init(&a, 1 << 20);
    NEED(r->server.queue ? store_job_submit(r->server.store, &job, &row, &replayed, &a, &r->err)
                         : store_job_submit(s, &job, &row, &replayed, &a, &r->err));
    arena_release(&a);
}

// How many events there are.
static bool count_events(struct store *s, struct conn *c, void *arg, struct err *e)
{
    (void)s;
    return SQL(c, e, sql_take_int, arg, "SELECT count(*) FROM job_events") > 0;
}

// A number about jobs, asked on the writer's connection.
static bool ask(struct store *s, struct conn *c, void *arg, struct err *e)
{
    (void)s;
    return SQL(c, e, sql_take_int, arg,
               "SELECT count(*) * 100 + sum(attempt) * 10 + (state = 'running') FROM jobs") > 0;
}

static int64_t jobs(struct rig *r, struct store *s)
{
    int64_t n = -1;
    NEED(store_write(s, ask, &n, &r->err));
    return n;
}

enum { QUEUED = 100, RUNNING = 111 };

// Whoever reads the store finds no connection free, and waits.
enum { READERS = 16 };

struct block {
    struct store *store;
    atomic_int held;
    atomic_bool over;
    pthread_t thread[READERS];
};

static bool hold(struct store *s, struct conn *c, void *arg, struct err *e)
{
    (void)s, (void)c, (void)e;
    struct block *b = arg;
    b->held++;
    while (!b->over)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    return true;
}

static void *hold_reader(void *arg)
{
    struct block *b = arg;
    struct err e = {0};
    ck_assert(store_read(b->store, hold, b, &e));
    return NULL;
}

static void block_readers(struct block *b)
{
    for (int i = 0; i < READERS; i++)
        ck_assert_int_eq(pthread_create(&b->thread[i], NULL, hold_reader, b), 0);
    while (b->held < READERS)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

static void unblock_readers(struct block *b)
{
    b->over = true;
    for (int i = 0; i < READERS; i++)
        pthread_join(b->thread[i], NULL);
}

TEST(a_stop_gives_up_a_worker_that_hangs_and_releases_its_job)
{
    static struct rig stays; // as what is cut off goes on
    struct rig *r = &stays;
    static struct block block;
    int64_t n;
    if (harness_elsewhere("a_stop_gives_up_a_worker_that_hangs", 0))
        return;
    rig_init(r, "127.0.0.1:0");
    NEED(server_start(&r->server, &r->err));
    struct store *store = block.store = r->server.store;
    block_readers(&block);
    submit(r, store);
    while (jobs(r, store) != RUNNING)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    ck_assert(!server_stop(&r->server, 0));
    struct err e = {0};
    ck_assert(!store_write(store, ask, &n, &e));
    ck_assert_int_eq(e.kind, ERR_CANCELLED);
    unblock_readers(&block); // the worker comes back, to no effect
    struct conn c;
    char path[96];
    snprintf(path, sizeof path, "%.64s/mlpd.db", r->dir);
    NEED(conn_open(&c, path, false, &r->err));
    ck_assert(ask(NULL, &c, &n, &r->err));
    ck_assert_int_eq(n, QUEUED);
    conn_close(&c);
    rig_remove(r);
}

TEST(a_daemon_that_cannot_serve_begins_no_job)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;
    struct rig rig, *r = &rig;
    char listen_at[32];
    int64_t events = 0;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert(!bind(fd, (struct sockaddr *)&at, len) && !listen(fd, 1) &&
              !getsockname(fd, (struct sockaddr *)&at, &len));
    snprintf(listen_at, sizeof listen_at, "127.0.0.1:%d", ntohs(at.sin_port));
    rig_init(r, listen_at);
    struct store *store = store_open(r->dir, &clock_system, &r->err);
    NEED(store);
    submit(r, store);
    store_close(store);
    ck_assert(!server_start(&r->server, &r->err));
    store = store_open(r->dir, &clock_system, &r->err);
    NEED(store);
    NEED(store_write(store, count_events, &events, &r->err));
    ck_assert_int_eq(events, 1); // queued
    store_close(store);
    close(fd);
    rig_remove(r);
}
