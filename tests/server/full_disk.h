// SPDX-License-Identifier: MIT
#pragma once

// A full disk, as far as the database goes: it can grow no more until `on` is false. Any thread.

#include "server/store/store.h"

void full_disk(struct store *s, bool on);
