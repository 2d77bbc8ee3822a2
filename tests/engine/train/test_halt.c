// SPDX-License-Identifier: MIT
// Long work ends when it is asked to. The question is counted, not timed: how often it is put to
// work of a known size, and that a yes to any of them ends the work with ERR_CANCELLED, whatever
// wrong numbers it leaves behind. Walks the tables, so that a new row is covered.

#include "tests/harness.h"
#include "engine/nn/blas.h"
#include "engine/model/gradcheck.h"
#include "engine/model/init.h"
#include "engine/model/init_data.h"
#include "engine/train/lr_finder.h"
#include "tests/engine/table/madeframe.h"
#include "engine/optim/optim.h"
#include "engine/table/prep.h"
#include "engine/train/score.h"
#include "engine/model/trace.h"
#include "tests/engine/train/trainlab.h"

#include <stdlib.h>
#include <string.h>

static struct arena arena;
static struct run_state state;

// Some work with all that it needs: true when it came to its end.
struct work {
    bool (*run)(const struct work *w, const struct exec *x, struct err *e);
    const struct row *row;
    int variant;
};

static bool run(const struct work *w, struct lab_halt *h, const struct exec *threads, struct err *e)
{
    struct exec x = threads ? *threads : (struct exec){.run = NULL};
    x.halt = &h->halt;
    arena_release(&arena);
    arena_init(&arena, (size_t)1 << 28);
    run_state_init(&state, &arena);
    *e = (struct err){0};
    return w->run(w, &x, e);
}

// Few questions come after a yes: what is left of loops around loops that have been left.
enum { AFTER = 200 };

static void expect_stop(const struct work *w, unsigned long at, const struct exec *threads)
{
    struct lab_halt h;
    struct err e;
    lab_halt_init(&h, at);
    bool ok = run(w, &h, threads, &e);
    const char *name = w->row ? w->row->name : "";
    ck_assert_msg(!ok && e.kind == ERR_CANCELLED, "%s, question %lu: %s", name, at,
                  ok ? "went on to its end" : e.text);
    ck_assert_msg(h.asked - at < AFTER, "%s: %lu questions after the yes to question %lu", name,
                  (unsigned long)h.asked - at, at);
}

// A yes to each question, or to forty of them spread over all. Returns how many there are.
static unsigned long stops_anywhere(const struct work *w)
{
    static const int three = 3;
    const struct exec threads = lab_exec(&three);
    struct lab_halt h;
    struct err e;
    lab_halt_init(&h, 0);
    ck_assert_msg(run(w, &h, NULL, &e), "%s", e.text);
    unsigned long n = h.asked;
    ck_assert_uint_gt(n, 0);
    for (unsigned long i = 0; i < 40 && i < n; i++)
        expect_stop(w, n <= 40 ? i + 1 : 1 + i * (n - 1) / 39, NULL);
    expect_stop(w, 1 + n / 2, &threads);
    return n;
}

// Weights.

enum { UNITS = 300 };

static bool draw(const struct work *w, const struct exec *x, struct err *e)
{
    struct lab_job j;
    struct model m;
    lab_job_init(&j, 2, UNITS, "relu", "weight", 0);
    j.model.init = pick_row(&init_table, w->row);
    const struct model_task task = lab_task(UNITS, 3, &j.train.loss);
    struct train_rows rows = lab_rows(&arena, 20, UNITS, 3, 1);
    return model_build(&m, &j.model, &task, &arena, e) && model_init_weights(&m, 1, x->halt, e) &&
           init_from_data(&m, rows.x, rows.n, x->halt, &arena, e);
}

LOOP_TEST(every_init_stops_when_asked, init_table.n)
{
    const struct work w = {.run = draw, .row = init_table.row[_i]};
    unsigned long n = stops_anywhere(&w);
    ck_assert_uint_ge(n, 2 * UNITS * UNITS / HALT_EVERY);
}

// Each vector is cleared of those before it, twice, in blocks.
TEST(orthogonalising_asks_for_every_vector)
{
    const struct work w = {.run = draw, .row = table_find(&init_table, "orthogonal")};
    ck_assert_uint_ge(stops_anywhere(&w), 2 * UNITS);
}

// Training.

static void switch_on(struct train_spec *s, int variant)
{
    s->observe = variant > 0;
    s->ema = variant == 1 ? .9 : 0;
    s->regularization.l2 = s->mixup = variant == 1 ? .1 : 0;
    s->swa = variant == 2 ? 1 : 0;
    s->regularization.gradient_noise = s->clip_norm = variant == 2 ? .1 : 0;
}

// What is told of an epoch is stored, so the numbers of a half done one may not come out: those
// told before the end are what they are without an end.
enum { EPOCHS = 2 };
static struct train_epoch whole[EPOCHS];

static void keep_epoch(void *ctx, const struct train_epoch *r)
{
    const struct lab_halt *h = ctx;
    struct train_epoch *same = &whole[r->epoch - 1];
    if (!h->last)
        *same = *r;
    ck_assert_msg(r->train_loss == same->train_loss &&
                      memcmp(&r->val_loss, &same->val_loss, sizeof r->val_loss) == 0 &&
                      memcmp(r->metric, same->metric, sizeof r->metric) == 0,
                  "numbers of epoch %d were told that are none", r->epoch);
}

static bool train(const struct work *w, const struct exec *x, struct err *e)
{
    struct lab_job j;
    struct model m;
    struct train_result result;
    const struct train_hooks hooks = {.ctx = x->halt->ctx, .epoch = keep_epoch};
    lab_job_init(&j, 2, 48, "gelu", "batch", .1);
    if (w->row)
        j.train.optimizer = pick_row(&optimizer_table, w->row);
    if (w->variant == 3)
        lab_hyper(&optimizer_table, &j.train.optimizer, "sam", .05);
    switch_on(&j.train, w->variant);
    j.train.epochs = EPOCHS;
    struct train_rows rows = lab_rows(&arena, 150, 40, 2, 1), val = lab_rows(&arena, 300, 40, 2, 2);
    if (w->variant == 4)
        val.n = 0;
    struct model_task task = lab_task(40, 2, &j.train.loss);
    task.mixed = j.train.mixup > 0;
    return lab_model(&m, &j.model, &task, &state, e) && model_init_weights(&m, 1, NULL, e) &&
           train_run(&m, &j.train, &rows, &val, &hooks, x, &result, &state, e);
}

LOOP_TEST(every_optimizer_stops_when_asked, optimizer_table.n)
{
    const struct work w = {.run = train, .row = optimizer_table.row[_i]};
    unsigned long steps = 6, n = stops_anywhere(&w);
    ck_assert_uint_ge(n, 10 * steps);
}

LOOP_TEST(what_goes_with_training_stops_when_asked, 4)
{
    const struct work w = {.run = train, .variant = _i + 1};
    stops_anywhere(&w);
}

// A step of a line search takes many passes through the network.
TEST(a_line_search_asks_in_every_evaluation)
{
    const struct work lbfgs = {.run = train, .row = table_find(&optimizer_table, "lbfgs")},
                      adam = {.run = train, .row = table_find(&optimizer_table, "adam")};
    ck_assert_uint_ge(stops_anywhere(&lbfgs), 4 * stops_anywhere(&adam));
}

static bool sweep(const struct work *w, const struct exec *x, struct err *e)
{
    (void)w;
    struct lab_job j;
    struct model m;
    struct lr_found found;
    const struct lr_hooks silent = {.ctx = NULL};
    lab_job_init(&j, 1, 32, "relu", "batch", .1);
    const struct model_task task = lab_task(6, 0, &j.train.loss);
    struct train_rows rows = lab_rows(&arena, 200, 6, 0, 1);
    return model_build(&m, &j.model, &task, &arena, e) && model_init_weights(&m, 1, NULL, e) &&
           lr_find(&m, &j.train, &(struct lr_sweep){1e-7, 10, 20}, &rows, &silent, x, &found,
                   &arena, e);
}

TEST(a_sweep_of_rates_stops_at_any_question)
{
    stops_anywhere(&(struct work){.run = sweep});
}

// Scoring and looking inside. The model is one of several tasks', so that every metric has its
// turn.

static bool small_model(struct model *m, size_t n_class, struct train_rows *rows, size_t n,
                        struct err *e)
{
    static struct lab_job j; // the model points into it
    lab_job_init(&j, 1, 8, "relu", NULL, 0);
    const struct model_task task = lab_task(4, n_class, &j.train.loss);
    *rows = lab_rows(&arena, n, 4, n_class, 1);
    return model_build(m, &j.model, &task, &arena, e) && model_init_weights(m, 1, NULL, e);
}

static bool score(const struct work *w, const struct exec *x, struct err *e)
{
    struct model m;
    struct train_rows rows;
    struct score s;
    return small_model(&m, (size_t)w->variant, &rows, 70000, e) &&
           score_rows(&s, &m, &rows, x->halt, &arena, e);
}

LOOP_TEST(scoring_stops_when_asked, 2)
{
    static const int classes[] = {0, 2};
    stops_anywhere(&(struct work){.run = score, .variant = classes[_i]});
}

static bool look(const struct work *w, const struct exec *x, struct err *e)
{
    (void)w;
    struct model m;
    struct train_rows rows;
    struct trace t;
    return small_model(&m, 3, &rows, 20, e) &&
           trace_run(&t, &m, rows.x, rows.y, rows.n, x->halt, &arena, e);
}

TEST(a_trace_stops_when_asked)
{
    stops_anywhere(&(struct work){.run = look});
}

static bool compare(const struct work *w, const struct exec *x, struct err *e)
{
    (void)w;
    struct model m;
    struct train_rows rows;
    struct gradcheck g;
    if (!small_model(&m, 3, &rows, 5, e))
        return false;
    float *value = arena_need(&arena, m.n_value, sizeof *value), in[20], out[5];
    for (size_t i = 0; i < m.n_value; i++)
        value[i] = (float)m.value[i];
    for (size_t i = 0; i < 20; i++)
        in[i] = (float)rows.x[i];
    for (size_t i = 0; i < 5; i++)
        out[i] = (float)rows.y[i];
    struct pick loss = {.row = &m.loss->op->row};
    memcpy(loss.value, m.loss_value, sizeof loss.value);
    const struct gradcheck_model model = {&m.spec, &m.answer, m.n_in, &loss, value, m.n_value};
    return gradcheck_run(&model, in, out, 5, 50, &g, x->halt, &arena, e);
}

TEST(a_check_of_gradients_stops_when_asked)
{
    stops_anywhere(&(struct work){.run = compare});
}

// Preparing data: a table with more rows than pass between two questions.

enum { ROWS = HALT_EVERY + 5000, COLUMNS = 4 };

static double number[COLUMNS][ROWS];
static uint32_t code[ROWS];

static struct frame large_table(void)
{
    static const char *const name[] = {"a", "b", "c", "y", "text"}, *const level[] = {"1", "2"};
    struct column *c = arena_need(&arena, COLUMNS + 1, sizeof *c);
    for (size_t k = 0; k < COLUMNS; k++) {
        for (size_t i = 0; i < ROWS; i++)
            number[k][i] = k == 0 ? (double)(i * 7919 % ROWS) : (double)(i * (k + 1) % 97 + 1);
        c[k] = (struct column){.name = name[k], .number = number[k]};
    }
    for (size_t i = 0; i < ROWS; i++)
        code[i] = (uint32_t)(i / 3 % 2);
    c[COLUMNS] = (struct column){
        .name = "text", .type = COLUMN_CATEGORICAL, .code = code, .level = level, .n_level = 2};
    return (struct frame){c, COLUMNS + 1, ROWS};
}

// What differs between tasks: types turned around, weights, labels.
static struct data_spec spec_of(int variant)
{
    static const struct column_override other[] = {{"a", COLUMN_CATEGORICAL},
                                                   {"text", COLUMN_NUMERIC}};
    static const char *const label = "text", *const value = "y", *const both[] = {"b", "y"};
    struct data_spec s = plain_spec("y");
    s.validation = s.test = .2;
    s.target = variant == 0 ? &value : variant == 1 ? &label : both;
    s.n_target = variant == 2 ? 2 : 1;
    s.weights = "c";
    s.type = variant == 0 ? other : NULL;
    s.n_type = variant == 0 ? 2 : 0;
    s.stratify = s.balanced = variant == 1;
    return s;
}

static bool prepare(const struct work *w, const struct exec *x, struct err *e)
{
    const struct frame f = large_table();
    const struct data_spec s = spec_of(w->variant);
    struct prep p, other;
    struct split split;
    const struct loss *loss = w->variant ? NULL : &loss_poisson;
    if (!prep_init(&p, &f, &s, x->halt, &arena, e) ||
        !prep_split(&p, &f, &s, &split, x->halt, &arena, e) ||
        !prep_fit(&p, &f, &s, loss, split.train, split.n_train, x->halt, &arena, e) ||
        !prep_bind(&other, &p, &f, x->halt, &arena, e))
        return false;
    size_t n = split.n_train;
    real *to = arena_need(&arena, n * (p.n_feature + p.answer.n_target + 1), sizeof *to);
    prep_encode(&p, &f, split.train, n, to, x->halt);
    prep_encode_target(&p, &f, split.train, n, to, x->halt);
    prep_encode_weights(&p, &f, split.train, n, to, x->halt);
    return halt_go_on(x->halt, e);
}

LOOP_TEST(preparing_a_table_stops_when_asked, 3)
{
    unsigned long n = stops_anywhere(&(struct work){.run = prepare, .variant = _i});
    ck_assert_uint_ge(n, ROWS / HALT_ROWS);
}

// Tiles. Shapes alone, as large as a job may have them: nothing is computed.

enum { LARGE = 65536 };
static const double MOST_FLOPS = 16.5e9, MOST_CELLS = 17e6;

static uint32_t longest_side(const struct tile *t)
{
    uint32_t rows = t->r1 - t->r0, cols = t->c1 - t->c0;
    return rows > cols ? rows : cols;
}

static void check_tiles(const struct step *s, void (*cut)(const struct step *, struct tiling *),
                        double flops_per_cell, uint32_t least_side)
{
    struct tiling t = {0};
    cut(s, &t);
    t.tile = calloc(t.n, sizeof *t.tile);
    t.n = 0;
    cut(s, &t);
    for (uint32_t i = 0; i < t.n; i++) {
        const struct tile *a = &t.tile[i];
        double cells = (double)(a->r1 - a->r0) * (a->c1 - a->c0);
        ck_assert_msg((cells <= MOST_CELLS && cells * flops_per_cell <= MOST_FLOPS) ||
                          longest_side(a) < 2 * least_side || a->r1 - a->r0 < 2 * least_side ||
                          a->c1 - a->c0 < 2 * least_side,
                      "%s: a tile of %u x %u", s->op->row.name, a->r1 - a->r0, a->c1 - a->c0);
    }
    free(t.tile);
}

TEST(no_tile_of_a_large_layer_takes_long)
{
    static real any;
    const struct buf x = {&any, &any, LARGE, LARGE}, bias = {&any, &any, 1, LARGE};
    const struct step s = {.op = &op_linear, .out = x, .in = {x, x, bias}};
    check_tiles(&s, step_forward_tiles, 2.0 * LARGE, GEMM_ROWS);
    check_tiles(&s, step_backward_tiles, 2.0 * LARGE, GEMM_ROWS);
}

LOOP_TEST(no_tile_of_a_large_step_takes_long, op_count)
{
    static real any;
    const struct op *op = op_table[_i];
    const struct buf x = {&any, &any, LARGE, LARGE};
    const struct step s = {.op = op, .out = x, .in = {x, x, x, x, x}};
    if (op == &op_linear || op->span == SPAN_ALL)
        return;
    check_tiles(&s, step_forward_tiles, 1, 16);
    check_tiles(&s, step_backward_tiles, 1, 16);
}

// Products in blocks.

enum { M = 1300, N = 2000, K = 6000 };

static real *filled(size_t n, uint64_t seed)
{
    real *v = malloc(n * sizeof *v);
    for (size_t i = 0; i < n; i++) {
        seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
        v[i] = (real)((double)(seed >> 40) / 16777216 - .5);
    }
    return v;
}

TEST(a_large_product_is_cut_into_blocks_with_questions)
{
    real *a = filled((size_t)M * K, 1), *b = filled((size_t)N * K, 2);
    real *c = filled((size_t)M * N, 3), *d = filled((size_t)M * N, 3);
    struct lab_halt h;
    lab_halt_init(&h, 0);
    gemm_nn(M, N, K, (struct mat){a, K}, (struct mat){b, N}, (struct mat){c, N}, false);
    gemm_in_blocks(GEMM_NN, M, N, K, (struct mat){a, K}, (struct mat){b, N}, (struct mat){d, N},
                   &h.halt);
    ck_assert_uint_eq(h.asked, 2);
    ck_assert(memcmp(c, d, (size_t)M * N * sizeof *c) == 0);
    free(a), free(b), free(c), free(d);
}

typedef void gemm_fn(size_t, size_t, size_t, struct mat, struct mat, struct mat, bool);

// Blocks of rows have the bits of the whole, for all three products and any remainder.
LOOP_TEST(rows_of_a_product_may_be_computed_apart, 3)
{
    enum { ROWS_ = 5 * GEMM_ROWS + 37, COLS = 300, INNER = 700 };
    static gemm_fn *const form[] = {gemm_nt, gemm_nn, gemm_tn};
    real *a = filled((size_t)ROWS_ * INNER, 1), *b = filled((size_t)COLS * INNER, 2);
    real *c = filled((size_t)ROWS_ * COLS, 3), *d = filled((size_t)ROWS_ * COLS, 3);
    size_t lda = _i == 2 ? ROWS_ : INNER, ldb = _i == 0 ? INNER : COLS;
    form[_i](ROWS_, COLS, INNER, (struct mat){a, lda}, (struct mat){b, ldb}, (struct mat){c, COLS},
             true);
    for (size_t r = 0; r < ROWS_; r += 2 * GEMM_ROWS)
        form[_i](ROWS_ - r < 2 * GEMM_ROWS ? ROWS_ - r : 2 * GEMM_ROWS, COLS, INNER,
                 (struct mat){a + (_i == 2 ? r : r * lda), lda}, (struct mat){b, ldb},
                 (struct mat){d + r * COLS, COLS}, true);
    ck_assert(memcmp(c, d, (size_t)ROWS_ * COLS * sizeof *c) == 0);
    free(a), free(b), free(c), free(d);
}
