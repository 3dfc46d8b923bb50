#!/bin/sh
# weft inspect: models and data, told apart by their content.
. "$(dirname "$0")/lib.sh"
small_mnist digits 100 50
small_table table.csv
run 0 train digits --hidden 16,8 --activation relu,tanh --epochs 0 --out run -q

run 0 inspect run
cp out long
run 0 inspect run/model.safetensors
same out long
for text in 'model (safetensors)' 'inputs      784' 'outputs     10' 'parameters  12786' \
    'scaling     unit' 'classes     0, 1, 2, 3, 4, 5, 6, 7, 8, 9' 'relu' 'tanh' 'softmax'; do
    has out "$text"
done
cp run/model.safetensors misleading.csv
run 0 inspect misleading.csv
has out 'model (safetensors)'
run 0 inspect run --json
is "$("$JSONQ" kind parameters output layers.1.function classes.3 <out | tr '\n' ' ')" \
    "model 12786 softmax tanh 3 "

run 0 inspect digits
for text in 'split train' 'split test' 'samples     100' 'samples     50' 'shape       28 x 28 (784 features)' \
    'type        u8, whole numbers' 'values      0 to 255, mean ' 'labels      10 classes'; do
    has out "$text"
done
run 0 inspect digits --split test
lacks out 'samples     100'
run 0 inspect digits --json
is "$(wc -l <out)" 1
is "$("$JSONQ" kind train.samples test.samples test.features train.type <out | tr '\n' ' ')" \
    "data 100 50 784 u8 "
run 0 inspect digits/t10k-images-idx3-ubyte
has out 'labels      none'
run 0 inspect table.csv --label kind
has out 'labels      2 classes'
has out '50.00 %'
run 0 inspect table.csv --label kind --json
is "$("$JSONQ" samples features classes.0.name classes.0.samples <out | tr '\n' ' ')" "60 2 big 30 "
cut -d, -f1,2 table.csv >numbers.csv
run 0 inspect numbers.csv --label 0 --json
is "$("$JSONQ" values <out)" 1
finish
