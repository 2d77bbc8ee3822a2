// SPDX-License-Identifier: MIT
// The data folder as an operator meets it: whose it is, and what happens when its database is gone.

#include "tests/e2e/client.h"

#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char job[] =
    "{\"dataset\":\"iris\",\"target\":\"species\",\"training\":{\"epochs\":2}}";
static const char inline_job[] = "{\"data\":{\"x\":[[1],[2],[3],[4],[5],[6],[7],[8],[9],[10]],"
                                 "\"y\":[1,2,3,4,5,6,7,8,9,10]},\"training\":{\"epochs\":2}}";
static const char model[] = "{\"name\":\"t\",\"inputs\":[\"a\"],\"layers\":[{\"weight\":[[1]],"
                            "\"bias\":[0],\"activation\":\"identity\"}]}";

static void use(struct daemon *d)
{
    daemon_start(d);
    upload_file(d, "iris", "tests/data/iris_train.csv");
    train(d, job);
    train(d, inline_job);
    expect_status(http(d, "POST", "/models", model), 201);
}

static int check_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)at;
    mode_t want = type == FTW_D ? 0700 : 0600;
    ck_assert_msg((st->st_mode & 07777) == want, "%s is %o", path, st->st_mode & 07777);
    ck_assert_msg(!strstr(path, ".mark") && !strstr(path, ".job"), "%s is not settled", path);
    return 0;
}

TEST(nobody_else_may_read_the_data_folder_and_nothing_in_it_is_unsettled)
{
    struct daemon d;
    mode_t before = umask(0);
    use(&d);
    daemon_wait_files(&d, "datasets", 2); // those of the inline job go
    ck_assert_int_eq(nftw(d.data, check_one, 8, FTW_PHYS), 0);
    umask(before);
    daemon_end(&d);
}

TEST(a_daemon_whose_database_is_gone_says_how_to_go_on)
{
    static char out[4096];
    struct daemon d;
    use(&d);
    daemon_stop(&d);
    char db[128], kept[128];
    snprintf(db, sizeof db, "%s/mlpd.db", d.data);
    snprintf(kept, sizeof kept, "%s/kept", d.dir);
    ck_assert_int_eq(rename(db, kept), 0);
    char mark[128];
    snprintf(mark, sizeof mark, "%s/mlpd.stopped", d.data);
    fclose(fopen(mark, "w"));
    const char *const args[] = {"--listen", "127.0.0.1:0", "--data", d.data, NULL};
    ck_assert_int_eq(mlpd(args, out, sizeof out), 1);
    ck_assert_msg(strstr(out, "put their mlpd.db back"), "%s", out);
    ck_assert_uint_eq(daemon_files(&d, "datasets"), 2);
    ck_assert_uint_eq(daemon_files(&d, "models"), 3);
    ck_assert_msg(access(mark, F_OK) == 0, "the mark of the stop is used up");
    ck_assert_msg(access(db, F_OK) != 0, "a database was left behind");
    ck_assert_int_eq(rename(kept, db), 0);
    daemon_restart(&d);
    expect_status(http(&d, "GET", "/datasets/iris", NULL), 200);
    expect_status(http(&d, "GET", "/models/iris/export", NULL), 200);
    daemon_end(&d);
}
