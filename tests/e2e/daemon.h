// SPDX-License-Identifier: MIT
#pragma once

// The real daemon as a child process: the mlpd that lies beside the test program, on a free port,
// with a data folder of its own under /tmp. Used by every end-to-end test, from its one thread. A
// struct belongs to the test; daemon_end() stops what runs and removes the folder. A test that
// fails halfway leaves nothing running: the child dies with the thread that started it.
//
// What goes wrong here fails the test, with the daemon's log in the message.

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct daemon {
    pid_t pid; // 0 while it is not running
    int port;
    char dir[64];  // everything of this daemon: data/ and log
    char data[80]; // its --data folder
    char log[80];  // its stderr, appended to over restarts
    // What daemon_restart() starts it with, besides:
    const char *flag, *value; // one more flag; NULL: none
    size_t file_limit;        // bytes that a file may have; 0: any number
    enum {
        FILES,
        CLOSED,
        TERMINAL,
        BACKGROUND
    } streams;    // CLOSED: no stdin, stdout and stderr; needs a
                  // --log-file. TERMINAL: one of its own. BACKGROUND:
                  // the same, where another program is in front
    int terminal; // our end of it
};

bool daemon_has_terminals(void); // whether this system does

// Make a folder and start on it, with 2 workers.
void daemon_start(struct daemon *d);
void daemon_init(struct daemon *d); // make the folder only

// Make a folder and start on it with so many MiB of address space. False when it ended by itself:
// with status 1, having said why, in a buffer good until the next call.
bool daemon_start_within(struct daemon *d, size_t mib, const char **why);

// Start again on the same folder. It must not be running.
void daemon_restart(struct daemon *d);
void daemon_launch(struct daemon *d); // without waiting until it listens

// SIGTERM; it must end with status 0 within seconds, having logged no report of a sanitizer.
void daemon_stop(struct daemon *d);

// The same where no test runs that could fail: what went wrong, NULL when nothing did.
const char *daemon_try_stop(struct daemon *d);

// SIGKILL, without notice.
void daemon_kill(struct daemon *d);

// Wait for the end that something else has brought it. Its status as of waitpid(2).
int daemon_wait_end(struct daemon *d);

// Stop it if it runs, and remove its folder.
void daemon_end(struct daemon *d);
void daemon_remove(const struct daemon *d); // its folder only

// Files in a folder under the data folder ("tmp"), folders not counted.
size_t daemon_files(const struct daemon *d, const char *folder);

// Wait until there are n of them.
void daemon_wait_files(const struct daemon *d, const char *folder, size_t n);

// Run the program with these arguments to its end. Its exit status; what it wrote to stdout and
// stderr is in out, cut to fit.
int mlpd(const char *const *args, char *out, size_t room);

// A path in the source tree ("tests/data/iris_test.csv"), in a buffer good until the next call.
const char *source_path(const char *name);

// The whole file, NUL-terminated; the caller frees it. NULL when there is none.
char *file_text(const char *path, size_t *len);
