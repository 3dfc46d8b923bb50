#!/bin/sh
# weft predict --grid, and the pictures of run directories.
. "$(dirname "$0")/lib.sh"
small_mnist digits 300 200
small_table table.csv

if [ "$("$WEFT" info --json | "$JSONQ" png)" = false ]; then
    # A build without libpng: training does without, --grid says why it cannot.
    run 0 train digits --epochs 1 --hidden 8 --out run -q
    lacks out images
    is "$(ls run | tr '\n' ' ')" \
        "checkpoints config.ini evaluation.json metrics.jsonl model.safetensors report.html "
    refused 2 "--grid: this build of weft cannot write PNG files" predict run digits --grid grid.png
    [ ! -e grid.png ] || fail "a picture"
    finish
fi

# size FILE: its width and height, all of it read
size()
{
    "$PNGQ" "$1" || fail "$1 cannot be read"
}

# A run: both pictures, the same each time, with any number of threads.
run 0 train digits --epochs 2 --hidden 16 --out run -q --threads 1
has out "wrote     run: model.safetensors, config.ini, metrics.jsonl, evaluation.json, report.html, images/"
is "$(ls run | tr '\n' ' ')" \
    "checkpoints config.ini evaluation.json images metrics.jsonl model.safetensors report.html "
is "$(ls run/images | tr '\n' ' ')" "confusion_matrix.png sample_prediction.png "
run 0 train digits --epochs 2 --hidden 16 --out run2 -q --threads 3
same run/images/sample_prediction.png run2/images/sample_prediction.png
same run/images/confusion_matrix.png run2/images/confusion_matrix.png
# Ten columns of 28 x 28 pixels, four times as large, in frames, with gaps and margins.
is "$(size run/images/sample_prediction.png | cut -d' ' -f1)" $((10 * 116 + 9 * 16 + 40))

# A table has no images, but classes; values have neither. An older run's pictures go.
run 0 train table.csv --label kind --epochs 1 --out run2 --force -q
is "$(ls run2/images)" confusion_matrix.png
cut -d, -f1,2 table.csv >values.csv
run 0 train values.csv --output identity --epochs 1 --out values --lr 0.001 -q
lacks out images
[ ! -e values/images ] || fail "images of values"

# Nothing is drawn of what diverged, but of what was stopped.
"$WEFT" train digits --hidden 16 --epochs 1000000 --out stopped -q >out 2>err &
pid=$!
i=0
while [ ! -s stopped/metrics.jsonl ] && [ "$i" -lt 300 ]; do
    sleep 0.1
    i=$((i + 1))
done
kill -s TERM $pid
wait $pid
is $? 143
has out "images/"
size stopped/images/sample_prediction.png >sizes
run 4 train digits --epochs 2 --optimizer sgd --lr 1e30 --out diverged -q
[ ! -e diverged/images ] || fail "images of a diverged run"

# --grid: in place of what is printed, beside what goes to a file.
run 0 predict run digits --grid grid.png
[ ! -s out ] || fail "stdout beside --grid"
[ ! -s err ] || fail "stderr beside --grid"
# 200 samples, of which 100 are drawn: ten rows.
is "$(size grid.png)" "1344 $((83 + 10 * (116 + 32 + 14) + 14))"
run 0 predict run digits --grid again.png --threads 3
same grid.png again.png
run 0 predict run digits
cp out plain
run 0 predict run digits --grid again.png -o file.csv
same file.csv plain
same grid.png again.png
run 0 predict run digits --grid again.png --json
is "$("$JSONQ" grid samples <out | tr '\n' ' ')" "again.png 200 "
lacks out predictions

# The first digits are there, framed as right or wrong.
tail -c +9 digits/t10k-labels-idx1-ubyte | od -An -tu1 -v -w1 | tr -d ' ' >labels
for i in 0 1 2 3 4 5 6 7 8 9; do
    said=$(sed -n $((i + 2))p plain)
    is "$("$PNGQ" grid.png $((20 + 132 * i)) 83 | tail -n 1)" \
        "$([ "$said" = "$(sed -n $((i + 1))p labels)" ] && echo 22 128 92 || echo 184 32 48)"
    pixel=$(tail -c +17 digits/t10k-images-idx3-ubyte | tail -c +$((784 * i + 14 * 28 + 14 + 1)) |
        head -c 1 | od -An -tu1 | tr -d ' ')
    is "$("$PNGQ" grid.png $((22 + 132 * i + 4 * 14)) $((85 + 4 * 14)) | tail -n 1)" \
        "$pixel $pixel $pixel"
done

# Without labels: grey frames. Few samples: few columns.
run 0 predict run digits/t10k-images-idx3-ubyte --grid grid.png
[ ! -s err ] || fail "a word about labels that nobody has"
is "$("$PNGQ" grid.png 20 83 | tail -n 1)" "208 212 220"
digits one 1 t10k
run 0 predict run one-images-idx3-ubyte,one-labels-idx1-ubyte --grid grid.png
is "$(size grid.png)" "400 259"

# Labels that the network does not know: drawn without them, which is said.
{ be32 2049 && be32 1 && printf '\052'; } >one-labels-idx1-ubyte
run 0 predict run one-images-idx3-ubyte,one-labels-idx1-ubyte --grid grid.png
has err "weft predict: --grid without true classes: "
has err "42"
is "$("$PNGQ" grid.png 20 83 | tail -n 1)" "208 212 220"

# A table of 784 bytes is a table of images. Its class names are as hostile as they come.
awk 'BEGIN {
    split("<script>alert(1)</script>|a name that goes on and on and does not end soon|\033[31m\342\200\256", names, "|")
    for (j = 0; j < 784; j++) printf "p%d,", j
    print "kind"
    for (i = 0; i < 12; i++) {
        for (j = 0; j < 784; j++) printf "%d,", (j + i) % 2 * 255
        print names[i % 3 + 1]
    }
}' >pixels.csv
run 0 train pixels.csv --label kind --epochs 1 --hidden 4 --out pixels -q
is "$(ls pixels/images | tr '\n' ' ')" "confusion_matrix.png sample_prediction.png "
size pixels/images/confusion_matrix.png >sizes
run 0 predict pixels pixels.csv --label kind --grid grid.png
is "$(size grid.png | cut -d' ' -f1)" $((7 * (24 * 7 + 4 + 16) - 16 + 40))

# What cannot be drawn, and what cannot be written.
run 0 train table.csv --label kind --epochs 1 --out binary -q
rm grid.png
refused 3 "--grid of table.csv: wanted samples that are images" \
    predict binary table.csv --label kind --grid grid.png
[ ! -e grid.png ] || fail "a picture of a table"
refused 1 "missing/grid.png" predict run digits --grid missing/grid.png
refused 1 "run: cannot write: Is a directory" predict run digits --grid run
refused 3 "nowhere" predict nowhere digits --grid grid.png
if [ -c /dev/full ]; then
    refused 1 "/dev/full: cannot write: No space left on device" predict run digits --grid /dev/full
fi

# A run whose pictures cannot be written has its model and its results, and says so by its code.
mkdir unwritable
: >unwritable/images
run 1 train digits --epochs 1 --hidden 8 --out unwritable --force -q
has err "weft train: unwritable/images: cannot make the directory: File exists"
has out "test      loss"
lacks out "images"
run 0 eval unwritable digits
finish
