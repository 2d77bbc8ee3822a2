// SPDX-License-Identifier: MIT
#pragma once

// What the tests of training share: a made-up table, a spec to fill in, an executor with real
// threads.

#include "engine/base/exec.h"
#include "engine/model/model.h"
#include "engine/train/train.h"

#include <stdatomic.h>

// A spec with the product's defaults: hidden layers as given, adamw, constant rate, no early
// stopping.
struct lab_job {
    struct layer_spec layer[4];
    struct model_spec model;
    struct train_spec train;
};
void lab_job_init(struct lab_job *j, int layers, int units, const char *activation,
                  const char *norm, double dropout);

// n rows of d features, and a target: class = which of k random directions fits best, or for k = 0
// a smooth function.
struct train_rows lab_rows(struct arena *a, size_t n, size_t d, size_t k, uint64_t seed);

enum { LAB_CLASSES = 64 };

// One target: a class of k <= LAB_CLASSES, or for k = 0 a number. What it points to is static, one
// for each k.
struct model_task lab_task(uint32_t n_in, size_t k, const struct pick *loss);

// A model for training: what model_build() makes, its values being part of the run's state.
bool lab_model(struct model *m, const struct model_spec *spec, const struct model_task *task,
               struct run_state *state, struct err *e);

// A model and what became of training it. Everything is in the arena.
struct lab_run {
    struct arena arena;
    struct run_state state;
    struct model model;
    struct train_result result;
    struct err e;
    bool ok;
};

// Build j's model for `task` (weighted and mixed as j and `weighted` want it) with initial weights.
void lab_build(struct lab_run *r, const struct lab_job *j, struct model_task task, bool weighted);

// Train it; val NULL: no validation rows; hooks NULL: nobody is told.
void lab_train(struct lab_run *r, const struct lab_job *j, const struct train_rows *train,
               const struct train_rows *val, const struct train_hooks *hooks);

// The values of a parameter.
real *lab_param(const struct model *m, const char *name);

struct pick lab_pick(const struct table *t, const char *name);
void lab_hyper(const struct table *t, struct pick *p, const char *name, double value);

// Runs its work on `threads` fresh threads, in an order of its own.
struct exec lab_exec(const int *threads);

// A halt that counts its questions, from any thread, and says yes from the last'th on; 0: never.
struct lab_halt {
    struct halt halt;
    atomic_ulong asked;
    unsigned long last;
};
void lab_halt_init(struct lab_halt *h, unsigned long last); // `h` must stay where it is

// FNV-1a over bytes.
uint64_t lab_hash(const void *p, size_t n);
