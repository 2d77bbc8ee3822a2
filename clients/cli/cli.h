// SPDX-License-Identifier: MIT
#pragma once

// What the parts of mlpd-cli share: what was asked for, where the daemon is, what the terminal can
// show. One thread; main() owns the struct and everything in it.
//
// A command returns its exit code. Whoever meets a problem says so on stderr, once, and returns
// CLI_FAILED (the daemon or the system said no) or CLI_USAGE (the question was wrong).

#include "clients/cli/cli_args.h"
#include "clients/cli/cli_http.h"
#include "clients/cli/cli_term.h"

enum { CLI_OK, CLI_FAILED, CLI_USAGE };

struct cli {
    struct args args;
    struct http http;
    struct term term; // of stdout
};

// The commands, in the files of their names: cli_data.c, cli_train.c, cli_follow.c, cli_plot.c,
// cli_predict.c, cli_lists.c.
int cmd_upload(struct cli *c);
int cmd_train(struct cli *c);
int cmd_follow(struct cli *c);
int cmd_plot(struct cli *c);
int cmd_predict(struct cli *c);
int cmd_evaluate(struct cli *c);
int cmd_jobs(struct cli *c);
int cmd_models(struct cli *c);
int cmd_datasets(struct cli *c);
int cmd_cancel(struct cli *c);
int cmd_health(struct cli *c);

// Follow a job to its end, as cmd_follow() does.
int follow_job(struct cli *c, const char *job);

// A message on stderr. The first is for a question that was wrong and returns CLI_USAGE, the second
// for what could not be done and returns CLI_FAILED.
__attribute__((format(printf, 1, 2))) int usage_error(const char *fmt, ...);
__attribute__((format(printf, 1, 2))) int failure(const char *fmt, ...);

// True for the number of a job, 1 to 18 digits; else says what is expected.
bool is_job(const char *word);
