// SPDX-License-Identifier: MIT
#pragma once

// What a model says of a row: which targets, by which task, of which classes, in which units. Made
// by preprocessing (prep.h) or an import, stored in the model's file; the network, the gradient
// check and every reply read this one description. Copying the struct shares its arrays, which
// belong to the arena of whoever made it. Constant once made.

#include <stdbool.h>
#include <stddef.h>

struct task; // engine/table/task.h

struct answer {
    const struct task *task;
    const char *const *target;     // names
    size_t n_target;               // width of a row of y; 1 where the target is a class
    const char *const *class_name; // in the order of their indices
    size_t n_class;                // 0 for tasks without classes
    // [n_target] y = (target - mean) / std, so that target = y * std + mean; NULL: 0 and 1, as for
    // every task whose targets are not scaled.
    double *mean, *std;
};

// Numbers that a row's answer consists of: a probability per class, else one per target.
static inline size_t answer_width(const struct answer *a)
{
    return a->n_class ? a->n_class : a->n_target;
}

// From a network's value of target i to the target's own units.
static inline double answer_unscale(const struct answer *a, size_t i, double y)
{
    return a->mean ? y * a->std[i] + a->mean[i] : y;
}

// Where a task writes the members of one answer (see struct task), between an opened and a closed
// object: api/views/predict_json.c prints them as JSON. The key is NULL inside a list.
struct answer_sink {
    void *ctx;
    void (*object)(void *ctx, const char *key); // open
    void (*list)(void *ctx, const char *key);
    void (*end)(void *ctx); // close the innermost
    void (*text)(void *ctx, const char *key, const char *text);
    // Known to within `error`; 0: with the digits of single precision.
    void (*number)(void *ctx, const char *key, double value, double error);
};
