"""Jobs in processes of their own that are killed at a chosen point, as power cuts and schedulers do it.

A point is a function of the package (or of a library) that is about to be called, or is half done, for the n-th time.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

NOTHING: Mapping[str, str] = {}
CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["w2s.nlp.finetune", "w2s.models.pretraining", "tests.workflow.crash"])


@dataclass(frozen=True)
class Point:
    """Where a job is killed: at the n-th call of ``module.name``, before it, behind it, or with half a file written."""

    module: str
    name: str
    call: int = 1
    when: str = "before"  # before, behind, half

    def __str__(self) -> str:
        return f"{self.when} {self.module.rpartition('.')[2]}.{self.name}, call {self.call}"


def job(
    arguments: Sequence[str],
    folder: Path,
    log: str,
    point: Point | None,
    wait_for: Path | None,
    environment: dict[str, str],
) -> None:
    """In the child: become ``w2s *arguments`` in a folder, to be killed at a point or to wait there for a file."""
    os.chdir(folder)
    os.environ.update({"W2S_WARM": "0", **environment})
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(output, 1)
    os.dup2(output, 2)
    if point:
        _arm(point, wait_for)
    from w2s.cli import main

    code = main(list(arguments))
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _arm(point: Point, wait_for: Path | None) -> None:
    owner: Any = import_module(point.module) if "." not in point.name else None
    name = point.name
    if owner is None:  # a method: Class.name
        class_name, _, name = point.name.partition(".")
        owner = getattr(import_module(point.module), class_name)
    original: Callable[..., Any] = getattr(owner, name)
    calls = 0

    def stop(arguments: tuple[Any, ...]) -> None:
        sys.stdout.flush()
        if wait_for:
            Path(f"{wait_for}.reached").touch()
            while not wait_for.exists():
                time.sleep(0.01)
            return
        if point.when == "half":
            whole = next(one for one in arguments if hasattr(one, "name") and hasattr(one, "flush"))
            whole.flush()
            os.truncate(whole.name, os.path.getsize(whole.name) // 2)
        os.kill(os.getpid(), signal.SIGKILL)

    def replaced(*arguments: Any, **more: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == point.call and point.when == "before":
            stop(arguments)
        result = original(*arguments, **more)
        if calls == point.call and point.when != "before":
            stop(arguments)
        return result

    setattr(owner, name, replaced)


def start(
    arguments: Sequence[str],
    folder: Path,
    *,
    point: Point | None = None,
    wait_for: Path | None = None,
    log: str = "log",
    environment: Mapping[str, str] = NOTHING,
) -> Any:
    """A running job; its ``exitcode`` is negative if it was killed."""
    process = CONTEXT.Process(target=job, args=(arguments, folder, log, point, wait_for, dict(environment)))
    process.daemon = True  # a failing test must not wait for it
    process.start()
    return process


def run(
    arguments: Sequence[str], folder: Path, *, point: Point | None = None, environment: Mapping[str, str] = NOTHING
) -> int:
    """Start a job and wait for its end; returns how it ended. What it says is appended to ``log`` in the folder."""
    process = start(arguments, folder, point=point, environment=environment)
    process.join(120)
    assert process.exitcode is not None, "still running"
    return int(process.exitcode)
