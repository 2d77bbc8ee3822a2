#!/bin/sh
# SPDX-License-Identifier: MIT
# Fails when an include points the wrong way, or in a circle: `make layers`. The table says which
# folders a folder may include besides itself; each foreign header has its owners; a file's name is
# its own in the whole tree. Prints FILE:LINE of each violation. A source that no test is named
# after is a warning. One thing is lent the other way, by the linker alone: the parameters of kinds of
# jobs (api/schema/job_parts.h), which are described in server/jobs so that a kind is one file.

cd "$(dirname "$0")/.." || exit 2
table='
engine/base
engine/nn        engine/base
engine/table     engine/base engine/nn
engine/model     engine/base engine/nn engine/table
engine/optim     engine/base engine/nn engine/model
engine/train     engine/base engine/nn engine/table engine/model engine/optim
api/json         engine/base
api/schema       engine/* api/json
api/views        engine/* api/json api/schema
api/files        engine/* api/json api/schema
api/docs         engine/* api/json api/schema api/views
server/base      engine/base engine/nn
server/store     engine/base server/base
server/files     engine/base engine/table server/base server/store
server/jobs      engine/* api/* server/base server/store server/files
server/http      engine/base api/json api/schema api/views server/base server/store
server/handlers  engine/* api/* server/*
server           engine/* api/* server/*
clients/cli      engine/base engine/table
tests            engine/* api/* server/* clients/*
'
owners='
cblas.h       engine/nn/blas.c
cJSON.h       api/ clients/ tests/
sqlite3.h     server/store/ tests/
microhttpd.h  server/http/http.c
curl.h        clients/ tests/
check.h       tests/
'
export table owners
find engine api server clients tests -name '*.[ch]' -o -name '*.def' | LC_ALL=C sort | xargs awk '
function folder(file) {
    sub(/\/[^\/]*$/, "", file)
    return file ~ /^tests/ ? "tests" : file
}
function base(path) {
    sub(/.*\//, "", path)
    return path
}
function bad(why) {
    printf "%s:%d: %s\n", FILENAME, FNR, why
    failed = 1
}
function may(from, to,    top) {
    top = to
    sub(/\/.*/, "/*", top)
    return from == to || (from, to) in allowed || (from, top) in allowed
}
function owned(name, file,    i, n, list) {
    n = split(owner[name], list, " ")
    for (i = 2; i <= n; i++)
        if (index(file, list[i]) == 1)
            return 1
    return 0
}
function tested(source,    name) {
    for (name = base(source); name != ""; sub(/_?[^_]*$/, "", name)) {
        sub(/\.c$/, "", name)
        if (("test_" name ".c") in path)
            return 1
    }
    return 0
}
# Depth first over modules (a .c with its .h); `mark` is 1 on the way down, 2 when done.
function visit(module, way,    i, n, list) {
    if (mark[module] == 1) {
        sub(".* " module " ", " " module " ", way)
        print "a circle of includes:" way module
        failed = 1
    }
    if (mark[module])
        return
    mark[module] = 1
    n = split(uses[module], list, " ")
    for (i = 1; i <= n; i++)
        visit(list[i], way module " ")
    mark[module] = 2
}
BEGIN {
    n = split(ENVIRON["table"], line, "\n")
    for (i = 1; i <= n; i++) {
        m = split(line[i], word, " ")
        known[word[1]]
        for (k = 2; k <= m; k++)
            allowed[word[1], word[k]]
    }
    n = split(ENVIRON["owners"], line, "\n")
    for (i = 1; i <= n; i++)
        if (split(line[i], word, " "))
            owner[word[1]] = line[i]
    for (i = 1; i < ARGC; i++) {
        name = base(ARGV[i])
        if (name in path) {
            printf "%s:1: has the name of %s\n", ARGV[i], path[name]
            failed = 1
        }
        path[name] = ARGV[i]
        exists[ARGV[i]]
    }
}
FNR == 1 && !(folder(FILENAME) in known) {
    bad("the table does not know the folder " folder(FILENAME))
}
/^[ \t]*#[ \t]*include[ \t]*[<"]/ {
    to = $0
    sub(/^[^<"]*[<"]/, "", to)
    sub(/[>"].*/, "", to)
    name = base(to)
    if (name in owner && !owned(name, FILENAME))
        bad("includes <" name ">, which belongs to others: " owner[name])
    if ($0 ~ /</)
        next
    if (!(to in exists))
        bad("there is no file \"" to "\"; includes are written from the top of the tree")
    else if (!may(folder(FILENAME), folder(to)))
        bad(folder(FILENAME) " may not include " folder(to) ", and includes " name)
    module = FILENAME
    sub(/\.[a-z]*$/, "", module)
    sub(/\.[a-z]*$/, "", to)
    if (module != to && module !~ /^tests\// && index(uses[module] " ", " " to " ") == 0)
        uses[module] = uses[module] " " to
}
END {
    for (module in uses)
        visit(module, " ")
    for (i = 1; i < ARGC; i++)
        if (ARGV[i] ~ /^(engine|api|server)\/.*\.c$/ && !tested(ARGV[i]))
            untested = untested " " ARGV[i]
    if (untested)
        print "layers: no test is named after" untested
    print failed ? "layers: failed" : "layers: passed"
    exit failed
}' || exit 1
