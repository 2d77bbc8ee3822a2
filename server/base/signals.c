// SPDX-License-Identifier: MIT
// See signals.h. All our threads block these signals, and one takes them out with sigwait(), which
// makes it ordinary code. The handler is for threads that are not ours: where OpenBLAS has started
// some before main(), they block nothing, and without a handler a signal would end the process
// there. A thread of theirs hands on what it gets.
//
// At a process that is the first of its container a signal without a handler is not delivered at
// all, so nothing here relies on what signals do by default.

#include "server/base/signals.h"

#include "server/base/clock.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SAME_STOP_MS = 1000, STACK = 256 << 10 };

static const int heard[] = {SIGTERM, SIGINT, SIGHUP};

static sigset_t heard_set;
static pthread_t listener;
static unsigned last_seconds;
static int64_t stop_at;        // when the first stop came; the listener's
static sem_t told;             // main(), of a signal
static atomic_int stop_signal; // the first; 0: none yet
static atomic_bool hung_up;

static struct {
    pthread_mutex_t lock; // guards all below, and is held while a note is made
    void (*note)(void *arg);
    void *arg;
} stop = {.lock = PTHREAD_MUTEX_INITIALIZER};

// Whoever reads our stderr may be what has held us up.
static void signals_end(int status, const char *text)
{
    struct pollfd out = {.fd = STDERR_FILENO, .events = POLLOUT};
    ssize_t ignored = poll(&out, 1, 0) > 0 ? write(STDERR_FILENO, text, strlen(text)) : 0;
    (void)ignored;
    _exit(status);
}

static void cut_off(int number)
{
    (void)number;
    signals_end(SIGNALS_CUT_OFF, "mlpd: the stop took too long, ending\n");
}

static void end_by(int number)
{
    sigset_t one;
    sigemptyset(&one);
    sigaddset(&one, number);
    signal(number, SIG_DFL);
    pthread_sigmask(SIG_UNBLOCK, &one, NULL);
    raise(number);
    _exit(128 + number); // the first process of a container
}

// The lock is not given back before the end: what this stop need not note does not begin.
static void first_stop(int number)
{
    alarm(last_seconds); // for good
    pthread_mutex_lock(&stop.lock);
    if (!stop.note)
        signals_end(EXIT_SUCCESS, "mlpd: told to stop during the start\n");
    stop.note(stop.arg);
    pthread_mutex_unlock(&stop.lock);
    stop_signal = number;
}

static void hear(int number)
{
    int64_t now = clock_mono(&clock_system);
    if (number == SIGHUP) {
        hung_up = true;
    } else if (!stop_signal) {
        stop_at = now;
        first_stop(number);
    } else if (now - stop_at >= SAME_STOP_MS) {
        end_by(number);
    }
    sem_post(&told);
}

static void *listen_to_signals(void *unused)
{
    int number;
    (void)unused;
    for (;;)
        if (sigwait(&heard_set, &number) == 0)
            hear(number);
    return NULL;
}

static void signals_hand_on(int number)
{
    int kept = errno;
    pthread_kill(listener, number);
    errno = kept;
}

bool signals_take(unsigned last_s, struct err *e)
{
    struct sigaction action = {.sa_handler = signals_hand_on, .sa_flags = SA_RESTART};
    pthread_attr_t attr;
    last_seconds = last_s;
    sem_init(&told, 0, 0);
    sigemptyset(&heard_set);
    for (size_t i = 0; i < sizeof heard / sizeof *heard; i++)
        sigaddset(&heard_set, heard[i]);
    action.sa_mask = heard_set;
    pthread_sigmask(SIG_BLOCK, &heard_set, NULL);
    signal(SIGALRM, cut_off);
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, STACK);
    int rc = pthread_create(&listener, &attr, listen_to_signals, NULL);
    pthread_attr_destroy(&attr);
    if (rc != 0)
        return fail(e, ERR_INTERNAL, "could not start the thread for signals: %s", strerror(rc));
    for (size_t i = 0; i < sizeof heard / sizeof *heard; i++)
        sigaction(heard[i], &action, NULL);
    return true;
}

void signals_note_stop(void (*note)(void *arg), void *arg)
{
    pthread_mutex_lock(&stop.lock);
    stop.note = note;
    stop.arg = arg;
    pthread_mutex_unlock(&stop.lock);
}

int signals_wait(void)
{
    for (;;) {
        if (stop_signal)
            return stop_signal;
        if (atomic_exchange(&hung_up, false))
            return SIGHUP;
        while (sem_wait(&told) != 0 && errno == EINTR)
            ;
    }
}
