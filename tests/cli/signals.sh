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

for case in INT:130 TERM:143 HUP:129; do
    signal=${case%:*}
    stop_with "$signal" "run$signal"
    is "$got" "${case#*:}"
    has err "weft train: stopped by SIG$signal after step "
    has err "; the network as it was then is in run$signal/model.safetensors"
    has out "next      weft eval run$signal/model.safetensors digits"
    lacks out "test  "
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
