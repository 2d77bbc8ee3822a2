// SPDX-License-Identifier: MIT
// What must hold of every row of the route table, and nobody else notices.

#include "api/schema/rendering.h"
#include "api/schema/route.h"
#include "api/views/list_view.h"
#include "api/views/query.h"
#include "server/handlers/handlers.h"
#include "server/http/http.h"
#include "server/store/job.h"
#include "tests/server/http/edge.h"
#include "tests/server/http/peer.h"

#include "tests/harness.h"

#include <stdio.h>
#include <string.h>

static bool may_fail(const struct route *r, enum err_kind kind)
{
    for (int i = 0; i < ROUTE_FAILS; i++)
        if (r->fails[i] == kind)
            return true;
    return false;
}

// A suffix must be told from a name, and who asks for a form that there is not is told so.
TEST(a_route_with_forms_can_be_asked_for_each)
{
    size_t found = 0;
    for (size_t i = 0; i < route_count; i++) {
        const struct route *r = &route_table[i];
        if (!r->rendering)
            continue;
        found++;
        ck_assert_int_eq(r->method, GET);
        ck_assert_int_ne(strrchr(r->path, '/')[1], '{');
        ck_assert_ptr_null(strchr(strrchr(r->path, '/'), '.'));
        ck_assert_ptr_null(r->produces);
        ck_assert(may_fail(r, ERR_NOT_ACCEPTABLE));
        ck_assert(may_fail(r, ERR_NOT_FOUND));
        ck_assert_str_eq(r->rendering[0]->media, "application/json");
        for (const struct rendering *const *f = r->rendering; *f; f++) {
            ck_assert_ptr_eq(rendering_find(r->rendering, (*f)->name), *f);
            ck_assert_uint_gt(strlen((*f)->doc), 10);
            for (const struct rendering *const *g = r->rendering; g < f; g++)
                ck_assert_str_ne((*g)->media, (*f)->media);
        }
    }
    ck_assert_uint_gt(found, 0);
}

TEST(every_route_names_a_scope)
{
    for (size_t i = 0; i < route_count; i++)
        ck_assert_msg(route_table[i].scope > SCOPE_NONE && route_table[i].scope < SCOPE_COUNT, "%s",
                      route_table[i].id);
}

// A request for the row, with a "1" for every {name}.
static void print_request(const struct route *row, char *out, size_t size)
{
    size_t n = (size_t)snprintf(out, size, "%s ", method_name(row->method));
    for (const char *p = row->path; *p; p++) {
        out[n++] = *p == '{' ? '1' : *p;
        p += *p == '{' ? strcspn(p, "}") : 0;
    }
    snprintf(out + n, size - n, " HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n",
             row->body_kind ? 1 : 0);
}

// There is no daemon behind this edge: a handler that was reached would crash.
TEST(a_caller_without_a_routes_scope_is_refused_before_its_handler)
{
    for (size_t i = 0; i < route_count; i++) {
        const struct route *row = &route_table[i];
        const struct principal lacks = {"somebody", ~SCOPE_BIT(row->scope)};
        struct http *h = edge_serve_table(row, 1, &lacks);
        struct response a;
        char request[200];
        print_request(row, request, sizeof request);
        peer_ask(http_port(h), request, &a);
        ck_assert_msg(a.status == 403, "%s: %d", row->id, a.status);
        ck_assert_ptr_nonnull(strstr(a.body, "\"code\":\"forbidden\""));
        ck_assert_ptr_nonnull(strstr(a.body, scope_table[row->scope].word));
        http_stop(h);
    }
}

static void check_view(const struct schema *s)
{
    ck_assert(s->reply);
    for (const struct field *f = s->field; f->key; f++) {
        ck_assert_msg(!f->on || s->size, "%s.%s has no struct", s->name, f->key);
        ck_assert_msg(!f->optional || !f->nullable || f->on || !s->size,
                      "%s.%s may be null and left out: which?", s->name, f->key);
        if (f->type == FIELD_STORED)
            ck_assert_uint_lt(schema_count(f->sub), 64);
        if (f->sub && f->type != FIELD_RAW)
            check_view(f->sub);
    }
}

LOOP_TEST(what_may_be_null_and_what_may_be_left_out_is_said_apart, (int)route_count)
{
    if (route_table[_i].reply)
        check_view(route_table[_i].reply);
}

// reply_list() tells the first and the last by it.
LOOP_TEST(the_items_of_a_list_begin_with_their_id, (int)route_count)
{
    const struct schema *s = route_table[_i].reply;
    if (!s || s->size != sizeof(struct list_reply) || strcmp(s->field->names[0], "list") != 0)
        return;
    ck_assert_str_eq(list_item(s)->field->key, "id");
    ck_assert_int_eq(list_item(s)->field->type, FIELD_WHOLE);
}

TEST(every_operation_has_a_name_of_its_own)
{
    for (size_t i = 0; i < route_count; i++)
        for (size_t k = 0; k < i; k++)
            ck_assert_str_ne(route_table[i].id, route_table[k].id);
}

// What a text in a URI can be read as (schema_read_query()).
LOOP_TEST(query_parameters_are_of_types_that_a_text_has, (int)route_count)
{
    const struct schema *s = route_table[_i].query;
    for (const struct field *f = s ? s->field : NULL; f && f->key; f++) {
        ck_assert_msg(f->type == FIELD_INT || f->type == FIELD_WHOLE || f->type == FIELD_WORD ||
                          f->type == FIELD_STRING || f->type == FIELD_NAME,
                      "%s of %s", f->key, route_table[_i].path);
        ck_assert(!f->nullable);
    }
}

TEST(jobs_may_be_asked_for_in_every_state)
{
    for (int i = 0; i < JOB_STATE_COUNT; i++)
        ck_assert_str_eq(job_state_words[i], job_state_word((enum job_state)i));
    ck_assert_ptr_null(job_state_words[JOB_STATE_COUNT]);
}
