# What the scripts share: where the sources are, how packages are installed, how a step is named.
# Read by each of them with `. scripts/lib.sh`; not a program.

root=$(cd "$(dirname "$0")/.." && pwd)
jobs=$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)

# What every build needs; what it can do without, but users would miss; and what the tests need on
# top: locales for one that writes numbers with a comma.
build_packages="gcc libc6-dev make cmake pkg-config zlib1g-dev libjansson-dev"
optional_packages="libpng-dev libcurl4-openssl-dev"
test_packages="$build_packages $optional_packages libhdf5-dev libcunit1-dev locales g++ groff-base zsh"

say()
{
    printf '\n== %s\n' "$*"
}

die()
{
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

missing_packages()
{
    for package in "$@"; do
        case $(dpkg-query -W -f '${Status}' "$package" 2>/dev/null) in
        *"ok installed") ;;
        *) printf ' %s' "$package" ;;
        esac
    done
}

# Runs a command as root; 1 where that cannot be had.
as_root()
{
    if [ "$(id -u)" = 0 ]; then
        "$@"
    else
        sudo "$@"
    fi
}

can_be_root()
{
    [ "$(id -u)" = 0 ] && return 0
    command -v sudo >/dev/null || return 1
    # Without a terminal sudo cannot ask for a password; see whether it needs one.
    [ -t 0 ] || sudo -n true 2>/dev/null
}

# apt VERB...: apt-get that asks nothing and prints errors only.
apt()
{
    as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get -qq -y -o Dpkg::Use-Pty=0 "$@" </dev/null >/dev/null
}

# need_packages PACKAGE...: installs those that are missing, saying so first.
need_packages()
{
    if ! command -v dpkg-query >/dev/null; then
        say "this is not Debian or Ubuntu: taking for granted what the packages $* hold"
        return
    fi
    missing=$(missing_packages "$@")
    if [ -z "$missing" ]; then
        return
    fi
    if ! can_be_root; then
        printf 'Packages are missing, and installing them takes root. Run this, then %s again:\n\n' "$0" >&2
        printf "    su -c 'apt-get update && apt-get install -y --no-install-recommends%s'\n\n" \
            "$missing" >&2
        exit 1
    fi
    say "installing Debian packages:$missing"
    # shellcheck disable=SC2086
    apt update && apt install --no-install-recommends $missing && return
    die "the packages could not be installed"
}

# Under `sudo SCRIPT`, goes on as the user who owns the sources, so that what is built is theirs:
# call after need_packages with the script's arguments.
leave_sudo()
{
    if [ "$(id -u)" = 0 ] && [ "${SUDO_UID:-0}" != 0 ] &&
        [ "$(stat -c %u "$root")" = "$SUDO_UID" ]; then
        exec sudo -u "#$SUDO_UID" -- "$0" "$@"
    fi
}
