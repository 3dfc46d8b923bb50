#!/bin/sh
# weft eval: numbers for people and for machines.
. "$(dirname "$0")/lib.sh"
small_mnist digits 600 200
small_table table.csv
run 0 train digits --hidden 16 --epochs 3 --out run -q
cp out trained

run 0 eval run digits
for text in 'samples   200' 'loss      ' 'accuracy  ' 'precision  recall      f1  samples' \
    'confusion (rows: true class, columns: predicted)' 'mean '; do
    has out "$text"
done
[ ! -s err ] || fail "stderr"
is "$(sed -n 's/^accuracy *//p' out)" "$(sed -n 's/^test .*accuracy \(.*%\).*/\1/p' trained)"
run 0 eval run digits -q
is "$(cut -d' ' -f1 out | tr '\n' ' ')" "samples loss accuracy "
run 0 eval run/model.safetensors digits --json
is "$(wc -l <out)" 1
is "$("$JSONQ" samples <out)" 200
loss=$("$JSONQ" loss <out) accuracy=$("$JSONQ" accuracy <out)
awk "BEGIN { exit !($accuracy > 0.3 && $accuracy <= 1 && $loss > 0) }" || fail "loss or accuracy"
# The diagonal of the confusion matrix is the accuracy; its sum the number of samples.
"$JSONQ" confusion <out | tr -d '[]' | tr ',' '\n' | awk -v accuracy="$accuracy" '
    { sum += $1; if ((NR - 1) % 11 == 0) right += $1 }
    END { exit !(sum == 200 && NR == 100 && right / sum - accuracy < 1e-9 && accuracy - right / sum < 1e-9) }' ||
    fail "confusion"
is "$("$JSONQ" classes.0.name classes.9.name <out | tr '\n' ' ')" "0 9 "
run 0 eval run digits --split train --json
is "$("$JSONQ" samples <out)" 600
run 0 eval run digits/t10k-images-idx3-ubyte,digits/t10k-labels-idx1-ubyte --json --threads 3
is "$("$JSONQ" loss <out)" "$loss"

run 0 train table.csv --label kind --epochs 20 --out binary -q
run 0 eval binary table.csv --label kind
has out 'auc       1.0000'
has out 'small'
run 0 eval binary table.csv --label 2 --json
is "$("$JSONQ" auc accuracy <out | tr '\n' ' ')" "1.0 1.0 "
run 0 eval binary table.csv --label=-1 --json
is "$("$JSONQ" accuracy <out)" 1.0

awk 'BEGIN { for (i = 0; i < 40; i++) print i / 10 "," i / 20 + 0.3 }' >line.csv
run 0 train line.csv --label 1 --hidden none --epochs 200 --lr 0.1 --out line -q
run 0 eval line line.csv --label 1
for text in 'rmse      ' 'mae       ' 'r2        '; do
    has out "$text"
done
lacks out accuracy
run 0 eval line line.csv --label 1 --json
is "$("$JSONQ" accuracy <out)" null
awk "BEGIN { exit !($("$JSONQ" r2 <out) > 0.99) }" || fail "r2"
finish
