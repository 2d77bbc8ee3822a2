#!/bin/sh
# SPDX-License-Identifier: MIT
# Fails when an include points the wrong way: `make layers`. A file may include its own layer and
# those below; each foreign header has its owners; a file's name is its own in the whole tree.
# Prints FILE:LINE of each violation. A source that no test is named after is a warning.

cd "$(dirname "$0")/.." || exit 2
find engine api server clients tests -name '*.[ch]' -o -name '*.def' | LC_ALL=C sort | xargs awk '
function layer(file) {
    if (file ~ /^engine\//) return 1
    if (file ~ /^api\//) return 2
    if (file ~ /^server\/(store|migrate|clock|job|blame|log|file|digest|address|crew|levels|colfile)/) return 3
    if (file ~ /^server\/(http|descriptors|head|wire|pool|gate|origin|exchange|reaper|router|routes|reply|call|handle|server)/) return 5
    if (file ~ /^server\/main\./) return 6
    if (file ~ /^server\//) return 4
    return 7
}
function bad(why) {
    printf "%s:%d: %s\n", FILENAME, FNR, why
    failed = 1
}
function base(path) {
    sub(/.*\//, "", path)
    return path
}
function tested(source,    name) {
    for (name = base(source); name != ""; sub(/_?[^_]*$/, "", name)) {
        sub(/\.c$/, "", name)
        if (("test_" name ".c") in path)
            return 1
    }
    return 0
}
BEGIN {
    word[1] = "engine"; word[2] = "api"; word[3] = "server/store and helpers"
    word[4] = "server/queue, worker, cache"; word[5] = "server/http, handlers"; word[6] = "main"
    word[7] = "clients and tests"
    owner["cblas.h"] = "^engine/blas\\.c$"
    owner["cJSON.h"] = "^(api|clients|tests)/"
    owner["sqlite3.h"] = "^(server/(store[a-z_]*|migrate)\\.c$|tests/)"
    owner["microhttpd.h"] = "^server/http\\.c$"
    owner["curl.h"] = "^(clients|tests)/"
    owner["check.h"] = "^tests/"
    for (i = 1; i < ARGC; i++) {
        name = base(ARGV[i])
        if (name in path) {
            printf "%s:1: has the name of %s\n", ARGV[i], path[name]
            failed = 1
        } else {
            path[name] = ARGV[i]
        }
    }
}
/^[ \t]*#[ \t]*include[ \t]*[<"]/ {
    name = $0
    sub(/^[^<"]*[<"]/, "", name)
    sub(/[>"].*/, "", name)
    name = base(name)
    if (name in owner && FILENAME !~ owner[name])
        bad("<" name "> belongs to others: " owner[name])
    if ($0 ~ /</ || FILENAME ~ /^tests\//)
        next
    to = path[name]
    if (to == "")
        bad("there is no file \"" name "\"")
    else if (FILENAME ~ /^clients\// && to !~ /^(clients|engine)\//)
        bad("a client speaks to the daemon over HTTP only, and includes " to)
    else if (FILENAME ~ /^server\/(store|migrate)/ && to !~ /^(server\/(store|migrate|clock|job|blame)[a-z_]*|engine\/(err|arena|utf8))\.h$/)
        bad("the store knows of texts and numbers only, and includes " to)
    else if (layer(to) > layer(FILENAME))
        bad(word[layer(FILENAME)] " is below " word[layer(to)] ", and includes " to)
}
END {
    for (i = 1; i < ARGC; i++)
        if (ARGV[i] ~ /^(engine|api|server)\/.*\.c$/ && !tested(ARGV[i]))
            untested = untested " " ARGV[i]
    if (untested)
        print "layers: no test is named after" untested
    print failed ? "layers: failed" : "layers: passed"
    exit failed
}' || exit 1
