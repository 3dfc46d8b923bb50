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

train sgd
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
has adamw/config.ini 'beta2 = 0.999'
train given --optimizer adamw --lr 0.3 --weight-decay 0
has given/config.ini 'lr = 0.3'
has given/config.ini 'weight_decay = 0'
for option in '--beta1 0.5' '--beta2 0.9' '--epsilon 0.1' '--weight-decay 0.5' '--l1 0.1' \
    '--clip-norm 0.001' '--clip-value 0.0001'; do
    # shellcheck disable=SC2086
    train one --optimizer adamw --force $option
    differs adamw one
    repeats one
done
run 0 bench step table.csv --label kind --seconds 0.01 --json -q --optimizer adamw
finish
