#!/bin/sh
# Signals: the model as of the last whole step is saved; the exit code is 128 + the signal.
. "$(dirname "$0")/lib.sh"
small_mnist digits 200 50

stopped()
{
    signal=$1 code=$2 name=$3
    shift 3
    last_call="train (stopped by $name)"
    timeout -s "$signal" 1 "$WEFT" train digits --hidden 16 --epochs 1000000 --print-every 1000000 \
        --out "stop_$signal" "$@" >out 2>err
    got=$?
    # timeout itself exits with 124 after the signal it sent
    is "$got" 124
    has err "stopped by $name after step "
    has err "; the network as it was then is in stop_$signal/model.safetensors"
    "$JSONQ" epoch <"stop_$signal/metrics.jsonl" >/dev/null || fail "metrics"
    run 0 eval "stop_$signal" digits
    timeout --preserve-status -s "$signal" 1 "$WEFT" train digits --hidden 16 --epochs 1000000 \
        --print-every 1000000 --out "stop2_$signal" -q >out 2>err
    is $? "$code"
}
stopped INT 130 SIGINT
stopped TERM 143 SIGTERM
stopped HUP 129 SIGHUP --json
timeout --preserve-status -s INT 1 "$WEFT" train digits --epochs 1000000 --out json --json -q >out 2>err
is "$(tail -n 1 out | "$JSONQ" stopped_by)" SIGINT

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
