#!/bin/sh
# A loss that is no number any more: exit code 4, what was measured stays, no model.
. "$(dirname "$0")/lib.sh"
small_mnist digits 200 50
awk 'BEGIN { for (i = 0; i < 50; i++) print i * 1.5 "," i * 3.25 }' >line.csv

run 4 train line.csv --label 1 --output identity --hidden none --optimizer sgd --lr 1000 --epochs 200 --out run
has err "weft train: "
has err "; try a smaller --lr than 1000"
is "$(ls run | tr '\n' ' ')" "config.ini metrics.jsonl "
if [ -s run/metrics.jsonl ]; then
    "$JSONQ" epoch <run/metrics.jsonl >/dev/null || fail "metrics"
fi
[ ! -s out ] || fail "stdout"
run 4 train line.csv --label 1 --output identity --hidden none --optimizer sgd --lr 1000 --epochs 200 --out run2 -q --json
[ ! -s out ] || fail "stdout"
# An older model does not stay beside the metrics of a run that failed.
run 0 train line.csv --label 1 --output identity --hidden none --optimizer sgd --lr 0.001 --epochs 1 --out run3 -q
run 4 train line.csv --label 1 --output identity --hidden none --optimizer sgd --lr 1000 --epochs 200 --out run3 --force -q
is "$(ls run3 | tr '\n' ' ')" "config.ini metrics.jsonl "
finish
