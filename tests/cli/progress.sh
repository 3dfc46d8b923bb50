#!/bin/sh
# Progress: a bar on a terminal that knows how, lines everywhere; the bar goes when it is done.
. "$(dirname "$0")/lib.sh"
small_mnist digits 400 50
script -qec true typescript >/dev/null 2>&1 </dev/null || {
    echo "skipped: script(1) is missing or cannot make a terminal (/dev/pts)"
    exit 77
}
escape=$(printf '\033')

# on_terminal ARGUMENTS: the call on a terminal of 80 columns; what it shows goes to the file shown.
on_terminal()
{
    last_call=$*
    script -qec "stty cols 80; exec $WEFT $*" typescript >/dev/null 2>&1 </dev/null
    is $? "${wanted_code-0}"
    sed -e '/^Script started/d' -e '/^Script done/d' -e '/^$/d' typescript >shown
}

long='train digits --hidden 512 --batch-size 1 --epochs 3'
TERM=xterm on_terminal "$long --out a"
has shown "$escape[K"
has shown "$escape[32m"
has shown 'ETA '
# Each bar is rubbed out before a line is written: what follows the last erasure of a line is text.
tr '\r' '\n' <shown | sed "s/.*$escape\[K//" | grep -a 'ETA ' && fail "the bar stays"
tr -d '\r' <shown | tail -n 1 | grep -q '^next ' || fail "the last line"
# No part of the bar is wider than the terminal.
tr '\r' '\n' <shown | grep -a 'ETA' | sed "s/$escape\[[0-9;]*[mK]//g" | awk 'length > 79 { exit 1 }' ||
    fail "the bar is too wide"

TERM=xterm NO_COLOR=1 on_terminal "$long --out b"
has shown 'ETA '
lacks shown "$escape[32m"
TERM=dumb on_terminal "$long --out c"
lacks shown "$escape"
lacks shown 'ETA '
has shown 'epoch 3/3'
TERM=xterm on_terminal "$long -q --out d"
lacks shown "$escape"
lacks shown 'epoch'
TERM=xterm on_terminal "eval d digits"
lacks shown "$escape"

# Without a terminal: lines, no bar, results apart from progress.
run 0 train digits --hidden 8 --epochs 40 --out e
is "$(grep -c '^epoch ' err)" 20
has err 'epoch 40/40'
lacks err "$escape"
lacks out epoch
run 0 train digits --hidden 8 --epochs 7 --print-every 3 --out f
is "$(grep '^epoch ' err | cut -c7 | tr '\n' ' ')" "3 6 7 "
run 0 train digits --hidden 8 --epochs 30 -v --out g
is "$(grep -c '^epoch ' err)" 30
has err "classes   0, 1, 2"
finish
