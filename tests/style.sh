#!/bin/sh
# SPDX-License-Identifier: MIT
# What a machine can see of how the sources are written: `make style`. Prints FILE:LINE of each of
#
#   - a line of more than 100 columns
#   - a header that is included twice in a file (lists, *.def, may be)
#   - a macro, a struct, union or enum, or a function of a file, that has its name twice in a
#     program: one include away from breaking, and in the way of whoever searches for one of them.
#     Not macros that their file undefines, or that a list is read with
#   - a .c of more than 100 lines that does not begin with a paragraph on how and why
#   - BUG() in what reads bytes that were stored: others' bytes are an error, never our mistake

cd "$(dirname "$0")/.." || exit 2
# What the lists' lines are written with.
rows=$(find engine api server -name '*.def' | xargs sed -n 's/^#undef //p' | sort -u | paste -sd'|')
find engine api server clients -name '*.[ch]' | LC_ALL=C sort | LC_ALL=C xargs awk -v rows="$rows" '
function bad(line, why) {
    printf "%s:%d: %s\n", FILENAME, line, why
    failed = 1
}
# The program that a file is part of; engine/ is part of both.
function program() {
    return FILENAME ~ /^clients\// ? "mlpd-cli" : "mlpd"
}
function once(kind, name,    key) {
    key = program() " " kind " " name
    if (key in seen && seen[key] != FILENAME)
        bad(FNR, kind " " name " is in " seen[key] " too")
    seen[key] = FILENAME
}
function end_of_file() {
    if (last ~ /\.c$/ && lines > 100 && opening < 2) {
        printf "%s:2: %d lines, and no paragraph on how and why at its head\n", last, lines
        failed = 1
    }
    delete included
}
FNR == 1 {
    end_of_file()
    last = FILENAME
    head = 1
    opening = 0
}
{
    lines = FNR
    columns = $0
    gsub(/[\200-\277]/, "", columns) # all but the first byte of a character
    if (length(columns) > 100)
        bad(FNR, length(columns) " columns")
}
FNR > 1 && head {
    if (/^\/\/ [^ ]/ || /^\/\/$/)
        opening++
    else
        head = 0
}
/^#include/ && !/\.def"/ {
    if ($2 in included)
        bad(FNR, "includes " $2 " twice")
    included[$2]
}
/^#define / && $0 !~ "^#define (X|" rows ")\\(" {
    name = $2
    sub(/\(.*/, "", name)
    once("macro", name)
}
/^(static (const )?)?(struct|union|enum) [a-z_0-9]+ \{/ {
    match($0, /(struct|union|enum) [a-z_0-9]+/)
    once(substr($0, RSTART, index(substr($0, RSTART), " ") - 1), substr($0, RSTART + index(substr($0, RSTART), " "), RLENGTH - index(substr($0, RSTART), " ")))
}
/^static [^;={]*[ *][a-z_0-9]+\(/ && !/^static inline/ && !/##/ {
    name = $0
    sub(/\(.*/, "", name)
    sub(/.*[ *]/, "", name)
    once("function", name)
}
/BUG\(/ && FILENAME ~ /^(api\/files\/(model_file|prep_json|safetensors)|server\/files\/colfile_read|server\/handlers\/handle_)/ {
    bad(FNR, "BUG() where stored bytes are read")
}
END {
    end_of_file()
    print failed ? "style: failed" : "style: passed"
    exit failed
}'
