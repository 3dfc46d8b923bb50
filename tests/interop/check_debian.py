"""The Debian packages: built by cpack, installed by apt in a minimal Debian 12 that debootstrap made,
where the program trains, and the C program of the README is built against them and run.
"""

import os
import pathlib
import re
import shutil
import subprocess
import tempfile

import common

MIRROR = "http://deb.debian.org/debian"
ARCHIVE = common.ROOT / "build" / "debian-root.tar"
NO_QUESTIONS = {"DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C", "OMP_NUM_THREADS": "2"}


def run(*command, **settings):
    """Runs a command; its stdout. Fails with the end of what it said."""
    done = subprocess.run(
        [str(word) for word in command],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        errors="replace", **settings,
    )  # fmt: skip
    end = "\n".join(done.stdout.splitlines()[-15:])
    common.require(done.returncode == 0, f"{' '.join(map(str, command))}:\n{end}")
    return done.stdout


def packages():
    """The packages of these sources."""
    build = common.ROOT / "build" / "package"
    for old in build.glob("*.deb"):
        old.unlink()
    run(
        "cmake", "-S", common.ROOT, "-B", build, "-DCMAKE_BUILD_TYPE=Release",
        "-DCMAKE_INSTALL_PREFIX=/usr", "-DWEFT_BUILD_BENCH=OFF", "-DWEFT_BUILD_TESTS=OFF",
    )  # fmt: skip
    run("cmake", "--build", build, "-j", os.cpu_count() or 1)
    run("cpack", "-G", "DEB", cwd=build)
    found = {path.name.split("_")[0]: path for path in build.glob("*.deb")}
    wanted = {"libweft0", "libweft-dev", "weft"}
    common.require(set(found) == wanted, f"packages {sorted(found)}, wanted {sorted(wanted)}")
    return found


def minimal_root(root):
    """A minimal Debian 12 in `root`, from an archive where it was made before."""
    if not ARCHIVE.exists():
        made = subprocess.run(
            ["debootstrap", "--variant=minbase", "bookworm", str(root), MIRROR],
            stdin=subprocess.DEVNULL, capture_output=True, text=True,
        )  # fmt: skip
        if made.returncode != 0:
            said = (made.stdout + made.stderr).strip().splitlines()[-1:]
            raise common.Skip(f"debootstrap cannot make a root: {said}")
        part = ARCHIVE.with_suffix(".part")
        run("tar", "-C", root, "-cf", part, ".")
        part.rename(ARCHIVE)
    else:
        run("tar", "-C", root, "-xf", ARCHIVE)
    shutil.copy("/etc/resolv.conf", root / "etc" / "resolv.conf")


class Root:
    """A directory that is another system."""

    def __init__(self, path):
        self.path = path

    def run(self, *command):
        return run("chroot", self.path, *command, env={**os.environ, **NO_QUESTIONS})

    def install(self, *names):
        self.run("apt-get", "-qq", "-y", "--no-install-recommends", "install", *names)

    def has(self, pattern):
        return any(self.path.glob(pattern))


def readme_program():
    """The C program of the README."""
    text = (common.ROOT / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```c\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    common.require(blocks, "README.md has no program in C")
    return "".join(blocks)


def check_program(root, found):
    """The program alone: it trains, its model can be exported, its pages are there."""
    root.install(f"/{found['weft'].name}")
    common.require(not root.has("usr/lib/*/libweft*"), "the program brought the library")
    version = root.run("weft", "--version").strip()
    package = root.run("dpkg-query", "-W", "-f", "${Version}", "weft")
    common.require(version == f"weft {package}", f"{version} of package {package}")
    root.run("weft", "train", "/mnist", "--hidden", "16", "--epochs", "1", "--out", "/run1")
    root.run("weft", "export", "/run1", "/digits.html")
    for pattern in ("man/man1/weft-train.1*", "bash-completion/completions/weft",
                    "zsh/vendor-completions/_weft", "doc/weft/copyright"):  # fmt: skip
        common.require(root.has(f"usr/share/{pattern}"), f"no /usr/share/{pattern}")


def check_library(root, found):
    """A compiler, pkg-config and the packages are enough for the program of the README."""
    root.install(
        f"/{found['libweft0'].name}", f"/{found['libweft-dev'].name}", "gcc", "libc6-dev",
        "pkg-config",
    )  # fmt: skip
    (root.path / "data").mkdir()
    (root.path / "mnist").rename(root.path / "data" / "mnist")
    (root.path / "example.c").write_text(readme_program(), encoding="utf-8")
    flags = root.run("pkg-config", "--cflags", "--libs", "weft").split()
    root.run("gcc", "-std=c11", "-Wall", "-Wextra", "-Werror", "-o", "/example", "/example.c", *flags)
    said = root.run("/example")
    accuracy = re.search(r"test accuracy (0\.\d+)", said)
    common.require(accuracy and float(accuracy[1]) > 0.9, f"the program of the README said: {said}")
    linked = root.run("ldd", "/example")
    common.require("libweft.so.0 => /" in linked, f"linked with: {linked}")
    return accuracy[1]


def check(weft):
    del weft  # the packages have their own
    for program in ("debootstrap", "chroot", "cpack", "dpkg-shlibdeps"):
        if shutil.which(program) is None:
            raise common.Skip(f"{program} is not installed")
    if os.geteuid() != 0:
        raise common.Skip("a root of another system takes root")
    found = packages()
    with tempfile.TemporaryDirectory(prefix="weft-debian-") as name:
        root = Root(pathlib.Path(name))
        minimal_root(root.path)
        shutil.copytree(common.MNIST, root.path / "mnist")
        for path in found.values():
            shutil.copy(path, root.path)
        root.run("apt-get", "-qq", "update")
        check_program(root, found)
        accuracy = check_library(root, found)
        root.run("apt-get", "-qq", "-y", "purge", "weft", "libweft0", "libweft-dev")
        for pattern in ("usr/include/weft", "usr/lib/*/*weft*", "usr/bin/weft"):
            common.require(not root.has(pattern), f"/{pattern} is there after purging")
    return f"{', '.join(sorted(found))} install and run; the README's program: {accuracy}"


if __name__ == "__main__":
    common.main(check, __doc__)
