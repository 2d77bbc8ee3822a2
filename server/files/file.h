// SPDX-License-Identifier: MIT
#pragma once

// Writing, reading and flushing an open file to the end; what files.h and the formats are made of.
// Any thread.
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

// 32 random hexadecimal digits and NUL.
enum { FILE_RANDOM = 33 };
void file_random_name(char out[static FILE_RANDOM]);
