"""Tracked runs as MLflow's own client reads them back from MLflow's own server: plain, and with
names and passwords, as DagsHub wants them."""

import contextlib
import itertools
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

# Before the client is loaded: it is to talk to the server of this check alone.
for name in [name for name in os.environ if name.startswith("MLFLOW_")]:
    del os.environ[name]
os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] = "1"

import mlflow  # noqa: E402

import common  # noqa: E402
from common import require  # noqa: E402

ADMIN = {"MLFLOW_TRACKING_USERNAME": "admin", "MLFLOW_TRACKING_PASSWORD": "pass word/1234:5"}
READER = {"MLFLOW_TRACKING_USERNAME": "reader", "MLFLOW_TRACKING_PASSWORD": "only-reads-1234"}
TABLE = common.ROOT / "data" / "wdbc.csv"
JOB = [
    TABLE, "--label", "diagnosis", "--val", "0.2", "--test", TABLE, "--test-every", "2",
    "--hidden", "8",
]  # fmt: skip
EXPERIMENT = "weft: its check & more"
START_SECONDS = 120


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def environment(variables):
    old = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in old.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def wait_for(server, uri, log):
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        with contextlib.suppress(OSError):
            with urllib.request.urlopen(f"{uri}/health", timeout=5):
                return
        time.sleep(0.3)
    log.seek(0)
    raise common.Failure(f"the MLflow server does not start:\n{log.read()[-3000:]}")


@contextlib.contextmanager
def server(*options, variables=None):
    """An MLflow server with a database and a store of files of its own; its address. Ends by itself
    after ten minutes, should this program not live to end it."""
    with tempfile.TemporaryDirectory(prefix="weft-mlflow-") as place:
        uri = f"http://127.0.0.1:{free_port()}"
        command = [
            "timeout", "600", sys.executable, "-m", "mlflow", "server", "--workers", "1",
            "--host", "127.0.0.1", "--port", uri.rsplit(":", 1)[1],
            "--backend-store-uri", f"sqlite:///{place}/mlflow.db",
            "--artifacts-destination", f"{place}/files", *options,
        ]  # fmt: skip
        env = {**os.environ, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", **(variables or {})}
        with open(f"{place}/log", "w+", encoding="utf-8") as log:
            process = subprocess.Popen(
                command, cwd=place, env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True,
            )  # fmt: skip
            try:
                wait_for(process, uri, log)
                yield uri
            finally:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGTERM)
                process.wait(60)


def run_of(out):
    """What the run directory says of its run: (id, address)."""
    state = json.loads((out / "mlflow.json").read_text(encoding="utf-8"))
    return state["run_id"], state["uri"]


def files_below(client, run_id, path=None):
    found = []
    for entry in client.list_artifacts(run_id, path):
        found += files_below(client, run_id, entry.path) if entry.is_dir else [entry.path]
    return sorted(found)


def config_of(out):
    lines = (out / "config.ini").read_text(encoding="utf-8").splitlines()
    pairs = [line.split(" = ", 1) for line in lines if " = " in line and line[0] not in "#;"]
    return {key: value.strip('"') for key, value in pairs}


def compare_metrics(client, run_id, out):
    """Every number of metrics.jsonl is there once, under its epoch."""
    lines = common.read_metrics(out)
    for name, kind in itertools.product(["train", "val", "test"], ["loss", "accuracy"]):
        points = client.get_metric_history(run_id, f"{name}/{kind}")
        points.sort(key=lambda point: point.step)
        measured = [line for line in lines if f"{name}_{kind}" in line]
        require(
            [point.step for point in points] == [line["epoch"] for line in measured],
            f"{name}/{kind}: steps {[point.step for point in points]}",
        )
        for point, line in zip(points, measured):
            wanted = line[f"{name}_{kind}"]
            require(
                abs(point.value - wanted) <= 1e-14 * max(1, abs(wanted)),
                f"{name}/{kind}: {point.value}, wanted {wanted}",
            )


def compare_files(client, run_id, out):
    wanted = ["config.ini", "metrics.jsonl", "model.safetensors"]
    wanted += [f"images/{path.name}" for path in out.glob("images/*.png")]
    wanted += ["report.html"] if (out / "report.html").exists() else []
    listed = files_below(client, run_id)
    require(set(wanted) <= set(listed), f"files {listed}, wanted {wanted}")
    require("mlflow.json" not in listed, "the state of tracking was sent")
    with tempfile.TemporaryDirectory() as place:
        for path in listed:
            copy = client.download_artifacts(run_id, path, place)
            with open(copy, "rb") as file:
                require(file.read() == (out / path).read_bytes(), f"{path} is another file there")
    return len(listed)


def compare(client, out, status="FINISHED"):
    run_id, _ = run_of(out)
    run = client.get_run(run_id)
    require(run.info.status == status, f"{out.name}: {run.info.status}, wanted {status}")
    require(run.info.end_time >= run.info.start_time, f"{out.name}: ends before it starts")
    require(run.data.params == config_of(out), f"params {run.data.params}, not {config_of(out)}")
    compare_metrics(client, run_id, out)
    return run, compare_files(client, run_id, out)


def check_whole_run(weft, client, uri):
    variables = {
        "MLFLOW_EXPERIMENT_NAME": EXPERIMENT,
        "MLFLOW_RUN_NAME": "one, two",
        "MLFLOW_TRACKING_URI": uri,
    }
    with environment(variables):
        out = weft.train("whole", *JOB, "--epochs", 40, "--track", "mlflow", "--track-every", 7)
    run, n_files = compare(client, out)
    experiment = client.get_experiment(run.info.experiment_id)
    require(experiment.name == EXPERIMENT, f"experiment {experiment.name}")
    require(run.info.run_name == "one, two", f"run name {run.info.run_name}")
    points = client.get_metric_history(run.info.run_id, "batch/loss")
    steps = sorted(point.step for point in points)
    last = common.read_metrics(out)[-1]["step"]
    require(steps == list(range(7, last + 1, 7)), f"batches {steps} of {last}")
    for name in [
        "cpu_utilization_percentage", "system_memory_usage_megabytes",
        "system_memory_usage_percentage", "disk_usage_percentage", "disk_usage_megabytes",
        "disk_available_megabytes", "network_receive_megabytes", "network_transmit_megabytes",
    ]:  # fmt: skip
        require(f"system/{name}" in run.data.metrics, f"no metric system/{name}")
    memory = run.data.metrics["system/system_memory_usage_percentage"]
    require(0 < memory <= 100, f"memory in use {memory} %")
    for tag in ["weft.version", "weft.kernels", "weft.host", "mlflow.source.name"]:
        require(run.data.tags.get(tag), f"no tag {tag}")
    [data] = run.inputs.dataset_inputs
    require(data.dataset.name == "wdbc.csv", f"data set {data.dataset.name}")
    require(data.tags[0].value == "training", f"data set for {data.tags[0].value}")
    return n_files


def check_git(weft, client, uri):
    """The commit of the repository that weft is called in."""
    place = weft.dir / "repository"
    place.mkdir()
    git = ["git", "-C", str(place), "-c", "user.name=a", "-c", "user.email=a@b.c"]
    subprocess.run([*git, "init", "-q", "-b", "trunk"], check=True)
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "empty"], check=True)
    head = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True)
    old = os.getcwd()
    os.chdir(place)
    try:
        out = weft.train("git", *JOB, "--epochs", 1, "--track", f"mlflow:{uri}")
    finally:
        os.chdir(old)
    tags = client.get_run(run_of(out)[0]).data.tags
    require(tags.get("mlflow.source.git.commit") == head.stdout.strip(), f"tags {tags}")
    require(tags.get("mlflow.source.git.branch") == "trunk", f"tags {tags}")


def check_ends(weft, client, uri):
    out = weft.dir / "diverged"
    weft.run("train", *JOB, "--optimizer", "sgd", "--lr", "1e38", "--out", out, "--track", f"mlflow:{uri}", exit_code=4)
    run = client.get_run(run_of(out)[0])
    require(run.info.status == "FAILED", f"diverged: {run.info.status}")
    require(run.data.tags.get("weft.reason") == "diverged", f"diverged: {run.data.tags}")
    out = weft.dir / "stopped"
    command = [
        weft.program, "train", *map(str, JOB), "--epochs", "100000000",
        "--print-every", "100000000", "--track", f"mlflow:{uri}", "--track-every", "never",
        "--out", str(out), "-q",
    ]  # fmt: skip
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        while not (out / "metrics.jsonl").exists() and process.poll() is None:
            time.sleep(0.05)
        time.sleep(0.5)
        process.terminate()
        require(process.wait(120) == 128 + signal.SIGTERM, "another exit code")
    run_id, _ = run_of(out)
    require(client.get_run(run_id).info.status == "KILLED", "stopped: not KILLED")


def check_sync(weft, client, uri):
    """Nobody there, later everything; and nothing twice, even where an answer was lost."""
    out = weft.train("later", *JOB, "--epochs", 5, "--track", "mlflow:http://127.0.0.1:1")
    spool = weft.dir / "spool"
    shutil.copy(out / "mlflow.spool", spool)
    weft.run("sync", out, "--track", f"mlflow:{uri}")
    compare(client, out)
    weft.run("sync", out)
    state = json.loads((out / "mlflow.json").read_text(encoding="utf-8"))
    state.update(sent=0, done=False)
    (out / "mlflow.json").write_text(json.dumps(state), encoding="utf-8")
    shutil.copy(spool, out / "mlflow.spool")
    weft.run("sync", out)
    compare(client, out)


def check_passwords(weft, uri):
    with environment(ADMIN):
        client = mlflow.MlflowClient(uri)
        out = weft.train("admin", *JOB, "--epochs", 3, "--track", f"mlflow:{uri}")
        compare(client, out)
        from mlflow.server.auth.client import AuthServiceClient

        AuthServiceClient(uri).create_user(*READER.values())
    for name, variables, message in [
        ("nobody", {}, "HTTP 401: wanted MLFLOW_TRACKING_USERNAME"),
        ("wrong", {**ADMIN, "MLFLOW_TRACKING_PASSWORD": "wr0ng"}, "HTTP 401: it does not take"),
        ("reader", READER, "HTTP 403"),
    ]:
        with environment(variables):
            out = weft.dir / name
            target = ["--out", out, "--track", f"mlflow:{uri}"]
            _, text = weft.run("train", *JOB, "--epochs", 3, *target)
        require(message in text, f"{name}: said {text}")
        require(not any(word in text for word in ["wr0ng", "only-reads"]), f"{name}: said {text}")
        with environment(ADMIN):
            weft.run("sync", out)
            compare(client, out)
        for path in out.rglob("*"):
            if path.is_file():
                content = path.read_bytes()
                for secret in [b"pass word", b"wr0ng", b"only-reads"]:
                    require(secret not in content, f"{path.name} holds a password")


def check(weft):
    with server() as uri:
        client = mlflow.MlflowClient(uri)
        n_files = check_whole_run(weft, client, uri)
        check_git(weft, client, uri)
        check_ends(weft, client, uri)
        check_sync(weft, client, uri)
    config = weft.dir / "auth.ini"
    config.write_text(
        "[mlflow]\ndefault_permission = READ\n"
        f"database_uri = sqlite:///{weft.dir}/auth.db\nadmin_username = admin\n"
        f"admin_password = {ADMIN['MLFLOW_TRACKING_PASSWORD']}\n"
        "authorization_function = mlflow.server.auth:authenticate_request_basic_auth\n",
        encoding="utf-8",
    )
    variables = {"MLFLOW_AUTH_CONFIG_PATH": str(config), "MLFLOW_FLASK_SERVER_SECRET_KEY": "weft"}
    with server("--app-name", "basic-auth", variables=variables) as uri:
        check_passwords(weft, uri)
    return f"MLflow {mlflow.__version__}: runs with {n_files} files, plain and with passwords"


if __name__ == "__main__":
    common.main(check, __doc__)
