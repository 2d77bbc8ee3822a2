// SPDX-License-Identifier: MIT
// Models here answer one number each, so which of them was used can be told from the answer.

#include "server/jobs/cache.h"
#include "server/jobs/fine_tune.h"
#include "server/store/notice.h"
#include "server/store/store_access.h"
#include "tests/server/plant.h"

#include "tests/heap.h"

#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

enum { MODELS = 64 }; // the cache's room

static double ask(const struct served *s)
{
    const real x[] = {3};
    double answer[1];
    predictor_run(s->predictor, x, NULL, 1, answer, NULL);
    return answer[0];
}

static double answer_of(struct plant *p, const char *name, int64_t version, int64_t job)
{
    struct served s;
    ck_assert_msg(cache_take(p->cache, name, version, job, &s, &p->err), "%s", p->err.text);
    double answer = ask(&s);
    cache_put(p->cache, &s);
    return answer;
}

TEST(the_bare_name_means_the_newest_version_once_it_is_published)
{
    struct plant p;
    plant_init(&p);
    int64_t first = plant_publish(&p, "m", 1);
    ck_assert(answer_of(&p, "m", 0, 0) == 1);
    int64_t second = plant_publish(&p, "m", 2);
    ck_assert(answer_of(&p, "m", 0, 0) == 2);
    ck_assert(answer_of(&p, "m", 1, 0) == 1 && answer_of(&p, "m", 2, 0) == 2);
    ck_assert(answer_of(&p, NULL, 0, first) == 1 && answer_of(&p, NULL, 0, second) == 2);
    plant_publish(&p, "other", 9);
    ck_assert(answer_of(&p, "m", 0, 0) == 2);
    plant_release(&p);
}

// Loaded by version or by job first, a model may become the latest later, and the other way round.
TEST(a_version_asked_for_by_number_stays_itself)
{
    struct plant p;
    plant_init(&p);
    int64_t first = plant_publish(&p, "m", 1);
    ck_assert(answer_of(&p, NULL, 0, first) == 1);
    ck_assert(answer_of(&p, "m", 1, 0) == 1 && answer_of(&p, "m", 0, 0) == 1);
    plant_publish(&p, "m", 2);
    ck_assert(answer_of(&p, "m", 2, 0) == 2 && answer_of(&p, "m", 0, 0) == 2);
    ck_assert(answer_of(&p, "m", 1, 0) == 1);
    plant_release(&p);
}

TEST(a_model_in_memory_no_longer_needs_its_file)
{
    struct plant p;
    char digest[DIGEST_TEXT + 32];
    struct model_row row;
    plant_init(&p);
    plant_publish(&p, "m", 1);
    NEED(store_model_get(p.store, "m", 1, &row, &p.arena, &p.err));
    ck_assert(answer_of(&p, "m", 1, 0) == 1);
    snprintf(digest, sizeof digest, "models/%s.safetensors", row.digest);
    ck_assert_int_eq(unlink(plant_path(&p, digest)), 0);
    ck_assert(answer_of(&p, "m", 1, 0) == 1 && answer_of(&p, NULL, 0, row.job) == 1);
    plant_release(&p);
}

TEST(what_is_not_there_is_told_apart)
{
    struct plant p;
    struct served s;
    char data[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    struct {
        const char *name;
        int64_t version, job;
        enum err_kind kind;
    } want[] = {{"none", 0, 0, ERR_NOT_FOUND},
                {"m", 2, 0, ERR_NOT_FOUND},
                {NULL, 0, 77, ERR_NOT_FOUND},
                {NULL, 0, 0, ERR_CONFLICT}};
    plant_init(&p);
    plant_publish(&p, "m", 1);
    want[3].job = plant_submit(&p, NULL, data, "{}");
    for (int i = 0; i < 4; i++) {
        struct err e = {0};
        ck_assert(!cache_take(p.cache, want[i].name, want[i].version, want[i].job, &s, &e));
        ck_assert_msg(e.kind == want[i].kind, "%d: %s", i, e.text);
    }
    plant_release(&p);
}

static void publish_many(struct plant *p, int n)
{
    for (int i = 0; i < n; i++) {
        struct arena_mark mark = arena_mark(&p->arena);
        plant_publish(p, "m", i + 1);
        arena_rewind(&p->arena, mark);
    }
}

TEST(eviction_leaves_models_in_use_alone)
{
    struct plant p;
    struct served held[MODELS], one;
    plant_init(&p);
    publish_many(&p, MODELS + 2);
    NEED(cache_take(p.cache, "m", 1, 0, &held[0], &p.err));
    for (int64_t v = 2; v <= MODELS + 2; v++)
        ck_assert(answer_of(&p, "m", v, 0) == (double)v);
    ck_assert(ask(&held[0]) == 1);
    for (int64_t v = 2; v <= MODELS; v++)
        NEED(cache_take(p.cache, "m", v, 0, &held[v - 1], &p.err));
    ck_assert(!cache_take(p.cache, "m", MODELS + 1, 0, &one, &p.err));
    ck_assert_int_eq(p.err.kind, ERR_BUSY);
    p.err = (struct err){0};
    for (int64_t v = 1; v <= MODELS; v++)
        ck_assert(ask(&held[v - 1]) == (double)v);
    cache_put(p.cache, &held[5]);
    ck_assert(answer_of(&p, "m", MODELS + 1, 0) == MODELS + 1);
    for (int v = 0; v < MODELS; v++)
        if (v != 5)
            cache_put(p.cache, &held[v]);
    ck_assert(answer_of(&p, "m", 6, 0) == 6); // loaded again
    plant_release(&p);
}

static void allow(struct plant *p, size_t memory)
{
    cache_free(p->cache);
    p->cache = cache_new(p->store, p->files, 8, memory);
}

// What one model takes in which n threads predict at once: the least with which that goes.
static size_t size_of(struct plant *p, int n)
{
    struct served s[2];
    for (size_t memory = 1 << 10;; memory += 1 << 10) {
        struct err e = {0};
        int taken = 0;
        allow(p, memory);
        while (taken < n && cache_take(p->cache, "a", 1, 0, &s[taken], &e))
            taken++;
        for (int i = 0; i < taken; i++)
            cache_put(p->cache, &s[i]);
        if (taken == n)
            return memory;
        ck_assert_msg(!taken || e.kind == ERR_BUSY, "%s", e.text);
    }
}

static bool is_loaded(struct plant *p, const char *name)
{
    struct served s;
    bool there = cache_take_loaded(p->cache, name, 1, 0, &s, &p->err);
    if (there)
        cache_put(p->cache, &s);
    return there;
}

TEST(a_workspace_is_counted_like_a_model)
{
    struct plant p;
    struct served held, more;
    plant_init(&p);
    plant_publish(&p, "a", 1);
    size_t one = size_of(&p, 1), two = size_of(&p, 2);
    ck_assert_uint_gt(two, one);
    allow(&p, two - 1024);
    NEED(cache_take(p.cache, "a", 1, 0, &held, &p.err));
    for (int i = 0; i < 3; i++) { // what was refused is not counted
        struct err e = {0};
        ck_assert(!cache_take_loaded(p.cache, "a", 1, 0, &more, &e));
        ck_assert_int_eq(e.kind, ERR_BUSY);
        ck_assert(ask(&held) == 1);
    }
    cache_put(p.cache, &held);
    ck_assert(answer_of(&p, "a", 1, 0) == 1);
    plant_release(&p);
}

TEST(a_model_that_fits_only_without_a_workspace_is_too_large)
{
    struct plant p;
    struct served s;
    plant_init(&p);
    plant_publish(&p, "a", 1);
    size_t one = size_of(&p, 1);
    allow(&p, one - 1024);
    ck_assert(!cache_take(p.cache, "a", 1, 0, &s, &p.err));
    ck_assert_msg(p.err.kind == ERR_TOO_LARGE, "%s", p.err.text);
    plant_release(&p);
}

TEST(a_workspace_that_could_not_be_made_takes_no_room)
{
    struct plant p;
    struct served held, more;
    plant_init(&p);
    plant_publish(&p, "a", 1);
    allow(&p, size_of(&p, 2));
    NEED(cache_take(p.cache, "a", 1, 0, &held, &p.err));
    for (unsigned long k = 1; k <= 3; k++) { // its own memory, its arena's chunks
        struct err e = {0};
        heap_fail_in_a_row(2);
        heap_fail(k);
        bool taken = cache_take(p.cache, "a", 1, 0, &more, &e);
        bool failed = heap_has_failed();
        heap_fail(0);
        ck_assert(taken != failed);
        ck_assert_int_eq(e.kind, failed ? ERR_BUSY : 0);
        if (taken)
            cache_put(p.cache, &more);
        ck_assert(k > 1 || failed);
    }
    NEED(cache_take(p.cache, "a", 1, 0, &more, &p.err));
    cache_put(p.cache, &more);
    cache_put(p.cache, &held);
    plant_release(&p);
}

TEST(an_idle_model_makes_room_for_a_workspace)
{
    struct plant p;
    struct served held[2];
    plant_init(&p);
    plant_publish(&p, "a", 1);
    plant_publish(&p, "b", 2);
    size_t one = size_of(&p, 1);
    allow(&p, 2 * one);
    ck_assert(answer_of(&p, "a", 1, 0) == 1 && answer_of(&p, "b", 1, 0) == 2);
    NEED(cache_take_loaded(p.cache, "a", 1, 0, &held[0], &p.err));
    ck_assert(is_loaded(&p, "b"));
    NEED(cache_take_loaded(p.cache, "a", 1, 0, &held[1], &p.err));
    ck_assert(!is_loaded(&p, "b"));
    ck_assert(ask(&held[0]) == 1 && ask(&held[1]) == 1);
    cache_put(p.cache, &held[0]);
    cache_put(p.cache, &held[1]);
    plant_release(&p);
}

TEST(a_model_in_use_gives_its_idle_workspaces_back)
{
    struct plant p;
    struct served held, other;
    struct err e = {0};
    plant_init(&p);
    plant_publish(&p, "a", 1);
    plant_publish(&p, "b", 2);
    size_t one = size_of(&p, 1);
    allow(&p, 2 * one);
    for (int i = 0; i < 3; i++) {
        NEED(cache_take(p.cache, "a", 1, 0, &held, &p.err));
        NEED(cache_take(p.cache, "a", 1, 0, &other, &p.err));
        cache_put(p.cache, i % 2 ? &held : &other);
        held = i % 2 ? other : held;
        NEED(cache_take(p.cache, "b", 1, 0, &other, &p.err));
        ck_assert(ask(&held) == 1 && ask(&other) == 2);
        ck_assert(!cache_take(p.cache, "a", 1, 0, &(struct served){0}, &e));
        ck_assert_int_eq(e.kind, ERR_BUSY);
        cache_put(p.cache, &other);
        cache_put(p.cache, &held);
    }
    plant_release(&p);
}

// Clearing megabytes takes a while, and others wait for the thread that asks like this.
TEST(a_large_workspace_is_not_made_in_a_hurry)
{
    struct plant p;
    struct served held[2], more;
    plant_init(&p);
    plant_publish_wide(&p, "wide", 1);
    plant_publish(&p, "narrow", 1);
    NEED(cache_take(p.cache, "wide", 1, 0, &held[0], &p.err));
    ck_assert(!cache_take_loaded(p.cache, "wide", 1, 0, &more, &p.err) && !p.err.kind);
    NEED(cache_take(p.cache, "wide", 1, 0, &held[1], &p.err));
    cache_put(p.cache, &held[1]);
    NEED(cache_take_loaded(p.cache, "wide", 1, 0, &held[1], &p.err)); // it is there now
    ck_assert(ask(&held[0]) == 1 && ask(&held[1]) == 1);
    cache_put(p.cache, &held[0]);
    cache_put(p.cache, &held[1]);
    NEED(cache_take(p.cache, "narrow", 1, 0, &held[0], &p.err));
    NEED(cache_take_loaded(p.cache, "narrow", 1, 0, &held[1], &p.err));
    cache_put(p.cache, &held[0]);
    cache_put(p.cache, &held[1]);
    plant_release(&p);
}

// A thread that takes a model from memory whenever it is asked to.
static struct reader {
    struct plant *p;
    atomic_int asked, answered;
    atomic_bool over;
    bool waited; // it was asked while it could not
} reader;

static void *read_when_asked(void *unused)
{
    while (!atomic_load(&reader.over))
        if (atomic_load(&reader.answered) == atomic_load(&reader.asked)) {
            sched_yield();
        } else {
            struct served s;
            struct err e = {0};
            if (cache_take_loaded(reader.p->cache, "held", 1, 0, &s, &e))
                cache_put(reader.p->cache, &s);
            atomic_fetch_add(&reader.answered, 1);
        }
    return unused;
}

// Only a reader that cannot go on makes this take its time.
static void let_it_read(void)
{
    int n = atomic_fetch_add(&reader.asked, 1) + 1;
    for (int i = 0; i < 10000 && !reader.waited; i++) {
        if (atomic_load(&reader.answered) == n)
            return;
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    reader.waited = true;
}

// Giving hundreds of megabytes back to the system takes tens of milliseconds.
TEST(predictions_go_on_while_the_memory_of_a_dropped_model_is_freed)
{
    struct plant p;
    struct served held;
    pthread_t thread;
    plant_init(&p);
    plant_publish(&p, "held", 1);
    publish_many(&p, MODELS);
    NEED(cache_take(p.cache, "held", 1, 0, &held, &p.err));
    for (int64_t v = 1; v < MODELS; v++)
        ck_assert(answer_of(&p, "m", v, 0) == (double)v);
    reader = (struct reader){.p = &p};
    ck_assert_int_eq(pthread_create(&thread, NULL, read_when_asked, NULL), 0);
    heap_on_free(let_it_read);
    double answer = answer_of(&p, "m", MODELS, 0); // drops another
    heap_on_free(NULL);
    atomic_store(&reader.over, true);
    pthread_join(thread, NULL);
    ck_assert(answer == MODELS);
    ck_assert_int_gt(atomic_load(&reader.asked), 0);
    ck_assert(!reader.waited);
    cache_put(p.cache, &held);
    plant_release(&p);
}

enum { THREADS = 8, ROUNDS = 300, VERSIONS = 7 }; // as many threads as plants have slots

struct crowd {
    struct plant *p;
    atomic_int wrong, failed, published;
};

// The latest is never older than the newest that was announced before asking.
static void *predict_many(void *arg)
{
    struct crowd *c = arg;
    for (int i = 0; i < ROUNDS || atomic_load(&c->published) < VERSIONS; i++) {
        struct served s;
        struct err e = {0};
        int least = atomic_load(&c->published);
        if (!cache_take(c->p->cache, "m", i % 3 ? 0 : 1, 0, &s, &e)) {
            atomic_fetch_add(&c->failed, 1);
            continue;
        }
        double answer = ask(&s);
        if (i % 3 ? answer < least || answer != (double)s.version : answer != 1)
            atomic_fetch_add(&c->wrong, 1);
        cache_put(c->p->cache, &s);
    }
    return NULL;
}

TEST(many_threads_predict_while_versions_are_published)
{
    struct plant p;
    pthread_t thread[THREADS];
    struct crowd c = {.p = &p, .published = 1};
    plant_init(&p);
    plant_publish(&p, "m", 1);
    for (int i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&thread[i], NULL, predict_many, &c), 0);
    for (int v = 2; v <= VERSIONS; v++) {
        plant_publish(&p, "m", v);
        atomic_store(&c.published, v);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(thread[i], NULL);
    ck_assert_int_eq(c.failed, 0);
    ck_assert_int_eq(c.wrong, 0);
    ck_assert(answer_of(&p, "m", 0, 0) == VERSIONS);
    plant_release(&p);
}

// The next version of "m" is the file of "other". Its transaction stands still until it is let go.
struct stand {
    struct plant *p;
    sem_t there, go;
    pthread_t thread;
};

#define OTHER_AS_M                                                                                 \
    "INSERT INTO models (name, version, digest, bytes, task, created_at, summary) "                \
    "SELECT 'm', (SELECT max(version) + 1 FROM models WHERE name = 'm'), digest, bytes, task, 1, " \
    "summary FROM models WHERE name = 'other'"

static bool stand_still(struct store *s, struct conn *c, void *arg, struct err *e)
{
    struct stand *w = arg;
    notice_model(store_notice(s), "m");
    bool ok = SQL(c, e, NULL, NULL, OTHER_AS_M) >= 0;
    sem_post(&w->there);
    sem_wait(&w->go);
    return ok;
}

static void *publish_standing(void *arg)
{
    struct stand *w = arg;
    struct err e = {0};
    ck_assert_msg(store_write(w->p->store, stand_still, w, &e), "%s", e.text);
    return NULL;
}

TEST(nothing_counts_as_the_latest_while_a_version_is_published)
{
    struct plant p;
    struct stand w = {.p = &p};
    plant_init(&p);
    sem_init(&w.there, 0, 0);
    sem_init(&w.go, 0, 0);
    plant_publish(&p, "m", 1);
    plant_publish(&p, "other", 2);
    ck_assert(answer_of(&p, "m", 0, 0) == 1);
    ck_assert_uint_ne(store_model_edition(p.store, "m"), 0);
    ck_assert_int_eq(pthread_create(&w.thread, NULL, publish_standing, &w), 0);
    sem_wait(&w.there);
    ck_assert_uint_eq(store_model_edition(p.store, "m"), 0);
    ck_assert(answer_of(&p, "m", 0, 0) == 1);
    sem_post(&w.go);
    pthread_join(w.thread, NULL);
    ck_assert_uint_ne(store_model_edition(p.store, "m"), 0);
    ck_assert(answer_of(&p, "m", 0, 0) == 2);
    plant_release(&p);
}

static int64_t now(void)
{
    return clock_mono(&clock_system);
}

// Another process, as far as SQLite can tell.
static void publish_from_outside(struct plant *p)
{
    sqlite3 *db;
    ck_assert_int_eq(sqlite3_open(plant_path(p, "mlpd.db"), &db), SQLITE_OK);
    ck_assert_int_eq(sqlite3_exec(db, OTHER_AS_M, NULL, NULL, NULL), SQLITE_OK);
    ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);
}

TEST(a_version_published_by_another_connection_becomes_the_latest_within_the_bound)
{
    struct plant p;
    plant_init(&p);
    plant_publish(&p, "m", 1);
    plant_publish(&p, "other", 2);
    ck_assert(answer_of(&p, "m", 0, 0) == 1);
    publish_from_outside(&p);
    int64_t until = now() + 10 * STORE_NOTICE_MS; // the machine may be busy
    while (answer_of(&p, "m", 0, 0) == 1)
        ck_assert_int_lt(now(), until);
    ck_assert(answer_of(&p, "m", 0, 0) == 2);
    plant_release(&p);
}

// What is in memory is not read again when the store has been asked: its file may be gone.
TEST(a_name_with_a_new_edition_is_asked_for_and_not_loaded_again)
{
    struct plant p;
    char models[128], gone[128];
    plant_init(&p);
    plant_publish(&p, "m", 1);
    ck_assert(answer_of(&p, "m", 0, 0) == 1);
    uint64_t edition = store_model_edition(p.store, "m");
    snprintf(models, sizeof models, "%s", plant_path(&p, "models"));
    snprintf(gone, sizeof gone, "%s", plant_path(&p, "gone"));
    ck_assert_int_eq(rename(models, gone), 0);
    sqlite3 *db;
    ck_assert_int_eq(sqlite3_open(plant_path(&p, "mlpd.db"), &db), SQLITE_OK);
    ck_assert_int_eq(sqlite3_exec(db, "UPDATE jobs SET metadata = '[]'", NULL, NULL, NULL),
                     SQLITE_OK);
    ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);
    for (int64_t until = now() + 10 * STORE_NOTICE_MS;
         store_model_edition(p.store, "m") == edition;)
        ck_assert_int_lt(now(), until);
    ck_assert(answer_of(&p, "m", 0, 0) == 1);
    ck_assert_int_eq(rename(gone, models), 0);
    plant_release(&p);
}

// Whoever asks for a model has not written its file: it is not the request that is at fault.
TEST(a_stored_model_that_cannot_be_read_is_the_servers_fault_and_named)
{
    struct plant p;
    struct served s;
    struct model_file from;
    struct job_spec spec = {.from = "m"};
    struct err e[2] = {0};
    plant_init(&p);
    plant_publish(&p, "m", NAN);
    ck_assert(!cache_take(p.cache, "m", 0, 0, &s, &e[0]));
    ck_assert(!fine_tune_load(p.store, p.files, &spec, &from, NULL, &p.arena, &e[1]));
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(e[i].kind, ERR_INTERNAL);
        ck_assert_msg(strstr(e[i].text, "\"m\", version 1") && strstr(e[i].text, "not finite"),
                      "%s", e[i].text);
    }
    plant_release(&p);
}
