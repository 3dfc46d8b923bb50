#!/bin/sh
# Runs the commands of README.md, block after block in one shell, in a copy of the sources, as a
# reader would who pastes them. scripts/test and the like are not run again from here, but .ci/run
# must call them.
# usage: readme_commands.sh
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
temp=$(mktemp -d)
trap 'rm -rf "$temp"' EXIT

mkdir "$temp/weft" "$temp/home"
cd "$root"
git ls-files -z | tar --null -T - -cf - | tar -xf - -C "$temp/weft"

{
    echo 'set -e'
    awk '
        /^```sh$/ { inside = 1; next }
        /^```/ { inside = 0 }
        inside && NF {
            shown = $0
            gsub(/'\''/, "'\''\\'\'''\''", shown)
            if ($1 == "scripts/test" || $1 == "scripts/interop") {
                print "grep -q '\''[ \"]" $1 "'\'' .ci/run && echo '\''README: " $1 " is run by .ci/run'\''"
            } else {
                print "echo '\''README: " shown "'\''"
                print
            }
        }' README.md
} >"$temp/commands"
n=$(grep -c '^echo .README:' "$temp/commands") || true
[ "$n" -ge 5 ] || { echo "FAILED: found only $n commands in README.md"; exit 1; }

cd "$temp/weft"
# Piping into head must not hide a failure, and HOME is where `cmake --install` goes.
HOME=$temp/home bash -o pipefail "$temp/commands" </dev/null >"$temp/log" 2>&1 || {
    tail -n 40 "$temp/log"
    echo "FAILED: the last command named above"
    exit 1
}
grep '^README:' "$temp/log"
echo "README: $n commands ran"
