#!/bin/sh
# The shared library exports what the public headers declare, no more and no less.
# usage: exports.sh LIBRARY INCLUDE_DIR
set -eu
library=$1 include=$2
temp=$(mktemp -d)
trap 'rm -rf "$temp"' EXIT

# The name before the first bracket of each declaration marked WEFT_API, line breaks or not.
cat "$include"/weft/*.h | tr '\n' ' ' |
    awk 'BEGIN { RS = "WEFT_API " } NR > 1 { sub(/\(.*/, ""); sub(/.*[ *]/, ""); print }' |
    grep '^weft_' | sort >"$temp/declared"
# mangle_path comes with gcc's coverage counters.
nm -D --defined-only "$library" | awk '{ print $3 }' | grep -vx -e '_.*' -e mangle_path | sort >"$temp/exported"

[ -s "$temp/declared" ] || { echo "FAILED: no declaration found in $include"; exit 1; }
comm -23 "$temp/declared" "$temp/exported" | sed 's/^/FAILED: declared, not exported: /'
comm -13 "$temp/declared" "$temp/exported" | sed 's/^/FAILED: exported, not declared: /'
cmp -s "$temp/declared" "$temp/exported"
echo "exports: $(wc -l <"$temp/exported") functions, as declared"
