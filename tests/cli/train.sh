#!/bin/sh
# weft train: what it writes, where, and that equal settings give equal bytes.
. "$(dirname "$0")/lib.sh"
small_mnist digits 300 100
small_table table.csv

run 0 train digits --epochs 2 --hidden 16 --out run
has err "digits: 300 samples of 28 x 28, 10 classes (IDX"
has err "digits: 100 samples of 28 x 28"
has err "784-16-10, relu, softmax; 12730 parameters; inputs scaled: unit"
has err "epoch 1/2  loss "
has err "epoch 2/2  loss "
has out "test      loss "
has out "wrote     run: model.safetensors, config.ini, metrics.jsonl"
has out "next      weft eval run/model.safetensors digits"
is "$(ls run | grep -v '^images$' | tr '\n' ' ')" \
    "checkpoints config.ini evaluation.json metrics.jsonl model.safetensors report.html "
is "$("$JSONQ" epoch <run/metrics.jsonl | tr '\n' ' ')" "1 2 "
is "$("$JSONQ" step <run/metrics.jsonl | tr '\n' ' ')" "10 20 "
"$JSONQ" lr train_loss train_accuracy seconds <run/metrics.jsonl >values || fail "keys"
tail -n 1 run/metrics.jsonl | "$JSONQ" test_loss test_accuracy >values || fail "test scores"
lacks run/metrics.jsonl val_loss
case $(cat out) in *'
next '*) sh -c "\"\$WEFT\" eval run/model.safetensors digits" >evaluated || fail "the next command" ;; esac

# Another precision, from its name to its file.
run 0 train digits --epochs 2 --hidden 32 --seed 1 -o single -q
run 0 train digits --epochs 2 --hidden 32 --seed 1 -o mixed --precision bf16
has err 'bf16'
has mixed/config.ini 'precision = bf16'
cmp -s single/model.safetensors mixed/model.safetensors && fail "bf16 changed nothing"
run 0 train -c mixed/config.ini -o again -q --threads 3 --force
same mixed/model.safetensors again/model.safetensors
"$WEFT" eval mixed digits --precision bf16 >values || fail "eval"
"$WEFT" predict mixed digits/t10k-images-idx3-ubyte --precision bf16 >values || fail "predict"
rm -r again

# The whole configuration is written, and repeats the run.
for key in 'data = digits' 'test = digits' 'val = 0' 'label =' 'hidden = 16' 'activation = relu' \
    'output = softmax' 'init = auto' 'init_from =' 'scale = unit' 'epochs = 2' 'batch_size = 32' \
    'optimizer = adamw' 'lr = 0.003' 'schedule = linear' 'momentum = 0' 'label_smoothing = 0.02' 'shuffle = full' 'seed = 1' 'test_every = never' \
    'threads = ' 'isa = ' 'precision = f32' 'print_every = 1'; do
    has run/config.ini "$key"
done
is "$(grep -c '^out =' run/config.ini)" 0
lacks run/config.ini 'force ='
run 0 train -c run/config.ini -o again -q
[ ! -s err ] || fail "wanted nothing on stderr with -q"
same run/model.safetensors again/model.safetensors
same run/config.ini again/config.ini
sed 's/,"seconds":[^,}]*//' run/metrics.jsonl >a
sed 's/,"seconds":[^,}]*//' again/metrics.jsonl >b
same a b
run 0 train -c run/config.ini --seed 2 -o other -q
has other/config.ini 'seed = 2'
has other/config.ini 'hidden = 16'
! cmp -s run/model.safetensors other/model.safetensors || fail "another seed, the same model"

# With everything set away from its default the config file still repeats the run.
run 0 train table.csv --label kind --val 0.25 --hidden 5,4 --activation tanh,gelu --output softmax \
    --init xavier_uniform --scale standard --epochs 3 --batch-size 7 --lr 0.05 --schedule constant \
    --optimizer sgd --momentum 0.5 --no-shuffle --seed 77 --threads 3 --test table.csv --test-every 2 -o full -q
is "$("$JSONQ" val_loss <full/metrics.jsonl | wc -l)" 3
is "$(sed -n 2,3p full/metrics.jsonl | "$JSONQ" test_loss | wc -l)" 2
sed -n 1p full/metrics.jsonl >first
lacks first test_loss
run 0 train -c full/config.ini -o full2 -q
same full/model.safetensors full2/model.safetensors
same full/config.ini full2/config.ini
run 0 train table.csv --label kind --init small_normal --init-std 0.5 --epochs 0 -o std -q
has std/config.ini 'init_std = 0.5'
run 0 train table.csv --label kind --init small_normal --epochs 0 -o std2 -q
! cmp -s std/model.safetensors std2/model.safetensors || fail "--init-std does nothing"

# Directories: numbers, refusal, --force.
run 0 train table.csv --label kind --epochs 1
has out "wrote     runs/001"
run 0 train table.csv --label kind --epochs 1 -q
has out "wrote     runs/002"
mkdir runs/040
run 0 train table.csv --label kind --epochs 1 -q
has out "next      weft eval runs/041/model.safetensors table.csv --label kind"
cp -r runs/041 before
refused 1 "runs/041: exists and is not empty; --force writes into it" \
    train table.csv --label kind --out runs/041
diff -r runs/041 before >/dev/null || fail "a refused call changed the directory"
run 0 train table.csv --label kind --epochs 1 --seed 5 --out runs/041 --force
! cmp -s runs/041/model.safetensors before/model.safetensors || fail "--force wrote nothing"
mkdir empty
run 0 train table.csv --label kind --epochs 1 --out empty
run 0 train table.csv --label kind --epochs 1 --out deep/er/run/
[ -s deep/er/run/model.safetensors ] || fail "no model in a deep directory"
i=0
while [ "$i" -lt 4 ]; do
    "$WEFT" train table.csv --label kind --epochs 1 -q >/dev/null 2>&1 &
    i=$((i + 1))
done
wait
is "$(ls runs | wc -l)" 8

# JSON.
run 0 train digits --epochs 1 --hidden 8 --json -q --out json
is "$(wc -l <out)" 1
is "$("$JSONQ" run_dir model epochs steps <out | tr '\n' ' ')" "json json/model.safetensors 1 10 "
is "$("$JSONQ" loss <out)" "$("$JSONQ" test.loss <out)"
is "$("$JSONQ" accuracy <out)" "$("$JSONQ" test.accuracy <out)"
is "$("$JSONQ" test.samples train.samples <out | tr '\n' ' ')" "100 300 "
"$JSONQ" seconds <out >/dev/null || fail "seconds"
"$WEFT" eval json digits --json >evaluated
is "$("$JSONQ" loss accuracy <evaluated)" "$("$JSONQ" loss accuracy <out)"

# --epochs 0: the network as it starts.
run 0 train digits --epochs 0 --hidden 8 --out start
[ ! -s start/metrics.jsonl ] || fail "metrics of no epoch"
run 0 train digits --epochs 0 --hidden 8 --out start2 --lr 0.1 --batch-size full
same start/model.safetensors start2/model.safetensors
run 0 train digits --epochs 0 --test none --json --out start3
is "$("$JSONQ" loss <out)" null

# --init-from: weights, layers, scaling and classes of the model.
run 0 train digits --init-from start --epochs 0 --out copy
same start/model.safetensors copy/model.safetensors
has copy/config.ini 'hidden = 8'
run 0 train digits --init-from start/model.safetensors --hidden 8 --activation relu --output softmax \
    --scale unit --epochs 1 --out more
run 0 train -c more/config.ini --out more2
same more/model.safetensors more2/model.safetensors
run 0 train digits --hidden 8 --epochs 1 --out direct
same more/model.safetensors direct/model.safetensors
refused 3 "--hidden: contradicts start" train digits --init-from start --hidden 9 --out new
refused 3 "start/model.safetensors" train digits --init-from start --activation tanh --out new
refused 3 "start/model.safetensors" train digits --init-from start --output sigmoid --out new
refused 3 "start/model.safetensors" train digits --init-from start --scale standard --out new
refused 3 "table.csv" train table.csv --label kind --init-from start --out new
refused 2 "wanted another place" train digits --init-from start --out start --force
nothing=1
[ ! -e new ] || fail "left behind: new"

# Two classes: one sigmoid. Values: identity. Several 0/1 columns: a sigmoid for each.
run 0 train table.csv --label kind --epochs 30 -o binary -q
has binary/config.ini 'output = sigmoid'
has binary/config.ini 'scale = standard'
has out "accuracy 100.00 %"
run 0 train table.csv --label kind --output softmax --epochs 1 -o two -q
has two/config.ini 'output = softmax'
awk 'BEGIN { for (i = 0; i < 40; i++) print i / 10 "," i / 20 + 0.3 "," i % 2 "," i % 3 % 2 }' >values.csv
run 0 train values.csv --label 1 --epochs 20 --lr 0.05 -o values_run -q
has values_run/config.ini 'output = identity'
lacks out accuracy
run 0 train values.csv --label 2 --output identity --epochs 1 -o values_run2 -q
has values_run2/config.ini 'output = identity'
run 0 train values.csv --label 2,-1 --epochs 1 -o labels_run -q
has labels_run/config.ini 'output = sigmoid'
# A column that is neither feature nor label.
awk 'NR == 1 { print "id," $0 } NR > 1 { print "row " NR "," $0 }' table.csv >named.csv
refused 3 "column 0 ('id')" train named.csv --label kind -o new
run 0 train named.csv --label kind --ignore id --hidden 4 --epochs 2 -o named_run -q
has named_run/config.ini 'ignore = id'
run 0 eval named_run named.csv --label kind --ignore id
# Sparse text; samples to predict may lack the last features.
awk 'BEGIN {
    for (i = 0; i < 40; i++)
        print (i % 2 ? "+1" : "-1"), "1:" i % 4 / 10, "3:" i % 2 * 2 + 1
}' >sparse
run 0 train sparse --hidden 16 --epochs 100 --lr 0.1 -o sparse_run -q
run 0 eval sparse_run sparse --json
is "$("$JSONQ" samples accuracy <out | tr '\n' ' ')" "40 1.0 "
printf '1 1:0.5\n1 2:3\n' | gzip >fewer.gz
run 0 predict sparse_run fewer.gz
is "$(wc -l <out)" 3
"$JSONQ" train_accuracy <values_run/metrics.jsonl | sort -u >values
is "$(cat values)" null
finish
