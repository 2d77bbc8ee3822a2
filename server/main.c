// SPDX-License-Identifier: MIT
// The daemon's frame: settings, signals, start, wait, stop.
//
// SIGTERM and SIGINT post a semaphore that this thread waits for. Waiting with sigwait() would not
// do: OpenBLAS starts a thread before main() that blocks nothing, and a signal that comes while
// this thread is not waiting yet would go there and end the process. Our own threads do block them,
// and that one hands on what it gets. The first signal drains; one that comes later than a second
// after it ends the process at once. Sooner ones are the same stop told twice, as timeout(1) and
// wrappers do, which signal the process and its group. The first line on stdout says where to find
// us, for people and for scripts that asked for port 0.
//
// SIGHUP opens the log anew. It is also what a closed terminal sends, whose daemon goes on: its log
// is lost then unless it has a file.

#include "clock.h"
#include "http.h"
#include "log.h"
#include "preinit.h"
#include "server.h"
#include "settings.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef MLPD_SANITIZED // their own run-time is not set up either
__attribute__((section(".preinit_array"),
               used)) static void (*const before_libraries)(int, char **, char **) = preinit;
#endif

// Whatever hangs, the process ends within 30 s of the first signal.
enum { DRAIN_MS = 25000, LAST_S = 29, EXIT_USAGE = 2, EXIT_CUT_OFF = 3 };
enum { SAME_STOP_MS = 1000 };

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

static pthread_t main_thread;  // the only one that notes signals
static sem_t told;             // of a signal
static atomic_int stop_signal; // the first; 0: none yet
static int64_t stop_at;        // when it came
static atomic_bool hung_up;

static void cut_off(int number)
{
    (void)number;
    static const char text[] = "mlpd: the stop took too long, ending\n";
    struct pollfd out = {.fd = STDERR_FILENO, .events = POLLOUT};
    // A pipe that nobody reads may be what has held it up.
    ssize_t ignored = poll(&out, 1, 0) > 0 ? write(STDERR_FILENO, text, sizeof text - 1) : 0;
    (void)ignored;
    _exit(EXIT_CUT_OFF);
}

static void note_stop(int number)
{
    int64_t now = clock_mono(&clock_system);
    if (!stop_signal) {
        stop_at = now;
        stop_signal = number;
        alarm(LAST_S); // for good: even the last line of the log may hang
    } else if (now - stop_at >= SAME_STOP_MS) {
        signal(number, SIG_DFL);
        raise(number); // comes when the handler is left
    }
}

static void note_signal(int number)
{
    int kept = errno;
    if (!pthread_equal(pthread_self(), main_thread))
        pthread_kill(main_thread, number);
    else if (number == SIGHUP)
        hung_up = true;
    else
        note_stop(number);
    sem_post(&told);
    errno = kept;
}

static const int noted_signals[] = {SIGTERM, SIGINT, SIGHUP};
// A write to a client that is gone, a file past a limit (which is a full disk), a line of the log
// to a terminal that another program has: errors, no reason to end or to stand still.
static const int ignored_signals[] = {SIGPIPE, SIGXFSZ, SIGTTOU};

static sigset_t take_signals(void)
{
    struct sigaction note = {.sa_handler = note_signal, .sa_flags = SA_RESTART};
    const size_t n = sizeof noted_signals / sizeof *noted_signals;
    main_thread = pthread_self();
    sem_init(&told, 0, 0);
    sigemptyset(&note.sa_mask);
    for (size_t i = 0; i < n; i++)
        sigaddset(&note.sa_mask, noted_signals[i]);
    pthread_sigmask(SIG_BLOCK, &note.sa_mask, NULL);
    signal(SIGALRM, cut_off);
    for (size_t i = 0; i < n; i++)
        sigaction(noted_signals[i], &note, NULL);
    for (size_t i = 0; i < sizeof ignored_signals / sizeof *ignored_signals; i++)
        signal(ignored_signals[i], SIG_IGN);
    return note.sa_mask;
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
    hung_up = false;
    if (file && !log_reopen(server->log, file, &e))
        LOG(server->log, LEVEL_ERROR, log_text("event", "log not opened anew"),
            log_text("reason", e.text));
    else
        LOG(server->log, LEVEL_INFO,
            log_text("event", file ? "log opened anew" : "hangup ignored"));
}

static void wait_for_stop(const struct server *server)
{
    while (!stop_signal) {
        while (sem_wait(&told) != 0 && errno == EINTR)
            ;
        if (hung_up)
            hang_up(server);
    }
}

static void stop(struct server *server)
{
    server_told_to_stop(server);
    LOG(server->log, LEVEL_INFO, log_text("event", "stopping"),
        log_text("signal", stop_signal == SIGINT ? "SIGINT" : "SIGTERM"));
    if (!server_stop(server, DRAIN_MS))
        _exit(EXIT_CUT_OFF);
}

static int serve(struct server *server, const sigset_t *set)
{
    struct err e = {.kind = ERR_NONE};
    if (!server_start(server, &e)) {
        fprintf(stderr, "mlpd: %s\n", e.text);
        return EXIT_FAILURE;
    }
    pthread_sigmask(SIG_UNBLOCK, set, NULL);
    printf("listening on http://%s\n", http_address(server->http));
    fflush(stdout);
    LOG(server->log, LEVEL_INFO, log_text("event", "listening"),
        log_text("address", http_address(server->http)), log_text("data", server->settings->data),
        log_int("workers", server->settings->workers));
    wait_for_stop(server);
    stop(server);
    LOG(server->log, LEVEL_INFO, log_text("event", "stopped"));
    return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    umask(077); // what is stored is nobody else's
    keep_standard_streams();
    const sigset_t set = take_signals();
    server_prepare();
    struct settings settings;
    struct err e = {.kind = ERR_NONE};
    if (!settings_read(&settings, argc, argv, &e)) {
        fprintf(stderr, "mlpd: %s\n", e.text);
        return EXIT_USAGE;
    }
    keep_memory_private(&settings);
    if (print_instead(&settings))
        return EXIT_SUCCESS;
    struct log log = {STDERR_FILENO, settings_level(&settings)};
    if (settings.log_file && !log_open(&log, settings.log_file, settings_level(&settings), &e)) {
        fprintf(stderr, "mlpd: %s\n", e.text);
        return EXIT_USAGE;
    }
    struct server server = {.settings = &settings, .log = &log};
    return serve(&server, &set);
}
