// SPDX-License-Identifier: MIT
#pragma once

// How the memory that this process may have is shared out: the machine's, or less where a control
// group or a limit on its addresses says so. Each worker, and each thread for long requests (which
// look at a new job's data), get equal parts of a half; the models in memory a quarter; all
// requests together an eighth, but no more than 512 MiB. An eighth stays for what is not counted:
//
//     256 KiB of each of 512 requests under way, so that small ones always pass     128 MiB
//     as much again of each that uploads a table
//     56 KiB of buffers and a first chunk for each of 1,024 connections     56 MiB
//     a model's file while it is read from disk, the database's cache, stacks, the system
//
// On a machine where these do not fit into the eighth, less than 2 GiB, so many requests at once
// take from the rest. Pure functions of the settings; any thread.

#include "server/base/settings.h"

#include <stddef.h>

size_t memory_total(void); // bytes

// Of one job's training, and of a long request's look at the data of one.
size_t memory_of_job(const struct settings *s);

size_t memory_of_models(void); // of all models that predictions use, with their workspaces

// Of all requests: their bodies, what is made of them, and their answers.
size_t memory_of_requests(const struct settings *s);
