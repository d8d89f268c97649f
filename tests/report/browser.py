"""Headless Chromium, driven over a pipe in its own protocol: what a reader's browser makes of a page."""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MARKS = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not any(map(shutil.which, NAMES)), reason="no Chromium here: pages were not looked at in a browser"
    ),
    pytest.mark.xdist_group("browser"),
]
PATIENCE = 120  # seconds for one answer, on a busy machine


def found() -> str | None:
    """The browser's program; None where there is none."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


class Tab:
    """One open page.

    ``requests``: the addresses that it has asked for, its own first; ``errors``: what its console complains of.
    """

    def __init__(self, process: subprocess.Popen[bytes], to: int, back: int) -> None:
        self._process, self._to, self._back = process, to, back
        self._number, self._left = 0, b""
        self._session = ""
        self.requests: list[str] = []
        self.errors: list[str] = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """One command and its answer."""
        self._number += 1
        asked = self._number
        message: dict[str, Any] = {"id": asked, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        self._write(json.dumps(message).encode() + b"\0")
        while True:
            said = self._next()
            if said.get("id") == asked:
                assert "error" not in said, said
                answer: dict[str, Any] = said["result"]
                return answer

    def open(self, path: Path, state: str = "") -> None:
        """Load a file and wait until all of it is there. state: what follows the # of its address."""
        self.call("Page.navigate", url="about:blank")  # else a new state alone loads nothing
        self.requests.clear()
        self.call("Page.navigate", url=path.resolve().as_uri() + (f"#{state}" if state else ""))
        end = time.monotonic() + PATIENCE
        while self.ask("document.readyState") != "complete" or self.ask("location.protocol") != "file:":
            assert time.monotonic() < end, "the page does not finish loading"
            time.sleep(0.05)

    def ask(self, expression: str) -> Any:
        """What a line of JavaScript gives."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def press(self, key: str) -> None:
        """A key, down and up."""
        codes = {"Tab": 9, "Enter": 13}
        text = {"text": "\r"} if key == "Enter" else {}
        for kind in ("keyDown", "keyUp"):
            more = text if kind == "keyDown" else {}
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=codes[key], **more)

    def width(self, pixels: int) -> None:
        """Make the window so wide; narrow ones are phones."""
        self.call(
            "Emulation.setDeviceMetricsOverride", width=pixels, height=844, deviceScaleFactor=1, mobile=pixels < 600
        )

    def screenshot(self, path: Path, *, whole: bool = False) -> None:
        """A PNG of what is in the window, or of the whole page."""
        data = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=whole)["data"]
        path.write_bytes(base64.b64decode(data))

    def pdf(self) -> bytes:
        """The page as it is printed."""
        return base64.b64decode(self.call("Page.printToPDF", printBackground=False)["data"])

    def _write(self, data: bytes) -> None:
        while data:
            data = data[os.write(self._to, data) :]

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._left:
            ready, _, _ = select.select([self._back], [], [], PATIENCE)
            chunk = os.read(self._back, 2**20) if ready else b""
            assert chunk, f"the browser does not answer (exit status {self._process.poll()})"
            self._left += chunk
        message, _, self._left = self._left.partition(b"\0")
        said: dict[str, Any] = json.loads(message)
        if said.get("method") == "Network.requestWillBeSent":
            self.requests.append(said["params"]["request"]["url"])
        if said.get("method") == "Runtime.exceptionThrown":
            self.errors.append(str(said["params"]["exceptionDetails"]))
        if said.get("method") == "Log.entryAdded" and said["params"]["entry"]["level"] == "error":
            self.errors.append(said["params"]["entry"]["text"])
        return said


@contextmanager
def tab(profile: Path) -> Iterator[Tab]:
    """A fresh browser with one tab. profile: an empty folder."""
    program = found()
    assert program
    to_read, to = os.pipe()
    back, back_write = os.pipe()
    command = [program, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
    command += [f"--user-data-dir={profile}", "--no-first-run", "--remote-debugging-pipe", "about:blank"]
    shell = f'exec 3<&{to_read} 4>&{back_write}; exec "$@"'  # the browser's ends are 3 and 4 by definition
    process = subprocess.Popen(
        ["bash", "-c", shell, "bash", *command], pass_fds=(to_read, back_write), stderr=subprocess.DEVNULL
    )
    os.close(to_read)
    os.close(back_write)
    try:
        yield Tab(process, to, back)
    finally:
        os.close(to)
        os.close(back)
        process.terminate()
        process.wait(timeout=PATIENCE)
