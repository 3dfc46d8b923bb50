#!/bin/sh
# evaluation.json and report.html of a run, and weft report, which makes the page again from the run
# directory alone. What is on the page is looked at by test_report and tests/interop.
. "$(dirname "$0")/lib.sh"
small_mnist digits 300 100
small_table table.csv

run 0 train digits --epochs 2 --hidden 16 --out run
has out "config.ini, metrics.jsonl, evaluation.json, report.html"
is "$("$JSONQ" set kind samples data.train.samples run.outcome run.epochs run.steps \
    <run/evaluation.json | tr '\n' ' ')" "test classes 100 300 finished 2 20 "
"$WEFT" eval run digits --json >evaluated
is "$("$JSONQ" accuracy <run/evaluation.json)" "$("$JSONQ" accuracy <evaluated)"
has run/report.html '<h1>run</h1>'
has run/report.html '</html>'

# The same bytes from the directory alone, wherever it lies by then.
mkdir elsewhere
cp -r run elsewhere/run
mv digits hidden
rm elsewhere/run/report.html
run 0 report elsewhere/run
is "$(cat out)" "wrote     elsewhere/run/report.html"
same run/report.html elsewhere/run/report.html
run 0 report run --out page.html -q
[ ! -s out ] || fail "wanted nothing on stdout with -q"
same page.html run/report.html
run 0 report elsewhere/run/
same elsewhere/run/report.html page.html
mv hidden digits

# Which set the scores are of.
run 0 train table.csv --label kind --val 0.2 --epochs 2 -o held -q
is "$("$JSONQ" set <held/evaluation.json)" val
run 0 train table.csv --label kind --epochs 2 -o alone -q
is "$("$JSONQ" set <alone/evaluation.json)" train
has alone/report.html 'the very ones it learned from'
run 0 train table.csv --label kind --epochs 0 -o start -q
is "$("$JSONQ" run.epochs <start/evaluation.json)" 0

# Without: the files are not written, those of an older run go, and weft report says why it cannot.
run 0 train digits --epochs 1 --hidden 16 --no-report --out run --force
lacks out "report.html"
for file in evaluation.json report.html; do
    [ ! -e "run/$file" ] || fail "$file of the older run is still there"
done
has run/config.ini 'report = false'
run 0 report run
has run/report.html 'There is no evaluation of this run'
has run/report.html '784-16-10'
lacks run/report.html '<section id="classes"'
rm run/report.html
# Diverged: no network, and what was learned until then is still to be seen.
run 4 train table.csv --label kind --optimizer sgd --lr 1e38 --hidden 4 -o diverged -q
[ ! -e diverged/model.safetensors ] || fail "wanted no network"
run 0 report diverged
has diverged/report.html 'There is no evaluation of this run'
has diverged/report.html '<section id="settings"'
run 0 report diverged held -o both.html
has both.html '<h1>2 runs</h1>'
cp -r held headless
rm headless/model.safetensors
refused 3 "headless/model.safetensors" report headless
# Scores on the test set after every second epoch make a line.
run 0 train table.csv --test table.csv --label kind --epochs 90 --test-every 2 -o now_and_then -q
grep -o 'd="[^"]*" data-name="test"' now_and_then/report.html | head -n 1 >path
is "$(tr -cd M <path | wc -c)" 1
is "$(tr -cd L <path | wc -c)" 44

# Several.
run 0 report held alone start
is "$(cat out)" "wrote     report.html"
has report.html '<h1>3 runs</h1>'
run 0 report held alone -o both.html
has both.html '<h1>2 runs</h1>'

# What is wrong is named; no older page is lost.
cp both.html before
refused 2 "wanted RUNDIR" report
refused 3 "missing/config.ini: cannot open: No such file" report missing
refused 3 "digits/config.ini: cannot open" report held digits -o both.html
cp -r held broken
printf '{"format":1,' >broken/evaluation.json
refused 3 "broken/evaluation.json:1: wanted JSON" report broken
printf 'nonsense\n' >broken/metrics.jsonl
refused 3 "broken/metrics.jsonl:1: wanted an epoch" report alone broken -o both.html
refused 3 "table.csv/config.ini: cannot open" report table.csv
refused 1 "none/x.html" report held -o none/x.html
refused 1 "held" report alone -o held
same both.html before
# shellcheck disable=SC2046
refused 2 "wanted at most 20 run directories; got 21" report $(yes held | head -n 21)
refused 2 "--out" report held --out

# A disk that is full when the network is saved: the results are told, the exit code says so.
rm -rf run
run 0 train table.csv --label kind --epochs 1 --hidden 1 -o small -q
size=$(($(wc -c <small/model.safetensors) / 512 + 2))
{
    (ulimit -f "$size" && exec "$WEFT" train digits --epochs 1 --hidden 1 --out run) 2>&1 >out
    echo $? >code
} | cat >err
if [ -e run/model.safetensors ]; then
    is "$(cat code)" 1
    has err "cannot write: File too large"
    has out "test      loss "
    for file in run/*.tmp.* run/evaluation.json run/report.html; do
        [ ! -e "$file" ] || fail "left behind: $file"
    done
fi

# Stopped runs have a report too.
sh -c 'echo $$ >pid; exec "$WEFT" train digits --hidden 8 --epochs 1000000 --out stopped -q' \
    >out 2>err &
i=0
while [ ! -s stopped/metrics.jsonl ] && [ "$i" -lt 300 ]; do
    sleep 0.1
    i=$((i + 1))
done
kill -s TERM "$(cat pid)"
wait
is "$("$JSONQ" run.outcome <stopped/evaluation.json)" "stopped by SIGTERM"
has stopped/report.html 'stopped by SIGTERM'
finish
