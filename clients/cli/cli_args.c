// SPDX-License-Identifier: MIT
// Options are rows: name, what stands for the value, sentence, where the value goes. Which command
// takes which is the command's row (cli_main.c).

#include "clients/cli/cli_args.h"

#include "clients/cli/cli_say.h"

#include <stdlib.h>
#include <string.h>

struct option {
    const char *name;
    const char *value; // NULL: a switch
    size_t at;         // of a const char *, or of a bool for a switch
    const char *doc;
    bool everywhere; // for every command
    bool many;       // may be repeated: goes to args.set
};

#define AT(member) offsetof(struct args, member)

static const struct option options[] = {
    {.name = "server",
     .value = "URL",
     .at = AT(server),
     .everywhere = true,
     .doc = "URL of the daemon (default: MLPD_SERVER, else http://127.0.0.1:8080)."},
    {.name = "help", .at = AT(help), .everywhere = true, .doc = "Explain a command."},
    {.name = "name",
     .value = "NAME",
     .at = AT(name),
     .doc = "Name of the dataset or of the model."},
    {.name = "target",
     .value = "COLUMN",
     .at = AT(target),
     .doc = "The column to predict; for several --set 'target=[\"a\", \"b\"]'."},
    {.name = "epochs",
     .value = "N",
     .at = AT(epochs),
     .doc = "Largest number of epochs; short for --set training.epochs=N."},
    {.name = "set",
     .value = "KEY=JSON",
     .at = AT(set),
     .many = true,
     .doc = "Any other setting of the job, with dots for nesting; can be repeated."},
    {.name = "follow", .at = AT(follow), .doc = "Show the progress until the job ends."},
    {.name = "file",
     .value = "ROWS.csv",
     .at = AT(file),
     .doc = "Predict every row of a CSV file (- for standard input)."},
    {.name = "limit", .value = "N", .at = AT(limit), .doc = "Show at most N (default 20)."},
};
enum { N_OPTION = sizeof options / sizeof *options };

static const struct option *args_find(const char *name, size_t len)
{
    for (size_t i = 0; i < N_OPTION; i++)
        if (strlen(options[i].name) == len && !memcmp(options[i].name, name, len))
            return &options[i];
    return NULL;
}

static bool store(struct args *a, const struct option *o, const char *text)
{
    if (!o->value) {
        *(bool *)((char *)a + o->at) = true;
    } else if (!o->many) {
        *(const char **)((char *)a + o->at) = text;
    } else if (a->n_set == ARGS_SETS) {
        usage_error("--%s may be given %d times at most", o->name, ARGS_SETS);
        return false;
    } else {
        a->set[a->n_set++] = text;
    }
    return true;
}

// "--name value", "--name=value" or "--switch"; *next is the argument after it, or NULL.
static bool read_option(struct args *a, const char *arg, const char *next, bool *took_next)
{
    const char *name = arg + 2;
    size_t len = strcspn(name, "=");
    const struct option *o = args_find(name, len);
    if (!o) {
        usage_error("unknown option \"%s\"; mlpd-cli --help lists all options", arg);
        return false;
    }
    const char *text = name[len] ? name + len + 1 : NULL;
    *took_next = o->value && !text;
    if (*took_next)
        text = next;
    if (o->value && text)
        return store(a, o, text);
    if (!o->value && !text)
        return store(a, o, NULL);
    usage_error(o->value ? "--%s expects %s" : "--%s takes no value", o->name, o->value);
    return false;
}

bool args_read(struct args *a, int argc, char **argv)
{
    const char *server = getenv("MLPD_SERVER");
    *a = (struct args){.server = server && *server ? server : "http://127.0.0.1:8080"};
    bool words_only = false;
    for (int i = 1; i < argc; i++) {
        bool took_next = false;
        if (!words_only && !strcmp(argv[i], "--")) {
            words_only = true;
        } else if (!words_only && !strcmp(argv[i], "-h")) {
            a->help = true;
        } else if (!words_only && argv[i][0] == '-' && argv[i][1] == '-') {
            if (!read_option(a, argv[i], i + 1 < argc ? argv[i + 1] : NULL, &took_next))
                return false;
        } else if (a->n_word == ARGS_WORDS) {
            usage_error("unexpected argument \"%s\"", argv[i]);
            return false;
        } else {
            a->word[a->n_word++] = argv[i];
        }
        i += took_next;
    }
    return true;
}

static bool listed(const char *const *names, const char *name)
{
    for (; names && *names; names++)
        if (!strcmp(*names, name))
            return true;
    return false;
}

static bool args_given(const struct args *a, const struct option *o)
{
    const char *at = (const char *)a + o->at;
    return o->value ? *(const char *const *)at != NULL : *(const bool *)at;
}

bool args_fit(const struct args *a, const char *command, const char *const *allowed)
{
    for (size_t i = 0; i < N_OPTION; i++) {
        const struct option *o = &options[i];
        if (o->everywhere || !args_given(a, o) || listed(allowed, o->name))
            continue;
        usage_error("%s has no option --%s; mlpd-cli %s --help lists its options", command, o->name,
                    command);
        return false;
    }
    return true;
}

void args_help(FILE *f, const char *const *names)
{
    for (size_t i = 0; i < N_OPTION; i++) {
        const struct option *o = &options[i];
        char shown[64];
        if (names ? !listed(names, o->name) : !o->everywhere)
            continue;
        snprintf(shown, sizeof shown, "--%s%s%s", o->name, o->value ? " " : "",
                 o->value ? o->value : "");
        fprintf(f, "  %-18s %s\n", shown, o->doc);
    }
}
