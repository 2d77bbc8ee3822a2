// SPDX-License-Identifier: MIT
#pragma once

// What the handlers' replies have in common. Used on the threads of the handlers, with the call's
// arena.

#include "api/json/jsonw.h"
#include "api/views/query.h"
#include "server/http/call.h"
#include "server/store/store.h"

// Answer with the struct that the route's view describes. ERR_INTERNAL when a member that must be
// there is not.
bool reply_view(struct call *c, const void *reply, struct err *e);

// Room for n items of a list, zeroed; NULL and ERR_TOO_LARGE when there is none.
void *reply_room(struct call *c, size_t n, size_t size, struct err *e);

// Answer with a page of a list (api/views/list_view.h): n structs of the view of its items, the
// first field of which is their id.
bool reply_list(struct call *c, const void *items, size_t n, bool more, struct err *e);

// Start a reply that is written by hand and finish it: reply_end() closes what jsonw_object()
// opened and answers with the text.
struct jsonw reply_begin(struct call *c);
bool reply_end(struct call *c, struct jsonw *w, struct err *e);

// Answer with what is finished already.
bool reply_text(struct call *c, struct jsonw *w, struct err *e);

// Answer with the model of the reply in the form that was chosen for it (rendering.h), whose
// `model` this is.
bool reply_render(struct call *c, const void *model, struct err *e);

// Whether text from the store is JSON, an object if so wanted, that may be sent on or given to a
// pull reader, which check nothing. NULL is none. ERR_INTERNAL when it is damaged.
bool reply_stored(const char *json, bool object, struct arena *a, struct err *e);

// Whether a page may be read and printed where the call runs now; a long one is deferred
// (call_defer()).
bool reply_in_time(struct call *c, const struct page_query *page);
