#!/bin/sh
# Mistakes on the command line and in config files: exit code 2, one line that says what to do, and
# nothing made.
. "$(dirname "$0")/lib.sh"
small_table table.csv

refused 2 "wanted DATA to train on; such as: weft train data/mnist" train
refused 2 "wanted MODEL and DATA" eval
refused 2 "wanted DATA behind MODEL" eval model
refused 2 "wanted MODEL and DATA" predict
refused 2 "wanted FILE" inspect
refused 2 "unknown option '--epoch'; did you mean '--epochs'?" train table.csv --epoch 3
refused 2 "unknown option '--no-shufle'; did you mean '--no-shuffle'?" train table.csv --no-shufle
refused 2 "unknown option '--data'; DATA is given without a name" train --data table.csv
refused 2 "unexpected argument 'more'" train table.csv more
refused 2 "--hidden: wanted whole numbers from 1, separated by commas, or 'none'; got '0'" \
    train table.csv --hidden 0
refused 2 "got '12,0'" train table.csv --hidden 12,0
refused 2 "--lr: wanted a number above 0 to 3.40282e+38; got 'nan'" train table.csv --lr nan
refused 2 "got 'inf'" train table.csv --lr inf
refused 2 "got '0'" train table.csv --lr 0
refused 2 "got '-0.1'" train table.csv --lr -0.1
refused 2 "got '0.3x'" train table.csv --lr 0.3x
refused 2 "got '1e999'" train table.csv --lr 1e999
refused 2 "--threads: wanted a whole number from 1 to 4096, or 'auto'; got '-3'" \
    train table.csv --threads -3
refused 2 "--epochs: wanted a whole number" train table.csv --epochs 99999999999999999999
refused 2 "--batch-size: wanted a whole number from 1, or 'full'; got '0'" train table.csv --batch-size 0
refused 2 "--batch-size: wanted a whole number from 1, or 'full'; got ''" train table.csv --batch_size=
refused 2 "--momentum: wanted a number from 0 to below 1; got '1'" train table.csv --momentum 1
refused 2 "--optimizer: wanted one of sgd, nesterov, rmsprop, adam, adamw; got 'adamm'" \
    train table.csv --optimizer adamm
refused 2 "--momentum: wanted --optimizer sgd or nesterov with it; got adam" \
    train table.csv --optimizer adam --momentum 0.9
refused 2 "--beta1: wanted --optimizer adam or adamw with it; got rmsprop" \
    train table.csv --optimizer rmsprop --beta1 0.9
refused 2 "--epsilon: wanted --optimizer rmsprop, adam or adamw with it; got sgd" \
    train table.csv --optimizer sgd --epsilon 1e-6
refused 2 "--epsilon: wanted a number from 1.17549e-38" train table.csv --optimizer adam --epsilon 0
refused 2 "--momentum: wanted a number above 0 with --optimizer nesterov; got 0" \
    train table.csv --optimizer nesterov --momentum 0
refused 2 "--weight-decay: wanted below 1 times --lr with --optimizer adamw; got 5" \
    train table.csv --optimizer adamw --lr 0.5 --weight-decay 10
refused 2 "--lr: wanted below 100 with --optimizer adamw and --weight-decay 0.01; got 1000" \
    train table.csv --lr 1000
refused 2 "--beta2: wanted a number from 0 to below 1; got '1'" train table.csv --beta2 1
refused 2 "--clip-norm: wanted a number from 0" train table.csv --clip-norm -1
refused 2 "--l1: wanted a number from 0" train table.csv --l1 nan
refused 2 "--momentum: wanted --optimizer sgd or nesterov with it; got adamw" \
    bench step --optimizer adamw --momentum 0.5
refused 2 "--val: wanted a number from 0 to below 1, or DATA; got '1.5'" train table.csv --val 1.5
refused 2 "--seed: wanted a whole number below 2^64; got '-1'" train table.csv --seed -1
refused 2 "did you mean 'relu'?" train table.csv --activation rleu
refused 2 "--activation: wanted one name, or one for each of the 2 hidden layers; got 3" \
    train table.csv --hidden 4,4 --activation relu,tanh,relu
refused 2 "--output: wanted one of auto, softmax, sigmoid, identity; got 'softmx'; did you mean 'softmax'?" \
    train table.csv --output softmx
refused 2 "--init-std: wanted --init small_normal" train table.csv --init-std 0.1
refused 2 "--init: wanted none beside --init-from" train table.csv --init he_normal --init-from m
refused 2 "--test-every: wanted a test set; got none" train table.csv --label kind --test-every 2
refused 2 "--lr: wanted a value (F); got the end" train table.csv --lr
refused 2 "--lr: wanted a value (F); got --seed" train table.csv --lr --seed 1
refused 2 "--isa" train table.csv --isa
refused 2 "quantum" train table.csv --isa quantum
refused 2 "--precision: wanted one of f32, bf16; got 'fp16'" train table.csv --precision fp16
refused 2 "--split: wanted one of auto, train, test" eval a b --split tset

refused 2 "no.ini: cannot open the config file: No such file or directory" train table.csv -c no.ini
printf '[training]\nepoch = 3\n' >bad.ini
refused 2 "bad.ini:2: unknown key 'epoch'; did you mean 'epochs'?" train table.csv -c bad.ini
printf '[trainig]\n' >bad.ini
refused 2 "bad.ini:1: unknown section 'trainig'; did you mean 'training'?" train table.csv -c bad.ini
printf 'lr = nan\n' >bad.ini
refused 2 "bad.ini:1: lr: wanted a number above 0 to 3.40282e+38; got 'nan'" train table.csv -c bad.ini
refused 2 "bad.ini:1: lr: wanted" train table.csv -c bad.ini --lr 0.1
printf '[data]\nlr = 1\n' >bad.ini
refused 2 "'lr' belongs in section [training]" train table.csv -c bad.ini
printf 'help = true\n' >bad.ini
refused 2 "unknown key 'help'" train table.csv -c bad.ini
nothing_left
finish
