// SPDX-License-Identifier: MIT
// mlpd-cli: a client of the daemon for people. Every command is a row: its name, its arguments, its
// sentence, its options, an example, its function. It speaks to the daemon over HTTP only; nothing
// it does is out of reach of curl.

#include "clients/cli/cli.h"

#include <locale.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct command {
    const char *name, *arguments, *doc;
    size_t min, max; // number of arguments
    const char *option[ARGS_OPTIONS];
    const char *example;
    int (*run)(struct cli *);
} commands[] = {
    {.name = "upload",
     .arguments = "FILE.csv",
     .doc = "Store a table, named after the file unless --name is given.",
     .min = 1,
     .max = 1,
     .option = {"name"},
     .example = "mlpd-cli upload houses.csv",
     .run = cmd_upload},
    {.name = "train",
     .arguments = "DATASET --target COLUMN",
     .doc = "Queue a training job on a stored table.",
     .min = 1,
     .max = 1,
     .option = {"target", "epochs", "set", "name", "follow"},
     .example = "mlpd-cli train houses --target price --follow\n"
                "  mlpd-cli train houses --target price --set 'model.layers=[64, 64]' "
                "--set optimizer.lr=0.01 --set seed=7",
     .run = cmd_train},
    {.name = "follow",
     .arguments = "JOB",
     .doc = "Show a job's progress until it ends; fails when the job fails.",
     .min = 1,
     .max = 1,
     .example = "mlpd-cli follow 1",
     .run = cmd_follow},
    {.name = "plot",
     .arguments = "JOB",
     .doc = "Plot a job's loss curves, while it runs or afterwards.",
     .min = 1,
     .max = 1,
     .example = "mlpd-cli plot 1",
     .run = cmd_plot},
    {.name = "predict",
     .arguments = "MODEL [ROW]",
     .doc = "Predict one row given as JSON, or with --file every row of a CSV file, as CSV.",
     .min = 1,
     .max = 2,
     .option = {"file"},
     .example = "mlpd-cli predict houses '{\"rooms\": 3, \"city\": null}'\n"
                "  mlpd-cli predict houses --file new.csv > answers.csv",
     .run = cmd_predict},
    {.name = "evaluate",
     .arguments = "MODEL DATASET",
     .doc = "Score a model on a stored table that has its target.",
     .min = 2,
     .max = 2,
     .example = "mlpd-cli evaluate houses houses-test",
     .run = cmd_evaluate},
    {.name = "jobs",
     .doc = "List jobs, newest first.",
     .option = {"limit"},
     .example = "mlpd-cli jobs --limit 5",
     .run = cmd_jobs},
    {.name = "models",
     .doc = "List the trained models.",
     .option = {"limit"},
     .example = "mlpd-cli models",
     .run = cmd_models},
    {.name = "datasets",
     .doc = "List the stored tables.",
     .option = {"limit"},
     .example = "mlpd-cli datasets",
     .run = cmd_datasets},
    {.name = "cancel",
     .arguments = "JOB",
     .doc = "Cancel a job.",
     .min = 1,
     .max = 1,
     .example = "mlpd-cli cancel 1",
     .run = cmd_cancel},
    {.name = "health",
     .doc = "Exit with 0 when the daemon answers.",
     .example = "mlpd-cli health && echo alive",
     .run = cmd_health},
};
enum { N_COMMAND = sizeof commands / sizeof *commands };

static void main_help(FILE *f)
{
    fputs("mlpd-cli: train and use models of a running mlpd\n\n"
          "From a table to a prediction:\n"
          "  mlpd-cli upload houses.csv\n"
          "  mlpd-cli train houses --target price --follow\n"
          "  mlpd-cli plot 1\n"
          "  mlpd-cli predict houses '{\"rooms\": 3, \"city\": null}'\n\n"
          "Commands (mlpd-cli COMMAND --help says more):\n",
          f);
    for (size_t i = 0; i < N_COMMAND; i++)
        fprintf(f, "  %-9s %s\n", commands[i].name, commands[i].doc);
    fputs("\nOptions of every command:\n", f);
    args_help(f, NULL);
    fputs("\nNO_COLOR turns colours off. Exit codes: 0 success, 1 failure, 2 wrong usage.\n", f);
}

static void help_command(FILE *f, const struct command *c)
{
    fprintf(f, "mlpd-cli %s%s%s%s\n\n%s\n", c->name, c->arguments ? " " : "",
            c->arguments ? c->arguments : "", c->option[0] ? " [OPTIONS]" : "", c->doc);
    if (c->option[0]) {
        fputs("\nOptions:\n", f);
        args_help(f, c->option);
    }
    fprintf(f, "\nOptions of every command:\n");
    args_help(f, NULL);
    fprintf(f, "\nExample:\n  %s\n", c->example);
}

static const struct command *main_find(const char *name)
{
    for (size_t i = 0; i < N_COMMAND; i++)
        if (!strcmp(commands[i].name, name))
            return &commands[i];
    return NULL;
}

static int main_run(const struct command *command, struct cli *c)
{
    size_t n = c->args.n_word - 1;
    if (!args_fit(&c->args, command->name, command->option))
        return CLI_USAGE;
    if (n < command->min || n > command->max)
        return usage_error("%s expects %s, got %zu arguments; mlpd-cli %s --help", command->name,
                           command->arguments ? command->arguments : "no arguments", n,
                           command->name);
    c->term = term_look(stdout);
    if (!http_init(&c->http, c->args.server))
        return CLI_FAILED;
    int code = command->run(c);
    http_release(&c->http);
    return fflush(stdout) || ferror(stdout) ? CLI_FAILED : code;
}

static int answer_words(struct cli *c)
{
    const struct args *a = &c->args;
    const struct command *command = a->n_word ? main_find(a->word[0]) : NULL;
    if (a->n_word && !command)
        return usage_error("unknown command \"%s\"; mlpd-cli --help lists all commands",
                           a->word[0]);
    if (a->help && command)
        help_command(stdout, command);
    else if (!command)
        main_help(a->help ? stdout : stderr);
    else
        return main_run(command, c);
    return a->help ? CLI_OK : CLI_USAGE;
}

int main(int argc, char **argv)
{
    setlocale(LC_CTYPE, "");
    struct cli c = {.args = {0}};
    return args_read(&c.args, argc, argv) ? answer_words(&c) : CLI_USAGE;
}
