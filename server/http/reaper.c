// SPDX-License-Identifier: MIT
// The reaper: see reaper.h.
//
// Closing a socket with unread input makes the kernel send a reset, which may overtake and destroy
// the answer on its way to the client. So a connection that was answered early is duplicated before
// it is closed; the duplicate is read, and thrown away, until the client closes too or its time is
// over. Any input wakes poll() for these few; deadlines alone are coarse and cost one look a tick.

#include "server/http/reaper.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { SWALLOW = 1 << 20 };

int64_t reaper_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void ring(struct reaper *r)
{
    eventfd_write(r->bell, 1);
}

// Whether the budget has refused anybody since the last tick.
static bool is_short(struct reaper *r)
{
    unsigned before = r->refused;
    r->refused = r->config.memory ? atomic_load(&r->config.memory->refused) : 0;
    return r->refused != before;
}

static bool is_late(const struct watch *w, int64_t now, bool shortage)
{
    return atomic_load_explicit(&w->deadline, memory_order_relaxed) < now ||
           (shortage && atomic_load_explicit(&w->yield, memory_order_relaxed) < now);
}

static void cut_late_locked(struct reaper *r, int64_t now)
{
    bool shortage = is_short(r);
    for (struct watch *w = r->head.next; w != &r->head; w = w->next)
        if (is_late(w, now, shortage)) {
            shutdown(w->fd, SHUT_RDWR);
            watch_until(w, INT64_MAX);
            watch_yield(w, INT64_MAX);
        }
}

static bool reaper_has_ended(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLRDHUP};
    return poll(&p, 1, 0) > 0 && (p.revents & (POLLRDHUP | POLLHUP | POLLERR));
}

// libmicrohttpd misses a client's farewell that comes together with its last bytes: it waits for
// edges and does not read again after a short read. Ending our reading side makes another edge.
//
// A client that has hung up and one that has only ended its own side look alike. The latter are
// answered if that takes no longer than a moment. Bytes that nobody has read yet, as an empty line
// behind a body, do not hide the end behind them.
static void tell_gone_locked(struct reaper *r, int64_t now)
{
    char byte;
    for (struct watch *w = r->head.next; w != &r->head; w = w->next) {
        if (!reaper_has_ended(w->fd))
            continue;
        if (!w->ended)
            w->ended = now;
        if (recvfrom(w->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT, NULL, NULL) == 0)
            shutdown(w->fd, SHUT_RD);
        if (now - w->ended >= r->config.gone_ms)
            atomic_store(&w->gone, true);
    }
}

void reaper_give_up(struct reaper *r)
{
    pthread_mutex_lock(&r->lock);
    for (struct watch *w = r->head.next; w != &r->head; w = w->next)
        atomic_store(&w->gone, true);
    pthread_mutex_unlock(&r->lock);
}

// Whether the client may still be reading what we said.
static bool swallow(int fd)
{
    ssize_t n = recvfrom(fd, NULL, SWALLOW, MSG_TRUNC | MSG_DONTWAIT, NULL, NULL);
    return n > 0 || (n < 0 && errno == EAGAIN);
}

static void swallow_all_locked(struct reaper *r, int64_t now)
{
    for (int i = r->n_linger - 1; i >= 0; i--)
        if (now > r->linger[i].deadline || !swallow(r->linger[i].fd)) {
            close(r->linger[i].fd);
            r->linger[i] = r->linger[--r->n_linger];
        }
}

static void wait_for_work(struct reaper *r)
{
    struct pollfd p[LINGER_MAX + 1] = {{.fd = r->bell, .events = POLLIN}};
    pthread_mutex_lock(&r->lock);
    nfds_t n = 1 + (nfds_t)r->n_linger;
    for (int i = 0; i < r->n_linger; i++)
        p[i + 1] = (struct pollfd){.fd = r->linger[i].fd, .events = POLLIN};
    pthread_mutex_unlock(&r->lock);
    poll(p, n, r->config.tick_ms);
    eventfd_t rung;
    if (p[0].revents)
        eventfd_read(r->bell, &rung);
}

static void *reap(void *arg)
{
    struct reaper *r = arg;
    while (!atomic_load(&r->stop)) {
        wait_for_work(r);
        int64_t now = reaper_now();
        pthread_mutex_lock(&r->lock);
        cut_late_locked(r, now);
        tell_gone_locked(r, now);
        swallow_all_locked(r, now);
        pthread_mutex_unlock(&r->lock);
        if (r->config.on_tick)
            r->config.on_tick(r->config.arg);
    }
    return NULL;
}

bool reaper_start(struct reaper *r, const struct reaper_config *config, struct err *e)
{
    *r = (struct reaper){.config = *config};
    r->head.prev = r->head.next = &r->head;
    r->bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (r->bell < 0)
        return fail(e, ERR_INTERNAL, "could not watch connections: %s", strerror(errno));
    pthread_mutex_init(&r->lock, NULL);
    int code = pthread_create(&r->thread, NULL, reap, r);
    if (!code)
        return true;
    close(r->bell);
    pthread_mutex_destroy(&r->lock);
    return fail(e, ERR_INTERNAL, "could not start a thread: %s", strerror(code));
}

void reaper_stop(struct reaper *r)
{
    atomic_store(&r->stop, true);
    ring(r);
    pthread_join(r->thread, NULL);
    BUG(r->head.next != &r->head);
    while (r->n_linger > 0)
        close(r->linger[--r->n_linger].fd);
    close(r->bell);
    pthread_mutex_destroy(&r->lock);
}

bool reaper_shed(struct reaper *r, int64_t before)
{
    struct watch *oldest = NULL;
    int64_t since = before;
    pthread_mutex_lock(&r->lock);
    for (struct watch *w = r->head.next; w != &r->head; w = w->next) {
        int64_t at = atomic_load_explicit(&w->idle_since, memory_order_relaxed);
        if (at && at < since) {
            since = at;
            oldest = w;
        }
    }
    if (oldest) {
        shutdown(oldest->fd, SHUT_RDWR);
        atomic_store(&oldest->idle_since, 0); // once is enough
    }
    pthread_mutex_unlock(&r->lock);
    return oldest;
}

void reaper_add(struct reaper *r, struct watch *w, int fd, int64_t deadline)
{
    w->fd = fd;
    w->ended = 0;
    atomic_store(&w->gone, false);
    atomic_store(&w->idle_since, reaper_now());
    watch_until(w, deadline);
    watch_yield(w, INT64_MAX);
    pthread_mutex_lock(&r->lock);
    w->prev = &r->head;
    w->next = r->head.next;
    w->next->prev = w->prev->next = w;
    pthread_mutex_unlock(&r->lock);
}

static void keep_locked(struct reaper *r, int fd)
{
    int copy = r->n_linger < LINGER_MAX ? fcntl(fd, F_DUPFD_CLOEXEC, 0) : -1;
    if (copy < 0)
        return;
    shutdown(copy, SHUT_WR);
    r->linger[r->n_linger].fd = copy;
    r->linger[r->n_linger++].deadline = reaper_now() + r->config.linger_ms;
}

void reaper_remove(struct reaper *r, struct watch *w, bool linger)
{
    pthread_mutex_lock(&r->lock);
    w->prev->next = w->next;
    w->next->prev = w->prev;
    if (linger)
        keep_locked(r, w->fd);
    pthread_mutex_unlock(&r->lock);
    if (linger)
        ring(r);
}
