"""Whole epochs: weft and its peers in one run, in turn, so that all meet the same machine.

Digits in batches of 128, plain gradient descent, softmax and cross-entropy, shuffling and gathering
included; and ten iterations of the older project's full-batch job. Peers: PyTorch (eager, eager
with the fused optimiser step, torch.compile, and both under bfloat16 autocast), scikit-learn's
MLPClassifier, NumPy in float64. Every program is warmed up; a time in which its threads waited for
a core is taken again. Prints medians and how many times as fast weft is.

usage: python -m venv build/venv && build/venv/bin/pip install -r bench/peers/requirements.txt
       build/venv/bin/python bench/peers/epochs.py --weft build/release/bench/bench_epoch
       [--threads 1,2] [--rounds 5] [--only TEXT] [--peers TEXT] [--budget SECONDS] [--json FILE]
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time
from importlib import metadata

HERE = pathlib.Path(__file__).resolve().parent
DIGITS = ["784-128-10", "784-512-512-10"]
FULL = "784-32-16-10 full batch"
TOLERATED_WAIT = 0.04
MAX_TRIES = 5

# program, its script and arguments, the jobs it can do
PEERS = [
    ("torch eager", ["peer_torch.py", "eager"], DIGITS),
    ("torch fused", ["peer_torch.py", "fused"], DIGITS),
    ("torch compile", ["peer_torch.py", "compile"], DIGITS),
    ("torch bf16", ["peer_torch.py", "bf16"], DIGITS),
    ("torch compile bf16", ["peer_torch.py", "compile-bf16"], DIGITS),
    ("scikit-learn", ["peer_sklearn.py"], DIGITS),
    ("NumPy float64", ["peer_numpy.py"], [FULL]),
]


class Peer:
    """A process of its own, started when it is first asked."""

    def __init__(self, command, threads):
        variables = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
        self.process = subprocess.Popen(
            [sys.executable, HERE / command[0], *command[1:]],
            env=os.environ | {name: str(threads) for name in variables},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def seconds(self, job):
        """Seconds and the share waited, or None where the peer ended."""
        try:
            print(job, file=self.process.stdin, flush=True)
        except BrokenPipeError:
            return None
        line = self.process.stdout.readline()
        return tuple(map(float, line.split())) if line else None

    def close(self):
        self.process.stdin.close()
        self.process.wait()


class Weft:
    """bench_epoch, which warms up by itself."""

    def __init__(self, program, threads, precision):
        self.command = [program, "--rounds", "1", "--threads", str(threads)]
        self.command += ["--precision", precision]

    def seconds(self, job):
        with tempfile.NamedTemporaryFile(suffix=".json") as file:
            command = [*self.command, "--only", job, "--json", file.name]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            result = json.load(file)["results"][0]
        return result["median_s"], TOLERATED_WAIT * result["disturbed"]

    def close(self):
        pass


def undisturbed(program, job):
    """Seconds, the least of some tries where all were disturbed."""
    least = None
    for _ in range(MAX_TRIES):
        answer = program.seconds(job)
        if answer is None:
            return None
        seconds, waited = answer
        least = seconds if least is None else min(least, seconds)
        if waited < TOLERATED_WAIT:
            return seconds
    return least


def measure(arguments, threads):
    """{job: {program: seconds}} of all rounds."""
    jobs = [job for job in [*DIGITS, FULL] if arguments.only in job]
    programs = {
        ("weft", job): Weft(arguments.weft, threads, "f32") for job in jobs
    } | {("weft bf16", job): Weft(arguments.weft, threads, "bf16") for job in jobs if job != FULL}
    for name, command, can in PEERS:
        if arguments.peers in name and any(job in can for job in jobs):
            peer = Peer(command, threads)
            programs |= {(name, job): peer for job in jobs if job in can}
    seconds = {key: [] for key in programs}
    start = time.monotonic()
    for _ in range(arguments.rounds):
        for (name, job), program in programs.items():
            if seconds[name, job] is None:
                continue
            value = undisturbed(program, job)
            if value is None:
                print(f"left out: {name} ended at {job}", file=sys.stderr)
                seconds[name, job] = None
                continue
            seconds[name, job].append(value)
        if time.monotonic() - start > arguments.budget:
            break
    for program in programs.values():
        program.close()
    return {job: {name: s for (name, j), s in seconds.items() if j == job and s} for job in jobs}


def report(job, threads, seconds):
    """Prints a table; the same as objects for the file."""
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    results = []
    print(f"\n{job}, {threads} threads")
    heads = ("median s", "least", "most", "rounds", "/ weft", "/ bf16")
    print(" " * 20, *(f"{head:>9}" for head in heads))
    for name, values in seconds.items():
        ratios = {
            who: medians[name] / medians[who] for who in ("weft", "weft bf16") if who in medians
        }
        print(
            f"{name:20}",
            *(f"{value:9.4f}" for value in (medians[name], min(values), max(values))),
            f"{len(values):9}",
            *(f"{ratio:9.2f}" for ratio in ratios.values()),
            flush=True,
        )
        results.append(
            {
                "name": job, "program": name, "threads": threads, "rounds": len(values),
                "median_s": medians[name], "min_s": min(values), "max_s": max(values),
                "seconds": values, "times_as_fast_as_it": ratios,
            }  # fmt: skip
        )
    return results


def versions():
    return {name: metadata.version(name) for name in ("numpy", "scikit-learn", "torch")}


def machine(program):
    """What bench_epoch says of the machine: its first line."""
    command = [program, "--rounds", "1", "--only", DIGITS[0]]
    answer = subprocess.run(command, capture_output=True, text=True, check=True)
    return answer.stdout.splitlines()[0]


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--weft", required=True, help="the program bench_epoch")
    parser.add_argument("--threads", default="1,2")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--budget", type=float, default=1e9, help="no new round after SECONDS")
    parser.add_argument("--only", default="", help="jobs with this in their name")
    parser.add_argument("--peers", default="", help="programs with this in their name")
    parser.add_argument("--json")
    arguments = parser.parse_args()
    about = {"machine": machine(arguments.weft), **versions()}
    print(*(f"{name}: {value}" for name, value in about.items()), sep="\n")
    results = []
    for threads in map(int, arguments.threads.split(",")):
        for job, seconds in measure(arguments, threads).items():
            results += report(job, threads, seconds)
    if arguments.json:
        with open(arguments.json, "w", encoding="utf-8") as file:
            json.dump({"benchmark": "epochs", "machine": about, "results": results}, file, indent=2)
            file.write("\n")


if __name__ == "__main__":
    main()
