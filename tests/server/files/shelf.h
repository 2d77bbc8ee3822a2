// SPDX-License-Identifier: MIT
#pragma once

// Tables and models on a plant's shelves, for the tests of the catalog.

#include "tests/server/plant.h"

#define SHELF_CSV "x,y\n1,2\n3,4\n"
#define SHELF_OTHER "x,y\n5,6\n7,8\n"
#define SHELF_HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

// As plant_upload(), and the digest, in the plant's arena.
const char *shelf_upload(struct plant *p, const char *name, const char *csv);
bool shelf_has(struct plant *p, const char *digest); // a table, sound

// A model's file without a row; its digest.
const char *shelf_save(struct plant *p, const char *weights);

void shelf_put(const struct plant *p, const char *name); // an empty file, "folder/name"
