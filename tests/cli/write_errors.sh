#!/bin/sh
# What cannot be written: exit code 1, and nothing half-written stays.
. "$(dirname "$0")/lib.sh"
small_mnist digits 100 50
small_table table.csv
run 0 train digits --hidden 8 --epochs 1 --out model -q

# A directory below a file cannot be made, not even by root.
refused 1 "table.csv/run" train digits --epochs 1 --out table.csv/run
refused 1 "table.csv: cannot be a run directory: Not a directory" train digits --out table.csv
refused 1 "/proc/run" train digits --epochs 1 --out /proc/run/below
refused 1 "table.csv/p.csv" predict model digits -o table.csv/p.csv
refused 1 "missing/p.csv" predict model digits -o missing/p.csv

# A full disk on stdout.
if [ -c /dev/full ]; then
    for call in "--help" "--version" "train --help" "info" "info --json" "eval model digits" \
        "eval model digits --json" "predict model digits" "predict model digits --json" \
        "inspect model" "inspect digits --json" "train digits --epochs 1 --hidden 4 -q --out full$$"; do
        # shellcheck disable=SC2086
        "$WEFT" $call >/dev/full 2>err
        is "$? $call" "1 $call"
        has err "standard output: cannot write: No space left on device"
        [ ! -d "full$$" ] || [ -s "full$$/model.safetensors" ] || fail "no model"
    done
fi

# Files that may not grow beyond a size (in blocks of 512 bytes) are as a full disk.
limited()
{
    last_call=$*
    blocks=$1
    shift
    # Through a pipe, as the limit would hold for the file err too.
    {
        (ulimit -f "$blocks" && exec "$WEFT" "$@") 2>&1 >/dev/null
        echo $? >code
    } | cat >err
    is "$(cat code)" 1
}
limited 0 train digits --hidden 8 --epochs 1 --out run
has err "run/config.ini: cannot write: File too large"
nothing_left
limited 0 train digits --hidden 8 --epochs 1
nothing_left
limited 8 train digits --hidden 8 --epochs 1 --out run
has err "run/model.safetensors: cannot write: File too large"
is "$(ls run | tr '\n' ' ')" "config.ini metrics.jsonl "
rm -r run
limited 8 train table.csv --label kind --hidden 1 --epochs 1000 --batch-size full --out run -q
has err "run/metrics.jsonl: cannot write: File too large"
has err "stopped after step "
"$JSONQ" epoch <run/metrics.jsonl >lines || fail "metrics.jsonl has half a line"
run 0 eval run table.csv --label kind
rm -r run
echo old >predictions.csv
limited 8 predict model digits --split train -o predictions.csv --proba
has err "predictions.csv: cannot write: File too large"
is "$(cat predictions.csv)" old
nothing_left

# A reader that has seen enough: quiet.
{
    "$WEFT" predict model digits --proba 2>err
    echo $? >code
} | head -n 1 >first
has first prediction
[ ! -s err ] || fail "wanted no word about a closed pipe"
case $(cat code) in 0 | 141) ;; *) fail "exit code $(cat code)" ;; esac
finish
