// SPDX-License-Identifier: MIT
// One row against a server: see battery.h.
//
// Nothing here waits for silence. After each answer the row says whether the server has to hang up,
// which is waited for, or has to go on, which a last request shows: its answer is the only one with
// the id 4711, and it asks to close, so that whatever the server sends is read to the end.

#include "tests/server/http/battery.h"

#include "tests/server/http/edge.h"
#include "tests/server/http/peer.h"

#include <check.h>
#include <errno.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

enum { MAX_ANSWERS = 40, SHOWN = 1200 };

_Static_assert(sizeof DROP - 1 == 48, "DROP_LEN and DROP_HEX say so");

static const char probe[] = "GET /things/4711 HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n";
static const char probe_body[] = "4711 - -";

static const struct battery_theme *const themes[] = {
    &battery_line,  &battery_header,  &battery_host,    &battery_length, &battery_coding,
    &battery_chunk, &battery_trailer, &battery_smuggle, &battery_talk,   &battery_service,
};

size_t battery_count(void)
{
    size_t n = 0;
    for (size_t i = 0; i < sizeof themes / sizeof *themes; i++)
        n += themes[i]->n;
    return n;
}

const struct battery_case *battery_row(size_t i, const char **theme)
{
    size_t t = 0;
    while (i >= themes[t]->n)
        i -= themes[t++]->n;
    *theme = themes[t]->name;
    return &themes[t]->row[i];
}

// ---- A row that fails ----

struct talk {
    const char *theme;
    const struct battery_case *c;
    struct peer p;
    struct response a; // the latest
    int status[MAX_ANSWERS];
    int n;
    bool echoed; // a body came back
};

static const char *escaped(const char *s, size_t len)
{
    static char text[SHOWN + 8];
    size_t n = 0;
    for (size_t i = 0; i < len && n < SHOWN; i++) {
        unsigned char b = (unsigned char)s[i];
        n += (size_t)(b == '\r'              ? snprintf(text + n, 8, "\\r")
                      : b == '\n'            ? snprintf(text + n, 8, "\\n")
                      : b < ' ' || b >= 0x7f ? snprintf(text + n, 8, "\\x%02x", b)
                                             : snprintf(text + n, 8, "%c", b));
    }
    return text;
}

__attribute__((format(printf, 2, 3), noreturn)) static void wrong(const struct talk *t,
                                                                  const char *format, ...)
{
    static const char *const word[] = {"MUST", "SHOULD", "OURS"};
    char why[300], seen_so_far[300] = "";
    size_t len = 0;
    va_list args;
    va_start(args, format);
    vsnprintf(why, sizeof why, format, args);
    va_end(args);
    for (int i = 0; i < t->n && len < sizeof seen_so_far - 8; i++)
        len += (size_t)snprintf(seen_so_far + len, 8, " %d", t->status[i]);
    ck_abort_msg(
        "%s: %s [%s %s] wants %s; %s; answers:%s\n  sent: %s\n  head: %.300s\n  body: %.200s",
        t->theme, t->c->name, word[t->c->level], t->c->rule, t->c->want, why, seen_so_far,
        escaped(t->c->raw, t->c->len), t->a.head, t->a.body);
    abort();
}

// ---- What the row allows ----

enum {
    GOES_ON = 1, // more answers
    OPEN = 2,    // that was all, and the connection serves on
    SHUT = 4     // that was all, and the connection ends
};

static bool like(const char *want, int status)
{
    char have[12];
    snprintf(have, sizeof have, "%d", status);
    for (int i = 0; i < 3; i++)
        if (want[i] != have[i] && want[i] != 'x')
            return false;
    return true;
}

// What may follow the answers so far by one alternative.
static int follows_by(const char *want, const int *status, int n)
{
    for (int i = 0; i < n; i++) {
        if (strcspn(want, " !?|") < 3 || !like(want, status[i]))
            return 0;
        want += 3;
        bool last = *want != ' ';
        if (!last)
            want++;
        else if (i < n - 1)
            return 0;
    }
    if (*want >= '1' && *want <= '9')
        return GOES_ON;
    return *want == '!' ? SHUT : *want == '?' ? OPEN | SHUT : OPEN;
}

static int follows(const struct talk *t)
{
    int may = 0;
    for (const char *want = t->c->want; want; want = strchr(want, '|')) {
        want += *want == '|';
        may |= follows_by(want, t->status, t->n);
    }
    return may;
}

// ---- Bytes ----

// The row's bytes with MANY spelt out; the caller frees them.
static char *spell(const struct battery_case *c, size_t *len)
{
    size_t unit = c->unit ? strlen(c->unit) : 0, head = c->len;
    char *bytes = malloc(c->len + unit * c->times + 1);
    ck_assert_ptr_nonnull(bytes);
    if (c->times)
        head = (size_t)((const char *)memmem(c->raw, c->len, MANY, 2) - c->raw);
    memcpy(bytes, c->raw, head);
    *len = head;
    for (size_t i = 0; i < c->times; i++, *len += unit)
        memcpy(bytes + *len, c->unit, unit);
    if (c->times)
        head += 2;
    memcpy(bytes + *len, c->raw + head, c->len - head);
    *len += c->len - head;
    return bytes;
}

// A server may hang up before it has all; what it said is read all the same.
static void deliver(struct talk *t, enum battery_way way, size_t cut)
{
    size_t len, step, at = 0;
    char *bytes = spell(t->c, &len);
    bool taken = true;
    for (; taken && at < len; at += step) {
        step = way == BY_BYTE ? 1 : way == IN_TWO && at < cut ? cut : len - at;
        taken = peer_try(&t->p, bytes + at, step);
        sched_yield();
    }
    free(bytes);
    if (t->c->ends)
        shutdown(t->p.fd, SHUT_WR);
}

static bool read_some(struct talk *t)
{
    struct peer *p = &t->p;
    if (p->len == PEER_ROOM - 1)
        wrong(t, "the answer is too long");
    ssize_t n = recv(p->fd, p->in + p->len, PEER_ROOM - 1 - p->len, 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        wrong(t, "then neither an answer nor the end");
    if (n <= 0)
        return false;
    p->len += (size_t)n;
    return true;
}

static void consume(struct peer *p, size_t n)
{
    memmove(p->in, p->in + n, p->len - n);
    p->len -= n;
}

// ---- Answers ----

static int count_header(const struct response *a, const char *name)
{
    int n = 0;
    size_t len = strlen(name);
    for (const char *line = a->head; (line = strstr(line, "\r\n")) != NULL;) {
        line += 2;
        n += !strncasecmp(line, name, len) && line[len] == ':';
    }
    return n;
}

static bool says(const struct response *a, const char *name, const char *value)
{
    const char *have = answer_header(a, name);
    return have && !strcasecmp(have, value);
}

static bool has_body(int status)
{
    return status >= 200 && status != 204 && status != 304;
}

static void check_problem(const struct talk *t, bool bodyless)
{
    const struct response *a = &t->a;
    char number[20];
    snprintf(number, sizeof number, "\"status\":%d", a->status);
    if (!says(a, "Content-Type", "application/problem+json"))
        wrong(t, "the error is no problem document");
    if (!bodyless && (*a->body != '{' || !strstr(a->body, number)))
        wrong(t, "the problem document does not carry the status");
    if (a->status == 405 && !answer_header(a, "Allow"))
        wrong(t, "405 without Allow (9110 15.5.6)");
}

// What every answer owes, whatever the request was.
static void check_answer(const struct talk *t, bool bodyless)
{
    const struct response *a = &t->a;
    if (strncmp(a->head, "HTTP/1.1 ", 9) || a->status < 100 || a->status > 599)
        wrong(t, "not an answer in HTTP/1.1");
    if (count_header(a, "Content-Length") != has_body(a->status))
        wrong(t, "Content-Length %d times (9110 8.6)", count_header(a, "Content-Length"));
    if (count_header(a, "Transfer-Encoding"))
        wrong(t, "Transfer-Encoding in the answer");
    if (a->status >= 200 && a->status < 500 && count_header(a, "Date") != 1)
        wrong(t, "no Date (9110 6.6.1)");
    if (a->status >= 400)
        check_problem(t, bodyless);
}

static void read_head(struct talk *t)
{
    struct peer *p = &t->p;
    const char *end;
    while (!(end = memmem(p->in, p->len, "\r\n\r\n", 4)))
        if (!read_some(t))
            wrong(t, "the head of the answer was cut short: %.*s", (int)p->len, p->in);
    size_t len = (size_t)(end + 2 - p->in);
    if (len >= sizeof t->a.head)
        wrong(t, "the head of the answer is too long");
    memcpy(t->a.head, p->in, len);
    t->a.head[len] = '\0';
    t->a.status = 0;
    sscanf(t->a.head, "HTTP/%*d.%*d %d", &t->a.status);
    t->a.closes = says(&t->a, "Connection", "close");
    consume(p, len + 2);
}

static void read_body(struct talk *t, bool bodyless)
{
    const char *length = answer_header(&t->a, "Content-Length");
    size_t len = !bodyless && length && has_body(t->a.status) ? strtoul(length, NULL, 10) : 0;
    if (len >= sizeof t->a.body)
        wrong(t, "the body of the answer is too long");
    while (t->p.len < len)
        if (!read_some(t))
            wrong(t, "the body of the answer was cut short");
    memcpy(t->a.body, t->p.in, len);
    t->a.body[len] = '\0';
    t->a.body_len = len;
    consume(&t->p, len);
}

// False at the end of the connection.
static bool read_answer(struct talk *t)
{
    bool bodyless = t->c->bodyless && t->n == 0;
    if (t->p.len == 0 && !read_some(t))
        return false;
    if (t->n == MAX_ANSWERS)
        wrong(t, "too many answers");
    read_head(t);
    read_body(t, bodyless);
    t->status[t->n++] = t->a.status;
    check_answer(t, bodyless);
    if (t->c->echo && !t->echoed && t->a.status / 100 == 2) {
        if (strcmp(t->a.body, t->c->echo))
            wrong(t, "the body read is not \"%s\"", t->c->echo);
        t->echoed = true;
    }
    return true;
}

// ---- The talk ----

static void expect_end(struct talk *t)
{
    if (t->n && !t->a.closes)
        wrong(t, "the answer does not say \"Connection: close\"");
    while (read_answer(t))
        if (!follows(t))
            wrong(t, "one answer more than allowed");
    if (!(follows(t) & SHUT))
        wrong(t, "then the connection ended");
}

static void expect_service(struct talk *t)
{
    if (!peer_try(&t->p, probe, sizeof probe - 1))
        wrong(t, "then the connection was gone");
    for (;;) {
        if (!read_answer(t))
            wrong(t, "the next request got no answer");
        if (t->a.closes && !strcmp(t->a.body, probe_body))
            break;
        if (!follows(t))
            wrong(t, "the next request got something else");
    }
    t->n--;
    if (!(follows(t) & OPEN))
        wrong(t, "an answer is missing");
    if (read_answer(t))
        wrong(t, "more followed the last answer");
}

void battery_run(uint16_t port, size_t i, enum battery_way way, size_t cut)
{
    static struct talk t;
    memset(&t, 0, sizeof t);
    const struct battery_case *c = t.c = battery_row(i, &t.theme);
    int before = atomic_load(&seen.dropped);
    peer_open(&t.p, port);
    deliver(&t, way, cut);
    int may = follows(&t);
    while (may & GOES_ON && !(may & OPEN) && !t.a.closes && read_answer(&t)) {
        may = follows(&t);
        if (t.n == 1 && c->more && !peer_try(&t.p, c->more, strlen(c->more)))
            wrong(&t, "hung up before the rest was sent");
    }
    if (!may)
        wrong(&t, "not what it wants");
    if (may & OPEN && !t.a.closes)
        expect_service(&t);
    else
        expect_end(&t);
    peer_close(&t.p);
    int dropped = atomic_load(&seen.dropped) - before;
    if (dropped != c->drops)
        wrong(&t, "%d hidden requests ran", dropped - c->drops);
}
