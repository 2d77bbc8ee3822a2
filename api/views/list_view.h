// SPDX-License-Identifier: MIT
#pragma once

// The frame of every list. LIST_VIEW() in view_rows.h describes one whose items have a view.

#include "api/schema/schema.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct list_reply {
    const void *data; // n structs of the item's view
    size_t n;
    bool has_more;
    int64_t first_id, last_id; // -1: there is none
};

// The view of the items of a list's view.
const struct schema *list_item(const struct schema *list);
