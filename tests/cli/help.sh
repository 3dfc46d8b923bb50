#!/bin/sh
# Help, version, and what happens to people who guess.
. "$(dirname "$0")/lib.sh"

for call in --help -h help; do
    run 0 "$call"
    for command in train eval predict report inspect info bench; do
        has out "  $command"
    done
done
run 0 --version
is "$(cat out)" "weft $WEFT_VERSION"
run 2
has err "usage: weft COMMAND"
[ ! -s out ] || fail "stdout"

for command in train eval predict report inspect info; do
    run 0 "$command" --help
    has out "usage: weft $command"
    [ ! -s err ] || fail "stderr"
    cp out long
    run 0 "$command" -h
    same out long
    run 0 help "$command"
    same out long
    run 0 "$command" --no-such-option --help
    [ "$(awk 'length > 80' out | wc -l)" = 0 ] || fail "wanted lines of at most 80 columns"
done

# Every option with its default.
run 0 train --help
for text in '--hidden WIDTHS' '[256]' '--activation NAMES' '[relu]' 'leaky_relu' '--output NAME' \
    '[auto]' '--init NAME' 'he_normal' '--epochs N' '[10, or up to' '--batch-size N' '[32;' '--lr F' '[0.003 with' \
    '--schedule NAME' '[linear]' '--optimizer NAME' '[adamw]' '--momentum F' '--weight-decay F' '--shuffle METHOD' '--seed N' '--threads N' \
    '-o, --out RUNDIR' '-c, --config FILE' '--init-from MODEL' '--scale KIND' '--test DATA' \
    '--val FRACTION' '--[no-]report' '--print-every N' '--test-every N' '--json' '-q, --quiet' '-v, --verbose'; do
    has out "$text"
done

run 2 trian data
is "$(cat err)" "weft: unknown command 'trian'; did you mean 'train'?"
mkdir folder
run 2 folder
is "$(cat err)" "weft: unknown command 'folder'; to train on it: weft train folder"
run 2 nonsense
has err "'weft --help' lists them"
run 2 --verbos
has err "weft: unknown option '--verbos'"
run 2 help trian
has err "did you mean 'train'?"
finish
