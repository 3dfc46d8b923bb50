#!/bin/sh
# Tracking against a server that misbehaves in every way: the exit code, the model and what is said;
# what was not sent goes later, once. What a real server makes of it is checked by scripts/interop.
. "$(dirname "$0")/lib.sh"
for name in TRACKING_URI EXPERIMENT_NAME RUN_NAME TRACKING_USERNAME TRACKING_PASSWORD \
    TRACKING_TOKEN TRACKING_INSECURE_TLS TRACKING_SERVER_CERT_PATH; do
    unset "MLFLOW_$name"
done
small_table table.csv
# Without a report, which a limit on sizes would stop, too.
job="train table.csv --label kind --hidden 4 --no-report"
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
for spec in "wandb:http://me:s3cret@there" "mlflow:sqlite:///s3cret.db" "mlflow:me:s3cret@there" \
    "mlflow:http://" "mlflow:" "mlflow"; do
    # shellcheck disable=SC2086
    refused 2 "--track" $job --epochs 3 --track "$spec" --out run
    lacks err s3cret
done
nothing_left
MLFLOW_HTTP_REQUEST_TIMEOUT=0 refused 2 "MLFLOW_HTTP_REQUEST_TIMEOUT: wanted" \
    train table.csv --track mlflow:http://127.0.0.1:1 --out run
refused 3 "plain/mlflow.json: wanted the directory of a run that was tracked" sync plain

mkdir server
"$FAKE_MLFLOW" server &
server=$!
trap 'kill $server 2>/dev/null; rm -rf "$dir"' EXIT
i=0
while [ ! -s server/port ] && [ "$i" -lt 100 ]; do
    sleep 0.1
    i=$((i + 1))
done
port=$(cat server/port) || exit 1
at="127.0.0.1:$port"
# A busy machine may need seconds for what takes none; only where the server hangs it is waited for.
export MLFLOW_HTTP_REQUEST_TIMEOUT=20

mode()
{
    echo "$1" >server/mode
    : >server/requests
}

# tracked MODE RUNDIR OPTION...: one tracked run while the server is in that mode
tracked()
{
    mode "$1"
    place=$2
    shift 2
    # shellcheck disable=SC2086
    run 0 $job --epochs 3 --out "$place" --track "mlflow:http://me:s3cret@$at" --track-wait 40 "$@"
    same "$place/model.safetensors" plain/model.safetensors
    same "$place/config.ini" plain/config.ini
    ! grep -rqF s3cret "$place" err out || fail "the password was written"
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
    "hang:timed out" "half:transfer closed" "huge:got more than 1 MiB"; do
    name=${case%%:*}
    [ "$name" != hang ] || MLFLOW_HTTP_REQUEST_TIMEOUT=1
    tracked "$name" "run_$name" -q
    has err "${case#*:}"
    has err "; later: weft sync run_$name"
    is "$(wc -l <err)" 2
    run 1 sync "run_$name"
    MLFLOW_HTTP_REQUEST_TIMEOUT=20
    mode ok
    run 0 sync "run_$name"
    sent '"key":"train/loss"'
    sent '/artifacts/config.ini'
    sent '"status":"FINISHED"'
    : >server/requests
    run 0 sync "run_$name"
    [ ! -s server/requests ] || fail "$name: sent twice"
done

# The wait at the end has an end, whatever a request may take.
mode hang
# shellcheck disable=SC2086
timeout 15 "$WEFT" $job --epochs 3 --out wait --track "mlflow:http://$at" --track-wait 1 >out 2>err
is $? 0
has err "tracking  sending the rest to MLflow, for at most 1 s"
has err "; later: weft sync wait"

# Nobody there at all.
# shellcheck disable=SC2086
run 0 $job --epochs 3 --out nobody --track mlflow:http://127.0.0.1:1 -q
has err "tracking: http://127.0.0.1:1: "
same nobody/model.safetensors plain/model.safetensors
mode ok
run 0 sync nobody --track "mlflow:http://$at"
sent '"status":"FINISHED"'

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
is "$(grep -c /runs/create server/requests)" 1
sent /runs/search
grep -o '"key":"train/loss".*"step":3}' server/requests | head -n 1 | cut -d '}' -f 1 >point
mode ok
run 0 sync lost
unsent /runs/create
[ -s point ] && sent "$(cat point)"

# A run that is killed at once, one that is asked to stop, one that diverges.
mode ok
endless="train table.csv --label kind --epochs 100000000 --print-every 100000000 --track-every never"
# shellcheck disable=SC2086
"$WEFT" $endless --out killed --track "mlflow:http://$at" -q 2>err &
pid=$!
sleep 1
refused 3 "is the run still going?" sync killed
kill -9 $pid
wait $pid 2>/dev/null
run 0 sync killed
sent '"status":"KILLED"'
mode ok
# shellcheck disable=SC2086
timeout --preserve-status -s TERM 1 "$WEFT" $endless --out stopped --track "mlflow:http://$at" \
    --track-wait 30 -q >out 2>err
is $? 143
sent '"status":"KILLED"'
sent '{"key":"weft.reason","value":"SIGTERM"}'
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
has err "full/mlflow.spool: cannot write: File too large; training goes on"
same full/model.safetensors long/model.safetensors
finish
