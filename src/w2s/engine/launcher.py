"""Distributed training: one job in several worker processes, a GPU each, for rungs with ``gpus: 2`` or more.

``w2s make`` is then the *launcher*: it holds the key's lock, takes the GPUs, starts the same command once per GPU, and
publishes the artifact. The workers share weights and batches (``w2s.engine.distributed``) and all have the same
results; rank 0 writes them. When a worker fails, the launcher ends the others and reports the cause in one line; when
the launcher dies, they die. When a worker runs out of memory, all restart with micro-batches half as large and resume
from their checkpoint, with the same result, as in a single process.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

from w2s.engine import artifacts, gpus
from w2s.engine.artifacts import Build
from w2s.engine.rank import WAIT, WORKER, MicroBatchTooLargeError, Worker, wait_seconds, worker
from w2s.errors import UserError
from w2s.graph.artifact import Identity

ON_CPU = "W2S_PROCESSES_ON"  # "cpu": run the workers on the CPU, for tests
POLL = 0.05  # seconds between two checks of the workers
GRACE = 3.0  # seconds in which other workers may report a better cause of a failure


@contextlib.contextmanager
def building(options: argparse.Namespace, identity: Identity, manifest: str) -> Iterator[Build | None]:
    """As ``artifacts.building``; also None where workers have made the artifact. options: of ``w2s make``."""
    count = int(json.loads(options.environment).get("gpus", 1))
    estimate = json.loads(options.estimate) if options.estimate else None
    if worker().size > 1:
        with _as_worker(identity) as build:
            yield build
    elif count == 1:
        with artifacts.building(options.out, identity, manifest, estimate) as build:
            yield build
    else:
        with artifacts.building(options.out, identity, manifest, estimate) as build:
            if build is not None:
                distribute(build, count, command(options))
        yield None


# -- a worker ----------------------------------------------------------------------------------------------


@contextlib.contextmanager
def _as_worker(identity: Identity) -> Iterator[Build]:
    """Work on a build that the launcher will publish; measurements go into the worker's report."""
    from w2s.engine import distributed

    own = worker()
    threading.Thread(target=_die_with_launcher, daemon=True).start()
    with tempfile.TemporaryDirectory() as scratch:
        build = Build(identity, Path(own.folder if own.rank == 0 else scratch), artifacts.WORK / identity.key)
        distributed.join()
        try:
            yield build
        except MicroBatchTooLargeError as error:
            artifacts.write_json(own.report, {"too_much": error.tokens})
            raise
        report = {"measured": build.measured, "peak_memory_mib": artifacts.peak_memory_mib()}
        artifacts.write_json(own.report, report)
        distributed.leave()


def _die_with_launcher() -> None:
    """The launcher holds the other end of stdin, which closes when it ends, for whatever reason."""
    os.read(0, 1)
    os._exit(1)


# -- the launcher ------------------------------------------------------------------------------------------


def command(options: argparse.Namespace) -> list[str]:
    """``w2s make`` with the same options."""
    which = ["make", options.stage, "--spec", options.spec, "--out", str(options.out)]
    return [*which, "--environment", options.environment, "--parents", *options.parents]


def distribute(build: Build, count: int, arguments: Sequence[str]) -> None:
    """Run ``w2s *arguments`` in ``count`` workers; fills the build's ``folder`` and ``measured``.

    UserError with the message of the worker that failed first.
    """
    devices = _devices(count)
    halved: list[int] = []
    peak = 0
    variables: dict[str, str] = {}
    while True:
        with tempfile.TemporaryDirectory(prefix="w2s-") as meeting:
            ranks = [Worker(rank, count, meeting, str(build.folder)) for rank in range(count)]
            workers = Workers(ranks, devices, [sys.executable, "-m", "w2s", *arguments], variables)
            failure = workers.run()
            peak = max(peak, workers.peak)
            reports = [_read(each.report) for each in ranks]
        if failure is None:
            break
        too_much = [report["too_much"] for report in reports if "too_much" in report]
        if not too_much or min(too_much) <= 1:
            raise UserError(failure)
        halved.append(min(too_much))
        variables = {"W2S_TOKENS_AT_ONCE": str(halved[-1] // 2)}
        print(f"out of memory: restarting with micro-batches of {halved[-1] // 2} tokens, same result", flush=True)
    build.measured |= reports[0]["measured"] | {"processes": count}
    build.made_with["peak_memory_mib"] = max(round(peak / 2**20), *(report["peak_memory_mib"] for report in reports))
    if "peak_gpu_memory_mib" in build.measured:
        build.measured["peak_gpu_memory_mib"] = max(report["measured"]["peak_gpu_memory_mib"] for report in reports)
    if halved:
        build.measured["out_of_memory_at"] = halved


def _read(path: Path) -> dict[str, Any]:
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else {}


def _devices(count: int) -> list[str]:
    """A device for each worker. UserError if there are not enough."""
    wish = os.environ.get(ON_CPU, "")
    if wish not in ("", "cpu"):
        raise UserError(f"{ON_CPU}={wish!r} is not allowed; allowed: cpu")
    if wish == "cpu":
        return ["cpu"] * count
    import torch

    there = 0 if os.environ.get("W2S_DEVICE", "cuda") == "cpu" else torch.cuda.device_count()
    if there < count:
        raise UserError(
            f"this rung needs {count} GPUs (gpus in its ladder), but this machine has {there}; use a machine that "
            "has them, give the rung adapters and gpus: 1 if it then fits, or remove it from the ladder"
        )
    taken = gpus.take_whole(gpus.visible(there), count, int(os.environ.get("W2S_JOBS_PER_GPU") or gpus.PLACES))
    return [f"cuda:{number}" for number in taken]


class Workers:
    """The worker processes of one attempt."""

    def __init__(
        self, ranks: Sequence[Worker], devices: Sequence[str], command: Sequence[str], variables: Mapping[str, str]
    ) -> None:
        self.ranks, self.devices, self.command, self.variables = ranks, devices, command, variables
        self.started: list[subprocess.Popen[bytes]] = []
        self.errors: list[IO[bytes]] = []
        self.peak = 0  # bytes: the most memory that all of them held together

    def run(self) -> str | None:
        """Start all and wait until all are done (None), or end them when one fails (its message)."""
        try:
            for which, device in zip(self.ranks, self.devices, strict=True):
                self._start(which, device)
            while any(process.poll() is None for process in self.started):
                if any(process.returncode for process in self.started):
                    break
                self.peak = max(self.peak, sum(map(_resident, self.started)))
                time.sleep(POLL)
            if not any(process.returncode for process in self.started):
                return None
            deadline = time.monotonic() + GRACE
            while any(process.poll() is None for process in self.started) and time.monotonic() < deadline:
                time.sleep(POLL)
            return self._failure()
        finally:
            for process in self.started:
                process.kill()  # does nothing to one that has ended
                process.wait()
            for file in self.errors:
                file.close()

    def _start(self, which: Worker, device: str) -> None:
        own = {WORKER: json.dumps(asdict(which)), "W2S_DEVICE": device, "W2S_WARM": "0", **self.variables}
        self.errors.append(tempfile.TemporaryFile())  # noqa: SIM115
        self.started.append(
            subprocess.Popen(
                self.command,
                env={**os.environ, **own},
                stdin=subprocess.PIPE,
                stdout=None if which.rank == 0 else subprocess.DEVNULL,
                stderr=self.errors[-1],
            )
        )

    def _failure(self) -> str:
        """The cause of the failure in one line, from the worker with the most specific one."""
        found: list[tuple[int, str, str]] = []
        for which, process, file in zip(self.ranks, self.started, self.errors, strict=True):
            if not process.poll():  # running or done: not the cause
                continue
            file.seek(0)
            text = re.sub(r"^\[rank\d+\]: ?", "", file.read().decode(errors="replace"), flags=re.MULTILINE).strip()
            name = f"worker {which.rank + 1} of {which.size}"
            line = text.splitlines()[-1] if text else "no message"
            if process.returncode < 0:
                ended = signal.Signals(-process.returncode).name
                hint = "; the machine may have run out of memory" if ended == "SIGKILL" else ""
                message = f"{name} was killed ({ended}){hint}; the same command resumes from the checkpoint"
                found.append((0, message, ""))
            elif line.startswith("w2s: "):
                found.append((1, line.removeprefix("w2s: "), ""))
            elif _is_lost(text):
                message = f"{name} lost the others, or waited for them longer than {wait_seconds():g} s ({WAIT})"
                found.append((3, message, ""))
            else:
                found.append((2, f"{name} failed: {line}", text))
        _, message, trace = min(found)
        if trace:
            print(trace, file=sys.stderr, flush=True)
        return message


def _resident(process: subprocess.Popen[bytes]) -> int:
    """Resident memory of a process in bytes; 0 if it has ended."""
    import psutil

    try:
        return int(psutil.Process(process.pid).memory_info().rss)
    except psutil.Error:
        return 0


def _is_lost(text: str) -> bool:
    """Whether a worker failed because another one was gone."""
    return any(sign in text for sign in ("Connection closed by peer", "Connection reset by peer", "Timed out waiting"))
