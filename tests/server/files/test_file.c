// SPDX-License-Identifier: MIT
#include "server/files/file.h"

#include <errno.h>

#include "tests/harness.h"

static const struct {
    int error;
    enum err_kind kind;
} failures[] = {{ENOSPC, ERR_NO_SPACE}, {EDQUOT, ERR_NO_SPACE}, {EFBIG, ERR_NO_SPACE},
                {ENOMEM, ERR_BUSY},     {EMFILE, ERR_BUSY},     {ENFILE, ERR_BUSY},
                {EIO, ERR_INTERNAL},    {EACCES, ERR_INTERNAL}};

LOOP_TEST(a_failure_of_a_file_is_of_the_kind_that_its_number_says,
          sizeof failures / sizeof *failures)
{
    struct err e = {0};
    errno = failures[_i].error;
    ck_assert(!file_failed(&e, "could not write it"));
    ck_assert_int_eq(e.kind, failures[_i].kind);
    ck_assert_int_eq(strncmp(e.text, "could not write it: ", 20), 0);
}
