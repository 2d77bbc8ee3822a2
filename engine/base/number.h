// SPDX-License-Identifier: MIT
#pragma once

// Decimal numbers and missing values as tables spell them: the one place that decides what a cell's
// text means, for uploads and for predictions. Pure functions, any thread, independent of the
// locale.

#include <stddef.h>

enum number_kind {
    NUMBER_MISSING,  // "", ?, NA, N/A, NaN, nan, null, NULL
    NUMBER_FINITE,   // a decimal number that fits a double
    NUMBER_INFINITE, // inf or infinity in any case, or a decimal number beyond a double
    NUMBER_TEXT      // anything else, hexadecimal included
};

// Classify text[0..len), blanks around it ignored. Sets *value when finite, correctly rounded.
enum number_kind number_parse(const char *text, size_t len, double *value);

// The shortest decimal text that reads back as v, NUL-terminated; returns its length.
enum { NUMBER_TEXT_SIZE = 32 };
size_t number_print(char out[static NUMBER_TEXT_SIZE], double v);
