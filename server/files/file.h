// SPDX-License-Identifier: MIT
#pragma once

// Files that are there whole or not at all: write under another name, flush, rename, flush the
// folder. Used by everything that stores files of its own; any thread. Names are relative to an
// open folder, so nothing here follows a path that a client could have shaped.
//
// A full disk (or quota, or size limit) is ERR_NO_SPACE; other failures of the system are
// ERR_INTERNAL. A flush that fails for any reason but a full disk aborts: the kernel may have
// dropped the pages, and retrying would report success for data that is gone.

#include "engine/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Record errno as the reason why `what` ("could not store the dataset") failed. Returns false.
bool file_failed(struct err *e, const char *what);

// Write or read all of it at the given offset.
bool file_put(int fd, const void *bytes, size_t len, uint64_t at, struct err *e);
bool file_get(int fd, void *bytes, size_t len, uint64_t at, struct err *e);

// Flush an open file or folder.
bool file_sync(int fd, struct err *e);

// Flush the folder `name` below `dir`, which makes renames in it last.
bool file_sync_folder(int dir, const char *name, struct err *e);

// 32 random hexadecimal digits and NUL. Files under <data>/tmp are named so, with one of our
// suffixes; by that they are known from what somebody else keeps in a folder of that name.
enum { FILE_RANDOM = 33 };
void file_random_name(char out[static FILE_RANDOM]);
bool file_is_temporary(const char *name);
