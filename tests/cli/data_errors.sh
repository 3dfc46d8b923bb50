#!/bin/sh
# Input that is missing, broken or does not fit: exit code 3, one line that names the file, nothing
# written.
. "$(dirname "$0")/lib.sh"
small_mnist digits 20 10
small_table table.csv
"$WEFT" train digits --epochs 0 --hidden 4 --out model -q >/dev/null 2>&1 || fail "no model"
"$WEFT" train table.csv --label kind --epochs 0 --hidden 4 --out table_model -q >/dev/null 2>&1 ||
    fail "no model"
images=digits/train-images-idx3-ubyte labels=digits/train-labels-idx1-ubyte

# bad MESSAGE DATA [OPTION...]: train and eval refuse it alike.
bad()
{
    message=$1
    shift
    refused 3 "$message" train "$@" --out new
    nothing_left
}

bad "missing.csv" missing.csv
bad "No such file" missing.csv
: >empty.csv
bad "empty.csv" empty.csv
mkdir hollow
bad "hollow" hollow
gzip -c "$images" >images.gz
head -c 200 images.gz >cut.gz
bad "cut.gz" "cut.gz,$labels"
{ head -c $(($(wc -c <images.gz) - 8)) images.gz; printf '\1\2\3\4'; tail -c 4 images.gz; } >crc.gz
bad "crc.gz" "crc.gz,$labels"
{ cat images.gz; printf 'garbage'; } >trailing.gz
bad "trailing.gz" "trailing.gz,$labels"
echo "this is text" >text.gz
bad "text.gz" "text.gz,$labels"
{ be32 2052; tail -c +5 "$images"; } >magic
bad "magic" "magic,$labels"
{ be32 2051; be32 4294967295; be32 4294967295; be32 4294967295; } >huge
bad "huge" "huge,$labels"
head -c 1000 "$images" >short
bad "short" "short,$labels"
{ be32 2049; be32 19; tail -c +9 "$labels" | head -c 19; } >few
bad "few" "$images,few"
printf 'a,b,c\n1,2,x\n1,2\n' >ragged.csv
bad "ragged.csv" ragged.csv --label c
printf 'a,b,c\n1,2,x\n1,two,y\n' >cell.csv
bad "cell.csv" cell.csv --label c
printf 'a,b,c\n1,2,x\n1,nan,y\n' >nan.csv
bad "nan.csv" nan.csv --label c
printf 'a,b,c\n1,2,x\n3,4,x\n' >one.csv
bad "one.csv: wanted at least two classes; got 1 ('x')" one.csv --label c
bad "nosuch" table.csv --label nosuch
bad "--output sigmoid wanted two classes" digits --output sigmoid
bad "wanted data; got a model" model/model.safetensors
bad "missing.csv" table.csv --label kind --test missing.csv
bad "ragged.csv" table.csv --label kind --test ragged.csv
printf 'width,height,kind\n1,2,huge\n' >other.csv
bad "huge" table.csv --label kind --test other.csv
printf 'width,kind\n1,big\n2,small\n' >narrow.csv
bad "narrow.csv: wanted samples of 2 numbers, as in table.csv; got 1" \
    table.csv --label kind --test narrow.csv
printf '1,2\n' >single.csv
bad "--val 0.5 of single.csv: " single.csv --label 0 --output identity --val 0.5

refused 3 "missing" eval missing digits
refused 3 "hollow: wanted a model file or a run directory" eval hollow digits
refused 3 "missing.csv" eval model missing.csv
refused 3 "wanted samples of 784 numbers, as model takes; got 2" eval model table.csv --label kind
refused 3 "wanted samples of 2 numbers, as table_model takes; got 784" eval table_model digits
refused 3 "MODEL comes first, then DATA" eval digits model/model.safetensors
refused 3 "MODEL comes first, then DATA" predict table.csv table_model/model.safetensors
refused 3 "not among" eval table_model digits/../other.csv --label kind
: >empty.safetensors
refused 3 "empty.safetensors" eval empty.safetensors digits
head -c 1000 model/model.safetensors >cut.safetensors
refused 3 "cut.safetensors" eval cut.safetensors digits
refused 3 "cut.safetensors" predict cut.safetensors digits -o new
refused 3 "cut.safetensors" inspect cut.safetensors
refused 3 "cut.safetensors" train digits --init-from cut.safetensors --out new
refused 3 "missing.csv" inspect missing.csv
refused 3 "ragged.csv" inspect ragged.csv
refused 3 "narrow.csv" predict table_model narrow.csv --label kind -o new
nothing_left

if [ -n "${WEFT_CATS_DIR:-}" ] && [ "$("$WEFT" info --json | "$JSONQ" hdf5)" = true ]; then
    bad "no_such_set" "$WEFT_CATS_DIR/train_catvnoncat.h5" --x no_such_set
    bad "no_such_set" "$WEFT_CATS_DIR/train_catvnoncat.h5" --y no_such_set
    bad "no_such_set" "$WEFT_CATS_DIR/train_catvnoncat.h5" \
        --test "$WEFT_CATS_DIR/test_catvnoncat.h5" --test-x no_such_set
fi
finish
