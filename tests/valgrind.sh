#!/bin/sh
# One train, eval and predict under valgrind: no invalid access, no use of what was never written,
# nothing lost. Small data, as every instruction costs fifty here.
# usage: valgrind.sh WEFT DATA_DIR
set -eu
weft=$1 data=$2
temp=$(mktemp -d)
trap 'rm -rf "$temp"' EXIT

# valgrind 3.19 knows no AVX-512.
WEFT_ISA=avx2
grep -qw avx2 /proc/cpuinfo 2>/dev/null || WEFT_ISA=generic
export WEFT_ISA

# What libgomp keeps for its threads until the program ends is "still reachable" or "possibly lost".
checked()
{
    echo "valgrind: weft $*"
    valgrind -q --error-exitcode=99 --leak-check=full --show-leak-kinds=definite,indirect \
        --errors-for-leak-kinds=definite,indirect "$weft" "$@" >"$temp/out" 2>"$temp/err" || {
        status=$?
        cat "$temp/out" "$temp/err"
        echo "FAILED with exit code $status: weft $*"
        exit 1
    }
}

checked train "$data/wdbc.csv" --label diagnosis --hidden 16,8 --epochs 2 --threads 2 --out "$temp/wdbc"
checked eval "$temp/wdbc/model.safetensors" "$data/wdbc.csv" --label diagnosis
checked predict "$temp/wdbc/model.safetensors" "$data/wdbc.csv" --label diagnosis --proba
checked report "$temp/wdbc"
digits=$data/mnist/t10k-images-idx3-ubyte.gz,$data/mnist/t10k-labels-idx1-ubyte.gz
checked train "$digits" --hidden 8 --epochs 1 --threads 2 --out "$temp/digits"
checked report "$temp/digits" "$temp/wdbc" --out "$temp/both.html"
checked eval "$temp/digits/model.safetensors" "$digits" --json
checked predict "$temp/digits/model.safetensors" "$digits"
echo "valgrind: nothing to report"
