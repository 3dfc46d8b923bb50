#!/bin/sh
# Every recipe can be run, with the DATA on the command line.
. "$(dirname "$0")/lib.sh"
small_mnist digits 200 50

run 0 train digits -c "$DATA/../scripts/recipes/seed-mnist.ini" --epochs 3 --out mnist
for key in 'hidden = 32,16' 'batch_size = full' 'lr = 0.1' 'schedule = constant' 'init = he_normal' \
    'scale = unit' 'output = softmax'; do
    has mnist/config.ini "$key"
done
for recipe in "$DATA"/../scripts/recipes/*.ini; do
    name=$(basename "$recipe" .ini)
    case $name in
    *cats | seed-mnist) continue ;;
    wdbc) set -- "$DATA/wdbc.csv" --label diagnosis ;;
    *) set -- digits ;;
    esac
    run 0 train "$@" -c "$recipe" --epochs 1 --warmup 0 --out "$name" -q
    # Nothing but numbers that the command line changed is another in what is written.
    sed -n 's/^\([a-z0-9_]* = [^;]*[^ ;]\) *\(;.*\)\{0,1\}$/\1/p' "$recipe" |
        grep -v '^\(epochs\|warmup\) ' |
        while IFS= read -r line; do
            grep -qxF -- "$line" "$name/config.ini" || echo "$name: $line"
        done >missing
    [ ! -s missing ] || fail "not in config.ini: $(cat missing)"
done
if [ -z "${WEFT_CATS_DIR:-}" ]; then
    echo "skipped: WEFT_CATS_DIR is not set"
    [ "$failures" = 0 ] && exit 77
    finish
fi
if [ "$("$WEFT" info --json | "$JSONQ" hdf5)" = false ]; then
    echo "skipped: no HDF5 in this build"
    [ "$failures" = 0 ] && exit 77
    finish
fi
run 0 train "$WEFT_CATS_DIR/train_catvnoncat.h5" --test "$WEFT_CATS_DIR/test_catvnoncat.h5" \
    -c "$DATA/../scripts/recipes/cats.ini" --epochs 1 --out cats -q
for threads in 1 2 3 4 7 8; do
    run 0 train "$WEFT_CATS_DIR/train_catvnoncat.h5" --test "$WEFT_CATS_DIR/test_catvnoncat.h5" \
        -c "$DATA/../scripts/recipes/seed-cats.ini" --epochs 30 --threads "$threads" \
        --out "cats$threads"
    same cats1/model.safetensors "cats$threads/model.safetensors"
done
has err "209 samples of 64 x 64 x 3, 2 classes"
has err "12288-20-7-5-1, relu, sigmoid"
has out "(50 samples)"
sh -c "$(sed -n 's/^next      weft/"$WEFT"/p' out)" >evaluated || fail "the next command"
finish
