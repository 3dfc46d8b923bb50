#!/bin/sh
# Tracking against a server that misbehaves in every way: the exit code, the model and what is said;
# what was not sent goes later, once. What a real server makes of it is checked by scripts/interop.
. "$(dirname "$0")/lib.sh"
for name in TRACKING_URI EXPERIMENT_NAME RUN_NAME TRACKING_USERNAME TRACKING_PASSWORD \
    TRACKING_TOKEN TRACKING_INSECURE_TLS TRACKING_SERVER_CERT_PATH; do
    unset "MLFLOW_$name"
done
small_table table.csv
# Other data of the kind, so that scores differ.
head -n 40 table.csv >test.csv
# Without a report, which a limit on sizes would stop, too.
job="train table.csv --test test.csv --label kind --hidden 4 --no-report"
# shellcheck disable=SC2086
run 0 $job --epochs 3 --out plain -q

"$WEFT" info --json >info
if [ "$("$JSONQ" tracking <info)" = false ]; then
    # shellcheck disable=SC2086
    refused 1 "this build has no libcurl" $job --epochs 3 --track mlflow:http://127.0.0.1:1 --out run
    refused 1 "this build has no libcurl" sync plain
    nothing_left
    echo "built without libcurl: the rest is skipped"
    [ "$failures" = 0 ] || exit 1
    exit 77
fi

# What is wrong with the address is found first; passwords in it are not shown.
for spec in "mlflow:http://127.0.0.1:1/?s3cret" "mlflow:http://127.0.0.1:1/#s3cret" \
    "wandb:http://me:s3cret@there" "mlflow:sqlite:///s3cret.db" "mlflow:me:s3cret@there" \
    "mlflow:http://" "mlflow:" "mlflow"; do
    # shellcheck disable=SC2086
    refused 2 "--track" $job --epochs 3 --track "$spec" --out run
    lacks err s3cret
done
nothing_left
MLFLOW_HTTP_REQUEST_TIMEOUT=0 refused 2 "MLFLOW_HTTP_REQUEST_TIMEOUT: wanted" \
    train table.csv --track mlflow:http://127.0.0.1:1 --out run
MLFLOW_TRACKING_INSECURE_TLS=yes refused 2 "MLFLOW_TRACKING_INSECURE_TLS: wanted true or false" \
    train table.csv --track mlflow:http://127.0.0.1:1 --out run
refused 3 "plain/mlflow.json: wanted the directory of a run that was tracked" sync plain

# The second one is another host, which must never be asked.
mkdir server other
"$FAKE_MLFLOW" server &
servers=$!
"$FAKE_MLFLOW" other &
servers="$servers $!"
trap 'kill $servers 2>/dev/null; rm -rf "$dir"' EXIT
i=0
while [ ! -s server/port ] || [ ! -s other/port ]; do
    [ "$i" -lt 100 ] || exit 1
    sleep 0.1
    i=$((i + 1))
done
at="127.0.0.1:$(cat server/port)"
other="127.0.0.1:$(cat other/port)"
# A busy machine may need seconds for what takes none; only where the server hangs it is waited for.
export MLFLOW_HTTP_REQUEST_TIMEOUT=20

mode()
{
    echo "$1" >server/mode
    : >server/requests
}

# tracked MODE RUNDIR OPTION...: one tracked run while the server is in that mode, which gets so many
# seconds at the end:
patience=40
tracked()
{
    mode "$1"
    place=$2
    shift 2
    # shellcheck disable=SC2086
    run 0 $job --epochs 3 --out "$place" --track "mlflow:http://me:s3cret@$at" \
        --track-wait "$patience" "$@"
    same "$place/model.safetensors" plain/model.safetensors
    same "$place/config.ini" plain/config.ini
    # As it is, and as basic authentication has it: of "me:s3cret".
    ! grep -rqF -e s3cret -e bWU6czNjcmV0 "$place" err out || fail "the password was written"
}

# sent TEXT, unsent TEXT: in what the server was asked
sent()
{
    has server/requests "$1"
}
unsent()
{
    lacks server/requests "$1"
}

# A run that goes well.
MLFLOW_EXPERIMENT_NAME='a & b' MLFLOW_RUN_NAME='first' tracked ok good
has err "tracked   http://$at/#/experiments/7/runs/0123456789abcdef0123456789abcdef"
sent 'get-by-name?experiment_name=a%20%26%20b Basic bWU6czNjcmV0'
sent '{"name":"a & b"}'
sent '"run_name":"first"'
sent '{"key":"batch_size","value":"32"}'
sent '"key":"train/accuracy"'
tail -n 1 good/metrics.jsonl >last
test_loss=$("$JSONQ" test_loss <last)
grep -o '"key":"test/loss".[^}]*}' server/requests >points
is "$(wc -l <points)" 1
has points '"step":3}'
has points "\"value\":${test_loss%????}"
sent '"step":3}'
sent '"key":"system/system_memory_usage_megabytes"'
sent '{"key":"weft.version","value":"'
sent '"name":"table.csv","digest":"'
sent 'PUT /api/2.0/mlflow-artifacts/artifacts/7/a%20run/artifacts/model.safetensors Basic'
sent '"status":"FINISHED"'
[ ! -e good/mlflow.spool ] || fail "the spool is still there"
: >server/requests
run 0 sync good
has out "sent      0 items; all of the run is at http://$at/"
[ ! -s server/requests ] || fail "sent twice"

# What was measured on the way is not sent again; the network that is kept has its own epoch.
mode ok
# shellcheck disable=SC2086
run 0 $job --epochs 3 --test-every 1 --out every --track "mlflow:http://$at" -q
is "$(grep -o '"key":"test/loss".[^}]*}' server/requests | wc -l)" 3
mode ok
# shellcheck disable=SC2086
run 0 $job --val 0.3 --epochs 40 --min-delta 0.3 --keep-best --out best --track "mlflow:http://$at" --json -q
best=$("$JSONQ" best_epoch <out)
[ "$best" -lt 40 ] || fail "wanted a best epoch that is not the last"
grep -o '"key":"test/loss".[^}]*}' server/requests >points
is "$(wc -l <points)" 1
has points "\"step\":$best}"
test_loss=$("$JSONQ" test.loss <out)
has points "\"value\":${test_loss%????}"

# Names of directories: with a final '/', and such as a shell would take for patterns.
for place in slash/ 'star*[a]' 'quest?ion' 'back\slash'; do
    tracked ok "$place" -q
    for file in config.ini metrics.jsonl model.safetensors; do
        sent "PUT /api/2.0/mlflow-artifacts/artifacts/7/a%20run/artifacts/$file "
    done
done

# A token, and a batch metric at every step.
mode ok
# shellcheck disable=SC2086
MLFLOW_TRACKING_TOKEN=t0ken MLFLOW_TRACKING_URI="http://$at/" run 0 $job --epochs 3 --out token \
    --track mlflow --track-every 1 -q
sent 'Bearer t0ken'
sent '"key":"batch/loss"'
[ ! -s err ] || fail "wanted silence"
! grep -rqF t0ken token || fail "the token was written"

# Each fault: one warning, the model unharmed; later everything arrives, once.
for case in "500:HTTP 500: out of order" "401:HTTP 401: it does not take this name and password" \
    "403:HTTP 403: this user may not do that there" "redirect:HTTP 302: wanted the server itself" \
    "html:wanted an answer in JSON, as of an MLflow server; got '<html>" \
    "malformed:wanted an answer in JSON" "wrong:an answer has no experiment_id" \
    "hang:timed out" "half:transfer closed" "huge:got more than 1 MiB" \
    "inputs403:HTTP 403: this user may not do that there"; do
    name=${case%%:*}
    patience=1
    [ "$name" != hang ] || MLFLOW_HTTP_REQUEST_TIMEOUT=1
    tracked "$name" "run_$name" -q
    has err "${case#*:}"
    has err "; later: weft sync run_$name"
    is "$(wc -l <err)" 2
    run 1 sync "run_$name" --track-wait 0
    MLFLOW_HTTP_REQUEST_TIMEOUT=20
    mode ok
    run 0 sync "run_$name"
    sent '"key":"train/loss"'
    sent '"name":"table.csv","digest":"'
    sent '/artifacts/config.ini'
    sent '"status":"FINISHED"'
    : >server/requests
    run 0 sync "run_$name"
    [ ! -s server/requests ] || fail "$name: sent twice"
done

patience=40

# Words of the server are cut between letters.
patience=1
tracked words run_words -q
has err "$(printf 'HTTP 500: x\303\251\303\251')"
lacks err '?'

# A server that is busy is asked again, as late as it wants, until all is there.
patience=40
tracked busy run_busy -q
[ ! -s err ] || fail "wanted silence"
is "$(grep -c /runs/update server/requests)" 4
[ ! -e run_busy/mlflow.spool ] || fail "the spool is still there"

# Neither requests nor passwords go to another host, be it by redirection or with files.
echo "$other" >server/location
patience=1
tracked away run_away -q
has err "HTTP 307: wanted the server itself"
tracked files_away run_files_away -q
has err "wanted a server that takes them itself"
[ ! -e other/requests ] || fail "the other host was asked"
rm server/location

# A file whose answer comes one byte after another does not take for ever either.
mode slow_files
# shellcheck disable=SC2086
MLFLOW_HTTP_REQUEST_TIMEOUT=1 timeout 60 "$WEFT" $job --epochs 3 --out slow \
    --track "mlflow:http://$at" --track-wait 2 -q >out 2>err
is $? 0
# shellcheck disable=SC2086
MLFLOW_HTTP_REQUEST_TIMEOUT=1 timeout 60 "$WEFT" sync slow --track-wait 0 >out 2>err
is $? 1
has err "timed out"
patience=40

# The wait at the end has an end, whatever a request may take.
mode hang
# shellcheck disable=SC2086
timeout 15 "$WEFT" $job --epochs 3 --out wait --track "mlflow:http://$at" --track-wait 1 >out 2>err
is $? 0
has err "tracking  sending the rest to MLflow, for at most 1 s"
has err "; later: weft sync wait"

# Nobody there at all.
# shellcheck disable=SC2086
run 0 $job --epochs 3 --out run_base --track mlflow:http://127.0.0.1:1 -q
lost=$(sed -n 's/.*tracking: \([0-9]*\) items and.*/\1/p' err)
is "$lost" "$(wc -l <run_base/mlflow.spool)"
# shellcheck disable=SC2086
run 0 $job --epochs 3 --out nobody --track mlflow:http://127.0.0.1:1 -q
has err "tracking: http://127.0.0.1:1: "
same nobody/model.safetensors plain/model.safetensors
mode ok
run 0 sync nobody --track "mlflow:http://$at"
sent '"status":"FINISHED"'

# Another run in the same directory: what was not sent of the first is not sent with the second.
cp -r run_base again
# shellcheck disable=SC2086
run 0 $job --epochs 2 --seed 9 --out again --force -q
has err "again: $lost items of an older run were never sent and are gone"
refused 3 "again/mlflow.json: wanted the directory of a run that was tracked" sync again

# What sync reads may be broken or gone.
for broken in 's/"sent": [0-9]*/"sent": -1/' 's/"key": "[0-9a-f]*"/"key": 5/' \
    's/"run_name": .*//' 's/"config.ini"/5/' 's|"config.ini"|"../table.csv"|' \
    's|"config.ini"|"/etc/passwd"|' 's/"start_time": .*/"start_time": null,/' \
    's/"files"/"status": "DONE", "files"/' 's/"files"/"run_id": "a\\u001b[2J", "files"/'; do
    rm -rf broken
    cp -r run_base broken
    sed "$broken" run_base/mlflow.json >broken/mlflow.json
    mode ok
    refused 3 "broken/mlflow.json: wanted what weft wrote; got" \
        sync broken --track "mlflow:http://$at"
    [ ! -s server/requests ] || fail "$broken: something was sent"
done
rm -rf broken
cp -r run_base broken
rm broken/mlflow.spool
refused 3 "broken/mlflow.spool: wanted what has not been sent" \
    sync broken --track "mlflow:http://$at"

# Batches that are too large are halved, all items arrive; what no server would take is left out.
tracked 413 small -q
[ ! -s err ] || fail "wanted silence"
[ "$(grep -c /log-batch server/requests)" -gt 3 ] || fail "wanted several batches"
tracked reject reject -q
has err "not all was taken: http://$at: HTTP 400: not epochs"
sent '"status":"FINISHED"'
# An older server knows nothing of data sets.
tracked old old -q
[ ! -s err ] || fail "wanted silence"

# What arrived before the server broke is not sent again.
patience=1
tracked end500 end -q
sent /log-batch
refused 3 "where the run has begun; got http://127.0.0.1:2" sync end \
    --track mlflow:http://127.0.0.1:2
mode ok
run 0 sync end
unsent /log-batch
unsent /runs/create
sent /artifacts/model.safetensors

# Answers that are lost: the run is found again, and points come with the time they had.
tracked lost lost -q
patience=40
is "$(grep -c /runs/create server/requests)" 1
sent /runs/search
grep -o '"key":"train/loss".*"step":3}' server/requests | head -n 1 | cut -d '}' -f 1 >point
mode ok
run 0 sync lost
unsent /runs/create
[ -s point ] || fail "wanted a point that was lost"
sent "$(cat point)"

# A run that is killed at once, one that is asked to stop, one that diverges.
mode ok
endless="train table.csv --label kind --epochs 100000000 --print-every 100000000 --track-every never"
# shellcheck disable=SC2086
"$WEFT" $endless --out killed --track "mlflow:http://$at" -q 2>err &
pid=$!
sleep 1
refused 3 "is the run still going?" sync killed
# shellcheck disable=SC2086
refused 1 "is the run still going?" $job --epochs 3 --out killed --force
kill -9 $pid
wait $pid 2>/dev/null
touch -d '2031-02-03 04:05:06.007 UTC' killed/mlflow.spool
run 0 sync killed
sent '"status":"KILLED","end_time":1927857906007'
sent '/artifacts/config.ini'
sent '/artifacts/metrics.jsonl'
unsent '/artifacts/model.safetensors'
mode ok
# shellcheck disable=SC2086
timeout --preserve-status -s TERM 1 "$WEFT" $endless --out stopped --track "mlflow:http://$at" \
    --track-wait 30 -q >out 2>err
is $? 143
sent '"status":"KILLED"'
sent '{"key":"weft.reason","value":"SIGTERM"}'
# It goes on in the same run there, whose params stay as they are.
mode ok
timeout --preserve-status -s TERM 1 "$WEFT" train --resume stopped --track "mlflow:http://$at" \
    --track-every never --track-wait 30 -q >out 2>err
is $? 143
unsent /runs/create
unsent '"params":[{'
sent '"status":"RUNNING"'
sent '"key":"train/loss"'
sent '"status":"KILLED"'
mode ok
# shellcheck disable=SC2086
run 4 $job --epochs 3 --optimizer sgd --lr 1e38 --out diverged --track "mlflow:http://$at" -q
sent '"status":"FAILED"'
sent '{"key":"weft.reason","value":"diverged"}'

# A disk that is full for the spool, but not for the rest (files up to 64 blocks of 512 bytes).
mode ok
# shellcheck disable=SC2086
run 0 $job --epochs 80 --out long -q
# shellcheck disable=SC2086
{
    (ulimit -f 64 && exec "$WEFT" $job --epochs 80 --out full \
        --track "mlflow:http://$at" --track-every 1 -q) 2>&1 >/dev/null
    echo $? >code
} | cat >err
is "$(cat code)" 0
has err "full/mlflow.spool: cannot write: File too large"
has err "items could not be kept and are lost"
sent '"status":"FINISHED"'
run 1 sync full
has err "could not be kept when the run went on"
same full/model.safetensors long/model.safetensors

# A small disk and a server that is not there: the spool leaves room for the run itself.
if unshare -Urm true 2>/dev/null; then
    # shellcheck disable=SC2086
    run 0 $job --batch-size 8 --epochs 6000 --out roomy -q
    mkdir disk
    cat >small_disk <<'END'
mount -t tmpfs -o size=8m none disk || exit 99
"$@" >out 2>err
code=$?
cp disk/run/model.safetensors small.safetensors
wc -c <disk/run/mlflow.spool >spool_size
"$WEFT" sync disk/run --track "mlflow:http://$AT" >/dev/null 2>sync_err || echo "sync: $?"
exit $code
END
    mode ok
    # shellcheck disable=SC2086
    AT=$at unshare -Urm sh small_disk "$WEFT" $job --batch-size 8 --epochs 6000 --out disk/run \
        --track mlflow:http://127.0.0.1:1 --track-every 1 -q
    is $? 0
    has err "mlflow.spool: is as large as the disk allows: what happens in batches is no longer kept"
    same small.safetensors roomy/model.safetensors
    [ "$(cat spool_size)" -lt 2300000 ] || fail "the spool took $(cat spool_size) bytes of 8 MB"
    sent '{"key":"weft.dropped_points","value":"'
    sent '"key":"train/loss"'
    sent '"status":"FINISHED"'
else
    echo "no user namespaces: the small disk is skipped"
fi
finish
