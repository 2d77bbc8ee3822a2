// SPDX-License-Identifier: MIT
#pragma once

// A series: the course of one number, with a name and a type. A run declares its series once,
// before its first point (struct job_beat); what is stored of a point are then values in the
// declared order. Whoever reads a curve gets the declaration with it and finds series by name, so
// that no reader depends on the order or on what another version of the program records. Constant
// data; any thread.

#include <stdbool.h>
#include <stddef.h>

enum series_type {
    SERIES_REAL,
    SERIES_WHOLE, // a count or a number of something, exact up to 2^53
    SERIES_TYPES
};

struct series {
    const char *scope; // which part of the run it is about: a layer; "": the run as a whole
    const char *name;
    enum series_type type;
};

// What a value is given for. Each has its list of series, and is read for itself: what is told of
// the parts is many times as much as what is told of the run.
enum series_kind {
    SERIES_RUN,                // an epoch, of the run as a whole
    SERIES_PARTS,              // an epoch, of parts of the run
    SERIES_KINDS,              // of a curve: those before
    SERIES_ROWS = SERIES_KINDS // a row of what the run has found (struct row_table)
};

struct series_list {
    const struct series *item;
    size_t n;
};

// Word of a type, and back: SERIES_TYPES when there is none.
const char *series_type_word(enum series_type type);
enum series_type series_type_find(const char *word);

// The place of a series among `l`; l->n when it is not there.
size_t series_find(const struct series_list *l, const char *scope, const char *name);

// Whether both have the same series in the same order.
bool series_same(const struct series_list *a, const struct series_list *b);
