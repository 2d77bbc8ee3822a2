// SPDX-License-Identifier: MIT
#pragma once

// What the handlers' replies have in common. Used on polling threads, with the call's arena.

#include "api/json/jsonw.h"
#include "server/http/call.h"
#include "server/store/store.h"

// Start a reply and finish it: reply_end() closes what jsonw_object() opened and answers with the
// text.
struct jsonw reply_begin(struct call *c);
bool reply_end(struct call *c, struct jsonw *w, struct err *e);

// Answer with what is finished already.
bool reply_text(struct call *c, struct jsonw *w, struct err *e);

// Answer with the model of the reply in the form that was chosen for it (rendering.h), whose
// `model` this is.
bool reply_render(struct call *c, const void *model, struct err *e);

// Milliseconds since 1970 as Unix seconds; null for 0.
void reply_time(struct jsonw *w, const char *key, int64_t ms);

// Whether text from the store is JSON, an object if so wanted, that may be sent on or given to a
// pull reader, which check nothing. ERR_INTERNAL when it is damaged.
bool reply_stored(const char *json, bool object, struct arena *a, struct err *e);

// The members of a JSON object, in the object being written.
void reply_members(struct jsonw *w, const char *json, struct arena *a);

// One member of a JSON object, under its own key; nothing when it has none.
void reply_member(struct jsonw *w, const char *json, const char *key, struct arena *a);

// A query parameter as a whole number between min and max; `def` when absent. ERR_INVALID names it.
bool query_int(const struct call *c, const char *name, int64_t def, int64_t min, int64_t max,
               int64_t *out, struct err *e);

// The query parameters of every list, "limit" and "after". A long page is deferred (call_defer()).
bool query_page(struct call *c, size_t *limit, int64_t *after, struct err *e);

// The list frame: {"object": "list", "data": [ ... ], "has_more", "first_id", "last_id"}. Ids are 0
// for an empty list.
struct jsonw reply_list_begin(struct call *c);
bool reply_list_end(struct call *c, struct jsonw *w, bool more, int64_t first, int64_t last,
                    struct err *e);

// The members of a model object. handle_models.c writes it.
void model_write(struct jsonw *w, const struct model_row *m, struct arena *a);

// A job object. handle_jobs.c writes it for one job and in lists. `f`, if given, has the notes on
// its definition.
void reply_job(struct jsonw *w, const char *key, const struct job_row *j, const struct faults *f,
               struct arena *a);
