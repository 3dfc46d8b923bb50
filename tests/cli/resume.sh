#!/bin/sh
# Checkpoints and --resume: a run that was stopped ends as one that was not, and what does not belong
# together is refused by name.
. "$(dirname "$0")/lib.sh"
small_mnist digits 300 60
small_mnist others 299 60

# lines FILE: metrics but for the times
lines()
{
    sed 's/,"seconds":[^,}]*//' "$1"
}

# same_run A B
same_run()
{
    same "$1/model.safetensors" "$2/model.safetensors"
    lines "$1/metrics.jsonl" >a.lines
    lines "$2/metrics.jsonl" >b.lines
    same a.lines b.lines
}

# Killed in any state of the file system that kill -9 leaves, and taken up with other threads. The
# shell counts on epochs: a checkpoint at each of 7 steps, 10 steps an epoch.
set -- --hidden 16 --epochs 6 --batch-size 24 --val 0.2 --keep-best --optimizer adam --ema 0.9 \
    --random-shift 2 --seed 7
run 0 train digits "$@" --out whole -q --checkpoint-every never
[ ! -e whole/checkpoints ] || fail "checkpoints without being asked for"
for kills in 1 2 3; do
    rm -rf killed
    run 0 train digits "$@" --out killed -q --checkpoint-every 7 --keep 100 --threads 2
    # As it was at each of the checkpoints: files after them are those of a later time.
    for file in killed/checkpoints/step-*.safetensors; do
        rm -rf taken
        cp -r killed taken
        cp "$file" taken/checkpoints/last.safetensors
        echo '{"epoch":99' >>taken/metrics.jsonl
        : >taken/model.safetensors.tmp.0123456789abcdef
        mkdir -p taken/images
        : >taken/images/confusion_matrix.png.tmp.0123456789abcdef
        : >taken/checkpoints/last.safetensors.tmp.0123456789abcdef
        run 0 train --resume taken -q --threads "$kills"
        same_run whole taken
        [ -z "$(find taken -name '*.tmp.*')" ] || fail "left half-written files"
    done
done

# What is left after a run has ended: nothing to do, or more epochs.
run 0 train --resume killed -q
same_run whole killed
set -- --hidden 8 --epochs 4 --schedule constant --batch-size 30 --optimizer sgd
run 0 train digits "$@" --out long -q
run 0 train digits "$@" --epochs 2 --out short -q
run 0 train --resume short -q --epochs 4
run 0 train digits "$@" --out long2 -q
same long2/model.safetensors short/model.safetensors
is "$(grep -c '"epoch"' short/metrics.jsonl)" 4
is "$("$JSONQ" epoch <short/metrics.jsonl | tr '\n' ' ')" "1 2 3 4 "
lacks err "warning"
run 0 train digits --hidden 8 --epochs 2 --out linear -q
run 0 train --resume linear -q --epochs 3
has err "warning: with --schedule linear the learning rate depends on --epochs"

# What a resumed run cannot have.
refused 2 "--batch-size: wanted 30, as long has it; a resumed run cannot have 31" \
    train --resume long --batch-size 31
refused 2 "--optimizer: wanted sgd, as long has it; a resumed run cannot have adam" \
    train --resume long --optimizer adam
refused 2 "--val: wanted 0, as long has it" train --resume long --val 0.5
refused 2 "--hidden: wanted 8, as long has it" train --resume long --hidden 9
refused 2 "--seed: wanted 1, as long has it" train --resume long --seed 2
refused 2 "--out: wanted none beside --resume" train --resume long --out new
refused 2 "--config: wanted none beside --resume" train --resume long -c long/config.ini
refused 3 "resume: the training data are not those of the checkpoint" train others --resume long
refused 3 "whole/checkpoints/last.safetensors: cannot open" train --resume whole
refused 2 "missing/config.ini: cannot open" train --resume missing
refused 2 "--checkpoint-every: wanted a number of steps, seconds such as 60s" \
    train digits --checkpoint-every 5m
refused 2 "--on-divergence rollback: wanted checkpoints" \
    train digits --on-divergence rollback --checkpoint-every never
cp -r long cut
head -c 50 long/metrics.jsonl >cut/metrics.jsonl
refused 1 "cut/metrics.jsonl: 50 bytes, the checkpoint was made when it had" train --resume cut
cp -r long damaged
printf 'x' | dd of=damaged/checkpoints/last.safetensors bs=1 seek=20000 conv=notrunc 2>dd.err
refused 3 "damaged/checkpoints/last.safetensors: damaged: its content has the checksum" \
    train --resume damaged
# Other kernels are allowed, and said; without a word about it they stay those of the run.
run 0 train digits "$@" --epochs 2 --out kernels -q --isa generic
run 0 train --resume kernels -q --epochs 3
lacks err "warning"
if "$WEFT" train digits --isa avx2 --epochs 0 --out new -q >out 2>err; then
    run 0 train --resume kernels -q --epochs 4 --isa avx2
    has err "warning: kernels was trained with kernels for generic, these are for avx2"
fi

# A new run in the same place does not leave the older one's checkpoints.
run 0 train digits --hidden 4 --epochs 1 --out long --force -q --checkpoint-every never
[ ! -e long/checkpoints ] || fail "an older run's checkpoints stay"

# The best network so far lies beside the last one, and both are models.
run 0 eval killed/checkpoints/best.safetensors digits
run 0 eval killed/checkpoints/last.safetensors digits

# A run that ends early ends there again; time that is over starts anew.
run 0 train digits --hidden 8 --epochs 50 --val 0.2 --patience 2 --lr 1e-20 --optimizer sgd --out patient -q
has out "no better one for 2"
cp patient/metrics.jsonl before
run 0 train --resume patient -q
has out "no better one for 2"
lines before >a.lines
lines patient/metrics.jsonl >b.lines
same a.lines b.lines
run 0 train --resume patient -q --patience 4
is "$(wc -l <patient/metrics.jsonl)" 5
run 0 train digits --hidden 64 --optimizer sgd --epochs 100000 --max-time 0.3 --out timed -q --schedule constant
has out "s are over"
n=$(wc -l <timed/metrics.jsonl)
run 0 train --resume timed --max-time 0.3 -q
[ "$(wc -l <timed/metrics.jsonl)" -ge "$n" ] || fail "no more epochs"
"$JSONQ" epoch <timed/metrics.jsonl | awk '$1 != NR { exit 1 }' || fail "gaps or doubles"
finish
