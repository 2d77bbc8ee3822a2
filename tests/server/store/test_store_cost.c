// SPDX-License-Identifier: MIT
// What a question costs, in steps of SQLite's machine and never in time: as much as its answer has,
// however much there is beside it. Every row of a table is asked of a small store and of one that
// is ten times as large, for the same answer.
#include "server/store/store.h"

#include "tests/server/lab.h"

#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>

enum { SMALL = 1000, LARGE = 10 * SMALL, ANSWER_STEPS = 60 };

// Steps since the last call, of all statements of a connection.
static bool add_steps(struct store *s, struct conn *c, void *arg, struct err *e)
{
    (void)s, (void)e;
    int64_t *steps = arg;
    *steps = 0;
    for (int i = 0; i < c->n_cached; i++) {
        *steps += sqlite3_stmt_status(c->cache[i].st, SQLITE_STMTSTATUS_VM_STEP, 1);
        ck_assert_int_eq(sqlite3_stmt_status(c->cache[i].st, SQLITE_STMTSTATUS_AUTOINDEX, 1), 0);
    }
    return true;
}

// Of reading (one thread always gets the same connection) and of writing.
static int64_t steps_taken(struct lab *l)
{
    int64_t steps[2];
    bool ok = store_read(l->store, add_steps, &steps[0], &l->err) &&
              store_write(l->store, add_steps, &steps[1], &l->err);
    ck_assert_msg(ok, "%s", l->err.text);
    return steps[0] + steps[1];
}

static void sql(struct lab *l, const char *format, int64_t n)
{
    char text[1024];
    snprintf(text, sizeof text, format, n);
    ck_assert_msg(store_exec(l->store, text, NULL), "%s", text);
}

#define COUNT(n)                                                                                   \
    "WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < " n ") "

// Curves ---------------------------------------------------------------------------------------

// One job, whose first run came to `epochs` and whose second began halfway, with layers.
static void fill_curve(struct lab *l, int64_t epochs)
{
    lab_submit(l, "n");
    sql(l,
        "INSERT INTO job_metrics " COUNT(
            "%" PRId64) "SELECT 1, 1, i, i, zeroblob(16), zeroblob(112) FROM n",
        epochs);
    sql(l,
        "INSERT INTO job_metrics SELECT job_id, 2, epoch, step, vals, parts "
        "FROM job_metrics WHERE epoch >= %" PRId64,
        epochs / 2);
    sql(l,
        "INSERT INTO job_series " COUNT(
            "14") "SELECT 1, attempt, list, i - 1, iif(list, i / 8, ''), "
                  "i, 'real' FROM n, (SELECT 1 AS attempt UNION SELECT 2), (SELECT 0 AS list UNION "
                  "SELECT 1) WHERE list = 1 OR i <= %" PRId64,
        2);
}

static const struct curve_question {
    const char *what;
    int after, divided; // after how many epochs, in thousandths of all; stride so that so many come
    size_t limit, rows;
} curve_question[] = {
    {"the first page", 0, 0, 100, 100},        {"a page over the seam", 495, 0, 100, 100},
    {"the newest epoch", 999, 0, 1, 1},        {"nothing new", 1000, 0, 100, 0},
    {"a sample of all", 0, 100, 1000, 100},    {"a sample of the second half", 500, 100, 1000, 50},
    {"a sample with a limit", 0, 500, 10, 10},
};

static struct curve_part part_of(const struct curve_question *q, int64_t epochs,
                                 enum series_kind kind)
{
    return (struct curve_part){epochs * q->after / 1000, q->divided ? epochs / q->divided : 1,
                               q->limit, kind};
}

static int64_t ask_series(struct lab *l, const struct curve_question *q, int64_t epochs,
                          enum series_kind kind)
{
    struct series_table t;
    const struct curve_part part = part_of(q, epochs, kind);
    bool ok = store_job_series(l->store, 1, &part, &t, &l->arena, &l->err);
    ck_assert_msg(ok && t.n_row == q->rows, "%s: %zu rows %s", q->what, t.n_row, l->err.text);
    return steps_taken(l);
}

static void check_cost(const char *what, int64_t rows, int64_t small, int64_t large)
{
    ck_assert_msg(large <= (rows + 5) * ANSWER_STEPS, "%s: %" PRId64 " steps for %" PRId64 " rows",
                  what, large, rows);
    ck_assert_msg(large <= small + ANSWER_STEPS, "%s: from %" PRId64 " to %" PRId64 " steps", what,
                  small, large);
}

TEST(a_part_of_a_curve_costs_what_it_has)
{
    enum { N = sizeof curve_question / sizeof *curve_question };
    int64_t size[2] = {SMALL, LARGE}, metrics[N][2], layers[N][2];
    for (int i = 0; i < 2; i++) {
        struct lab l;
        lab_init(&l);
        fill_curve(&l, size[i]);
        steps_taken(&l);
        for (int q = 0; q < N; q++) {
            metrics[q][i] = ask_series(&l, &curve_question[q], size[i], SERIES_RUN);
            layers[q][i] = ask_series(&l, &curve_question[q], size[i], SERIES_PARTS);
        }
        lab_release(&l);
    }
    for (int q = 0; q < N; q++) {
        const struct curve_question *c = &curve_question[q];
        check_cost(c->what, (int64_t)c->rows, metrics[q][0], metrics[q][1]);
        check_cost(c->what, (int64_t)c->rows, layers[q][0], layers[q][1]);
    }
}

// Queue and catalog ----------------------------------------------------------------------------

enum { JOBS_SMALL = 500, JOBS_LARGE = 5000, EVENTS_EACH = 20 };

static const char other[] = "'fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210'";

// So many jobs that wait, with a log and lines of a first job's; as many versions of one dataset
// and of one model, and then two others of each.
static void fill_all(struct lab *l, int64_t jobs)
{
    static const char *const table[] = {
        "INSERT INTO datasets (name, version, digest, n_row, n_column, bytes, created_at, "
        "summary) ",
        "INSERT INTO models (name, version, digest, bytes, task, created_at, summary) "};
    static const char *const value[] = {"1, 1, 1, 1, '{}'", "1, 't', 1, '{}'"};
    sql(l,
        "INSERT INTO jobs (name, digest, spec, metadata, created_at, queued_at) " COUNT(
            "%" PRId64) "SELECT 'n', printf('%%064x', i), '{}', '{}', 1, 1 FROM n",
        jobs);
    sql(l,
        "INSERT INTO job_events (job_id, at, level, type, message) " COUNT(
            "%" PRId64) "SELECT CASE i %% 2 WHEN 0 THEN 1 ELSE i / 20 + 1 END, 1, 'info', "
                        "'message', 'm' FROM n",
        jobs * EVENTS_EACH - EVENTS_EACH);
    sql(l,
        "INSERT INTO jobs (id, name, digest, spec, metadata, created_at, queued_at, finished_at, "
        "state, attempt) VALUES (0, 'n', printf('%%064x', 0), '{}', '{}', 1, 1, 1, 'succeeded', "
        "%" PRId64 ")",
        1);
    sql(l,
        "INSERT INTO job_series VALUES (0, 1, 2, 0, '', 'row', 'whole'), (0, %" PRId64
        ", 0, 0, '', 'loss', 'real')",
        1);
    sql(l,
        "INSERT INTO job_rows (job_id, first, vals) " COUNT(
            "%" PRId64) "SELECT 0, (i - 1) * 8192, zeroblob(65536) FROM n",
        jobs / 50);
    for (int i = 0; i < 2; i++) {
        char text[512];
        snprintf(text, sizeof text, "%s%s SELECT 'many', i, printf('%%%%064x', i), %s FROM n",
                 table[i], COUNT("%" PRId64), value[i]);
        sql(l, text, jobs);
        snprintf(text, sizeof text, "%s VALUES ('few', 1, %s, %s), ('one', 1, %s, %s)", table[i],
                 other, value[i], other, value[i]);
        ck_assert_msg(store_exec(l->store, text, NULL), "%s", text);
    }
}

typedef bool action(struct lab *l, struct err *e);

static bool get_first(struct lab *l, struct err *e)
{
    struct job_row row;
    return store_job_get(l->store, 1, &row, &l->arena, e) && row.position == 1;
}

static bool get_last(struct lab *l, struct err *e)
{
    struct job_row row;
    int64_t last = 0;
    ck_assert(store_exec(l->store, "SELECT max(id) FROM jobs", &last));
    return store_job_get(l->store, last, &row, &l->arena, e) && row.position == last;
}

static bool list_state(struct lab *l, enum job_state state, size_t want, struct err *e)
{
    struct job_list list;
    return store_job_list(l->store, 20, 0, state, &list, &l->arena, e) && list.n == want;
}

static bool list_jobs(struct lab *l, struct err *e)
{
    return list_state(l, JOB_STATE_COUNT, 20, e);
}

static bool list_queued(struct lab *l, struct err *e)
{
    return list_state(l, JOB_QUEUED, 20, e);
}

static bool list_failed(struct lab *l, struct err *e)
{
    return list_state(l, JOB_FAILED, 0, e);
}

static bool read_log(struct lab *l, struct err *e)
{
    struct event_list log;
    return store_job_events(l->store, 1, 500, 20, &log, &l->arena, e) && log.n == 20;
}

static bool submit(struct lab *l, struct err *e)
{
    struct job_row row;
    bool replayed;
    const struct job_new job = {
        .name = "n", .digest = lab_digest, .spec = "{}", .metadata = "{}", .most = 1000000};
    return store_job_submit(l->store, &job, &row, &replayed, &l->arena, e);
}

static bool cancel_last(struct lab *l, struct err *e)
{
    struct job_row row;
    int64_t last = 0;
    ck_assert(store_exec(l->store, "SELECT max(id) FROM jobs", &last));
    return store_job_cancel(l->store, last, &row, &l->arena, e);
}

static bool run_one(struct lab *l, struct err *e)
{
    static const double value[] = {1};
    static const struct metric_row row = {1, 1, value, NULL};
    static const struct series series = {"", "a", SERIES_REAL};
    static const struct series_list list[SERIES_KINDS] = {{&series, 1}};
    static const struct job_beat beat = {
        .epoch = 1, .epochs = 1, .series = list, .row = &row, .n_row = 1};
    const struct model_new model = {"many", lab_digest, "t", "{}", 1};
    struct job_claim claim;
    enum lease_fate fate;
    struct job_end end = {.state = JOB_SUCCEEDED, .model = &model};
    bool stop;
    return store_job_claim(l->store, "w", &claim, &l->arena, e) &&
           store_job_renew(l->store, &claim.lease, 1, &fate, e) &&
           store_job_beat(l->store, &claim.lease, &beat, &stop, e) &&
           store_job_note(l->store, &claim.lease, "info", "m", e) &&
           store_job_finish(l->store, &claim.lease, &end, e);
}

static bool read_rows(struct lab *l, struct err *e)
{
    struct series_table t;
    bool more;
    return store_job_rows(l->store, 0, 3 * STORE_BLOCK + 7, 20, &t, &more, &l->arena, e) &&
           t.n_row == 20 && more;
}

static bool release_one(struct lab *l, struct err *e)
{
    struct job_claim claim;
    return store_job_claim(l->store, "w", &claim, &l->arena, e) &&
           store_job_release(l->store, &claim.lease, e);
}

static bool rescue_all(struct lab *l, struct err *e)
{
    struct job_claim claim;
    int64_t n;
    return store_job_claim(l->store, "w", &claim, &l->arena, e) &&
           store_job_rescue_dead(l->store, &n, e) && n == 1;
}

static bool rescue_stopped(struct lab *l, struct err *e)
{
    return store_mark_stop(l->store, e) && rescue_all(l, e);
}

static bool list_datasets(struct lab *l, struct err *e)
{
    struct dataset_list list;
    return store_dataset_list(l->store, 20, 0, &list, &l->arena, e) && list.n == 3;
}

static bool get_datasets(struct lab *l, struct err *e)
{
    struct dataset_row row;
    return store_dataset_get(l->store, "many", 0, &row, &l->arena, e) &&
           store_dataset_get(l->store, "many", 7, &row, &l->arena, e) && row.version == 7;
}

static bool put_dataset(struct lab *l, struct err *e)
{
    struct dataset_row row;
    const struct dataset_new d = {"many", lab_digest, "{}", 1, 1, 1};
    return store_dataset_put(l->store, &d, &row, &l->arena, e);
}

static bool delete_dataset(struct lab *l, struct err *e)
{
    struct digest_list files;
    return store_dataset_files(l->store, "few", &files, &l->arena, e) && files.n == 1 &&
           store_dataset_delete(l->store, "few", &files, &l->arena, e) && files.n == 0;
}

static bool list_models(struct lab *l, struct err *e)
{
    struct model_list list;
    return store_model_list(l->store, 20, 0, &list, &l->arena, e) && list.n == 3;
}

static bool get_models(struct lab *l, struct err *e)
{
    struct model_row row;
    return store_model_get(l->store, "many", 0, &row, &l->arena, e) &&
           store_model_get(l->store, "many", 7, &row, &l->arena, e) && row.version == 7;
}

static bool look_for_files(struct lab *l, struct err *e)
{
    static const char none[] = "nobody";
    bool used;
    return store_digest_used(l->store, none, &used, e) && !used &&
           store_digest_named(l->store, none, &used, e) && !used &&
           store_model_digest_used(l->store, none, &used, e) && !used;
}

static const struct cost {
    const char *what;
    action *act;
    int64_t rows;    // of the answer
    int64_t waiting; // steps for each job that waits, where that is what is asked for
} costs[] = {
    {"get the first job", get_first, 1, 0},
    {"get the last job", get_last, 1, 5},
    {"list jobs", list_jobs, 20, 0},
    {"list queued jobs", list_queued, 20, 0},
    {"list failed jobs", list_failed, 0, 0},
    {"read a log", read_log, 20, 0},
    {"read rows", read_rows, 3, 0},
    {"submit", submit, 5, 8},
    {"cancel the last job", cancel_last, 5, 0},
    {"run a job", run_one, 30, 0},
    {"release a job", release_one, 20, 0},
    {"rescue a job", rescue_all, 20, 6},
    {"rescue a job of a stopped daemon", rescue_stopped, 20, 6},
    {"list datasets", list_datasets, 3, 0},
    {"get datasets", get_datasets, 2, 0},
    {"put a dataset", put_dataset, 5, 0},
    {"delete a dataset", delete_dataset, 3, 0},
    {"list models", list_models, 3, 0},
    {"get models", get_models, 2, 0},
    {"look for files", look_for_files, 2, 0},
};

TEST(a_question_costs_what_its_answer_has)
{
    enum { N = sizeof costs / sizeof *costs };
    int64_t size[2] = {JOBS_SMALL, JOBS_LARGE}, steps[N][2];
    for (int i = 0; i < 2; i++) {
        struct lab l;
        lab_init(&l);
        fill_all(&l, size[i]);
        steps_taken(&l);
        for (int k = 0; k < N; k++) {
            bool ok = costs[k].act(&l, &l.err);
            ck_assert_msg(ok, "%s: %s", costs[k].what, l.err.text);
            steps[k][i] = steps_taken(&l) - costs[k].waiting * size[i];
        }
        lab_release(&l);
    }
    for (int k = 0; k < N; k++)
        check_cost(costs[k].what, costs[k].rows, steps[k][0], steps[k][1]);
}
