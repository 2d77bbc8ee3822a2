#!/bin/sh
# How good is {"dataset", "target"} alone? Trains on NAME_train.csv and scores NAME_test.csv for every table of the list that is in the folder.
#     tests/accuracy.sh MLPD FOLDER        (`make accuracy DATA=folder`)
set -eu
mlpd=$1 data=$2
work=$(mktemp -d)
trap 'kill $pid 2>/dev/null; wait 2>/dev/null; rm -rf "$work"' EXIT
"$mlpd" --listen 127.0.0.1:0 --data "$work/data" --log off >"$work/out" &
pid=$!
until [ -s "$work/out" ]; do sleep 0.1; done
url=$(sed -n 's/^listening on //p' "$work/out")
passed=0 failed=0

ask() { curl -sf "$@"; }
number() { sed -n "s/.*\"$1\":\([0-9.eE+-]*\).*/\1/p"; }

# table, target, metric, at least or at most, bound
score() {
    [ -f "$data/$1_train.csv" ] || { echo "$1: not in $data, left out"; return; }
    ask --data-binary "@$data/$1_train.csv" "$url/datasets?name=$1" >/dev/null
    ask --data-binary "@$data/$1_test.csv" "$url/datasets?name=$1-test" >/dev/null
    job=$(ask -d "{\"dataset\":\"$1\",\"target\":\"$2\"}" "$url/jobs" | number id)
    until ask "$url/jobs/$job" | grep -qE '"status":"(succeeded|failed)"'; do sleep 0.5; done
    value=$(ask -d "{\"dataset\":\"$1-test\"}" "$url/models/$1/evaluate" | number "$3")
    if awk "BEGIN { exit !($value $4 $5) }"; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
    printf '%-20s %-9s %12s   wanted %s %s\n' "$1" "$3" "$value" "$4" "$5"
}

score california_housing median_house_value rmse '<=' 53000
score adult income accuracy '>=' .852
score letter lettr accuracy '>=' .965
score iris species accuracy '>=' .9
echo "accuracy: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
