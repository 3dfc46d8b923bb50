#!/bin/sh
# Manual pages and completion scripts, as the build has made them of the tables of options.
# MANUALS says where they are.
. "$(dirname "$0")/lib.sh"

# Each option that the help has is in the page, and the formatter finds nothing to warn of.
check_page()
{
    page=$MANUALS/weft-$(echo "$*" | tr ' ' '-').1
    last_call="$* (manual page)"
    groff -man -Tutf8 -P-cbou -ww "$page" >page 2>err || fail "groff"
    [ ! -s err ] || fail "groff warns"
    run 0 "$@" --help
    grep -o -e '^  [ -].\{24\}' out | grep -o -e '--[a-z0-9-]*' -e '--\[no-\][a-z-]*' >options
    tr -d '\n' <page | tr -s ' ' >words
    while read -r option; do
        has words "$option"
    done <options
}
if command -v groff >/dev/null; then
    for command in train eval predict export report inspect info "bench step" "bench scaling" \
        "bench predict"; do
        # shellcheck disable=SC2086
        check_page $command
        [ "$(wc -l <options)" -ge 3 ] || fail "only $(wc -l <options) options"
    done
    for page in "$MANUALS"/*.1; do
        groff -man -z -ww "$page" 2>err || fail "groff"
        [ ! -s err ] || fail "groff warns of $page"
    done
    for command in train eval predict export inspect info bench; do
        has "$MANUALS/weft.1" "weft $command"
    done
else
    echo "groff is not installed: the pages are not formatted"
    exit 77
fi

# What bash offers for a line, sorted. The last word is the one being completed.
complete_bash()
{
    last_call="(bash) weft $*"
    bash -c '. "$0"; COMP_WORDS=(weft "$@"); COMP_CWORD=$#; _weft
        printf "%s\n" "${COMPREPLY[@]}"' "$MANUALS/weft.bash" "$@" 2>err | sort | tr '\n' ' '
    [ ! -s err ] || fail "bash complains"
}
touch model.onnx 'my file.csv'
is "$(complete_bash ex)" "export "
is "$(complete_bash --v)" "--version "
is "$(complete_bash export mod)" "model.onnx "
is "$(complete_bash export my)" "my file.csv "
is "$(complete_bash export --fo)" "--format "
is "$(complete_bash export --format '')" "auto c html npz onnx "
is "$(complete_bash export --format '=')" "auto c html npz onnx "
is "$(complete_bash export --format '=' 'h')" "html "
is "$(complete_bash train data --activation relu,si)" "relu,sigmoid relu,silu "
is "$(complete_bash train --no-re)" "--no-report "
is "$(complete_bash train -o mo)" "model.onnx "
is "$(complete_bash train --epochs 1)" " "
is "$(complete_bash bench '')" "predict scaling step "
is "$(complete_bash bench step --pre)" "--precision "
is "$(complete_bash bench step --precision b)" "bf16 "

# zsh itself, on a terminal of its own: what stands on the line after the tabulator.
complete_zsh()
{
    last_call="(zsh) $1"
    FOLDER=$MANUALS LINE=$1 timeout 20 zsh -f -c '
        zmodload zsh/zpty
        zpty shell env TERM=dumb zsh -f -i
        zpty -w shell "PS1=; fpath=($FOLDER \$fpath); autoload -U compinit; compinit -u -D; echo rea\dy"
        zpty -r shell text "*ready*"
        zpty -w -n shell "$LINE"$'\''\t'\''
        zpty -r -m shell text "*$1*" && print found
        zpty -d shell' zsh "$2" >out 2>err </dev/null
    has out found
}
if command -v zsh >/dev/null; then
    zsh -n "$MANUALS/_weft" 2>err || fail "zsh cannot read the script"
    complete_zsh 'weft expo' 'weft export '
    complete_zsh 'weft export --form' 'weft export --format='
    complete_zsh 'weft export --format=ht' 'weft export --format=html '
    complete_zsh 'weft bench scal' 'weft bench scaling '
    complete_zsh 'weft train --no-re' 'weft train --no-report '
else
    echo "zsh is not installed: its completion is not tried"
    exit 77
fi
finish
