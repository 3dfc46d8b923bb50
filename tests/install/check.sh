#!/bin/sh
# Installs a build, moves the tree elsewhere, and builds a user of it by find_package and by
# pkg-config, against the shared and the static library, in C and in C++.
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
awk -f "$here/../readme_example.awk" "$here/../../README.md" >"$temp/example.c"
# shellcheck disable=SC2046,SC2086
"$cc" -std=c11 -Wall -Wextra -Werror $cflags $(pkg-config --cflags weft) -o "$temp/example" \
    "$temp/example.c" $(pkg-config --libs weft)
echo "ok: the program of README.md compiles"
# shellcheck disable=SC2046,SC2086
"$cc" -x c++ -std=c++17 -Wall -Wextra -Wpedantic -Werror $cflags $(pkg-config --cflags weft) \
    -o "$temp/user_cpp" "$here/user.cpp" $(pkg-config --libs weft)
LD_LIBRARY_PATH=$lib wants_version "$temp/user_cpp"
for header in "$temp"/moved/include/weft/*.h; do
    printf '#include <weft/%s>\n' "${header##*/}" >"$temp/header.cpp"
    # shellcheck disable=SC2046
    "$cc" -x c++ -std=c++17 -Wall -Wextra -Wpedantic -Werror -fsyntax-only \
        $(pkg-config --cflags weft) "$temp/header.cpp"
done
echo "ok: every header compiles as C++17"
rm -f "$lib"/libweft.so*
# shellcheck disable=SC2046,SC2086
"$cc" $cflags $(pkg-config --cflags weft) -o "$temp/user_pc_static" "$here/user.c" \
    $(pkg-config --static --libs weft)
wants_version "$temp/user_pc_static"

if [ -x "$temp/moved/bin/weft" ]; then
    "$temp/moved/bin/weft" --version >/dev/null
    echo "ok: the installed program runs"
    for file in man/man1/weft.1 man/man1/weft-train.1 bash-completion/completions/weft \
        zsh/site-functions/_weft; do
        [ -s "$temp/moved/share/$file" ] || { echo "FAILED: share/$file is missing"; exit 1; }
    done
    echo "ok: manual pages and completion are installed"
fi
