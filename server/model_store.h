// SPDX-License-Identifier: MIT
#pragma once

// Model files on disk: <data>/models/<sha256>.safetensors, written under <data>/tmp, flushed,
// renamed, the folder flushed. Workers save, the cache loads; any thread. A halt ends both with
// ERR_CANCELLED, but for a flush under way, and leaves nothing behind.

#include "arena.h"
#include "digest.h"
#include "err.h"

#include <stddef.h>
#include <stdint.h>

// Make the folder where it is missing.
bool model_store_prepare(const char *data_dir, struct err *e);

// Store header and weights as one file. Its digest and size go to the caller. The file is marked
// (file_mark.h) until catalog_settled(). ERR_NO_SPACE leaves nothing behind.
bool model_store_save(const char *data_dir, const void *header, size_t header_len,
                      const void *weights, size_t weights_len, char digest[DIGEST_TEXT],
                      int64_t *bytes, const struct halt *halt, struct err *e);

// True when the file is gone, also when it was not there.
bool model_store_remove(const char *data_dir, const char *digest, struct err *e);

// The whole file, in the arena. ERR_INTERNAL when it is gone or its content is not what its name
// says.
const char *model_store_load(const char *data_dir, const char *digest, size_t *len,
                             const struct halt *halt, struct arena *a, struct err *e);
