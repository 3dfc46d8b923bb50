#!/bin/sh
# Checks the files of data/ against the SHA-256 digests in data/README.md.
# usage: data_digests.sh SOURCE_DIR; 0 where all fit, 77 (skipped) without sha256sum.
set -u
data=$1/data
command -v sha256sum >/dev/null || { echo "SKIPPED: sha256sum is not here"; exit 77; }

# The raw bytes of a file of the table, wherever it is.
raw() {
    if [ -f "$data/mnist/$1.gz" ]; then
        gzip -dc "$data/mnist/$1.gz"
    else
        cat "$data/$1"
    fi
}

n=0
failed=0
while IFS='| ' read -r _ digest name bytes _; do
    case $digest in
    [0-9a-f]*[0-9a-f]) [ ${#digest} -eq 64 ] || continue ;;
    *) continue ;;
    esac
    n=$((n + 1))
    got=$(raw "$name" | sha256sum)
    size=$(raw "$name" | wc -c)
    if [ "${got%% *}" != "$digest" ] || [ "$((size))" != "$(echo "$bytes" | tr -d ,)" ]; then
        echo "$name: got ${got%% *}, $size bytes; README has $digest, $bytes bytes"
        failed=1
    fi
done <"$data/README.md"

[ "$n" -eq 5 ] || { echo "README.md: found $n digests, wanted 5"; failed=1; }
exit $failed
