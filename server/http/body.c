// SPDX-License-Identifier: MIT
// See body.h.

#include "server/http/body.h"

#include <string.h>

enum {
    SHORT = 64 << 10,       // lies in the arena
    FIRST = 4096,           // room for a start
    DOUBLING_END = 1 << 20, // from here on an eighth more at a time
};

static bool body_no_room(const struct body *b, struct err *e)
{
    return arena_fail(b->arena, e, "the body may be %zu bytes at most", b->most);
}

static bool resize(struct body *b, size_t room, struct err *e)
{
    char *text = arena_resize(b->arena, b->text, b->room, room);
    if (!text)
        return body_no_room(b, e);
    b->text = text;
    b->room = room;
    return true;
}

bool body_open(struct body *b, struct arena *a, size_t announced, size_t limit, struct err *e)
{
    *b = (struct body){.arena = a, .most = announced ? announced : limit};
    b->own = !announced || announced > SHORT;
    if (b->own && announced) { // it fits now; later pieces may still find that it does not
        if (!arena_charge(a, announced + 1))
            return body_no_room(b, e);
        arena_refund(a, announced + 1);
        return true;
    }
    b->room = b->own ? 0 : announced + 1;
    b->text = b->own ? NULL : arena_alloc(a, b->room, 1);
    return b->own || b->text || body_no_room(b, e);
}

static size_t next_room(const struct body *b, size_t need)
{
    size_t room = b->room < DOUBLING_END ? b->room * 2 : b->room + b->room / 8;
    if (room < FIRST)
        room = FIRST;
    if (room > b->most + 1)
        room = b->most + 1;
    return room > need ? room : need;
}

bool body_put(struct body *b, const char *data, size_t n, struct err *e)
{
    BUG(n > b->most - b->len);
    size_t need = b->len + n + 1;
    if (need > b->room && !resize(b, next_room(b, need), e))
        return false;
    memcpy(b->text + b->len, data, n);
    b->len += n;
    return true;
}

const char *body_text(struct body *b)
{
    if (!b->text)
        return "";
    b->text[b->len] = '\0';
    return b->text;
}

void body_close(struct body *b)
{
    if (b->own)
        arena_resize(b->arena, b->text, b->room, 0);
    *b = (struct body){0};
}
