#!/bin/sh
# weft export: C headers compiled and compared, what cannot be exported, hostile names.
. "$(dirname "$0")/lib.sh"
here=$(dirname "$0")
small_mnist digits 600 500
small_table table.csv
run 0 train digits --hidden 8 --epochs 2 --out model -q

# compiled NAME FLAG...: builds a program around NAME.h.
compiled()
{
    name=$1
    shift
    last_call="export (compiling $name.h: $*)"
    "$CC" "$@" -O1 -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wdouble-promotion -Werror -I. \
        -DHEADER="\"$name.h\"" -DNAME="$name" -o "user_$name" "$here/c_user.c" -lm >out 2>err ||
        fail "$name.h does not compile"
}

# Every activation and output: the sums are in another order than weft's, so the numbers agree to
# 1e-6 and not bit for bit.
for activation in relu leaky_relu tanh sigmoid gelu silu elu selu identity; do
    run 0 train digits --hidden 16,12 --activation $activation --epochs 2 --lr 0.05 --out net --force -q
    run 0 export net "$activation.h"
    has out "$activation.h: c, 12894 parameters, "
    compiled $activation -std=c99
    run 0 predict net digits --proba -o p.csv
    ./user_$activation digits/t10k-images-idx3-ubyte p.csv >out || fail "$activation.h differs"
    is "$(cut -d' ' -f1 out)" 500
done

# A scaling for each feature, a single sigmoid, no hidden layer; C++ takes the header too.
run 0 train table.csv --label kind --hidden none --output sigmoid --epochs 5 --out table -q
run 0 export table table.h
compiled table -std=c99
./user_table >out || fail "the program around table.h"
is "$(cat out)" "big
small"
printf '#include "table.h"\n#include <stdio.h>\nint main()\n{\n    float x[2], y[2];
    while (scanf("%%f,%%f,%%*s", &x[0], &x[1]) == 2) {
        int index = table_predict(x, y);
        printf("%%s,%%.6f,%%.6f\\n", table_name(index), y[0], y[1]);
    }
}\n' >around.cpp
run 0 predict table table.csv --label kind --proba -o p.csv
awk -F, 'NR > 1 { printf "%s,%.6f,%.6f\n", $1, $2, $3 }' p.csv >wanted
for language in c c++; do
    last_call="export (table.h as $language)"
    "$CC" -x $language -Wall -Wextra -Werror -o around around.cpp -lm 2>err || {
        # A C compiler that comes without its C++ half can still link C-like C++.
        fail "table.h does not compile as $language"
        continue
    }
    tail -n +2 table.csv | ./around >out
    same out wanted
done

# Names that would break out of strings and comments, in every format; and in C they come back.
printf 'label,a,b\n' >hostile.csv
for i in 1 2 3 4 5; do
    printf '"a ""b"" \\ ??/ */ %%s",%d,1\n"</script><b>&amp;<!--",%d,2\n"two\nlines",%d,3\nZ\303\274rich,%d,4\n' \
        $i $i $i $i >>hostile.csv
done
run 0 train hostile.csv --hidden 4 --epochs 1 --out hostile -q
for file in hostile.onnx hostile.h hostile.npz; do
    run 0 export hostile $file --json
    is "$("$JSONQ" output <out)" $file
done
compiled hostile -std=c99
./user_hostile >got || fail "the program around hostile.h"
printf '</script><b>&amp;<!--\nZ\303\274rich\na "b" \\ ??/ */ %%s\ntwo\nlines\n' >wanted
same got wanted

# A name says the format; --format says it better.
refused 2 "model.bin: wanted a name that ends in .onnx, .h, .npz or .html, or --format NAME" \
    export model model.bin
run 0 export model model.bin --format npz
run 0 export model plain.npz
same model.bin plain.npz
run 0 export model/model.safetensors model.onnx
refused 2 "wanted MODEL and OUT" export
refused 2 "wanted OUT behind MODEL" export model

# The file that is read is not written, under whatever name.
cp model/model.safetensors before
ln -s model/model.safetensors link.h
ln model/model.safetensors second.onnx
refused 2 "is the model that is to be exported" export model model/model.safetensors --format c
refused 2 "link.h: is the model that is to be exported" export model link.h
refused 2 "second.onnx: is the model that is to be exported" export model/model.safetensors second.onnx
same model/model.safetensors before

# What cannot be read, and what cannot be written.
refused 3 "missing" export missing model.onnx
refused 3 "table.csv" export table.csv model.onnx
echo old >kept.onnx
head -c 1000 model/model.safetensors >cut.safetensors
refused 3 "cut.safetensors" export cut.safetensors kept.onnx
is "$(cat kept.onnx)" old
refused 1 "no/model.h: cannot create a file in its directory" export model no/model.h
refused 1 "table.csv/model.h" export model table.csv/model.h
mkdir folder.h
refused 1 "folder.h: cannot write: Is a directory" export model folder.h
for file in m.onnx m.h m.npz m.html; do
    (ulimit -f 8 && exec "$WEFT" export model $file) >out 2>err
    is $? 1
    has err "$file: cannot write: File too large"
    nothing_left
    [ ! -e $file ] || fail "$file is there"
done

# Metadata of others does not matter.
{
    printf '\160\0\0\0\0\0\0\0'
    printf '%-112s' '{"0.weight":{"dtype":"F32","shape":[2,1],"data_offsets":[0,8]},"__metadata__":{"weft.x":"?","by":"<b>"}}'
    printf '\0\0\200\077\0\0\0\100'
} >other.safetensors
refused 3 "give --output --scale" export other.safetensors other.h
run 0 export other.safetensors other.h --output softmax --scale none
has other.h "1.0f, 2.0f,"

# Pages are for images of one channel and for classes.
run 0 export model page.html
has out "page.html: html, "
[ "$(grep -c '</script>' page.html)" = 2 ] || fail "page.html"
refused 3 "table: takes 2 numbers, which are no square image" export table page2.html
refused 2 "--image: wanted WIDTHxHEIGHT of 784 pixels in all" export model page2.html --image 28x29
refused 2 "--image: wanted WIDTHxHEIGHT of 784 pixels in all" export model page2.html --image wide
run 0 export model wide.html --image 56x14
has wide.html '"width":56,"height":14'
run 0 export model inked.html --ink 2
has inked.html '"ink":2'
run 0 export hostile hostile.html --image 1x2
[ "$(grep -c '</script>' hostile.html)" = 2 ] || fail "a class name ends the script"
lacks hostile.html '<b>'
has hostile.html '\u003cb>&amp;\u003c!--'
finish
