// SPDX-License-Identifier: MIT
#pragma once

// Who this process is among all that may use the same database: the machine's name, which boot of
// it, and which start on it. Workers' names begin with all three, so that whoever finds a job in a
// worker's hands can tell whether that worker may still be alive.

struct machine {
    char host[65];  // letters, digits, '.', '-' and '_'; never empty
    char boot[37];  // hexadecimal digits and '-'; "" where the system does not tell
    char start[40]; // "<pid>-<ms since boot>"
};

// Of this process and moment: another call gives another start. Any thread.
void machine_this(struct machine *out);
