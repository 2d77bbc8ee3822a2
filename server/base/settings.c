// SPDX-License-Identifier: MIT
// Settings: see settings.h. A row knows its member, its limits and its sentence; its type knows how
// to read a text. Defaults are texts too and go through the same reader as flags, so a default
// outside its own limits cannot exist.

#include "server/base/settings.h"

#include "engine/base/nearest.h"
#include "server/base/authority.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct setting {
    const char *flag; // "max-upload": --max-upload and MLPD_MAX_UPLOAD
    bool (*read)(const struct setting *, void *at, const char *text);
    size_t at;
    const char *value; // what stands for the value in --help; NULL: a switch, which takes none
    const char *def;   // NULL: off, or computed
    int64_t min, max;
    const char *expects; // for messages: what would have been right
    const char *doc;
    bool flag_only; // an action rather than a setting: no environment variable
};

static bool read_text(const struct setting *row, void *at, const char *text)
{
    (void)row;
    *(const char **)at = text;
    return *text;
}

static bool read_switch(const struct setting *row, void *at, const char *text)
{
    (void)row;
    *(bool *)at = !strcmp(text, "true") || !strcmp(text, "1");
    return *(bool *)at || !strcmp(text, "false") || !strcmp(text, "0");
}

static bool in_range(const struct setting *row, int64_t *at, int64_t n)
{
    *at = n;
    return n >= row->min && n <= row->max;
}

static bool read_count(const struct setting *row, void *at, const char *text)
{
    char *end;
    long long n = strtoll(text, &end, 10);
    return *text >= '0' && *text <= '9' && !*end && in_range(row, at, n);
}

static bool read_bytes(const struct setting *row, void *at, const char *text)
{
    static const char suffixes[] = "kmgt";
    char *end;
    int64_t n = strtoll(text, &end, 10);
    if (*text < '0' || *text > '9')
        return false;
    const char *suffix = *end ? strchr(suffixes, *end | 0x20) : NULL;
    if (suffix && __builtin_mul_overflow(n, INT64_C(1) << (10 * (suffix - suffixes + 1)), &n))
        return false;
    return !end[suffix ? 1 : 0] && in_range(row, at, n);
}

static bool read_level(const struct setting *row, void *at, const char *text)
{
    (void)row;
    for (int64_t i = 0; i < LEVEL_COUNT; i++)
        if (!strcmp(text, level_names[i])) {
            *(int64_t *)at = i;
            return true;
        }
    return false;
}

// Add what stands between commas to the list, every item of it checked.
static bool settings_read_list(struct settings_list *list, const char *text,
                               bool (*is_item)(const char *, size_t))
{
    for (const char *at = text;; at++) {
        at += strspn(at, " ");
        size_t len = strcspn(at, ",");
        if (list->n == SETTINGS_ITEMS || !is_item(at, len))
            return false;
        list->item[list->n].at = at;
        list->item[list->n++].len = len;
        at += len;
        if (!*at)
            return true;
    }
}

static bool read_hosts(const struct setting *row, void *at, const char *text)
{
    (void)row;
    return settings_read_list(at, text, authority_is_host_pattern);
}

static bool read_origins(const struct setting *row, void *at, const char *text)
{
    (void)row;
    return settings_read_list(at, text, authority_is_origin_pattern);
}

#define SETTING_AT(member) offsetof(struct settings, member)

static const struct setting rows[] = {
    {.flag = "listen",
     .read = read_text,
     .at = SETTING_AT(listen),
     .value = "HOST:PORT",
     .def = "127.0.0.1:8080",
     .expects = "HOST:PORT",
     .doc = "Address to listen on; port 0 chooses a free one; IPv6 as [::1]:8080."},
    {.flag = "data",
     .read = read_text,
     .at = SETTING_AT(data),
     .value = "FOLDER",
     .def = "./mlpd-data",
     .expects = "a folder",
     .doc = "Data folder; created when missing."},
    {.flag = "workers",
     .read = read_count,
     .at = SETTING_AT(workers),
     .value = "N",
     .min = 0,
     .max = 32,
     .expects = "a whole number from 0 to 32",
     .doc = "Jobs that train at the same time (default: the number of cores); with 0 the daemon "
            "only serves."},
    {.flag = "http-threads",
     .read = read_count,
     .at = SETTING_AT(http_threads),
     .value = "N",
     .def = "4",
     .min = 1,
     .max = 32,
     .expects = "a whole number from 1 to 32",
     .doc = "Threads that answer requests."},
    {.flag = "max-upload",
     .read = read_bytes,
     .at = SETTING_AT(max_upload),
     .value = "BYTES",
     .def = "1g",
     .min = 1024,
     .max = INT64_C(1) << 40,
     .expects = "bytes from 1k to 1t, such as 500000, 64m or 1g",
     .doc = "Largest dataset that can be uploaded."},
    {.flag = "request-memory",
     .read = read_bytes,
     .at = SETTING_AT(request_memory),
     .value = "BYTES",
     .min = 64 << 20,
     .max = INT64_C(1) << 50,
     .expects = "bytes from 64m, such as 256m or 2g",
     .doc = "Memory for all requests together; requests beyond it get 503 (default: an eighth of "
            "the memory, at most 512m)."},
    {.flag = "max-jobs",
     .read = read_count,
     .at = SETTING_AT(max_jobs),
     .value = "N",
     .def = "10000",
     .min = 1,
     .max = 10000000,
     .expects = "a whole number from 1 to 10000000",
     .doc = "Largest number of jobs that wait in the queue."},
    {.flag = "log",
     .read = read_level,
     .at = SETTING_AT(log),
     .value = "LEVEL",
     .def = "info",
     .expects = "debug, info, warn, error or off",
     .doc = "Lowest level to log: debug, info, warn, error or off."},
    {.flag = "log-file",
     .read = read_text,
     .at = SETTING_AT(log_file),
     .value = "FILE",
     .expects = "a file",
     .doc = "Write the log to this file instead of stderr; SIGHUP reopens it, for rotation."},
    {.flag = "insecure-listen",
     .read = read_switch,
     .at = SETTING_AT(insecure_listen),
     .expects = "true or false",
     .doc = "Allow an address that other machines can reach. There are no passwords yet: everybody "
            "who can reach it can use it."},
    {.flag = "allowed-host",
     .read = read_hosts,
     .at = SETTING_AT(allowed_host),
     .value = "NAME",
     .expects = "names such as mlpd.example.org, .example.org or 10.0.0.7, without a port, at most "
                "32; or *",
     .doc = "Host name that clients use, through a proxy or from other machines; .example.org "
            "includes all names below it, * is any name. Repeat the flag, or separate names by "
            "commas."},
    {.flag = "cors-origin",
     .read = read_origins,
     .at = SETTING_AT(cors_origin),
     .value = "ORIGIN",
     .expects = "origins such as https://app.example.org or http://localhost:3000, without a path, "
                "at most 32; or *",
     .doc = "Origin of web pages that may call the daemon, such as http://localhost:3000; * lets "
            "every page that you open use and delete everything. Repeat the flag, or separate "
            "origins by commas."},
    {.flag = "core-dumps",
     .read = read_switch,
     .at = SETTING_AT(core_dumps),
     .expects = "true or false",
     .doc = "Allow core dumps and debuggers; a core dump contains rows and models."},
    {.flag = "help",
     .read = read_switch,
     .at = SETTING_AT(help),
     .flag_only = true,
     .expects = "no value",
     .doc = "Print this and exit."},
    {.flag = "version",
     .read = read_switch,
     .at = SETTING_AT(version),
     .flag_only = true,
     .expects = "no value",
     .doc = "Print the version and exit."},
    {.flag = "openapi",
     .read = read_switch,
     .at = SETTING_AT(openapi),
     .flag_only = true,
     .expects = "no value",
     .doc = "Print the OpenAPI document and exit."},
};

enum { N_ROW = sizeof rows / sizeof *rows, VARIABLE = 64 };

static void variable_name(const struct setting *row, char out[VARIABLE])
{
    int n = snprintf(out, VARIABLE, "MLPD_%s", row->flag);
    for (int i = 0; i < n; i++)
        out[i] = out[i] == '-' ? '_' : out[i] >= 'a' ? (char)(out[i] - 0x20) : out[i];
}

static bool settings_set(struct settings *s, const struct setting *row, const char *name,
                         const char *text, struct err *e)
{
    return row->read(row, (char *)s + row->at, text) ||
           fail(e, ERR_INVALID, "%s expects %s, got \"%s\"", name, row->expects, text);
}

static const char *settings_row_name(const void *names, size_t i)
{
    return ((const struct setting *)names)[i].flag;
}

static const struct setting *settings_find(const char *name, size_t len)
{
    for (size_t i = 0; i < N_ROW; i++)
        if (strlen(rows[i].flag) == len && !memcmp(rows[i].flag, name, len))
            return &rows[i];
    return NULL;
}

static bool settings_unknown(const char *arg, size_t len, struct err *e)
{
    char name[NEAREST_MAX + 1];
    const char *dashes = arg[0] == '-' && arg[1] == '-' ? "" : "--";
    snprintf(name, sizeof name, "%.*s", (int)len, arg + (*dashes ? strspn(arg, "-") : 2));
    const char *meant = nearest(name, settings_row_name, rows, N_ROW);
    return fail(e, ERR_INVALID,
                meant ? "unknown argument \"%s\"; did you mean --%s?"
                      : "unknown argument \"%s\"; --help lists all flags",
                arg, meant);
}

static bool read_flags(struct settings *s, int argc, char **argv, bool given[N_ROW], struct err *e)
{
    for (int i = 1; i < argc; i++) {
        const char *arg = argv[i], *name = arg + 2;
        size_t len = strncmp(arg, "--", 2) ? 0 : strcspn(name, "=");
        const struct setting *row = settings_find(name, len);
        if (!row)
            return settings_unknown(arg, len ? len : strlen(arg), e);
        const char *text = name[len] ? name + len + 1 : row->value ? argv[++i] : "true";
        if (!text)
            return fail(e, ERR_INVALID, "%s expects %s", arg, row->expects);
        char shown[VARIABLE];
        snprintf(shown, sizeof shown, "--%s", row->flag);
        if (!settings_set(s, row, shown, text, e))
            return false;
        given[row - rows] = true;
    }
    return true;
}

static bool read_environment(struct settings *s, const bool given[N_ROW], struct err *e)
{
    for (size_t i = 0; i < N_ROW; i++) {
        char name[VARIABLE];
        variable_name(&rows[i], name);
        const char *text = rows[i].flag_only || given[i] ? NULL : getenv(name);
        if (text && !settings_set(s, &rows[i], name, text, e))
            return false;
    }
    return true;
}

// Rules over more than one setting.
static bool settings_check(struct settings *s, struct err *e)
{
    if (s->workers + s->http_threads > SETTINGS_BLAS_CALLERS)
        return fail(e, ERR_INVALID, "--workers and --http-threads may be %d together, got %d",
                    SETTINGS_BLAS_CALLERS, (int)(s->workers + s->http_threads));
    if (!address_parse(&s->address, s->listen, e))
        return false;
    if (address_is_loopback(&s->address) || s->insecure_listen)
        return true;
    return fail(e, ERR_INVALID,
                "refusing to listen on \"%s\": other machines could reach it and nothing asks them "
                "for a password; use 127.0.0.1 behind a proxy that does, or add --insecure-listen",
                s->listen);
}

void settings_default(struct settings *s)
{
    struct err e = {.kind = ERR_NONE};
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    *s = (struct settings){.workers = cores < 1 ? 1 : cores > 32 ? 32 : cores};
    for (size_t i = 0; i < N_ROW; i++)
        BUG(rows[i].def && !settings_set(s, &rows[i], rows[i].flag, rows[i].def, &e));
    BUG(!settings_check(s, &e));
}

bool settings_read(struct settings *s, int argc, char **argv, struct err *e)
{
    bool given[N_ROW] = {0};
    settings_default(s);
    return read_flags(s, argc, argv, given, e) && read_environment(s, given, e) &&
           settings_check(s, e);
}

static void help_row(FILE *f, const struct setting *row)
{
    char variable[VARIABLE], head[VARIABLE];
    variable_name(row, variable);
    snprintf(head, sizeof head, "--%s %s", row->flag, row->value ? row->value : "");
    fprintf(f, "  %-24s %s\n", head, row->doc);
    if (row->flag_only)
        return;
    fprintf(f, "  %-24s [%s%s%s]\n", "", variable, row->def ? "=" : "", row->def ? row->def : "");
}

void settings_help(FILE *f)
{
    fputs("mlpd " MLPD_VERSION ": turns a table into a prediction endpoint\n\n"
          "usage: mlpd [--flag value]...\n\n",
          f);
    for (size_t i = 0; i < N_ROW; i++)
        help_row(f, &rows[i]);
    fputs("\nEvery flag is also an environment variable, named in brackets; the flag wins.\n\n"
          "Quick start, with the daemon running in another terminal:\n"
          "  curl --data-binary @houses.csv 'localhost:8080/datasets?name=houses'\n"
          "  curl -d '{\"dataset\":\"houses\",\"target\":\"price\"}' localhost:8080/jobs\n"
          "  curl -d '{\"model\":\"houses\",\"instances\":[{\"rooms\":3}]}' "
          "localhost:8080/predict\n",
          f);
}
