#!/bin/sh
# SPDX-License-Identifier: MIT
# Looks at what compiler and linker made: `tests/binary.sh build/release`. No two source files may
# need symbols of each other. Each program must have what makes a memory fault hard to use; the
# Makefile asks for it, and a lost flag is seen by nobody else. Ends in "binary: N passed, N failed".

set -u
build=$1
passed=0 failed=0
elf() { LC_ALL=C readelf -W "$@"; }

check() { # WHAT COMMAND...
    what=$1
    shift
    if "$@"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAILED: $program: $what"
    fi
}

# readelf's sections of words: which OPTION of readelf, an awk condition that must (not) hold for a line.
has() { elf "$1" "$program" | awk "$2 { found = 1 } END { exit !found }"; }
lacks() { elf "$1" "$program" | awk "$2 { found = 1 } END { exit found }"; }

# Every object has the processor's protection, wherever the linker's mark gets lost.
protected() {
    case $(elf -h "$program") in
    *X86-64*) mark='IBT, SHSTK' ;;
    *AArch64*) mark='BTI, PAC' ;;
    *) return 0 ;;
    esac
    find "$build/server" "$build/api" "$build/engine" "$build/wide.o" "$build/clients" -name '*.o' |
        while read -r object; do
            elf -n "$object" | grep -q "$mark" || echo "no $mark: $object"
        done | grep . && return 1
    return 0
}

# Frames of more than a page are touched page by page: gcc by an "or" of nothing with the stack.
# Clang's way cannot be told from other stores, so its binaries are taken at their word.
probed() {
    elf -h "$program" | grep -q X86-64 || return 0
    elf -p .comment "$program" | grep -q clang && return 0
    LC_ALL=C objdump -d --no-show-raw-insn "$program" |
        grep -Eq '\<or[lq] +\$0x0,(0x[0-9a-f]+)?\(%rsp\)'
}

# Which file uses a symbol of which other, and no way round: what two files need of each other
# belongs into one, or into a third. Includes cannot show it (tests/layers.sh looks at those), for a
# header often declares what another file defines.
knots() {
    (cd "$build" && for source in $(cd "$OLDPWD" && ls engine/*/*.c api/*/*.c server/*/*.c); do
        [ ! -e "${source%.c}.o" ] || nm -A "${source%.c}.o"
    done) | awk '
    function visit(file, way,    i, n, list) {
        if (mark[file] == 1) {
            sub(".* " file " ", " " file " ", way)
            print "each needs the next:" way file
            found = 1
        }
        if (mark[file])
            return
        mark[file] = 1
        n = split(uses[file], list, " ")
        for (i = 1; i <= n; i++)
            if (list[i] != file)
                visit(list[i], way file " ")
        mark[file] = 2
    }
    {
        sub(/:.*/, "", $1)
        if ($(NF - 1) ~ /[TDRBCVW]/)
            owner[$NF] = $1
        else if ($(NF - 1) == "U")
            wants[$1] = wants[$1] " " $NF
    }
    END {
        for (file in wants) {
            n = split(wants[file], list, " ")
            for (i = 1; i <= n; i++)
                if (list[i] in owner && index(uses[file] " ", " " owner[list[i]] " ") == 0)
                    uses[file] = uses[file] " " owner[list[i]]
        }
        for (file in uses)
            visit(file, " ")
        exit !found
    }'
}
no_knots() { ! knots; }

for program in "$build/mlpd" "$build/mlpd-cli"; do
    check "is position-independent" has -h '/Type:.*DYN/'
    check "is an executable with an interpreter" has -l '$1 == "INTERP"'
    check "relocations become read-only" has -l '$1 == "GNU_RELRO"'
    check "symbols are bound at start" has -d '/FLAGS.*NOW/'
    check "has a stack that is not executable" has -l '$1 == "GNU_STACK" && $7 == "RW"'
    check "has no segment to write and execute" lacks -l '/RWE/'
    check "has code apart from data" lacks -l '$1 == "LOAD" && $7 == "R" && $8 == "E" && $2 == "0x000000"'
    check "has no relocation in code" lacks -d '/TEXTREL/'
    check "looks for libraries in no folder of its own" lacks -d '/R(UN)?PATH/'
    check "checks its stack" has -s '/__stack_chk_fail/'
    check "checks bounds in libc's calls" has -s '/__(memcpy|snprintf|vsnprintf|fprintf|read)_chk/'
done
program=$build/mlpd
check "touches every page of a large frame" probed
check "checks bounds that are known at run time only" sh -c "LC_ALL=C readelf -p .mlpd.build '$program' |
    grep -q '_FORTIFY_SOURCE=3'"
check "is protected in every object" protected
check "has no two files that need each other" no_knots
check "claims the shadow stack" sh -c "! LC_ALL=C readelf -h '$program' | grep -q X86-64 ||
    LC_ALL=C readelf -n '$program' | grep -q SHSTK"
echo "binary: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
