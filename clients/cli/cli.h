// SPDX-License-Identifier: MIT
#pragma once

// What the parts of mlpd-cli share: what was asked for, where the daemon is, what the terminal can
// show. One thread; main() owns the struct and everything in it.

#include "clients/cli/cli_args.h"
#include "clients/cli/cli_http.h"
#include "clients/cli/cli_say.h"
#include "clients/cli/cli_term.h"

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
