// SPDX-License-Identifier: MIT
#pragma once

// What the process is told by signals: SIGTERM and SIGINT to stop, SIGHUP to open its log anew. A
// thread of its own hears them, so that it does not matter what the others wait for: a stop is
// noted, and its deadline set, even when main() stands still. Used by main(); the server says when
// there is something to drain.
//
// The first stop is orderly. One that comes later than a second after it ends the process by that
// signal; sooner ones are the same stop told twice, as timeout(1) and wrappers do, which signal the
// process and its group.

#include "engine/base/err.h"

enum { SIGNALS_CUT_OFF = 3 }; // exit status when a stop took too long

// Hear signals, in main(), before any other thread is made: those inherit that they do not. What
// has not come to an end `last_s` seconds after the first stop is cut off. A signal that came
// before is heard too. False when there can be no thread.
bool signals_take(unsigned last_s, struct err *e);

// From now on `note(arg)` is called in the thread that hears a stop, once and at once, and main()
// gets it from signals_wait(). Before, and again when `note` is NULL, a stop ends the process with
// status 0 where it stands. Does not return while a note is being made.
void signals_note_stop(void (*note)(void *arg), void *arg);

// The next signal that main() has to do something about: SIGHUP, or the stop's, which then is the
// answer for ever.
int signals_wait(void);
