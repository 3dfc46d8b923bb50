#!/bin/sh
# Event files for TensorBoard: where they go, what is refused, and that no trouble with them reaches
# training. What is in them is for tests/interop/check_tensorboard.py.
. "$(dirname "$0")/lib.sh"
small_mnist digits 300 100
job="train digits --hidden 8 --epochs 2 --threads 2 -q"

# shellcheck disable=SC2086
run 0 $job --out plain
# shellcheck disable=SC2086
run 0 $job --out run --track tensorboard --track-every 1 --track-gradients
same plain/model.safetensors run/model.safetensors
same plain/config.ini run/config.ini
[ ! -s err ] || fail "stderr"
is "$(ls run/tensorboard | tr '\n' ' ')" "test train "
is "$(ls run/tensorboard/train run/tensorboard/test | grep -c tfevents)" 2
for tag in loss accuracy 'learning rate' batch/loss parameters/layer2.bias gradients/layer1.weight; do
    has run/tensorboard/train/*tfevents* "$tag"
done
lacks run/tensorboard/test/*tfevents* 'batch/loss'

# shellcheck disable=SC2086
run 0 $job --norm batch --out normed --track tensorboard
for tag in layer1.weight layer1.bias layer1.gamma layer1.beta layer2.bias; do
    has normed/tensorboard/train/*tfevents* "parameters/$tag"
done

# A second run takes the place of the first, but not in a directory of somebody's own.
# shellcheck disable=SC2086
run 0 $job --out run --force --track tensorboard
is "$(ls run/tensorboard/train | grep -c tfevents)" 1
lacks run/tensorboard/train/*tfevents* gradients/
both="tensorboard:deep/boards/1,mlflow:http://127.0.0.1:9"
if [ "$("$WEFT" info --json | "$JSONQ" tracking)" = true ]; then
    # shellcheck disable=SC2086
    run 0 $job --out run --force --track "$both" --track-wait 0
    has err 'tracking: '
else
    # shellcheck disable=SC2086
    refused 1 "libcurl" $job --out run --force --track "$both"
    # shellcheck disable=SC2086
    run 0 $job --out run --force --track tensorboard:deep/boards/1
fi
# shellcheck disable=SC2086
run 0 $job --out run --force --track tensorboard:deep/boards/1
is "$(ls deep/boards/1/train | grep -c tfevents)" 2

# What cannot be written is said once.
touch file
# shellcheck disable=SC2086
run 0 $job --out run --force --track tensorboard:file
is "$(grep -c . err)" 1
has err 'weft train: --track tensorboard: file/train: cannot create the directory'
same plain/model.safetensors run/model.safetensors
if (ulimit -f 8) 2>/dev/null; then
    # shellcheck disable=SC2086
    (ulimit -f 16 && trap '' XFSZ && exec "$WEFT" $job --hidden 2 --no-report --out small --track tensorboard \
        --track-every 1 --epochs 40) >out 2>err
    is "$(grep -c 'nothing more is written there' err)" 1
    [ -s small/model.safetensors ] || fail "no model where the event file may not grow"
fi

refused 2 "--track: wanted mlflow[:URI] or tensorboard[:DIR]; got 'wandb'" train digits --track wandb
refused 2 "--track: wanted tensorboard once; got it twice" \
    train digits --track tensorboard,tensorboard:b
refused 2 "--track tensorboard:DIR: wanted a directory; got none" train digits --track tensorboard:
finish
