// SPDX-License-Identifier: MIT
#pragma once

// Which form of a reply a client wants, by its Accept header (RFC 9110 section 12.5.1). Pure
// functions over a head that has been read; on the polling thread that owns the connection.

#include "api/schema/rendering.h"
#include "server/http/head.h"

// The rendering that Accept likes best, the earlier one where it likes several as well; the first
// when there is no Accept, or nothing in it that can be read. NULL: it allows none of them.
const struct rendering *accept_choose(const struct head *h, const struct rendering *const *list);
