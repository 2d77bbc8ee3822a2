// SPDX-License-Identifier: MIT
#pragma once

// What has to be done before the libraries are set up, because one of them may never come back from
// that: main.c has it run from the program's .preinit_array, earlier than any constructor.
//
// When it is loaded, OpenBLAS starts a thread for every further core and maps buffers of 128 MiB,
// for ever if there is no room. We want none of these threads. The environment can tell it so, and
// can only be changed by starting the program again, which keeps the process and its arguments.
// Ends the process with a line on stderr when there is no room for one buffer.
//
// SIGHUP is blocked from here on, until somebody listens to it.

void preinit(int argc, char **argv, char **envp);

// Start the program again, by its own file, with one more variable in its environment: for what
// libraries read while they are loaded. First thing in main(). Comes back when that is impossible.
void preinit_again(const char *name, const char *value, char **argv);
