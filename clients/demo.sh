#!/bin/sh
# SPDX-License-Identifier: MIT
# The whole way from a CSV to predictions, on a real table: `clients/demo.sh build/release`. Starts a
# daemon of its own on a free port with a folder of its own, and removes both at the end, however
# that comes. Every curl is printed as it is run, so it can be copied.

set -eu
build=$1
folder=$(mktemp -d "${TMPDIR:-/tmp}/mlpd-demo.XXXXXX")
daemon=
clean_up() {
    [ -z "$daemon" ] || kill "$daemon" 2>/dev/null || true
    [ -z "$daemon" ] || wait "$daemon" || true
    rm -rf "$folder"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

bold= dim= off=
if [ -t 1 ] && [ -z "${NO_COLOR-}" ]; then
    bold=$(printf '\033[1m') dim=$(printf '\033[2m') off=$(printf '\033[0m')
fi
say() {
    printf '\n%s%s%s\n' "$bold" "$*" "$off"
}
show() { # print a command, then run it; its reply goes to $folder/reply
    printf '%s$ %s%s\n' "$dim" "$1" "$off"
    eval "$1" >"$folder/reply"
}
reply() { # the reply, shortened to three lines
    fold -w 100 "$folder/reply" | awk 'NR <= 3 { print "  " $0 } END { if (NR > 3) print "  ..." }'
}
field() { # the number under a key of the reply
    sed -n "s/.*\"$1\":\([-0-9.e+]*\).*/\1/p" "$folder/reply"
}

"$build/mlpd" --listen 127.0.0.1:0 --data "$folder/data" >"$folder/address" 2>"$folder/log" &
daemon=$!
until grep -q listening "$folder/address"; do
    kill -0 "$daemon" 2>/dev/null || { cat "$folder/log" >&2; exit 1; }
    sleep 0.1
done
url=$(sed -n 's/^listening on //p' "$folder/address")
export MLPD_SERVER="$url" no_proxy=127.0.0.1
cli=$build/mlpd-cli
table=tests/data/california_housing

say "mlpd listens at $url. Upload 16512 districts of California: gaps and a text column included."
show "curl -sSf --data-binary @${table}_train.csv '$url/datasets?name=housing'"
reply

say "Train: two fields are enough. The reply shows every default, resolved."
show "curl -sSf -d '{\"dataset\": \"housing\", \"target\": \"median_house_value\"}' $url/jobs"
reply

say "Follow the job. (The same by curl: $url/jobs/1 and $url/jobs/1/metrics)"
printf '%s$ %s%s\n' "$dim" "$cli follow 1" "$off"
"$cli" follow 1

say "The loss curves."
printf '%s$ %s%s\n' "$dim" "$cli plot 1" "$off"
"$cli" plot 1

say "Score the model on 4128 districts that it has never seen."
show "curl -sSf --data-binary @${table}_test.csv '$url/datasets?name=housing-test'"
show "curl -sSf -d '{\"dataset\": \"housing-test\"}' $url/models/housing/evaluate"
reply
printf '%s  Test RMSE: %.0f dollars, R2 %.3f%s\n' "$bold" "$(field rmse)" "$(field r2)" "$off"

say "Predict the first of them. The truth is 241800 dollars."
show "curl -sSf -d '{\"model\": \"housing\", \"instances\": [{
    \"longitude\": -122.26, \"latitude\": 37.85, \"housing_median_age\": 52, \"total_rooms\": 3503,
    \"total_bedrooms\": 752, \"population\": 1504, \"households\": 734, \"median_income\": 3.2705,
    \"ocean_proximity\": \"NEAR BAY\"}]}' $url/predict"
reply

say "The same one with two values missing, by position in place of names."
show "curl -sSf -d '{\"model\": \"housing\", \"instances\": [
    [-122.26, 37.85, 52, 3503, null, 1504, 734, 3.2705, null]]}' $url/predict"
reply

say "A mistake gets an answer that helps."
show "curl -sS -d '{\"dataset\": \"housing\", \"traget\": \"median_house_value\"}' $url/jobs"
reply

say "That was all. For a daemon that stays: $build/mlpd --data ./mlpd-data"
