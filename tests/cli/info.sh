#!/bin/sh
# weft info, and where the number of threads comes from.
. "$(dirname "$0")/lib.sh"

run 0 info
for text in "weft      $WEFT_VERSION" 'compiler' 'cpu' 'kernels' 'generic' '(in use)' 'threads' 'hdf5' 'png'; do
    has out "$text"
done
run 0 info --json
is "$("$JSONQ" version <out)" "$WEFT_VERSION"
"$JSONQ" compiler cpu kernels kernels_usable isa threads hdf5 png <out >/dev/null || fail "keys"
[ "$("$JSONQ" threads <out)" -ge 1 ] || fail "threads"

is "$(OMP_NUM_THREADS=5 "$WEFT" info --json | "$JSONQ" threads)" 5
is "$(OMP_NUM_THREADS=7,2 "$WEFT" info --json | "$JSONQ" threads)" 7
is "$(OMP_NUM_THREADS=5 "$WEFT" info --json --threads 3 | "$JSONQ" threads)" 3
core=$(taskset -cp $$ | sed "s/.*: \([0-9]*\).*/\1/")
is "$(taskset -c "$core" "$WEFT" info --json | "$JSONQ" threads)" 1
is "$(WEFT_ISA=generic "$WEFT" info --json | "$JSONQ" isa)" generic
is "$(WEFT_ISA=nonsense "$WEFT" info --json --isa generic | "$JSONQ" isa)" generic

refused 2 "got '-3'" info --threads -3
refused 2 "got '0'" info --threads 0
refused 2 "got '4097'" info --threads=4097
refused 2 "nonsense" info --isa nonsense
WEFT_ISA=nonsense
export WEFT_ISA
refused 2 "nonsense" info
unset WEFT_ISA
refused 2 "unexpected argument 'more'" info more
finish
