// SPDX-License-Identifier: MIT
#pragma once

// The data folder as the store needs it: taken by one daemon, with a database in it that stays the
// one that was opened. Used by the store only. The database file is never opened here while SQLite
// has it: closing any descriptor of it would drop SQLite's locks.

#include "engine/base/err.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum { FOLDER_PATH = 4096 };

struct folder {
    int fd;       // of the folder, locked; -1: none
    bool made;    // the database was not there
    bool blank;   // it was there without a byte
    bool stopped; // the mark of a stop was there when it was taken
    char db[FOLDER_PATH], wal[FOLDER_PATH + 4];
    struct folder_file {
        dev_t device;
        ino_t inode;
    } opened[2]; // the database and its log
};

// Take the folder, making it when it is missing, and make an empty database when there is none, for
// nobody else to read. ERR_CONFLICT when another daemon has the folder, by whatever name, or the
// database is another program's, which is not touched.
// ERR_INVALID when it cannot be used. To be released in every case.
bool folder_take(struct folder *f, const char *dir, struct err *e);
void folder_release(struct folder *f);

// The mark that says that the folder's daemon was told to stop: an empty file, "mlpd.stopped". It
// is not in the database because it is needed most when that cannot be written: when its writer
// hangs, or the disk is full. Making it takes no descriptor. It outlives the process without a
// flush; should the machine die, a mark may be lost or come back, and then misleads about that one
// death only. False with ERR_INTERNAL when it cannot be made or removed.
bool folder_mark_stop(const struct folder *f, struct err *e);
bool folder_unmark_stop(const struct folder *f, struct err *e); // fine without a mark
bool folder_has_stop_mark(const struct folder *f);

// Remove the database if it was made by folder_take(), empty it if it was there and empty. For one
// that is closed and holds nothing.
void folder_discard(const struct folder *f);

int64_t folder_bytes(const char *path); // 0 when there is no such file

// Remember the files that SQLite has open, and see whether the names still stand for them. When
// they do not, ERR_INTERNAL: what is written now would not be found again.
void folder_remember(struct folder *f);
bool folder_unchanged(const struct folder *f, struct err *e);
bool folder_same_database(const struct folder *f, struct err *e); // its log goes with the writer
