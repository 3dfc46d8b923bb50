#!/bin/sh
# weft train: weights of classes and of samples, from options to the command that comes next.
. "$(dirname "$0")/lib.sh"
awk 'BEGIN { print "a,b,w,kind"
    for (i = 0; i < 60; i++) printf "%d,%d,%g,%s\n", i % 7 + (i % 3 == 0) * 4, i % 5, i % 4 + 0.5,
        i % 3 ? "big" : "small"
}' >table.csv

run 0 train table.csv --label kind --ignore w --epochs 3 -o plain -q
run 0 train table.csv --label kind --ignore w --epochs 3 --class-weight balanced -o balanced -q
has balanced/config.ini 'class_weight = balanced'
! cmp -s plain/model.safetensors balanced/model.safetensors || fail "--class-weight does nothing"
# 60 samples, 40 of them big: 60 / (2 40) and 60 / (2 20).
run 0 train table.csv --label kind --ignore w --epochs 3 --class-weight 0.75,1.5 -o listed -q
same balanced/model.safetensors listed/model.safetensors
run 0 train table.csv --label kind --ignore w --epochs 3 --class-weight 1,1 -o ones -q
same plain/model.safetensors ones/model.safetensors
run 0 train -c balanced/config.ini -o again -q
same balanced/model.safetensors again/model.safetensors

run 0 train table.csv --label kind --sample-weight w --val 0.2 --epochs 3 -o weighted
case $(cat out) in *"next      weft eval weighted/model.safetensors table.csv --label kind --ignore w"*) ;;
*) fail "the next command" ;; esac
run 0 eval weighted table.csv --label kind --ignore w
for threads in 1 3; do
    run 0 train table.csv --label kind --sample-weight w --val 0.2 --epochs 3 --cache-memory 0 \
        --shuffle buffer:1000 --threads "$threads" -o streamed --force -q
    run 0 train table.csv --label kind --sample-weight w --val 0.2 --epochs 3 \
        --shuffle buffer:1000 -o cached --force -q
    same cached/model.safetensors streamed/model.safetensors
done

refused 2 "--class-weight: wanted balanced, or 2 numbers from 0, one for each class, separated by \
commas; got '1,2,3'" train table.csv --label kind --class-weight 1,2,3 --out new
refused 2 "got '1'" train table.csv --label kind --class-weight 1 --out new
refused 2 "got '1,-2'" train table.csv --label kind --class-weight 1,-2 --out new
refused 2 "all samples are 0" train table.csv --label kind --ignore w --class-weight 0,0 --out new
refused 2 "--class-weight: wanted classes; table.csv has values" \
    train table.csv --label a --ignore kind --output identity --class-weight balanced --out new
refused 3 "no column is named 'v'" train table.csv --label kind --sample-weight v --out new
nothing_left
finish
