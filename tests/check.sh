#!/bin/sh
# Runs test programs and sums them up: tests/check.sh PROGRAM... (called by `make check`, `make asan`, ...).
# Each program ends with "<name>: N passed, N failed". Shows what failed; the last line is the sum of all.
set -u
passed=0 failed=0
log=$(mktemp)
trap 'rm -f "$log"' EXIT
for program; do
    [ ! -t 1 ] || printf '%s ...' "$program"
    start=$(date +%s)
    $program >"$log" 2>&1
    status=$?
    line=$(grep -E ': [0-9]+ passed, [0-9]+ failed$' "$log" | tail -n 1)
    p=$(printf '%s' "$line" | sed -n 's/.*: \([0-9]*\) passed.*/\1/p')
    f=$(printf '%s' "$line" | sed -n 's/.*, \([0-9]*\) failed$/\1/p')
    [ -n "$line" ] || { p=0 f=1; }
    [ "$status" -eq 0 ] || [ "${f:-0}" -gt 0 ] || f=1
    [ ! -t 1 ] || printf '\r'
    printf '%-58s %5d passed %3d failed %4d s\n' "$program" "$p" "$f" $(($(date +%s) - start))
    grep -E '^  [a-z]' "$log" # what it measured
    [ "$f" -eq 0 ] || { grep -E ':[FE]:|ERROR:|WARNING: ThreadSanitizer|runtime error|bug:' "$log" || tail -n 30 "$log"; }
    passed=$((passed + p)) failed=$((failed + f))
done
echo
echo "mlpd: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
