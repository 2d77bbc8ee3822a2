// SPDX-License-Identifier: MIT
// The daemon's frame: settings, signals, start, wait, stop. The first line on stdout says where to
// find us, for people and for scripts that asked for port 0.
//
// SIGHUP opens the log anew. It is also what a closed terminal sends, whose daemon goes on: its log
// is lost then unless it has a file.

#include "engine/nn/blas.h"
#include "server/base/log.h"
#include "server/base/log_stream.h"
#include "server/base/preinit.h"
#include "server/base/settings.h"
#include "server/base/signals.h"
#include "server/handlers/server.h"
#include "server/http/http.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef MLPD_SANITIZED // their own run-time is not set up either
__attribute__((section(".preinit_array"),
               used)) static void (*const before_libraries)(int, char **, char **) = preinit;
#endif

enum { EXIT_USAGE = 2, PATIENCE_MS = 100 };

static void print_version(FILE *f)
{
    fputs("mlpd " MLPD_VERSION "\n", f);
}

// Settings that ask for something to be printed in place of serving.
static bool print_instead(const struct settings *s)
{
    const struct {
        bool asked;
        void (*print)(FILE *);
    } row[] = {{s->help, settings_help}, {s->version, print_version}, {s->openapi, server_openapi}};
    for (size_t i = 0; i < sizeof row / sizeof *row; i++)
        if (row[i].asked) {
            row[i].print(stdout);
            return true;
        }
    return false;
}

// A core is a copy of everything in memory: rows, models, keys. A limit of zero would not do, since
// it does not bind a program that cores are piped to. Cost: debuggers need root. Leak checks attach
// like a debugger and would fail.
static void keep_memory_private(const struct settings *s)
{
#ifdef MLPD_SANITIZED
    (void)s;
#else
    if (!s->core_dumps)
        prctl(PR_SET_DUMPABLE, 0);
#endif
}

// A write to a client that is gone, a file past a limit (which is a full disk), a line of the log
// to a terminal that another program has: errors, no reason to end or to stand still.
static void ignore_signals(void)
{
    static const int ignored[] = {SIGPIPE, SIGXFSZ, SIGTTOU};
    for (size_t i = 0; i < sizeof ignored / sizeof *ignored; i++)
        signal(ignored[i], SIG_IGN);
}

// The numbers 0 to 2 must be taken: a table or a socket that got one of them would be written to by
// the log.
static void keep_standard_streams(void)
{
    int fd;
    do
        fd = open("/dev/null", O_RDWR);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0)
        close(fd);
}

static void hang_up(const struct server *server)
{
    struct err e = {.kind = ERR_NONE};
    const char *file = server->settings->log_file;
    if (file && !log_reopen(server->log, file, &e))
        LOG(server->log, LEVEL_ERROR, log_text("event", "log not opened anew"),
            log_text("reason", e.text));
    else
        LOG(server->log, LEVEL_INFO,
            log_text("event", file ? "log opened anew" : "hangup ignored"));
}

static int wait_for_stop(const struct server *server)
{
    int number;
    while ((number = signals_wait()) == SIGHUP)
        hang_up(server);
    return number;
}

static void stop(struct server *server, int number)
{
    LOG(server->log, LEVEL_INFO, log_text("event", "stopping"),
        log_text("signal", number == SIGINT ? "SIGINT" : "SIGTERM"));
    if (!server_stop(server, SERVER_DRAIN_MS))
        _exit(SIGNALS_CUT_OFF);
}

static void say_where(const struct server *server)
{
    char line[128];
    int n = snprintf(line, sizeof line, "listening on http://%s\n", http_address(server->http));
    stream_write(STDOUT_FILENO, line, (size_t)n, PATIENCE_MS);
    LOG(server->log, LEVEL_INFO, log_text("event", "listening"),
        log_text("address", http_address(server->http)), log_text("data", server->settings->data),
        log_int("workers", server->settings->workers), log_text("blas", blas_name()));
}

static int main_complain(const struct err *e, int status)
{
    fprintf(stderr, "mlpd: %s\n", e->text);
    return status;
}

static int main_serve(struct server *server)
{
    struct err e = {.kind = ERR_NONE};
    if (!server_start(server, &e))
        return main_complain(&e, EXIT_FAILURE);
    say_where(server);
    stop(server, wait_for_stop(server));
    LOG(server->log, LEVEL_INFO, log_text("event", "stopped"));
    return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    struct settings settings;
    struct err e = {.kind = ERR_NONE};
    const char *core = blas_better_core();
    if (core)
        preinit_again(BLAS_CORE_VARIABLE, core, argv);
    umask(077); // what is stored is nobody else's
    keep_standard_streams();
    ignore_signals();
    stream_own(STDERR_FILENO);
    if (!signals_take(SERVER_LAST_S, &e))
        return main_complain(&e, EXIT_FAILURE);
    server_prepare();
    if (!settings_read(&settings, argc, argv, &e))
        return main_complain(&e, EXIT_USAGE);
    keep_memory_private(&settings);
    if (print_instead(&settings))
        return EXIT_SUCCESS;
    stream_own(STDOUT_FILENO); // what is printed instead waits for its reader
    struct log log = {STDERR_FILENO, settings_level(&settings)};
    if (settings.log_file && !log_open(&log, settings.log_file, settings_level(&settings), &e))
        return main_complain(&e, EXIT_USAGE);
    struct server server = {.settings = &settings, .log = &log};
    return main_serve(&server);
}
