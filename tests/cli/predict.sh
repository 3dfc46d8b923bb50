#!/bin/sh
# weft predict: CSV and JSON, with and without probabilities.
. "$(dirname "$0")/lib.sh"
small_mnist digits 600 200
small_table table.csv
run 0 train digits --hidden 16 --epochs 3 --out run -q
run 0 train table.csv --label kind --epochs 20 --out binary -q

run 0 predict run digits
is "$(head -n 1 out)" prediction
is "$(wc -l <out)" 201
cp out plain
run 0 predict run digits -o file.csv
[ ! -s out ] || fail "stdout"
same file.csv plain
run 0 predict run digits/t10k-images-idx3-ubyte --threads 3
same out plain
run 0 predict run digits --split train
is "$(wc -l <out)" 601

# Right as often as eval says.
tail -c +9 digits/t10k-labels-idx1-ubyte | od -An -tu1 -v -w1 | tr -d ' ' >labels
right=$(tail -n +2 plain | paste -d= - labels | awk -F= '$1 == $2' | wc -l)
run 0 eval run digits --json
is "$("$JSONQ" accuracy <out)" "$(awk "BEGIN { printf \"%.15g\", $right / 200 }")"

run 0 predict run digits --proba
is "$(head -n 1 out)" "prediction,p_0,p_1,p_2,p_3,p_4,p_5,p_6,p_7,p_8,p_9"
cut -d, -f1 out >first
same first plain
tail -n +2 out | awk -F, '{
    sum = 0; best = 2
    for (i = 2; i <= 11; i++) { sum += $i; if ($i > $best) best = i }
    if (sum < 0.99999 || sum > 1.00001 || best - 2 != $1) exit 1 }' || fail "probabilities"

run 0 predict binary table.csv --label kind --proba
is "$(head -n 1 out)" "prediction,p_big,p_small"
tail -n +2 out | awk -F, '$2 + $3 < 0.99999 || $2 + $3 > 1.00001 || ($2 > 0.5) != ($1 == "big") { exit 1 }' ||
    fail "two probabilities"
cut -d, -f1 out >with_label
cut -d, -f1,2 table.csv >unlabelled.csv
run 0 predict binary unlabelled.csv
same out with_label

run 0 predict binary unlabelled.csv --json --proba
is "$("$JSONQ" samples predictions.0 <out | tr '\n' ' ')" "60 small "
awk "BEGIN { s = $("$JSONQ" probabilities.0.0 <out) + $("$JSONQ" probabilities.0.1 <out); exit !(s > 0.99999 && s < 1.00001) }" ||
    fail "probabilities"
run 0 predict binary unlabelled.csv --json -o file.csv
is "$("$JSONQ" output samples <out | tr '\n' ' ')" "file.csv 60 "
same file.csv with_label

awk 'BEGIN { print "a,b,odd,third"; for (i = 0; i < 40; i++) print i / 10 "," i / 20 + 0.3 "," i % 2 "," i % 3 % 2 }' >many.csv
run 0 train many.csv --label odd,third --epochs 1 --out many -q
run 0 predict many many.csv --label odd,third --proba
is "$(head -n 1 out)" "odd,third,p_odd,p_third"
tail -n +2 out | awk -F, '$1 != ($3 >= 0.5) || $2 != ($4 >= 0.5) { exit 1 }' || fail "labels"
run 0 train many.csv --label odd,third --output identity --epochs 1 --out two -q
run 0 predict two many.csv --label odd,third
is "$(head -n 1 out)" "odd,third"
run 0 train many.csv --label b --output identity --epochs 1 --out one -q
run 0 predict one many.csv --label b
is "$(head -n 1 out)" "prediction"

# Names that need quotes.
sed 's/small/"a ""b"", c"/' table.csv >quoted.csv
run 0 train quoted.csv --label kind --epochs 20 --out quoted -q
run 0 predict quoted quoted.csv --label kind --proba
is "$(head -n 1 out)" 'prediction,"p_a ""b"", c",p_big'
is "$(sed -n 2p out | cut -c1-13)" '"a ""b"", c",'
finish
