#!/bin/sh
# SPDX-License-Identifier: MIT
# mlpd-cli against a real daemon: `tests/e2e/cli_test.sh build/release`. A case is a line: the exit
# code it must have, words that its output (stdout and stderr) must hold, and the command. Ends in
# "cli: N passed, N failed".

set -u
build=$(cd "$1" && pwd) && cd "$(dirname "$0")/../.." || exit 2
cli=$build/mlpd-cli
folder=$(mktemp -d /tmp/mlpd-cli-test.XXXXXX)
"$build/mlpd" --listen 127.0.0.1:0 --data "$folder/data" --workers 1 \
    >"$folder/out" 2>"$folder/log" &
daemon=$!
trap 'kill $daemon 2>/dev/null; wait $daemon; rm -rf "$folder"' EXIT
trap 'exit 1' INT TERM
for _ in $(seq 100); do
    grep -q listening "$folder/out" && break
    sleep 0.1
done
MLPD_SERVER=$(sed -n 's/^listening on //p' "$folder/out")
export MLPD_SERVER
passed=0 failed=0

wants() { # CODE WORDS COMMAND...: every word of WORDS, separated by |, must be in the output
    code=$1 words=$2
    shift 2
    "$@" >"$folder/reply" 2>&1 </dev/null
    got=$?
    missing=$(echo "$words" | tr '|' '\n' | while read -r word; do
        [ -z "$word" ] || grep -qF -e "$word" "$folder/reply" || echo "no \"$word\""
    done)
    if [ "$got" = "$code" ] && [ -z "$missing" ]; then
        passed=$((passed + 1))
        return
    fi
    failed=$((failed + 1))
    echo "FAILED: $*"
    echo "  exit code $got, wanted $code; $missing"
    sed 's/^/  | /' "$folder/reply"
}

# The same, and nothing in the output that a terminal might obey: no control character but line
# ends, of ASCII or of U+0080 to U+009F, and nothing that turns the direction of a text.
tame() { # CODE WORDS COMMAND...
    wants "$@"
    [ "$(LC_ALL=C tr -d '\n' <"$folder/reply" | LC_ALL=C grep -caE "$wild")" = 0 ] && return
    failed=$((failed + 1)) passed=$((passed - 1))
    echo "FAILED: $*: a terminal might obey it"
    sed 's/^/  | /' "$folder/reply" | cat -v
}
wild=$(printf '[[:cntrl:]]|\302[\200-\237]|\342\200[\250-\256]|\342\201[\246-\251]')

plots_without_colour() {
    LC_ALL=C NO_COLOR=1 COLUMNS=60 LINES=15 "$cli" plot 1 >"$folder/plot" || return
    awk 'length > 60 || /[^ -~]/ { bad = 1 } END { exit bad || NR != 13 }' "$folder/plot"
}

answers_every_row() { # FILE: as many answers as rows, and the header
    "$cli" predict iris --file "$1" >"$folder/answers" || return
    [ "$(wc -l <"$folder/answers")" = "$(wc -l <"$1")" ] &&
        [ "$(head -1 "$folder/answers")" = "class,Iris-setosa,Iris-versicolor,Iris-virginica" ]
}

awk 'NR == 1 { print } NR > 1 { row[NR] = $0 } END { for (i = 0; i < 100; i++) for (k in row) print row[k] }' \
    tests/data/iris_test.csv >"$folder/many.csv"
{
    echo 'species;petal_width;petal_length;sepal_width;"sepal_length"'
    printf ';0.2;1.4;;5.1' # no line end
} >"$folder/other.csv"
printf 'sepal_length,sepal_width,petal_length,petal_width\n1,2,3,4\n1,x,3,4\n' >"$folder/bad.csv"

iris=tests/data/iris_train.csv
row='{"sepal_length": 5.1, "sepal_width": null, "petal_length": 1.4, "petal_width": 0.2}'

wants 0 'From a table to a prediction|upload|health|NO_COLOR' "$cli" --help
wants 2 'From a table' "$cli"
wants 0 '--set KEY=JSON|Example' "$cli" train --help
wants 2 'unknown command "trian"' "$cli" trian
wants 2 'unknown option "--taget"' "$cli" train iris --taget x
wants 2 'has no option --target' "$cli" jobs --target x
wants 2 '--target expects COLUMN' "$cli" train iris --target
wants 2 'expects FILE.csv, got 0' "$cli" upload
wants 2 'a job is a number' "$cli" follow iris
wants 1 'nothing listens|mlpd --data' "$cli" --server http://127.0.0.1:1 health
wants 0 'ok: mlpd' "$cli" health
wants 0 'ok: mlpd' "$cli" --server "$MLPD_SERVER/" health
wants 0 'there are no jobs yet' "$cli" jobs
wants 1 'could not open "none.csv"' "$cli" upload none.csv
wants 0 'dataset "iris_train" version 1: 120 rows, 5 columns|species: categorical, 3' "$cli" upload $iris
wants 0 'dataset "iris" version 1' "$cli" upload $iris --name=iris
wants 1 'must be 1 to 64' "$cli" upload $iris --name 'a/b c'
wants 1 'did you mean "iris"' "$cli" train iros --target species
wants 1 '2 fields need attention|/training/epochs: |/optimiser: |did you mean "optimizer"' \
    "$cli" train iris --target species --epochs -1 --set optimiser=sgd
wants 2 'was set to a plain value' "$cli" train iris --set optimizer=sgd --set optimizer.lr=1
wants 2 '--set expects KEY=JSON' "$cli" train iris --set seed
wants 2 '--set expects KEY=JSON' "$cli" train iris --set a..b=1
wants 0 'epoch 30/30|train |val |succeeded|model "iris" version 1|best epoch' "$cli" train iris \
    --target species --epochs 30 --set 'model.layers=[16, 16]' --set optimizer.type=adam \
    --set training.early_stopping=null --follow
wants 0 'succeeded' "$cli" follow 1
wants 0 'job 1|train|val|epoch' "$cli" plot 1
wants 0 '' plots_without_colour
wants 0 'JOB|succeeded|iris|30/30|val_loss' "$cli" jobs
wants 0 'iris|classification|KiB' "$cli" models
wants 0 'there are more' "$cli" datasets --limit 1
wants 1 'must be a whole number' "$cli" datasets --limit many
wants 0 'Iris-setosa' "$cli" predict iris "$row"
wants 0 'Iris-setosa' "$cli" predict iris '[5.1, 3.5, 1.4, 0.2]'
wants 0 'Iris-setosa' "$cli" predict iris '[[5.1, 3.5, 1.4, 0.2], [5, 3.5, 1.4, 0.2]]'
wants 1 '3 fields need|/instances/0: "sepal_width" is missing|did you mean' \
    "$cli" predict iris '{"sepal_lenth": 3, "petal_length": 1, "petal_width": 1}'
wants 2 'a row is JSON' "$cli" predict iris '{'
wants 2 'either a row' "$cli" predict iris
wants 0 '' answers_every_row tests/data/iris_test.csv
wants 0 '' answers_every_row "$folder/many.csv"
wants 0 'Iris-setosa,' "$cli" predict iris --file "$folder/other.csv"
wants 1 'must be a number, got "x"|the first row of this batch, /instances/0, is at line 2' \
    "$cli" predict iris --file "$folder/bad.csv"
wants 1 'needs a column "sepal_length"' "$cli" predict iris --file tests/data/california_housing_test.csv
wants 1 'no such model: "no%such"' "$cli" predict no%such "$row"
wants 0 'on 120 rows of "iris"|accuracy|log_loss' "$cli" evaluate iris iris
wants 1 'no such dataset' "$cli" evaluate iris none
wants 1 'already succeeded' "$cli" cancel 1
wants 1 'no such job: 99' "$cli" plot 99
wants 0 'job 2 is queued' "$cli" train iris --target species --epochs 100000 \
    --set training.early_stopping=null
wants 0 'cancel' "$cli" cancel 2
wants 1 'job 2 was cancelled' "$cli" follow 2
wants 1 'job 3 failed: diverged' "$cli" train iris --target species --follow \
    --set optimizer.type=sgd --set optimizer.lr=1e6 --set regularization.gradient_clip_norm=null

cat >"$folder/pair.csv" <<END
x,rain,wind
$(seq 40 | awk '{ print $1 "," ($1 > 20) "," $1 % 2 }')
END
wants 0 '' "$cli" upload "$folder/pair.csv"
wants 0 'succeeded' "$cli" train pair --set 'target=["rain","wind"]' --set 'model.layers=[4]' \
    --epochs 2 --name labels --follow
wants 0 'succeeded' "$cli" train pair --set 'target=["rain","wind"]' --set 'model.layers=[4]' \
    --set 'task="regression"' --epochs 2 --name values --follow
wants 0 'rain |wind ' "$cli" predict values '{"x": 3}'
wants 0 'rain,wind' "$cli" predict values --file "$folder/pair.csv"
wants 0 'rain,wind' "$cli" predict labels --file "$folder/pair.csv"
wants 0 '' "$cli" predict labels '{"x": 3}'

# Names and classes that would take the terminal over: ESC, DEL, CSI as one character, a turned text.
evil=$(printf 'x\033[2J\177\302\2331m\342\200\256')
{
    echo 'a,b'
    for i in $(seq 20); do printf '%d,%s\n-%d,y\n' "$i" "$evil" "$i"; done
} >"$folder/evil.csv"
printf 'a,%s\n1,2\n' "$evil" >"$folder/name.csv"
printf 'a\n5\n-5\n' >"$folder/sides.csv"
shown='x\x1b[2J\x7f\u009b1m\u202e'
tame 1 'line 1: the name of column 2 has a control character, U+001B' "$cli" upload "$folder/name.csv"
tame 0 'b: categorical, 2' "$cli" upload "$folder/evil.csv"
tame 0 'succeeded' "$cli" train evil --target b --epochs 5 --name turn --follow
tame 0 "$shown" "$cli" predict turn '[[5], [4], [3], [2], [-5]]'
tame 0 "class,$shown,y" "$cli" predict turn --file "$folder/sides.csv"
tame 1 '' "$cli" evaluate "$evil" evil
tame 1 'has no column' "$cli" train evil --target "b$evil"
tame 2 "unknown command \"$shown\"" "$cli" "$evil"
tame 2 'unknown option' "$cli" "--$evil"
tame 1 'could not open' "$cli" upload "$folder/$evil"
tame 1 'could not reach' "$cli" --server "http://127.0.0.1:1/$evil" health
tame 1 'unknown field' "$cli" predict turn "{\"$(printf 'z\302\233')\": 1}"
tame 0 '' "$cli" models
tame 0 '' curl -s "$MLPD_SERVER/datasets/evil"
tame 0 '' curl -s -d '{"model":"turn","instances":[[5]]}' "$MLPD_SERVER/predict"
echo "cli: $passed passed, $failed failed"
[ "$failed" = 0 ]
