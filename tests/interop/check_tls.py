"""Tracked runs over TLS, on a server with a certificate of its own making: refused, trusted by a
file, and taken as it is. Nothing is asked of a server that is not trusted."""

import contextlib
import datetime
import http.server
import ipaddress
import json
import os
import ssl
import threading

import common
from common import require

for name in [name for name in os.environ if name.startswith("MLFLOW_")]:
    del os.environ[name]

SECRET = "s3cret"
JOB = [common.ROOT / "data" / "wdbc.csv", "--label", "diagnosis", "--hidden", "4", "--epochs", "2"]


def make_certificate(place, name, address):
    """name.pem and name.key: a certificate for an address, signed by itself."""
    try:
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes, serialization
        from cryptography.hazmat.primitives.asymmetric import ec
    except ImportError as reason:
        raise common.Skip(f"no certificate can be made: {reason}") from reason
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "weft test")])
    now = datetime.datetime.now(datetime.timezone.utc)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))]), False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), True)
        .sign(key, hashes.SHA256())
    )
    pem, private = place / f"{name}.pem", place / f"{name}.key"
    pem.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return pem, private


class Handler(http.server.BaseHTTPRequestHandler):
    """As an MLflow server that says yes; what it was asked goes to the server's list."""

    def answer(self):
        size = int(self.headers.get("Content-Length", 0))
        self.rfile.read(size)
        self.server.asked.append((self.command, self.path, self.headers.get("Authorization")))
        body = {}
        if "/experiments/get-by-name" in self.path:
            body = {"experiment": {"experiment_id": "7", "lifecycle_stage": "active"}}
        elif "/runs/create" in self.path:
            body = {"run": {"info": {"run_id": "abc", "artifact_uri": "mlflow-artifacts:/7/abc"}}}
        text = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = do_PUT = answer  # noqa: N815

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    def handle_error(self, *_):
        """A client that does not trust it goes; that is no news."""


@contextlib.contextmanager
def server(pem, private):
    """Its port on 127.0.0.1, and the list of what it is asked."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem, private)
    with Server(("127.0.0.1", 0), Handler) as listening:
        listening.asked = []
        # The handshake is for the thread of each connection.
        listening.socket = context.wrap_socket(
            listening.socket, server_side=True, do_handshake_on_connect=False
        )
        thread = threading.Thread(target=listening.serve_forever)
        thread.start()
        try:
            yield listening.server_address[1], listening.asked
        finally:
            listening.shutdown()
            thread.join()


@contextlib.contextmanager
def variables(**values):
    names = {f"MLFLOW_TRACKING_{key}": str(value) for key, value in values.items()}
    os.environ.update(names)
    try:
        yield
    finally:
        for key in names:
            del os.environ[key]


def train(weft, out, port):
    target = f"mlflow:https://me:{SECRET}@127.0.0.1:{port}"
    _, text = weft.run(
        "train", *JOB, "--out", out, "--track", target, "--track-wait", 2, "--no-report"
    )
    return text


def check_refused(weft, name, port, asked):
    out = weft.dir / name
    text = train(weft, out, port)
    require("ertificate" in text, f"{name}: said {text}")
    require(SECRET not in text, f"{name}: told the password")
    require("later: weft sync" in text, f"{name}: said {text}")
    require(not asked, f"{name}: asked {asked}")
    return out


def check_taken(weft, name, port, asked):
    asked.clear()
    text = train(weft, weft.dir / name, port)
    require("tracked   https://127.0.0.1" in text, f"{name}: said {text}")
    require(all(word is not None for _, _, word in asked), f"{name}: no password: {asked}")
    for path in ["runs/log-batch", "runs/update", "7/abc/model.safetensors"]:
        require(any(path in item[1] for item in asked), f"{name}: no {path} in {asked}")


def check(weft):
    pem, private = make_certificate(weft.dir, "own", "127.0.0.1")
    other, other_private = make_certificate(weft.dir, "other", "127.0.0.2")
    with server(pem, private) as (port, asked):
        out = check_refused(weft, "unknown", port, asked)
        with variables(SERVER_CERT_PATH=other):
            check_refused(weft, "another", port, asked)
        with variables(INSECURE_TLS="false"):
            check_refused(weft, "secure", port, asked)
        with variables(SERVER_CERT_PATH=pem):
            check_taken(weft, "trusted", port, asked)
            with variables(USERNAME="me", PASSWORD=SECRET):
                weft.run("sync", out)
        with variables(INSECURE_TLS="true"):
            check_taken(weft, "insecure", port, asked)
    # Trusted, but another's.
    with server(other, other_private) as (port, asked), variables(SERVER_CERT_PATH=other):
        text = train(weft, weft.dir / "name", port)
        require("does not match" in text or "no alternative" in text, f"name: said {text}")
        require(not asked, f"name: asked {asked}")
    return "a certificate of its own: refused, trusted by a file, taken as it is, of another name"


if __name__ == "__main__":
    common.main(check, __doc__)
