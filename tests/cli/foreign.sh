#!/bin/sh
# Models of other software: what their files do not say is given by options.
. "$(dirname "$0")/lib.sh"
small_mnist digits 100 50
run 0 train digits --hidden 8 --epochs 1 --out ours -q

# The same tensors with a header that says nothing but that.
header=$(head -c 8 ours/model.safetensors | od -An -tu8 | tr -d ' ')
size=$((784 * 8 * 4)) bias=32 second=$((8 * 10 * 4)) last=40
names=$(printf '{"0.bias":{"dtype":"F32","shape":[8],"data_offsets":[0,%d]},' $bias
    printf '"0.weight":{"dtype":"F32","shape":[8,784],"data_offsets":[%d,%d]},' $bias $((bias + size))
    printf '"2.bias":{"dtype":"F32","shape":[10],"data_offsets":[%d,%d]},' \
        $((bias + size)) $((bias + size + last))
    printf '"2.weight":{"dtype":"F32","shape":[10,8],"data_offsets":[%d,%d]}}' \
        $((bias + size + last)) $((bias + size + last + second)))
piece()
{
    head -c $((8 + header + $2)) ours/model.safetensors | tail -c $(($2 - $1))
}
length=${#names}
{
    # shellcheck disable=SC2059
    printf "$(printf '\\%03o\\%03o' $((length & 255)) $((length >> 8 & 255)))\\0\\0\\0\\0\\0\\0%s" "$names"
    head -c $((8 + header)) ours/model.safetensors | tail -c "$header" >head.json
    for name in 0.bias 0.weight 2.bias 2.weight; do
        begin=$(sed 's/.*"'"$name"'":{[^}]*"data_offsets":\[\([0-9]*\),\([0-9]*\)\].*/\1/' head.json)
        end=$(sed 's/.*"'"$name"'":{[^}]*"data_offsets":\[\([0-9]*\),\([0-9]*\)\].*/\2/' head.json)
        piece "$begin" "$end"
    done
} >foreign.safetensors

refused 3 "foreign.safetensors" eval foreign.safetensors digits
refused 3 "foreign.safetensors" eval foreign.safetensors digits --output softmax --scale unit
refused 3 "foreign.safetensors" inspect foreign.safetensors
run 0 eval ours digits --json
cp out wanted
run 0 eval foreign.safetensors digits --activation relu --output softmax --scale unit --json
is "$("$JSONQ" loss accuracy <out)" "$("$JSONQ" loss accuracy <wanted)"
run 0 inspect foreign.safetensors --activation relu --output softmax --scale unit
has out softmax
run 0 predict ours digits
cp out wanted
run 0 predict foreign.safetensors digits --activation relu --output softmax --scale unit
same out wanted
run 0 train digits --init-from foreign.safetensors --activation relu --output softmax --scale unit \
    --epochs 0 --out again
same again/model.safetensors ours/model.safetensors
finish
