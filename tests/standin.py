"""A stand-in for the Hugging Face hub: a loopback server over a folder of repositories, one commit each.

It answers the few questions that ``huggingface_hub`` asks of the real one: what a repository is at a revision,
which files it has, and their content. It also takes what is published: new repositories, and commits of whole files.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse

import yaml

COMMIT = "c0ffee" + "0" * 34
TOKEN, LOCKED = "hf_standin", "locked"  # the token that may write, and an owner whose repositories it may not
PRIVATE = ".private"  # a file that marks a private repository


class Handler(BaseHTTPRequestHandler):
    """``/api/<kind>s/<id>/...`` and ``/[datasets/]<id>/resolve/<commit>/<file>``, from ``<root>/<kind>/<id>/``."""

    root: Path
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self.answer()

    def do_GET(self) -> None:
        self.answer()

    def answer(self) -> None:
        path = unquote(urlparse(self.path).path)
        asked = re.fullmatch(
            r"/api/(model|dataset)s/([^/]+/[^/]+)/(revision|tree)/([^/]+|refs/convert/parquet)/?", path
        )
        if asked:
            kind, repository, question, revision = asked.groups()
            self.tell(kind, repository, question, revision)
            return
        asked = re.fullmatch(r"/(datasets/)?([^/]+/[^/]+)/resolve/([^/]+)/(.+)", path)
        file = self.root / ("dataset" if asked and asked[1] else "model") / asked[2] / asked[4] if asked else None
        if file is not None and file.is_file():
            self.send(200, file.read_bytes())
        else:
            self.send(404, b"", **{"X-Error-Code": "EntryNotFound"})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        path = unquote(urlparse(self.path).path)
        if self.headers["Authorization"] != f"Bearer {TOKEN}":
            self.send(401, b'{"error": "Invalid username or password."}')
        elif path == "/api/repos/create":
            self.create(json.loads(body))
        elif path == "/api/validate-yaml":
            self.validate(json.loads(body)["content"])
        elif asked := re.fullmatch(r"/api/models/([^/]+/[^/]+)/(preupload|commit)/main", path):
            folder = self.root / "model" / asked[1]
            if not folder.is_dir():
                self.send(404, b"{}", **{"X-Error-Code": "RepoNotFound"})
            elif asked[2] == "preupload":
                files = [one["path"] for one in json.loads(body)["files"]]
                modes = [{"path": name, "uploadMode": "regular", "shouldIgnore": False} for name in files]
                self.reply({"files": modes})
            else:
                self.commit(folder, [json.loads(line) for line in body.splitlines()])
        else:
            self.send(404, b"{}")

    def create(self, wanted: dict[str, Any]) -> None:
        folder = self.root / "model" / wanted["organization"] / wanted["name"]
        if wanted["organization"] == LOCKED:
            self.send(403, b'{"error": "You do not have the rights to create a model under this namespace"}')
        elif folder.is_dir():
            self.send(409, json.dumps({"url": self.url_of(folder), "error": "You already created it"}).encode())
        else:
            folder.mkdir(parents=True)
            if wanted.get("visibility") == "private":
                (folder / PRIVATE).touch()
            self.reply({"url": self.url_of(folder)})

    def validate(self, card: str) -> None:
        content = yaml.safe_load(card.split("---\n")[1])
        errors = [] if isinstance(content, dict) and "license" in content else [{"message": "license is missing"}]
        self.send(400 if errors else 200, json.dumps({"errors": errors, "warnings": []}).encode())

    def commit(self, folder: Path, lines: list[dict[str, Any]]) -> None:
        for line in lines:
            if line["key"] == "file":
                path = folder / line["value"]["path"]
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(base64.b64decode(line["value"]["content"]))
        self.reply({"commitUrl": f"{self.url_of(folder)}/commit/{COMMIT}", "commitOid": COMMIT})

    def url_of(self, folder: Path) -> str:
        return f"http://{self.headers['Host']}/{folder.relative_to(self.root / 'model')}"

    def reply(self, content: dict[str, Any]) -> None:
        self.send(200, json.dumps(content).encode())

    def tell(self, kind: str, repository: str, question: str, revision: str) -> None:
        folder = self.root / kind / repository
        if not folder.is_dir():
            self.send(404, b"{}", **{"X-Error-Code": "RepoNotFound"})
        elif revision not in (COMMIT, "refs/convert/parquet"):
            self.send(404, b"{}", **{"X-Error-Code": "RevisionNotFound"})
        elif question == "revision":
            self.send(200, json.dumps({"id": repository, "sha": COMMIT, "siblings": []}).encode())
        else:
            files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
            tree = [
                {
                    "type": "file",
                    "path": str(path.relative_to(folder)),
                    "size": path.stat().st_size,
                    "oid": hashlib.sha1(path.read_bytes()).hexdigest(),
                }
                for path in files
            ]
            self.send(200, json.dumps(tree).encode())

    def send(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", f'"{hashlib.sha1(body).hexdigest()}"')
        self.send_header("X-Repo-Commit", COMMIT)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:
        """Say nothing."""


@contextmanager
def hub(root: Path) -> Iterator[str]:
    """The address of a stand-in that serves ``root`` while the block runs."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Rooted", (Handler,), {"root": root}))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
