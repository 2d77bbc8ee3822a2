// SPDX-License-Identifier: MIT
#pragma once

// Model files: saved in pieces, loaded whole and compared with their digest. Workers save, the
// cache loads; any thread. A halt ends both with ERR_CANCELLED, but for a flush under way, and
// leaves nothing behind.

#include "engine/base/arena.h"
#include "engine/base/err.h"
#include "server/files/files.h"

#include <stddef.h>
#include <stdint.h>

// Store header and weights, whose digest_long() is `digest`, as one file. Unless it was there
// before, it is marked (file_mark.h) until its row is there; call between catalog_begin() and
// _end(). ERR_NO_SPACE leaves nothing behind.
bool model_store_save(struct files *f, const struct digest_part part[static 2], const char *digest,
                      const struct halt *halt, struct err *e);

// The whole file, in the arena. ERR_INTERNAL when it is gone or its content is not what its name
// says.
const char *model_store_load(struct files *f, const char *digest, size_t *len,
                             const struct halt *halt, struct arena *a, struct err *e);
