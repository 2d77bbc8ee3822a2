#!/bin/sh
# Runs test programs and sums them up: tests/check.sh PROGRAM... (called by `make check`, `make asan`, ...).
# Each program ends with "<name>: N passed, N failed". Shows what failed; the last line is the sum of all.
#
# As many run at once as there are processors, since half of them wait for daemons most of the time. Each takes ports
# and folders that are free, so none can disturb another. What a program has to say is printed when it has ended.
set -u
if [ "${1-}" = --one ]; then
    results=$2 program=$3
    log=$(mktemp "$results/XXXXXX")
    start=$(date +%s)
    $program >"$log" 2>&1 </dev/null
    status=$?
    line=$(grep -E ': [0-9]+ passed, [0-9]+ failed$' "$log" | tail -n 1)
    p=$(printf '%s' "$line" | sed -n 's/.*: \([0-9]*\) passed.*/\1/p')
    f=$(printf '%s' "$line" | sed -n 's/.*, \([0-9]*\) failed$/\1/p')
    [ -n "$line" ] || { p=0 f=1; }
    [ "$status" -eq 0 ] || [ "${f:-0}" -gt 0 ] || f=1
    {
        printf '%-58s %5d passed %3d failed %4d s\n' "$program" "$p" "$f" $(($(date +%s) - start))
        grep -E '^  [a-z]' "$log" # what it measured
        [ "$f" -eq 0 ] || { grep -E ':[FE]:|ERROR:|WARNING: ThreadSanitizer|runtime error|bug:' "$log" || tail -n 30 "$log"; }
    } >"$log.text"
    cat "$log.text"
    echo "$p $f" >"$log.sum"
    exit 0
fi
results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT
for program; do printf '%s\0' "$program"; done | xargs -0 -P "$(nproc)" -n 1 sh "$0" --one "$results"
echo
cat "$results"/*.sum | awk -v wanted=$# '
    { passed += $1; failed += $2 }
    END {
        failed += wanted - NR # what ended without a word
        printf "mlpd: %d passed, %d failed\n", passed, failed
        exit failed > 0
    }'
