#!/bin/sh
# Installs a build, moves the tree elsewhere, and builds a user of it by find_package and by
# pkg-config, against the shared and the static library.
# usage: check.sh CMAKE BUILD_DIR VERSION CC [CFLAGS]
set -eu
cmake=$1 build=$2 version=$3 cc=$4 cflags=${5:-}
here=$(cd "$(dirname "$0")" && pwd)
temp=$(mktemp -d)
trap 'rm -rf "$temp"' EXIT

wants_version()
{
    got=$("$@")
    [ "$got" = "$version" ] || { echo "FAILED: $*: got '$got', wanted '$version'"; exit 1; }
    echo "ok: ${1##*/} runs with weft $got"
}

"$cmake" --install "$build" --prefix "$temp/first" >"$temp/log" || { cat "$temp/log"; exit 1; }
if grep -rlF "$temp/first" "$temp/first"; then
    echo "FAILED: the files above name the prefix they were installed to"
    exit 1
fi
mv "$temp/first" "$temp/moved"

"$cmake" -S "$here" -B "$temp/user" -DCMAKE_PREFIX_PATH="$temp/moved" -DCMAKE_C_COMPILER="$cc" \
    -DCMAKE_C_FLAGS="$cflags" >"$temp/log" 2>&1 &&
    "$cmake" --build "$temp/user" >"$temp/log" 2>&1 || { cat "$temp/log"; exit 1; }
wants_version "$temp/user/user_default"
wants_version "$temp/user/user_static"

pc=$(find "$temp/moved" -name weft.pc)
PKG_CONFIG_PATH=$(dirname "$pc")
export PKG_CONFIG_PATH
lib=$(dirname "$PKG_CONFIG_PATH")
# shellcheck disable=SC2046,SC2086
"$cc" $cflags $(pkg-config --cflags weft) -o "$temp/user_pc" "$here/user.c" $(pkg-config --libs weft)
LD_LIBRARY_PATH=$lib wants_version "$temp/user_pc"
rm -f "$lib"/libweft.so*
# shellcheck disable=SC2046,SC2086
"$cc" $cflags $(pkg-config --cflags weft) -o "$temp/user_pc_static" "$here/user.c" \
    $(pkg-config --static --libs weft)
wants_version "$temp/user_pc_static"

if [ -x "$temp/moved/bin/weft" ]; then
    "$temp/moved/bin/weft" --version >/dev/null
    echo "ok: the installed program runs"
fi
