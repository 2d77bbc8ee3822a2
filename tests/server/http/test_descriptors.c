// SPDX-License-Identifier: MIT
// The plan, and whether a real upload keeps to it.

#include "server/http/descriptors.h"
#include "tests/server/http/peer.h"
#include "tests/server/plant.h"
#include "server/handlers/handlers.h"
#include "server/handlers/server.h"
#include "server/http/http.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static const struct {
    int files, http_threads, workers; // what there is
    int connections, requests;        // what comes of it; 0: not enough
} plan[] = {
    {2432, 4, 4, 1024, 512}, // all
    {2431, 4, 4, 1023, 511},  {1024, 4, 4, 320, 160}, {448, 4, 4, 32, 16},
    {447, 4, 4, 0, 0},        {448, 32, 26, 0, 0}, // so many threads take more
    {1024, 32, 26, 233, 116},
};

static struct settings settings_of(int http_threads, int workers)
{
    struct settings s;
    settings_default(&s);
    s.http_threads = http_threads;
    s.workers = workers;
    return s;
}

LOOP_TEST(descriptors_are_shared_out, (int)(sizeof plan / sizeof *plan))
{
    struct settings s = settings_of(plan[_i].http_threads, plan[_i].workers);
    struct http_limits l = http_limits_default;
    struct err e = {0};
    l.max_files = plan[_i].files;
    bool enough = descriptors_share(&l, &s, &e);
    ck_assert_int_eq(enough, plan[_i].connections > 0);
    if (!enough) {
        ck_assert_int_eq(e.kind, ERR_INVALID);
        ck_assert_ptr_nonnull(strstr(e.text, "ulimit -n"));
        return;
    }
    ck_assert_int_eq(l.max_connections, plan[_i].connections);
    ck_assert_int_eq(l.max_requests, plan[_i].requests);
    ck_assert_int_le(l.max_connections + 2 * DESCRIPTORS_OVERFLOW +
                         l.max_requests * DESCRIPTORS_UPLOAD + descriptors_reserve(&s),
                     plan[_i].files);
}

// Few requests leave room for connections, but are not made more.
TEST(limits_are_only_lowered)
{
    struct settings s = settings_of(4, 4);
    struct http_limits l = http_limits_default;
    struct err e = {0};
    l.max_requests = 3;
    l.max_connections = 2000;
    l.max_files = 1024;
    ck_assert(descriptors_share(&l, &s, &e));
    ck_assert_int_eq(l.max_requests, 3);
    ck_assert_int_eq(l.max_connections, 320);
}

static int open_files(void)
{
    int n = 0;
    DIR *d = opendir("/proc/self/fd");
    ck_assert_ptr_nonnull(d);
    while (readdir(d))
        n++;
    closedir(d);
    return n;
}

static struct http *serve(struct plant *p, struct server *s)
{
    *s = (struct server){.settings = &p->settings,
                         .requests = {.max = SIZE_MAX / 2, .name = "all requests"},
                         .log = &p->log,
                         .store = p->store,
                         .files = p->files,
                         .catalog = p->catalog,
                         .queue = p->queue,
                         .cache = p->cache,
                         .routes = {route_table, route_count}};
    p->settings.address.port = 0;
    const struct http_config config = {.settings = &p->settings,
                                       .memory = &s->requests,
                                       .router = {route_table, route_count},
                                       .server = s,
                                       .log = &p->log,
                                       .limits = http_limits_default};
    struct http *h = http_start(&config, &p->err);
    ck_assert_msg(h, "%s", p->err.text);
    return h;
}

TEST(an_upload_takes_no_more_descriptors_than_planned)
{
    enum { UPLOADS = 12 };
    static const char head[] = "POST /datasets?name=a HTTP/1.1\r\nHost: localhost\r\n"
                               "Content-Type: text/csv\r\nContent-Length: 1000\r\n\r\na,b\n1,2\n";
    static struct peer peer[UPLOADS];
    struct plant p;
    struct server s;
    plant_init(&p);
    struct http *h = serve(&p, &s);
    int before = open_files();
    for (int i = 0; i < UPLOADS; i++) {
        peer_open(&peer[i], http_port(h));
        peer_send(&peer[i], head);
    }
    while (plant_files(&p, "tmp") < UPLOADS)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    int sockets = 2; // this side's, too
    ck_assert_int_le(open_files() - before, UPLOADS * (sockets + DESCRIPTORS_UPLOAD));
    for (int i = 0; i < UPLOADS; i++)
        peer_close(&peer[i]);
    http_stop(h);
    plant_release(&p);
}
