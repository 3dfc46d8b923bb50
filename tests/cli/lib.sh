# What the tests of the program share; sourced by each of them. The environment says where things
# are: WEFT (the program), JSONQ, XMLQ, DATA (the folder data of the sources).

set -u
LC_ALL=C
export LC_ALL
unset OMP_NUM_THREADS WEFT_ISA NO_COLOR
failures=0
dir=$(mktemp -d "${TMPDIR:-/tmp}/weft-cli.XXXXXX") || exit 1
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1

fail()
{
    failures=$((failures + 1))
    echo "FAILED: $*"
    echo "  in: weft ${last_call-}"
    [ ! -s out ] || sed 's/^/  out: /' out | tail -n 20
    [ ! -s err ] || sed 's/^/  err: /' err | tail -n 20
}

# run CODE ARGUMENT...: calls weft with its output in the files out and err, expects the exit code.
run()
{
    wanted=$1
    shift
    last_call=$*
    "$WEFT" "$@" >out 2>err </dev/null
    got=$?
    [ "$got" = "$wanted" ] || fail "exit code $got, wanted $wanted"
}

# refused CODE MESSAGE ARGUMENT...: the same; stderr must be one line, "weft COMMAND: " (of bench
# also "weft bench MODE: ") and the message somewhere behind, and stdout empty.
refused()
{
    code=$1 message=$2
    shift 2
    run "$code" "$@"
    [ "$(wc -l <err)" = 1 ] || fail "wanted one line on stderr"
    [ ! -s out ] || fail "wanted nothing on stdout"
    case $(cat err) in
    "weft $1: "*"$message"* | "weft $1 ${2-}: "*"$message"*) ;;
    *) fail "wanted on stderr: weft $1: ...$message" ;;
    esac
}

# has FILE TEXT, lacks FILE TEXT
has()
{
    grep -qF -e "$2" "$1" || fail "wanted in $1: $2"
}
lacks()
{
    ! grep -qF -e "$2" "$1" || fail "not wanted in $1: $2"
}

same()
{
    cmp -s "$1" "$2" || fail "$1 and $2 differ"
}

is()
{
    [ "$1" = "$2" ] || fail "got '$1', wanted '$2'"
}

# Nothing but what the test itself made is in the current directory.
nothing_left()
{
    for file in runs run new *.tmp.*; do
        [ ! -e "$file" ] || fail "left behind: $file"
        rm -rf "$file"
    done
}

# be32 N: four bytes, most significant first
be32()
{
    # shellcheck disable=SC2059
    printf "$(printf '\\%03o\\%03o\\%03o\\%03o' $(($1 >> 24 & 255)) $(($1 >> 16 & 255)) \
        $(($1 >> 8 & 255)) $(($1 & 255)))"
}

# digits PREFIX N SOURCE: the first N digits of a part (train, t10k) of data/mnist as IDX files
digits()
{
    {
        be32 2051 && be32 "$2" && be32 28 && be32 28
        gzip -dc "$DATA/mnist/$3-images-idx3-ubyte.gz" | tail -c +17 | head -c $((784 * $2))
    } >"$1-images-idx3-ubyte"
    {
        be32 2049 && be32 "$2"
        gzip -dc "$DATA/mnist/$3-labels-idx1-ubyte.gz" | tail -c +9 | head -c "$2"
    } >"$1-labels-idx1-ubyte"
}

# small_mnist NAME N_TRAIN N_TEST: a directory as data/mnist, but small
small_mnist()
{
    mkdir -p "$1"
    digits "$1/train" "$2" train
    digits "$1/t10k" "$3" t10k
}

# A table of two classes, 30 samples each, by a number that tells them apart and one that does not.
small_table()
{
    awk 'BEGIN {
        print "width,height,kind"
        for (i = 0; i < 60; i++)
            printf "%.2f,%.2f,%s\n", i % 7 + (i % 2) * 20 + 0.25, i % 5 + 0.5, i % 2 ? "big" : "small"
    }' >"$1"
}

finish()
{
    [ "$failures" = 0 ] || {
        echo "$failures failed"
        exit 1
    }
    exit 0
}
