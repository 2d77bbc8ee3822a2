// SPDX-License-Identifier: MIT
// The daemon's frame: settings, signals, start, wait, stop.
//
// SIGTERM and SIGINT are blocked before any thread exists, so only this thread takes them, by
// waiting: there is no signal handler. The first one drains; a second one ends at once. The first
// line on stdout says where to find us, for people and for scripts that asked for port 0.

#include "http.h"
#include "log.h"
#include "server.h"
#include "settings.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { DRAIN_MS = 25000, EXIT_USAGE = 2 };

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

static sigset_t block_signals(void)
{
    sigset_t stop;
    sigemptyset(&stop);
    sigaddset(&stop, SIGTERM);
    sigaddset(&stop, SIGINT);
    pthread_sigmask(SIG_BLOCK, &stop, NULL);
    signal(SIGPIPE, SIG_IGN);
    return stop;
}

static void wait_for_stop(const sigset_t *stop, const struct log *log)
{
    int which;
    sigwait(stop, &which);
    pthread_sigmask(SIG_UNBLOCK, stop, NULL);
    LOG(log, LEVEL_INFO, log_text("event", "stopping"),
        log_text("signal", which == SIGINT ? "SIGINT" : "SIGTERM"));
}

static int serve(struct server *server)
{
    struct err e = {.kind = ERR_NONE};
    sigset_t stop = block_signals();
    if (!server_start(server, &e)) {
        fprintf(stderr, "mlpd: %s\n", e.text);
        return EXIT_FAILURE;
    }
    printf("listening on http://%s\n", http_address(server->http));
    fflush(stdout);
    LOG(server->log, LEVEL_INFO, log_text("event", "listening"),
        log_text("address", http_address(server->http)), log_text("data", server->settings->data),
        log_int("workers", server->settings->workers));
    wait_for_stop(&stop, server->log);
    server_stop(server, DRAIN_MS);
    LOG(server->log, LEVEL_INFO, log_text("event", "stopped"));
    return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    server_prepare();
    struct settings settings;
    struct err e = {.kind = ERR_NONE};
    if (!settings_read(&settings, argc, argv, &e)) {
        fprintf(stderr, "mlpd: %s\n", e.text);
        return EXIT_USAGE;
    }
    if (print_instead(&settings))
        return EXIT_SUCCESS;
    const struct log log = {STDERR_FILENO, settings_level(&settings)};
    struct server server = {.settings = &settings, .log = &log};
    return serve(&server);
}
