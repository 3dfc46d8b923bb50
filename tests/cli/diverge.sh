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
# The last good checkpoint stays, and says so; from there at half the rate, and half of that.
run 4 train line.csv --label 1 --output identity --hidden none --optimizer sgd --lr 1000 --epochs 200 --out kept -q \
    --checkpoint-every 1
has err "--clip-norm 1 or --warmup; the last good checkpoint, of step "
has err ", is kept/checkpoints/last.safetensors"
run 0 eval kept/checkpoints/last.safetensors line.csv --label 1
run 0 train line.csv --label 1 --output identity --hidden none --optimizer sgd --scale standard --lr 4 --epochs 200 \
    --schedule constant --batch-size full --out back -q --on-divergence rollback
has err "; going back to step 0 at half the learning rate (1 of 5)"
"$JSONQ" epoch <back/metrics.jsonl | awk '$1 != NR { exit 1 }' || fail "gaps or doubles"
is "$(wc -l <back/metrics.jsonl)" 200
"$JSONQ" lr <back/metrics.jsonl >rates
is "$(sort -u rates | wc -l)" 1
awk '$1 >= 4 { exit 1 }' rates || fail "the rate is as before"
run 4 train line.csv --label 1 --output identity --hidden none --optimizer sgd --lr 1000 --epochs 200 --out often -q \
    --on-divergence rollback --rollbacks 2
is "$(grep -c 'going back to step 0' err)" 2
has err "(2 of 2)"
# The same rates, and bits, when it is interrupted after that.
run 0 train line.csv --label 1 --output identity --hidden none --optimizer sgd --scale standard --lr 4 --epochs 90 \
    --schedule constant --batch-size full --out part -q --on-divergence rollback
run 0 train --resume part -q --epochs 200
same part/model.safetensors back/model.safetensors

# An older model does not stay beside the metrics of a run that failed.
run 0 train line.csv --label 1 --output identity --hidden none --optimizer sgd --lr 0.001 --epochs 1 --out run3 -q
run 4 train line.csv --label 1 --output identity --hidden none --optimizer sgd --lr 1000 --epochs 200 --out run3 --force -q
is "$(ls run3 | tr '\n' ' ')" "config.ini metrics.jsonl "
finish
