#!/bin/sh
# The same bytes for any number of threads, for full batches and for mini-batches of an odd size.
. "$(dirname "$0")/lib.sh"
small_mnist digits 5000 50

check()
{
    name=$1
    shift
    for n in 1 2 3 4 7 8; do
        run 0 train digits -q --seed 3 --threads "$n" --out "$name$n" "$@"
        same "${name}1/model.safetensors" "$name$n/model.safetensors"
        sed 's/,"seconds":[^,}]*//' "$name$n/metrics.jsonl" >"$name$n.metrics"
        same "${name}1.metrics" "$name$n.metrics"
    done
}
check full --hidden 32,16 --batch-size full --epochs 30 --lr 0.1
check mini --hidden 37 --batch-size 33 --epochs 1 --val 0.1
finish
