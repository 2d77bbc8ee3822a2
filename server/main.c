// SPDX-License-Identifier: MIT
// The daemon's frame: settings, signals, start, wait, stop.
//
// SIGTERM and SIGINT post a semaphore that this thread waits for. Waiting with sigwait() would not
// do: OpenBLAS starts a thread before main() that blocks nothing, and a signal that comes while
// this thread is not waiting yet would go there and end the process. Our own threads do block them.
// The first signal drains; a second one ends at once. The first line on stdout says where to find
// us, for people and for scripts that asked for port 0.

#include "http.h"
#include "log.h"
#include "server.h"
#include "settings.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
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

static sem_t stop_asked;
static volatile sig_atomic_t stop_signal;

static void ask_to_stop(int number)
{
    int kept = errno;
    stop_signal = number;
    sem_post(&stop_asked);
    errno = kept;
}

static sigset_t take_signals(void)
{
    const struct sigaction ask = {.sa_handler = ask_to_stop, .sa_flags = SA_RESTART};
    sigset_t stop;
    sem_init(&stop_asked, 0, 0);
    sigaction(SIGTERM, &ask, NULL);
    sigaction(SIGINT, &ask, NULL);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); // a limit on file sizes is a full disk
    sigemptyset(&stop);
    sigaddset(&stop, SIGTERM);
    sigaddset(&stop, SIGINT);
    pthread_sigmask(SIG_BLOCK, &stop, NULL);
    return stop;
}

static void wait_for_stop(const sigset_t *stop, const struct log *log)
{
    pthread_sigmask(SIG_UNBLOCK, stop, NULL);
    while (sem_wait(&stop_asked) != 0 && errno == EINTR)
        ;
    signal(SIGTERM, SIG_DFL);
    signal(SIGINT, SIG_DFL);
    LOG(log, LEVEL_INFO, log_text("event", "stopping"),
        log_text("signal", stop_signal == SIGINT ? "SIGINT" : "SIGTERM"));
}

static int serve(struct server *server, const sigset_t *stop)
{
    struct err e = {.kind = ERR_NONE};
    if (!server_start(server, &e)) {
        fprintf(stderr, "mlpd: %s\n", e.text);
        return EXIT_FAILURE;
    }
    printf("listening on http://%s\n", http_address(server->http));
    fflush(stdout);
    LOG(server->log, LEVEL_INFO, log_text("event", "listening"),
        log_text("address", http_address(server->http)), log_text("data", server->settings->data),
        log_int("workers", server->settings->workers));
    wait_for_stop(stop, server->log);
    server_stop(server, DRAIN_MS);
    LOG(server->log, LEVEL_INFO, log_text("event", "stopped"));
    return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    const sigset_t stop = take_signals();
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
    return serve(&server, &stop);
}
