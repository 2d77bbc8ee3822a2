// SPDX-License-Identifier: MIT
// The connection's byte stream: see wire.h. Sections named here are those of RFC 9112.
//
// A machine over lines and lengths. Lines are looked at in our own buffer, where the head stays
// until its request is answered because its strings are used; bodies go straight from the source to
// the library. Each step either produces bytes, moves on, or finds that it needs more input.
//
// Bytes of a head are looked at as they come, so a faulty one is answered at its first bad byte and
// not when patience ends.

#include "server/http/wire.h"

#include "server/http/chunk.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLANK_LINES = 8 };

bool wire_init(struct wire *w)
{
    *w = (struct wire){.in = malloc(WIRE_BUFFER)};
    return w->in;
}

void wire_release(struct wire *w)
{
    free(w->in);
    w->in = NULL;
}

// ---- Saying ----

__attribute__((format(printf, 2, 3))) static void say(struct wire *w, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(w->said + w->said_len, WIRE_SAID - w->said_len, fmt, args);
    va_end(args);
    BUG(n < 0 || (size_t)n >= WIRE_SAID - w->said_len);
    w->said_len += (size_t)n;
}

static bool is_head(const struct wire *w)
{
    return !strcmp(w->head.method, "HEAD");
}

static void say_head(struct wire *w)
{
    const struct head *h = &w->head;
    bool closes = head_lists(h, HEAD_CONNECTION, "close");
    bool stays = head_lists(h, HEAD_CONNECTION, "keep-alive");
    w->stays = !closes && (stays || strcmp(h->version, "HTTP/1.0"));
    say(w, "%s / %s\r\nHost: x\r\n", is_head(w) ? "HEAD" : "GET", h->version);
    if (closes || stays)
        say(w, "Connection: %s\r\n", closes ? "close" : "keep-alive");
    if (head_is_chunked(h))
        say(w, "Transfer-Encoding: chunked\r\n");
    else if (head_length(h))
        say(w, "Content-Length: %llu\r\n", (unsigned long long)head_length(h));
    if (head_has_body(h) && head_lists(h, HEAD_EXPECT, "100-continue"))
        say(w, "Expect: 100-continue\r\n");
    say(w, "\r\n");
}

// The faulty request's place is taken by one of ours, or its body ends here. An answer to HEAD has
// no body, also when it is a refusal.
static void wire_refuse(struct wire *w)
{
    bool in_head = w->state <= WIRE_HEAD;
    if (in_head) {
        const char *method = w->state == WIRE_HEAD && is_head(w) ? "HEAD" : "GET";
        w->head = (struct head){.method = method, .target = "/", .version = "HTTP/1.1"};
        say(w, "%s / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", method);
    } else {
        say(w, "%s0\r\n\r\n", w->state == WIRE_CHUNK_END ? "\r\n" : "");
    }
    w->state = WIRE_REFUSED;
}

static void refuse_chunk(struct wire *w)
{
    fail(&w->fault, ERR_MALFORMED, "the chunked body is not framed as HTTP/1.1 demands");
    wire_refuse(w);
}

// ---- The head ----

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

// Position of the line's CR LF from `from` on, SIZE_MAX while it is not there. *sound tells whether
// all bytes up to it may stand in a head. What came with the chunks of the request before may hold
// more of a head than there is room for.
static size_t wire_line_end(const struct wire *w, size_t from, bool *sound)
{
    size_t end = w->state <= WIRE_HEAD ? least(w->end, WIRE_HEAD_BYTES) : w->end;
    *sound = true;
    for (size_t i = from; i < end; i++) {
        char c = w->in[i];
        if (c == '\r' && i + 1 == end)
            return SIZE_MAX;
        if (c == '\r' && w->in[i + 1] == '\n')
            return i;
        if (!head_byte((unsigned char)c)) {
            *sound = false;
            return SIZE_MAX;
        }
    }
    return SIZE_MAX;
}

static bool head_fails(struct wire *w, bool sound)
{
    if (!sound)
        fail(&w->fault, ERR_MALFORMED,
             "the request's head has a control character, or a line that does not end in CR LF");
    else if (w->end < WIRE_HEAD_BYTES)
        return false;
    else if (w->state == WIRE_REQUEST_LINE && !memchr(w->in, ' ', w->end))
        fail(&w->fault, ERR_MALFORMED, "no method has %d bytes", WIRE_HEAD_BYTES);
    else if (w->state == WIRE_REQUEST_LINE)
        fail(&w->fault, ERR_TARGET_TOO_LONG, "the request line is over %d bytes", WIRE_HEAD_BYTES);
    else
        fail(&w->fault, ERR_HEAD_TOO_LARGE, "the request's head is over %d bytes", WIRE_HEAD_BYTES);
    wire_refuse(w);
    return true;
}

// A server should ignore an empty line before a request (section 2.2): some clients end their
// bodies with one. Returns whether there was one.
static bool skip_blank_line(struct wire *w)
{
    if (w->blank_lines == BLANK_LINES || w->end - w->at < 2 || memcmp(w->in + w->at, "\r\n", 2))
        return false;
    w->blank_lines++;
    w->end -= 2;
    memmove(w->in, w->in + 2, w->end);
    return true;
}

// Each of these looks at what is there and says whether to go on at once; false: more input, or a
// taker of what was said, is needed first.
static bool take_request_line(struct wire *w)
{
    bool sound;
    while (skip_blank_line(w))
        ;
    size_t end = wire_line_end(w, w->at, &sound);
    if (end == SIZE_MAX)
        return head_fails(w, sound);
    if (!head_request_line(&w->head, w->in, end, &w->fault)) {
        wire_refuse(w);
        return true;
    }
    w->state = WIRE_HEAD;
    w->kept = w->at = end + 2;
    return true;
}

static void begin_body(struct wire *w, size_t after)
{
    const struct head *h = &w->head;
    w->left = head_length(h);
    w->kept = w->at = after;
    w->state = head_is_chunked(h) ? WIRE_CHUNK_SIZE : w->left ? WIRE_BODY : WIRE_WHOLE;
    say_head(w);
}

// `at` moves from line to line; the first line began at `kept`.
static bool take_head(struct wire *w)
{
    bool sound;
    size_t end = wire_line_end(w, w->at, &sound);
    if (end == SIZE_MAX)
        return head_fails(w, sound);
    bool last = end == w->at;
    w->at = end + 2;
    if (!last)
        return true;
    if (head_lines(&w->head, w->in + w->kept, end - w->kept, &w->fault) &&
        head_framing(&w->head, &w->fault))
        begin_body(w, end + 2);
    else
        wire_refuse(w);
    return true;
}

// ---- Chunks ----

// A whole line at `at`, NUL-terminated and passed; NULL while it is incomplete or when it is faulty
// (then the state has changed).
static char *take_line(struct wire *w, size_t *len)
{
    bool sound;
    size_t end = wire_line_end(w, w->at, &sound);
    if (end == SIZE_MAX) {
        if (!sound || w->end - w->at >= WIRE_LINE_BYTES)
            refuse_chunk(w);
        return NULL;
    }
    char *line = w->in + w->at;
    *len = end - w->at;
    w->in[end] = '\0';
    w->at = end + 2;
    return line;
}

static bool take_chunk_size(struct wire *w)
{
    size_t len;
    const char *line = take_line(w, &len);
    if (!line)
        return w->state == WIRE_REFUSED;
    if (!chunk_size(line, &w->left)) {
        refuse_chunk(w);
    } else if (w->left) {
        say(w, "%llx\r\n", (unsigned long long)w->left);
        w->state = WIRE_CHUNK;
    } else {
        w->trailer = 0;
        w->state = WIRE_TRAILER;
    }
    return true;
}

static bool take_chunk_end(struct wire *w)
{
    size_t have = w->end - w->at;
    if (have && memcmp(w->in + w->at, "\r\n", have < 2 ? have : 2) != 0) {
        refuse_chunk(w);
        return true;
    }
    if (have < 2)
        return false;
    w->at += 2;
    say(w, "\r\n");
    w->state = WIRE_CHUNK_SIZE;
    return true;
}

// Trailers are read past: none means anything to us, and none may become a header (section 7.1.2).
static bool take_trailer(struct wire *w)
{
    size_t len;
    const char *line = take_line(w, &len);
    if (!line)
        return w->state == WIRE_REFUSED;
    w->trailer += len + 2;
    if (len && (!head_colon(line, len) || w->trailer > WIRE_HEAD_BYTES)) {
        refuse_chunk(w);
    } else if (!len) {
        say(w, "0\r\n\r\n");
        w->state = WIRE_WHOLE;
    }
    return true;
}

// ---- Moving bytes ----

static bool (*const taker[])(struct wire *) = {
    [WIRE_REQUEST_LINE] = take_request_line, [WIRE_HEAD] = take_head,
    [WIRE_CHUNK_SIZE] = take_chunk_size,     [WIRE_CHUNK_END] = take_chunk_end,
    [WIRE_TRAILER] = take_trailer,
};

static bool carries(const struct wire *w)
{
    return w->state == WIRE_BODY || w->state == WIRE_CHUNK;
}

static ssize_t from_source(struct wire *w, wire_source *source, void *ctx, void *to, size_t room)
{
    ssize_t n = source(ctx, to, room);
    w->more = n > 0 && (size_t)n == room;
    return n;
}

// More bytes behind what is there; what was passed already makes room, but for the head.
static ssize_t refill(struct wire *w, wire_source *source, void *ctx)
{
    if (w->state > WIRE_HEAD && w->at > w->kept) {
        memmove(w->in + w->kept, w->in + w->at, w->end - w->at);
        w->end -= w->at - w->kept;
        w->at = w->kept;
    }
    size_t room = (w->state <= WIRE_HEAD ? WIRE_HEAD_BYTES : WIRE_BUFFER) - w->end;
    ssize_t n = from_source(w, source, ctx, w->in + w->end, room);
    if (n > 0)
        w->end += (size_t)n;
    return n;
}

static void carried(struct wire *w, size_t n)
{
    w->left -= n;
    if (!w->left)
        w->state = w->state == WIRE_BODY ? WIRE_WHOLE : WIRE_CHUNK_END;
}

// Bytes that are here already: said ones first, then those of a body.
static size_t hand_over(struct wire *w, char *to, size_t room)
{
    size_t n = least(room, w->said_len - w->said_at);
    memcpy(to, w->said + w->said_at, n);
    w->said_at += n;
    if (w->said_at < w->said_len)
        return n;
    w->said_at = w->said_len = 0;
    size_t body = carries(w) ? least(least(room - n, w->end - w->at), w->left) : 0;
    memcpy(to + n, w->in + w->at, body);
    w->at += body;
    if (body)
        carried(w, body);
    return n + body;
}

// Look at what is here until something was said, a body is to be carried, or more is needed.
static void wire_look(struct wire *w)
{
    while (!w->said_len && w->state < WIRE_WHOLE && !carries(w) && taker[w->state](w))
        ;
}

// One read of the source: for a body straight to the reader.
static ssize_t fetch(struct wire *w, wire_source *source, void *ctx, char *to, size_t room,
                     size_t *n)
{
    if (!carries(w))
        return refill(w, source, ctx);
    ssize_t got = from_source(w, source, ctx, to + *n, least(room - *n, w->left));
    if (got > 0) {
        carried(w, (size_t)got);
        *n += (size_t)got;
    }
    return got;
}

ssize_t wire_read(struct wire *w, wire_source *source, void *ctx, void *to, size_t room)
{
    size_t n = 0;
    ssize_t got = 1;
    for (bool dry = false; n < room && got > 0;) {
        wire_look(w);
        size_t here = hand_over(w, (char *)to + n, room - n);
        n += here;
        if (here)
            continue;
        if (w->state >= WIRE_WHOLE || dry)
            break;
        got = fetch(w, source, ctx, to, room, &n);
        dry = !w->more; // a read that did not fill its room has emptied the socket
    }
    if (n || got <= 0)
        return n ? (ssize_t)n : got;
    errno = EAGAIN;
    return -1;
}

void wire_next(struct wire *w)
{
    if (w->state != WIRE_WHOLE) { // answered early: what is left of the body is no request
        w->state = WIRE_REFUSED;
        return;
    }
    memmove(w->in, w->in + w->at, w->end - w->at);
    w->end -= w->at;
    w->kept = w->at = 0;
    w->blank_lines = 0;
    w->fault = (struct err){0};
    w->state = WIRE_REQUEST_LINE;
}

bool wire_is_idle(const struct wire *w)
{
    return w->state == WIRE_REQUEST_LINE && !w->end;
}

bool wire_has_more(const struct wire *w, wire_source *peek, void *ctx)
{
    char byte;
    return w->state == WIRE_WHOLE && (w->at < w->end || (w->more && peek(ctx, &byte, 1) > 0));
}
