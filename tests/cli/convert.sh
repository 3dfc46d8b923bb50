#!/bin/sh
# weft convert: from every format to every format and back with nothing lost; what it refuses.
. "$(dirname "$0")/lib.sh"
small_mnist digits 60 20
digits part 20 t10k
small_table table.csv
digits_pair=part-images-idx3-ubyte,part-labels-idx1-ubyte

# Bytes: through every format and back to the same IDX files.
run 0 convert "$digits_pair" a.csv.gz
has out "a.csv.gz: 20 samples of 784 features"
run 0 convert a.csv.gz a.npz
run 0 convert a.npz a.x.npy,a.y.npy
run 0 convert a.x.npy,a.y.npy a.libsvm.gz
run 0 convert a.libsvm.gz back.npz
run 0 convert a.x.npy,a.y.npy back-images.gz,back-labels.gz
gzip -dc back-labels.gz >back-labels
same back-labels part-labels-idx1-ubyte
gzip -dc back-images.gz | tail -c 15680 >got
tail -c 15680 part-images-idx3-ubyte >wanted
same got wanted
# LIBSVM has numbers alone: they come back as float32 of the same values.
run 0 convert back.npz b.csv
run 0 convert a.npz a.csv
same a.csv b.csv
# A directory keeps its shape, and test files are what is read of it.
run 0 convert digits digits.npz
run 0 inspect digits.npz
has out "samples     20"
has out "28 x 28 (784 features)"

# Fractions come back bit for bit, words by their names and, in binary, by their places.
run 0 convert table.csv names.csv --label kind
run 0 convert names.csv table.npz
run 0 convert names.csv again.csv
same again.csv names.csv
has names.csv "label,x0,x1"
has names.csv "small,0.25,0.5"
run 0 convert table.npz places.csv
sed 's/^small/1/; s/^big/0/' names.csv >wanted
same places.csv wanted
# Values, several of them, and categories.
printf 'a,b,c,d\n0.1,2,red,1e-20\n3,4e7,blue,-5\n' >values.csv
run 0 convert values.csv v.npz --label a,b --categorical c
run 0 convert v.npz v.csv
is "$(head -n 2 v.csv | tr '\n' ' ')" "label0,label1,x0,x1,x2 0.100000001,2,0,1,9.99999968e-21 "
printf 'y,u\n1,\n2,4\n' >holes.csv
run 0 convert holes.csv full.csv --missing mean
is "$(tr '\n' ' ' <full.csv)" "label,x0 1,4 2,4 "

# Inspection in one pass: holes are counted and not among the numbers.
run 0 inspect holes.csv --json
is "$("$JSONQ" samples missing min max std <out | tr '\n' ' ')" "2 1 4.0 4.0 0.0 "

refused 2 "would overwrite" convert table.csv table.csv --label kind
refused 2 "would overwrite" convert "$digits_pair" part-labels-idx1-ubyte
ln -s table.csv link.csv
refused 2 "would overwrite" convert table.csv link.csv --label kind
refused 2 "wanted a second file for the labels" convert "$digits_pair" new
refused 2 "wanted no second one" convert "$digits_pair" new.csv,other.csv
refused 2 "LIBSVM has one" convert values.csv new.svm --label a,b --categorical c
refused 3 "--missing" convert holes.csv new.csv
refused 3 "missing.csv" convert missing.csv new.csv
refused 3 "nowhere" convert table.csv nowhere/new.csv --label kind
gzip -c part-images-idx3-ubyte | head -c 800 >cut.gz
refused 3 "cut.gz" convert cut.gz,part-labels-idx1-ubyte new.npz
for file in new*; do
    [ ! -e "$file" ] || fail "left behind: $file"
done
nothing_left
finish
