// SPDX-License-Identifier: MIT
#pragma once

// Model files on disk: <data>/models/<sha256>.safetensors, written under <data>/tmp, flushed,
// renamed, the folder flushed. Workers save, the cache loads; any thread. A halt ends both with
// ERR_CANCELLED, but for a flush under way, and leaves nothing behind. `dir` is the open data
// folder (store_dir()).

#include "engine/base/arena.h"
#include "engine/base/err.h"
#include "server/base/digest.h"

#include <stddef.h>
#include <stdint.h>

// Make the folder where it is missing.
bool model_store_prepare(int dir, struct err *e);

// Store header and weights, whose digest_long() is `digest`, as one file. Unless it was there
// before, it is marked (file_mark.h) until its row is there; call between catalog_model_begin() and
// _end(). ERR_NO_SPACE leaves nothing behind.
bool model_store_save(int dir, const struct digest_part file[static 2], const char *digest,
                      const struct halt *halt, struct err *e);

// True when the file is gone, also when it was not there.
bool model_store_remove(int dir, const char *digest, struct err *e);

// The whole file, in the arena. ERR_INTERNAL when it is gone or its content is not what its name
// says.
const char *model_store_load(int dir, const char *digest, size_t *len, const struct halt *halt,
                             struct arena *a, struct err *e);
