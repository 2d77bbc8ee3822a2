// SPDX-License-Identifier: MIT
#pragma once

// Who may call: which hosts requests may be for, and which web pages may send them. Nothing asks
// callers for a password, so being able to reach the port is all a program needs; but a browser on
// a machine that reaches it runs pages of strangers, and they must not. Pure functions, called by
// exchange.c on the polling threads.
//
// Three things give a stranger's page away, each where the others fail:
//   Host            under DNS rebinding the browser takes us for the page's own server and says so
//                   by the name it uses. A name is ours when it is a loopback name, the one we
//                   listen on, or one of --allowed-host. The port does not matter: rebinding is
//                   about names, and a forwarded port is none of ours.
//   Origin          sent with every request that is not a plain GET. It must be our own, or one of
//                   --cors-origin.
//   Sec-Fetch-*     sent by current browsers to loopback and TLS, also with plain GETs. Another
//                   site's page, and another port's, gets nothing but a link to us that its user
//                   follows.
// What has none of these is no browser of the last years. A POST as an old one sends it for a form
// is refused when its Referer is another page's, or when it asks for HTML as only browsers do.

#include "engine/base/err.h"
#include "server/base/address.h"
#include "server/base/settings.h"
#include "server/http/head.h"

struct origin_policy {
    const struct settings *settings; // allowed_host, cors_origin
    const struct address *bound;     // what we listen on
};

// Whether this request may be looked at. ERR_MISDIRECTED: it is for another host. ERR_FORBIDDEN: a
// page sent it that may not. Of a request that is refused nothing else may be told.
bool origin_admits(const struct origin_policy *p, const struct head *h, struct err *e);

// A header of an answer; without a value it is not sent.
struct header {
    const char *name, *value;
};

enum { ORIGIN_HEADERS = 8 };

// What Access-Control-Allow-Origin says in the answer: the request's Origin where it is one of
// --cors-origin, "*" where all are, NULL otherwise. Belongs to the connection or is constant.
const char *origin_granted(const struct origin_policy *p, const struct head *h);

// What an answer tells browsers. `methods`: it is an answer to OPTIONS, and these may be used; else
// NULL.
void origin_headers(const struct origin_policy *p, const char *granted, const char *methods,
                    struct header out[ORIGIN_HEADERS]);
