#!/bin/sh
# Tables with categories and missing values: trained on, told of, predicted, exported, refused.
. "$(dirname "$0")/lib.sh"

# flower,size,colour: the colour alone tells the two kinds apart; every 7th size is missing.
awk 'BEGIN {
    print "kind,size,colour"
    split("red blue green white", colour, " ")
    for (i = 0; i < 80; i++)
        printf "%s,%s,%s\n", i % 4 < 2 ? "a" : "b", i % 7 == 3 ? "NA" : i % 5, colour[i % 4 + 1]
}' >flowers.csv

refused 3 "column 1 ('size'): 'NA' is a missing value" train flowers.csv --label kind \
    --categorical colour --out new
refused 2 "got 'often'" train flowers.csv --missing often --out new
nothing_left
run 0 train flowers.csv --label kind --missing mean --categorical colour --hidden none --epochs 40 \
    --lr 0.5 --out net -q
has net/config.ini 'missing = mean'
has net/config.ini 'categorical = colour'
run 0 inspect net
has out "columns     2, 1 of categories (4)"
has out "missing     mean"
run 0 eval net flowers.csv --label kind --json
is "$("$JSONQ" samples accuracy <out | tr '\n' ' ')" "80 1.0 "

# Later tables are read as the model says; the classes follow from the colours.
printf ',red\n3,white\nnan,green\n' >new.csv
run 0 predict net new.csv
is "$(tr '\n' ' ' <out)" "prediction a b b "
printf '1,red\n2,pink\n' >pink.csv
refused 3 "pink.csv: line 2, column 1: 'pink' is not among the model's categories" \
    predict net pink.csv -o new
printf '1,red,3,4\n' >wide.csv
refused 3 "wide.csv: 3 columns beside labels and ignored ones, wanted 2" predict net wide.csv -o new
nothing_left

# What is missing in the mean's place is the mean: of the numbers given, and bit for bit.
mean=$(awk -F, 'NR > 1 && $2 != "NA" { s += $2; n++ } END { printf "%.9g", s / n }' flowers.csv)
printf '%s,red\n' "$mean" >given.csv
printf ',red\n' >lacking.csv
run 0 predict net given.csv --proba
mv out given
run 0 predict net lacking.csv --proba
same out given

# Rows that are dropped in training and evaluation are refused where each row gets an answer.
run 0 train flowers.csv --label kind --missing drop --categorical colour --hidden none --epochs 2 \
    --out dropped -q
run 0 eval dropped flowers.csv --label kind --json
is "$("$JSONQ" samples <out)" 69
refused 3 "flowers.csv: line 5, column 1 ('size')" predict dropped flowers.csv --label kind -o new

run 0 train flowers.csv --label kind --init-from net --epochs 1 --out again -q
run 0 inspect again
has out "columns     2, 1 of categories (4)"
refused 3 "--missing: contradicts net" train flowers.csv --label kind --init-from net \
    --missing zero --out new
refused 2 "no table" train "$DATA/mnist" --missing zero --out new

for file in net.onnx net.h net.npz; do
    run 0 export net $file
done
has net.h "net_columns(void)"
refused 3 "takes columns of a table" export net net.html --image 5x1
nothing_left
finish
