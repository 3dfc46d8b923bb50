#!/bin/sh
# weft train on data that stay in their files: the same models, what is said of it, what is refused.
. "$(dirname "$0")/lib.sh"
small_mnist digits 600 200
small_table table.csv
gzip -k digits/*

# How samples are shuffled is found from their size, and written.
run 0 train digits --epochs 1 --hidden 8 -o plain -q
has plain/config.ini 'shuffle = full'
lacks plain/config.ini cache_memory
run 0 train digits --epochs 1 --hidden 8 -o buffer -q --shuffle buffer
has buffer/config.ini "shuffle = buffer:$((268435456 / 784))"
run 0 train digits --epochs 1 --hidden 8 -o none -q --no-shuffle
has none/config.ini 'shuffle = none'
# Config files from before there were methods.
sed 's/shuffle = full/shuffle = true/' plain/config.ini >old.ini
run 0 train -c old.ini -o old -q
same old/model.safetensors plain/model.safetensors
same old/config.ini plain/config.ini
sed 's/shuffle = none/shuffle = false/' none/config.ini >old.ini
run 0 train -c old.ini -o old -q --force
same old/model.safetensors none/model.safetensors

# Streamed or not, the model is the same; a report is made of both.
streamed()
{
    rm -rf cached stream
    run 0 train "$@" --epochs 2 -o cached
    lacks err 'read anew'
    for threads in 1 3; do
        run 0 train "$@" --epochs 2 -o stream --cache-memory 0 --threads "$threads" --force
        has err 'read anew in each pass; at most '
        has out ' s of it waiting for data'
        same cached/model.safetensors stream/model.safetensors
        sed 's/^threads = .*//' cached/config.ini >a
        sed 's/^threads = .*//' stream/config.ini >b
        same a b
        sed 's/,"seconds":[^,}]*//' cached/metrics.jsonl >a
        sed 's/,"seconds":[^,}]*//' stream/metrics.jsonl >b
        same a b
        [ -s stream/report.html ] || fail "no report"
    done
}
streamed digits --hidden 16 --shuffle buffer:100 --val 0.2 --keep-best
streamed digits/train-images-idx3-ubyte.gz,digits/train-labels-idx1-ubyte.gz --hidden 16 \
    --shuffle none
streamed digits/train-images-idx3-ubyte,digits/train-labels-idx1-ubyte --hidden 16 --random-shift 2
streamed table.csv --label kind --val 0.25 --shuffle buffer:7 --batch-size 5
cp table.csv other.csv
streamed table.csv --label kind --val other.csv --shuffle none --test other.csv --test-every 1
has err 'val       other.csv: '
grep -q '"val_loss"' stream/metrics.jsonl || fail "no scores of the validation set"

awk 'BEGIN { print "a,color,kind"
    for (i = 0; i < 80; i++) printf "%s,%s,%d\n", i % 9 ? i / 4 : "", i % 3 ? "red" : "blue", i % 2
}' >holes.csv
streamed holes.csv --label kind --missing mean --categorical color --val 0.25 --shuffle buffer:9
streamed holes.csv --label kind --missing drop --categorical color --shuffle none

# What fits stays in memory: here the test set and what is held out.
run 0 train digits --epochs 1 --hidden 8 --shuffle buffer:50 --cache-memory 400K --val 0.1 -o some
has err 'training data are read anew'

refused 2 "--shuffle full: wanted the 470 kB of \
digits/train-images-idx3-ubyte.gz,digits/train-labels-idx1-ubyte.gz in memory, or in a file that is neither \
compressed nor text; --cache-memory allows 2.0 kB; --shuffle buffer:N needs less" \
    train digits/train-images-idx3-ubyte.gz,digits/train-labels-idx1-ubyte.gz --cache-memory 2K \
    --out new
refused 2 "--cache-memory: wanted an amount of memory, such as 500M or 2G, or 0; got 'much'" \
    train digits --cache-memory much --out new
refused 2 "--shuffle: wanted one of auto, full, buffer, buffer:N, none; got 'buffer:0'" \
    train digits --shuffle buffer:0 --out new
refused 2 "--val: wanted a number from 0 to below 1, or DATA; got '1'" train digits --val 1 --out new
refused 3 "nowhere.csv" train table.csv --label kind --val nowhere.csv --out new
refused 3 "digits" train table.csv --label kind --val digits --out new
nothing_left

# A file that breaks off after its header was believed: seen in the first epoch, exit code 3.
head -c 60000 digits/train-images-idx3-ubyte.gz >cut.gz
refused 3 "cut.gz: truncated" train cut.gz,digits/train-labels-idx1-ubyte --cache-memory 0 \
    --shuffle buffer:20 --out new -q
nothing_left
finish
