"""Snakemake in forks of one process that has imported it: importing it takes most of a dry run's time.

The workflow's own package is not imported beforehand; every fork takes it from its checkout. Where the process itself
is tested (signals, terminals, how jobs find the package), tests start ``python -m snakemake``.
"""

from __future__ import annotations

import json
import os
import runpy
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

SOURCES = Path(__file__).resolve().parent.parent / "src"
SECONDS = 600  # after which a fork is ended
SERVER = """
import sys
from tests.forked import serve
sys.path = [""] + [path for path in sys.path if path]
serve()
"""


@cache
def _server() -> subprocess.Popen[str]:
    """Of this process; it ends with it, when its standard input is closed."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    command = [sys.executable, "-c", SERVER]
    return subprocess.Popen(
        command, cwd=SOURCES.parent, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def snakemake(folder: Path, arguments: Sequence[str], environment: Mapping[str, str]) -> tuple[int, str]:
    """``python -m snakemake`` with these arguments in a checkout: exit status, and all that it wrote."""
    with tempfile.TemporaryDirectory() as place:
        files = [str(Path(place) / name) for name in ("stdout", "stderr")]
        request = {"folder": str(folder), "arguments": arguments, "environment": dict(environment), "files": files}
        server = _server()
        assert server.stdin is not None
        assert server.stdout is not None
        server.stdin.write(f"{json.dumps(request)}\n")
        server.stdin.flush()
        status = server.stdout.readline()
        assert status, "the process that forks for snakemake has ended"
        assert int(status) != -signal.SIGALRM, f"snakemake {' '.join(arguments)}: not done after {SECONDS} s"
        return int(status), "".join(Path(file).read_text(encoding="utf-8", errors="replace") for file in files)


# -- in the server -----------------------------------------------------------------------------------------


def serve() -> None:
    """Answer each request, a line, with the exit status of a fork that did it."""
    from snakemake.cli import get_argument_parser

    get_argument_parser()  # imports the plugins
    for line in iter(sys.stdin.readline, ""):
        child = os.fork()
        if not child:
            _become(**json.loads(line))
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


def _become(folder: str, arguments: list[str], environment: dict[str, str], files: list[str]) -> Any:
    signal.alarm(SECONDS)
    for number, file in enumerate([os.devnull, *files]):
        os.dup2(os.open(file, os.O_RDWR | os.O_CREAT), number)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    added = [path for path in environment.get("PYTHONPATH", "").split(os.pathsep) if path]
    sys.path = ["", *added, *(path for path in sys.path if path not in ("", str(SOURCES)))]
    sys.argv = ["snakemake", *arguments]
    runpy.run_module("snakemake", run_name="__main__", alter_sys=True)
