#!/bin/sh
# The recipes of the older project's jobs, with the DATA on the command line.
. "$(dirname "$0")/lib.sh"
small_mnist digits 200 50

run 0 train digits -c "$DATA/../scripts/recipes/seed-mnist.ini" --epochs 3 --out mnist
for key in 'hidden = 32,16' 'batch_size = full' 'lr = 0.1' 'schedule = constant' 'init = he_normal' \
    'scale = unit' 'output = softmax'; do
    has mnist/config.ini "$key"
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
