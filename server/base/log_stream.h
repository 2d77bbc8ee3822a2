// SPDX-License-Identifier: MIT
#pragma once

// Streams that come from whoever started us, stdout and stderr, and a log that may be a pipe: the
// other end may be held by somebody who does not read it, and then writing would last for ever.
// Any thread.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// What must get through a pipe whole is no longer than this.
enum { STREAM_WHOLE = 4096 };

// Let nothing that is written to `fd` wait, by whatever part of the process. Others who have the
// same pipe or terminal do not notice, since it is opened anew under the same number. Files are
// left alone, and so is what cannot be opened anew: a socket, or a pipe of another user.
void stream_own(int fd);

// Write, and wait no longer than `ms` until there is room. How much of it was written.
size_t stream_write(int fd, const char *text, size_t n, int ms);
