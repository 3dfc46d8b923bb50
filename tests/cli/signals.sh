#!/bin/sh
# Signals: the model as of the last whole step is saved; the exit code is 128 + the signal.
. "$(dirname "$0")/lib.sh"
small_mnist digits 200 50

# stop_with SIGNAL RUNDIR OPTION...: trains without end, and sends the signal when the first epochs
# are written. The call is in the foreground: shells let background jobs ignore SIGINT.
stop_with()
{
    signal=$1 place=$2
    shift 2
    last_call="train (to be stopped by SIG$signal)"
    {
        i=0
        while [ ! -s "$place/metrics.jsonl" ] && [ "$i" -lt 300 ]; do
            sleep 0.1
            i=$((i + 1))
        done
        kill -s "$signal" "$(cat pid)"
    } &
    # shellcheck disable=SC2016
    sh -c 'echo $$ >pid; exec "$WEFT" "$@"' sh train digits --hidden 16 --epochs 1000000 \
        --print-every 1000000 --out "$place" "$@" >out 2>err
    got=$?
    wait
}

for case in INT:130 TERM:143 HUP:129 XCPU:152; do
    signal=${case%:*}
    stop_with "$signal" "run$signal"
    is "$got" "${case#*:}"
    has err "weft train: stopped by SIG$signal after step "
    has err "; the network as it was then is in run$signal/model.safetensors"
    has out "next      weft eval run$signal/model.safetensors digits"
    lacks out "test  "
    has err "; to go on: weft train --resume run$signal"
    [ -s "run$signal/checkpoints/last.safetensors" ] || fail "no checkpoint"
    "$JSONQ" epoch <"run$signal/metrics.jsonl" >/dev/null || fail "metrics"
    run 0 eval "run$signal" digits
done
stop_with INT best --val 0.2 --keep-best
is "$got" 130
grep -q '; the network of epoch [0-9]*, the best, is in best/model.safetensors' err || fail "$(cat err)"
stop_with INT json --json -q
is "$got" 130
is "$(wc -l <out)" 1
is "$("$JSONQ" stopped_by <out)" SIGINT

# What was stopped goes on, and ends as if it had not been.
run 0 train digits --hidden 16 --epochs 40 --out whole -q
stop_with TERM half --epochs 3000
is "$got" 143
"$JSONQ" epoch <half/metrics.jsonl | awk '$1 != NR { exit 1 }' || fail "epochs before"
run 0 train --resume half --epochs "$(($(wc -l <half/metrics.jsonl) + 5))" -q
"$JSONQ" epoch <half/metrics.jsonl | awk '$1 != NR { exit 1 }' || fail "epochs after"

# USR1: a checkpoint, and training goes on; a second SIGINT, a moment later, ends it at once.
"$WEFT" train digits --hidden 16 --epochs 1000000 --out asked -q >out 2>err &
pid=$!
i=0
while [ ! -s asked/metrics.jsonl ] && [ "$i" -lt 300 ]; do
    sleep 0.1
    i=$((i + 1))
done
[ ! -e asked/checkpoints ] || fail "a checkpoint before it was asked for"
kill -USR1 $pid
while [ ! -s asked/checkpoints/last.safetensors ] && [ "$i" -lt 300 ]; do
    sleep 0.1
    i=$((i + 1))
done
[ -s asked/checkpoints/last.safetensors ] || fail "no checkpoint after SIGUSR1"
kill -0 $pid || fail "SIGUSR1 ended it"
cp -r asked copy
kill -TERM $pid
wait $pid
is $? 143
run 0 train --resume copy --epochs 1000000 --max-time 0.2 -q
"$JSONQ" epoch <copy/metrics.jsonl | awk '$1 != NR { exit 1 }' || fail "epochs of the copy"

# Two runs in one directory would mix up its files.
"$WEFT" train --resume asked -q >out2 2>err2 &
pid=$!
sleep 0.5
refused 1 "asked/metrics.jsonl: another process is training there" train --resume asked
kill -TERM $pid
wait $pid

# The reader of stdout is gone: no message, and the run is whole.
{
    "$WEFT" train digits --hidden 4 --epochs 1 --out piped 2>err
    echo $? >code
} | :
is "$(cat code)" 141
lacks err "cannot write"
[ -s piped/model.safetensors ] || fail "no model where nobody reads the results"

# timeout(1) sends its signal to the process and to the group: that is one request, not two.
timeout --preserve-status -s TERM 3 "$WEFT" train digits --hidden 16 --epochs 1000000 --out timed \
    -q >out 2>err
is $? 143
[ -s timed/model.safetensors ] || fail "no model after timeout(1)"

# Under nohup a hangup means nothing.
trap '' HUP
"$WEFT" train digits --epochs 300 --hidden 8 --out hup -q >out 2>err &
pid=$!
trap - HUP
sleep 0.1
kill -HUP $pid
wait $pid
is $? 0
finish
