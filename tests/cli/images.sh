#!/bin/sh
# Directories of PNG images: trained on, inspected, predicted one by one.
. "$(dirname "$0")/lib.sh"
[ "$("$WEFT" info --json | "$JSONQ" png)" = true ] || {
    echo "built without PNG"
    exit 77
}

# The pictures that weft draws are PNG files, too: pages of few digits and of many are two classes.
small_mnist digits 60 20
run 0 train digits --hidden 8 --epochs 1 --out net -q
mkdir -p set/train/few set/train/many set/test/few set/test/many
for i in 1 2 3; do
    for part in train test; do
        small_mnist part 10 $i
        run 0 predict net part --grid "set/$part/few/$i.png"
        small_mnist part 10 $((60 + i))
        run 0 predict net part --grid "set/$part/many/$i.png"
    done
done

refused 3 "--image-size WxH brings all to one size" train set --out new
refused 2 "--image-size: wanted WIDTHxHEIGHT" train set --image-size 20 --out new
nothing_left
run 0 inspect set/train --image-size 20x16 --image-mode grey
has out "kind        data (PNG"
has out "samples     6"
has out "shape       16 x 20 (320 features)"
run 0 train set --image-size 20x20 --image-mode grey --hidden none --optimizer sgd \
    --batch-size 2 --epochs 60 --lr 0.1 --out pages -q
has pages/config.ini 'image_size = 20x20'
run 0 eval pages set --json
is "$("$JSONQ" samples accuracy <out | tr '\n' ' ')" "6 1.0 "
# The model says the size and the colours: of a directory, a single file and loose files.
run 0 predict pages set/test/many/2.png
is "$(tail -n 1 out)" many
run 0 predict pages set/test/few
is "$(tail -n 3 out | sort -u)" few
run 0 predict pages set/test/few/1.png --invert --proba
mv out inverted
run 0 predict pages set/test/few/1.png --proba
! cmp -s out inverted || fail "--invert changes nothing"
refused 3 "an image without a label" eval pages set/test/few/1.png
refused 3 "wanted samples of 784 numbers, as net takes; got 300" predict net set/test/few/1.png --image-size 10x10 -o new
nothing_left
finish
