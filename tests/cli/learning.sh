#!/bin/sh
# Methods of learning: what is not given is usual for the optimiser, the config file repeats the run
# with any of them, and every option does something.
. "$(dirname "$0")/lib.sh"
small_table table.csv

train() { # train NAME OPTION...
    name=$1
    shift
    run 0 train table.csv --label kind --hidden 6 --epochs 3 --threads 3 --out "$name" -q \
        "$@"
}

repeats() { # repeats NAME: its config file gives the same model
    run 0 train -c "$1/config.ini" --out again --force -q --threads 3
    same "$1/model.safetensors" again/model.safetensors
    same "$1/config.ini" again/config.ini
}

differs() { # differs A B
    ! cmp -s "$1/model.safetensors" "$2/model.safetensors" || fail "$1 and $2 are the same model"
}

train sgd --optimizer sgd
for optimizer in nesterov rmsprop adam adamw; do
    train "$optimizer" --optimizer "$optimizer"
    has "$optimizer/config.ini" "optimizer = $optimizer"
    repeats "$optimizer"
    differs sgd "$optimizer"
done
has sgd/config.ini 'lr = 0.3'
has nesterov/config.ini 'momentum = 0.9'
has rmsprop/config.ini 'beta2 = 0.99'
has adam/config.ini 'lr = 0.001'
has adam/config.ini 'weight_decay = 0'
has adamw/config.ini 'weight_decay = 0.01'
has adamw/config.ini 'beta2 = 0.98'
has adamw/config.ini 'lr = 0.003'
has adam/config.ini 'beta2 = 0.999'
train given --optimizer adamw --lr 0.3 --weight-decay 0
has given/config.ini 'lr = 0.3'
has given/config.ini 'weight_decay = 0'
for option in '--beta1 0.5' '--beta2 0.9' '--epsilon 0.1' '--weight-decay 0.5' '--l1 0.1' \
    '--clip-norm 0.001' '--clip-value 0.0001' '--max-norm 0.5' '--label-smoothing 0.2' \
    '--ema 0.9' '--norm batch' '--norm layer' '--dropout 0.3' '--input-dropout 0.3' '--input-noise 0.5'; do
    # shellcheck disable=SC2086
    train one --optimizer adamw --force $option
    differs adamw one
    repeats one
done

refused 2 "--dropout: wanted a number from 0 to below 1; got '1'" train table.csv --dropout 1
refused 2 "--input-noise: wanted a number from 0" train table.csv --input-noise -1
refused 2 "dropout: the network has no hidden layers" \
    train table.csv --label kind --hidden none --dropout 0.5

train normalised --norm batch --batch-size 32
run 0 inspect normalised
has out 'relu, normalised by batch'
run 0 train -c normalised/config.ini --init-from normalised --out further --force -q
refused 3 "--norm: contradicts" \
    train table.csv --label kind --init-from normalised --norm layer
refused 2 "batch normalisation: batches of 1 samples, wanted 2 to 256" \
    train table.csv --label kind --norm batch --batch-size 1
refused 2 "--norm: wanted one name, or one for each of the 1 hidden layers; got 2" \
    train table.csv --label kind --norm batch,none --hidden 6
run 0 export normalised normalised.onnx
run 0 train table.csv --label kind --norm layer --out layered --epochs 1 -q --report
refused 3 "layer normalisation cannot be exported" export layered layered.onnx

# Images that move about.
small_mnist digits 200 20
run 0 train digits --hidden 8 --epochs 2 --out still -q --threads 3
run 0 train digits --hidden 8 --epochs 2 --out moving -q --random-shift 2 --threads 3
differs still moving
run 0 train -c moving/config.ini --threads 1 --out again --force -q
same moving/model.safetensors again/model.safetensors
refused 2 "random shift: wanted images; got samples of another shape" \
    train table.csv --label kind --random-shift 1
refused 2 "random shift of 28 pixels, wanted fewer than images of 28 x 28 have" \
    train digits --random-shift 28

# Schedules.
train constant --schedule constant
for schedule in linear 'step --lr-period 2' 'exponential --lr-factor 0.9' cosine \
    'cosine --lr-period 2 --lr-period-factor 2' one_cycle 'plateau --lr-patience 0' \
    'constant --warmup 2' 'constant --warmup 2 --lr-by-epoch' 'linear --lr-by-epoch' \
    'linear --lr-min 0.001'; do
    # shellcheck disable=SC2086
    train one --force --schedule $schedule --val 0.3 --min-delta 0 --epochs 6
    differs constant one
    repeats one
done
has one/config.ini 'lr_min = 0.001'
refused 2 "learning rate: warm-up of 6 steps, wanted fewer than the run's 6" \
    train table.csv --label kind --epochs 3 --warmup 6
refused 2 "learning rate: least 0.5, wanted 0 to 0.003" train table.csv --label kind --lr-min 0.5
refused 2 "--lr-period: wanted a number from 1 with --schedule step" \
    train table.csv --label kind --schedule step
refused 2 "--schedule: wanted one of constant, linear, step, exponential, cosine, one_cycle, plateau" \
    train table.csv --schedule triangle

# Stopping.
train whole --val 0.3 --epochs 30
train patient --val 0.3 --epochs 30 --patience 2 --min-delta 0.5 --json
is "$("$JSONQ" ended_by best_epoch epochs <out | tr '\n' ' ')" 'patience 1 3 '
is "$("$JSONQ" val_loss <patient/metrics.jsonl | sed -n 1p)" "$("$JSONQ" val.loss <out)"
has patient/config.ini 'keep_best = true'
repeats patient
train last --val 0.3 --epochs 30 --patience 2 --min-delta 0.5 --no-keep-best
has out 'stopped   after epoch 3: no better one for 2'
lacks out 'kept '
differs patient last
run 0 train table.csv --label kind --hidden 6 --val 0.3 --epochs 30 --target-accuracy 0.01 \
    --watch accuracy --keep-best --out target -q
has out 'stopped   after epoch 1: val accuracy is 0.01 or more'
has out 'kept      epoch 1, the best by val accuracy'
run 0 train table.csv --label kind --epochs 1000000 --max-time 0.05 --out timed -q
has out ' 0.05 s are over'
for option in '--patience 2' '--keep-best' '--target-accuracy 0.5'; do
    # shellcheck disable=SC2086
    refused 2 "${option%% *}: wanted --val with it; got none" train table.csv --label kind $option
done
refused 2 "--patience: wanted a whole number from 1, or 'never'; got '0'" train table.csv --patience 0
refused 2 "--target-accuracy: wanted a number from 0 to 1; got '98'" \
    train table.csv --target-accuracy 98
run 0 bench step table.csv --label kind --seconds 0.01 --json -q --optimizer adamw
finish
