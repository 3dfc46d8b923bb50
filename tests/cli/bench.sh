#!/bin/sh
# weft bench: what it prints and writes, and what it refuses; never how fast anything is.
. "$(dirname "$0")/lib.sh"
small_mnist digits 300 50
small_table table.csv
small="--hidden 9 --inputs 20 --outputs 3 --seconds 0.02 -q"

# positive FILE PATH...: numbers above 0
positive()
{
    file=$1
    shift
    "$JSONQ" "$@" <"$file" | awk '!($1 > 0) { exit 1 }' || fail "wanted numbers above 0: $*"
}

run 0 bench --help
for text in 'usage: weft bench MODE' '  bench step [DATA]' '  bench scaling [DATA]' \
    '  bench predict [MODEL]'; do
    has out "$text"
done
cp out long
run 0 help bench
same out long
run 2 bench
same err long
[ ! -s out ] || fail "stdout"
for mode in step scaling predict; do
    run 0 bench $mode --help
    has out "usage: weft bench $mode ["
    has out "--hidden WIDTHS"
    [ "$(awk 'length > 80' out | wc -l)" = 0 ] || fail "wanted lines of at most 80 columns"
    cp out long
    run 0 help bench $mode
    same out long
done

# Steps.
# shellcheck disable=SC2086
run 0 bench step $small --samples 100
for text in 'machine   ' "weft      $WEFT_VERSION, " ' kernels, ' 'network   20-9-3, relu, softmax; ' \
    'data      made up: 100 samples of 20 numbers, 3 classes' 'batches of 32, 4 steps an epoch' \
    'median       10 %       90 %' 'step  ' 'epoch  ' 'speed     ' ' samples/s, ' ' GFLOP/s in dense products'; do
    has out "$text"
done
[ ! -s err ] || fail "stderr"
# shellcheck disable=SC2086
run 0 bench step ${small% -q} --samples 100
is "$(cat err)" "measuring 1 case for about 0.02 s"
run 0 bench step digits --hidden 8,4 --activation tanh --batch-size 128 --seconds 0.02 --threads 1 --json -q
is "$(wc -l <out)" 1
is "$("$JSONQ" benchmark data samples batch_size threads network.widths network.activations \
    network.output network.parameters <out | tr '\n' ' ')" \
    'step digits 300 128 1 [784,8,4,10] ["tanh","tanh"] softmax 6366 '
positive out step.n step.median_s step.min_s step.p10_s step.p90_s step.p99_s step.max_s epoch.n \
    epoch.median_s samples_per_s gflop_per_s rounds machine.cores
"$JSONQ" step.min_s step.p10_s step.median_s step.p90_s step.p99_s step.max_s <out | sort -gc ||
    fail "wanted quantiles in order"
"$JSONQ" version compiler isa precision machine.cpu machine.features <out >/dev/null || fail "keys"
run 0 bench step table.csv --label kind --seconds 0.01 --json -q --momentum 0.9
is "$("$JSONQ" network.output network.widths <out | tr '\n' ' ')" 'sigmoid [2,256,1] '
for output in sigmoid identity; do
    # shellcheck disable=SC2086
    run 0 bench step $small --output $output --batch-size full --json
    is "$("$JSONQ" network.output batch_size data <out | tr '\n' ' ')" "$output 16384 null "
done
run 0 bench step --inputs 3 --outputs 1 --hidden none --samples 50 --seconds 0.01 -q
has out '3-1, sigmoid'

# Scaling.
# shellcheck disable=SC2086
run 0 bench scaling $small --batch-size 16 --threads 3,1,2,2 --svg chart.svg
for text in 'strong scaling' 'weak scaling' \
    'threads  batch     step     10 %     90 %  samples/s GFLOP/s speed-up efficiency'; do
    has out "$text"
done
is "$(awk '$1 ~ /^[0-9]+$/ { printf "%s/%s ", $1, $2 }' out)" '1/16 2/16 3/16 1/16 2/32 3/48 '
is "$(awk '$1 == 1 { printf "%s/%s ", $(NF - 2), $(NF - 1) }' out)" '1.00/100 1.00/100 '
[ "$(awk 'length > 80' out | wc -l)" -le 1 ] || fail "wanted a table of 80 columns"
"$XMLQ" chart.svg || fail "chart.svg"
for text in '<svg xmlns="http://www.w3.org/2000/svg"' 'prefers-color-scheme: dark' '>20-9-3, batches of 16' \
    'class="line ideal"' 'class="line strong"' 'class="line weak"' '>Threads<' '>Speed-up<' '>3</text>'; do
    has chart.svg "$text"
done
is "$(grep -c '<circle' chart.svg)" 6
# shellcheck disable=SC2086
run 0 bench scaling $small --threads 2 --svg chart.svg --json
is "$("$JSONQ" benchmark same_bits svg strong.0.threads strong.0.speedup strong.0.efficiency weak <out |
    tr '\n' ' ')" 'scaling true chart.svg 2 1.0 1.0 [] '
"$XMLQ" chart.svg || fail "chart.svg of one point"
is "$(grep -c '<circle' chart.svg)" 1
run 0 bench scaling --inputs 5 --samples 64 --threads 1 --seconds 0.01 --svg chart.svg -q \
    --hidden 7,7,7,7,7,7,7,7,7,7,7,7,7,7,7,7,7,7,7,7,7,7,7,7,7,7,7,7,7,7,7,7,7,7,7,7,7,7,7,7,7,7,7,7,7,7,7,7,7
has chart.svg '-7-7-7-...</text>'
"$XMLQ" chart.svg || fail "chart.svg of a deep network"
# shellcheck disable=SC2086
run 0 bench scaling $small --threads 1,2 --json
positive out strong.1.step.median_s strong.1.samples_per_s strong.1.gflop_per_s strong.1.speedup \
    strong.1.efficiency weak.1.step.median_s weak.1.speedup
is "$("$JSONQ" weak.0.batch_size weak.1.batch_size strong.1.batch_size <out | tr '\n' ' ')" '32 64 32 '
for mode in step scaling predict; do
    # shellcheck disable=SC2086
    run 0 bench $mode $small --precision bf16 --json
    is "$("$JSONQ" precision <out)" bf16
done
# What a batch for many threads lacks in samples is said, and what there is is measured.
run 0 bench scaling digits --hidden 4 --batch-size 200 --threads 1,2 --seconds 0.01 --json
has err "note: weak scaling ends before 2 threads, for which 300 samples are not enough"
is "$("$JSONQ" weak <out)" '[]'
core=$(taskset -cp $$ | sed "s/.*: \([0-9]*\).*/\1/")
taskset -c "$core" "$WEFT" bench step --hidden 4 --inputs 8 --samples 50 --threads 2 --seconds 0.01 \
    >out 2>err || fail "wanted exit code 0 on one core"
has err "weft bench step: note: 2 threads share 1 core"
has out ", 1 core for this process"

# Predictions.
# shellcheck disable=SC2086
run 0 bench predict $small --batch-size 1,7
has out '  batch       time       10 %       90 %       99 %    samples/s   GFLOP/s'
is "$(awk '$1 ~ /^[0-9]+$/ { printf "%s ", $1 }' out)" '1 7 '
run 0 train digits --hidden 8 --epochs 1 --out run -q
cp run/model.safetensors before
run 0 bench predict run --seconds 0.02 --json -q
is "$("$JSONQ" benchmark model network.widths batches.0.batch_size batches.3.batch_size <out |
    tr '\n' ' ')" 'predict run [784,8,10] 1 1024 '
positive out batches.0.call.n batches.0.call.median_s batches.3.samples_per_s batches.3.gflop_per_s
same run/model.safetensors before

# Mistakes.
refused 2 "unknown mode 'stepp'; did you mean 'step'?" bench stepp
refused 2 "unknown mode 'digits'; perhaps: weft bench step digits" bench digits
refused 2 "wanted a mode first, such as 'weft bench step'; got '--threads'" bench --threads 2
refused 2 "wanted a mode first" bench nothing_like_it
refused 2 "--threads: wanted a whole number from 1 to 4096, or 'auto'; got '0'" bench step --threads 0
refused 2 "--threads: wanted whole numbers from 1 to 4096, separated by commas, or 'auto'; got '1,0'" \
    bench scaling --threads 1,0
refused 2 "got '4097'" bench scaling --threads 4097
refused 2 "--seconds: wanted a number above 0" bench step --seconds 0
refused 2 "--batch-size: wanted a whole number from 1" bench step --batch-size 0
refused 2 "unknown option '--epochs'" bench step --epochs 3
refused 2 "--inputs: wanted no DATA beside it; got digits" bench step digits --inputs 3
refused 2 "--label: wanted DATA with it; got none" bench step --label kind
refused 2 "--hidden: wanted no MODEL beside it; got run" bench predict run --hidden 3
refused 2 "--activation: wanted one name" bench predict --hidden 3,3 --activation relu,relu,relu
refused 2 "softmax" bench step --outputs 1 --output softmax
refused 2 "nonsense" bench step --isa nonsense
refused 3 "missing.csv" bench step missing.csv
refused 3 "missing" bench predict missing
refused 3 "wanted data; got a model" bench step run/model.safetensors
refused 1 "missing/chart.svg" bench scaling --svg missing/chart.svg
ls -A >files
lacks files .tmp.

# A full disk.
if [ -c /dev/full ]; then
    for mode in step scaling predict; do
        # shellcheck disable=SC2086
        "$WEFT" bench $mode $small --threads 1 >/dev/full 2>err
        is $? 1
        has err "standard output: cannot write: No space left on device"
    done
fi
finish
