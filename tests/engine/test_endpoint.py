"""A mirror's address may hold a password: it is used, and never shown."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from w2s.engine import hub

ASK = (
    "import logging, sys; from w2s.engine import hub; from w2s.errors import UserError; logging.basicConfig()\n"
    "try: hub.snapshot('some/model', sys.argv[1], 'main', ['*.json'], wanted_by='rung a')\n"
    "except UserError as error: print(error)\n"
)
SECRETS = ("s3cret", "alice", "hf_t0ken", "p%40ss", "p@ss")


class Answers(BaseHTTPRequestHandler):
    """What a request for ``some/model`` gets depends on the port's server: see ``mirror``."""

    status, content, asked = 500, b"", list[str]()

    def do_GET(self) -> None:
        """Say it, whatever is asked."""
        self.asked.append(self.headers.get("Authorization") or "")
        self.send_response(self.status)
        if self.status == 302:
            self.send_header("Location", self.content.decode())
        self.send_header("Content-Length", str(len(self.content)))
        self.end_headers()
        self.wfile.write(self.content)

    do_HEAD = do_GET  # noqa: N815

    def log_message(self, *arguments: object) -> None:
        """Keep quiet."""


@pytest.fixture(
    params=[(500, b""), (403, b"no"), (200, b"<html>"), (200, b"{}"), (302, b"http://alice:s3cret@[x")], ids=str
)
def mirror(request: pytest.FixtureRequest) -> Iterator[type[Answers]]:
    kind = type("Kind", (Answers,), {"status": request.param[0], "content": request.param[1], "asked": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), kind)
    kind.port = server.server_port  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield kind
    server.shutdown()
    server.server_close()


def ask(endpoint: str, cache: Path, kind: str = "model", token: str = "hf_t0ken") -> str:
    """All that a look-up says, on stdout and stderr, with every warning."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
    environment |= {"HF_ENDPOINT": endpoint, "HF_HOME": str(cache), "HF_TOKEN": token, "PYTHONWARNINGS": "always"}
    done = subprocess.run(
        [sys.executable, "-c", ASK, kind], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    return done.stdout + done.stderr


def assert_clean(said: str) -> None:
    assert "rung a: " in said or "HF_ENDPOINT" in said, said
    assert "Traceback" not in said
    assert not [secret for secret in SECRETS if secret in said], said


def test_whatever_a_mirror_answers_its_password_is_not_shown(mirror: type[Answers], tmp_path: Path) -> None:
    port = mirror.port  # type: ignore[attr-defined]
    assert_clean(ask(f"http://alice:s3cret@127.0.0.1:{port}/hf_t0ken", tmp_path))
    assert mirror.asked


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://alice:s3cret@127.0.0.1:9",
        "http://alice:p%40ss@127.0.0.1:9/hub?token=s3cret",
        "http://alice:s3cret@nowhere.invalid",
        "http://alice:s3cret@exam..ple",
        "http://alice:s3cret@127.0.0.1:99999",
        "http://alice:s3/cret@127.0.0.1:9",
        "http://alice:p@ss/s3cret@127.0.0.1:9",
        "http://alice:s3cret@[127.0.0.1",
        "http://alice:my s3cret@127.0.0.1:9",
        "alice:s3cret@127.0.0.1:9",
        "s3cret",
    ],
)
def test_an_endpoint_that_is_wrong_or_away_does_not_show_its_password(endpoint: str, tmp_path: Path) -> None:
    assert_clean(ask(endpoint, tmp_path, "dataset"))


def test_a_token_that_cannot_be_sent_is_not_shown(tmp_path: Path) -> None:
    assert_clean(ask("http://127.0.0.1:9", tmp_path, token="hf_t0ken\n\x01x"))


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("503 for url 'https://a:b@h.org:8/x?y=z' (try later)", "503 for url 'https://h.org:8' (try later)"),
        ("GET /s3cret/api with alice:p@ss failed", "GET /***/api with ***:*** failed"),
        ("Connection refused", "Connection refused"),
        ("moved to https://other.org/path", "moved to https://other.org"),
        ("b'Bearer hf_t0ken' is illegal", "b'Bearer ***' is illegal"),
    ],
)
def test_of_a_message_what_helps_remains(monkeypatch: pytest.MonkeyPatch, message: str, shown: str) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "https://alice:p%40ss@mirror.org/s3cret")
    monkeypatch.setenv("HF_TOKEN", "hf_t0ken")
    assert hub.without_secrets(message) == shown


@pytest.mark.parametrize("variable", ["MLFLOW_TRACKING_URI", "WANDB_BASE_URL", "HTTPS_PROXY", "http_proxy"])
@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("http://alice:s3cret@h.org:9/x", "http://h.org:9"),
        ("http://alice:my s3cret@h.org:9", "http://h.org:9"),
        ("http://alice:s3cret/p%40ss@h.org:9/", "http://h.org:9"),
        ("http://alice:p@ss@h.org", "http://h.org"),
        ("alice:s3cret@h.org:9", "h.org:9"),
        ("postgresql+x://alice:s3cret@h.org/db", "postgresql+x://h.org"),
    ],
)
def test_no_address_of_a_tracker_or_proxy_shows_its_password(
    monkeypatch: pytest.MonkeyPatch, variable: str, address: str, shown: str
) -> None:
    monkeypatch.setenv(variable, address)
    said = hub.without_secrets(f"no answer from {address} for alice")
    assert said.startswith(f"no answer from {shown}")
    assert not [secret for secret in SECRETS if secret in said], said


def test_an_address_without_a_password_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "mlflow")
    assert hub.without_secrets("tracker mlflow: mlflow is away") == "tracker mlflow: mlflow is away"
