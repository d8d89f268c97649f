"""One job in several processes, a GPU each: for a rung that says ``gpus: 2`` or more.

``w2s make`` is then the *caller*: it holds the key's lock, takes the GPUs, starts the same command once for every GPU,
and publishes what they made. These processes find each other, share out weights and texts (``w2s.engine.distributed``)
and all see the same results; the first alone writes them. When one fails the caller ends the others and says in
one line why; when the caller dies they die. Where one runs out of memory all are started again with half as many
tokens at once, and go on from their checkpoint: same mathematics, as in a single process.
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

import psutil

from w2s.engine import artifacts, gpus
from w2s.engine.artifacts import Build
from w2s.engine.rank import MEMBER, WAIT, Member, TooMuchAtOnceError, member, wait_seconds
from w2s.errors import UserError
from w2s.graph.artifact import Identity

ON_CPU = "W2S_PROCESSES_ON"  # "cpu": several processes on the CPU instead of GPUs that are not there
POLL = 0.05  # seconds between two looks at the processes
GRACE = 3.0  # seconds in which the others may say better what went wrong


@contextlib.contextmanager
def building(options: argparse.Namespace, identity: Identity, manifest: str) -> Iterator[Build | None]:
    """As ``artifacts.building``; None too where other processes are to do the work, and have done it.

    options: of ``w2s make``.
    """
    count = int(json.loads(options.environment).get("gpus", 1))
    estimate = json.loads(options.estimate) if options.estimate else None
    if member().size > 1:
        with _as_member(identity) as build:
            yield build
    elif count == 1:
        with artifacts.building(options.out, identity, manifest, estimate) as alone:
            yield alone
    else:
        with artifacts.building(options.out, identity, manifest, estimate) as whole:
            if whole is not None:
                spread(whole, count, command(options))
        yield None


# -- one of the processes ----------------------------------------------------------------------------------


@contextlib.contextmanager
def _as_member(identity: Identity) -> Iterator[Build]:
    """Work with the others on a build that the caller will publish; what is measured goes into the report."""
    from w2s.engine import distributed as sharing

    own = member()
    threading.Thread(target=_die_with_caller, daemon=True).start()
    with tempfile.TemporaryDirectory() as scratch:
        build = Build(identity, Path(own.folder if own.rank == 0 else scratch), artifacts.WORK / identity.key)
        sharing.join()
        try:
            yield build
        except TooMuchAtOnceError as error:
            artifacts.write_json(own.report, {"too_much": error.tokens})
            raise
        report = {"measured": build.measured, "peak_memory_mib": artifacts.peak_memory_mib()}
        artifacts.write_json(own.report, report)
        sharing.leave()


def _die_with_caller() -> None:
    """The caller holds the other end of stdin, and lets go of it when it ends, however it ends."""
    os.read(0, 1)
    os._exit(1)


# -- the caller --------------------------------------------------------------------------------------------


def command(options: argparse.Namespace) -> list[str]:
    """``w2s make`` with the same options."""
    said = ["make", options.stage, "--spec", options.spec, "--out", str(options.out)]
    return [*said, "--environment", options.environment, "--parents", *options.parents]


def spread(build: Build, count: int, arguments: Sequence[str]) -> None:
    """Have ``count`` processes do ``w2s *arguments``; fills ``folder`` and ``measured``.

    UserError with what the process that failed first has to say.
    """
    places = _places(count)
    halved: list[int] = []
    held = 0
    told: dict[str, str] = {}
    while True:
        with tempfile.TemporaryDirectory(prefix="w2s-") as meeting:
            members = [Member(rank, count, meeting, str(build.folder)) for rank in range(count)]
            crew = Crew(members, places, [sys.executable, "-m", "w2s", *arguments], told)
            failure = crew.run()
            held = max(held, crew.held)
            reports = [_read(one.report) for one in crew.members]
        if failure is None:
            break
        too_much = [report["too_much"] for report in reports if "too_much" in report]
        if not too_much or min(too_much) <= 1:
            raise UserError(failure)
        halved.append(min(too_much))
        told = {"W2S_TOKENS_AT_ONCE": str(halved[-1] // 2)}
        print(f"out of memory: all start again with {halved[-1] // 2} tokens at once, same mathematics", flush=True)
    build.measured |= reports[0]["measured"] | {"processes": count}
    build.made_with["peak_memory_mib"] = max(round(held / 2**20), *(report["peak_memory_mib"] for report in reports))
    if "peak_gpu_memory_mib" in build.measured:
        build.measured["peak_gpu_memory_mib"] = max(report["measured"]["peak_gpu_memory_mib"] for report in reports)
    if halved:
        build.measured["out_of_memory_at"] = halved


def _read(path: Path) -> dict[str, Any]:
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else {}


def _places(count: int) -> list[str]:
    """A device for each process. UserError if there are not so many."""
    wish = os.environ.get(ON_CPU, "")
    if wish not in ("", "cpu"):
        raise UserError(f"{ON_CPU}={wish!r} is not allowed; allowed: cpu")
    if wish == "cpu":
        return ["cpu"] * count
    import torch

    there = 0 if os.environ.get("W2S_DEVICE", "cuda") == "cpu" else torch.cuda.device_count()
    if there < count:
        raise UserError(
            f"this rung needs {count} GPUs (its ladder says so), and there are {there} here; ask for a machine that "
            "has them, give it adapters and gpus: 1 if it then fits, or leave it out of the ladder"
        )
    taken = gpus.take_whole(gpus.visible(there), count, int(os.environ.get("W2S_JOBS_PER_GPU") or gpus.PLACES))
    return [f"cuda:{number}" for number in taken]


class Crew:
    """The processes of one attempt."""

    def __init__(
        self, members: Sequence[Member], places: Sequence[str], command: Sequence[str], told: Mapping[str, str]
    ) -> None:
        self.members, self.places, self.command, self.told = members, places, command, told
        self.started: list[subprocess.Popen[bytes]] = []
        self.errors: list[IO[bytes]] = []
        self.held = 0  # bytes: the most memory that all of them had at once

    def run(self) -> str | None:
        """Start all and wait until all are done, or one failed and the others are ended: None, or what it said."""
        try:
            for one, place in zip(self.members, self.places, strict=True):
                self._start(one, place)
            while any(process.poll() is None for process in self.started):
                if any(process.returncode for process in self.started):
                    break
                self.held = max(self.held, sum(map(_resident, self.started)))
                time.sleep(POLL)
            if not any(process.returncode for process in self.started):
                return None
            deadline = time.monotonic() + GRACE
            while any(process.poll() is None for process in self.started) and time.monotonic() < deadline:
                time.sleep(POLL)
            return self._failure()
        finally:
            for process in self.started:
                process.kill()  # one that has ended is left alone
                process.wait()
            for file in self.errors:
                file.close()

    def _start(self, one: Member, place: str) -> None:
        variables = {MEMBER: json.dumps(asdict(one)), "W2S_DEVICE": place, "W2S_WARM": "0", **self.told}
        self.errors.append(tempfile.TemporaryFile())  # noqa: SIM115
        self.started.append(
            subprocess.Popen(
                self.command,
                env={**os.environ, **variables},
                stdin=subprocess.PIPE,
                stdout=None if one.rank == 0 else subprocess.DEVNULL,
                stderr=self.errors[-1],
            )
        )

    def _failure(self) -> str:
        """In one line what went wrong, of the process that knows best."""
        found: list[tuple[int, str, str]] = []
        for one, process, file in zip(self.members, self.started, self.errors, strict=True):
            if not process.poll():  # it still runs, or is done: no cause
                continue
            file.seek(0)
            text = re.sub(r"^\[rank\d+\]: ?", "", file.read().decode(errors="replace"), flags=re.MULTILINE).strip()
            name = f"process {one.rank + 1} of {one.size}"
            line = text.splitlines()[-1] if text else "it said nothing"
            if process.returncode < 0:
                ended = signal.Signals(-process.returncode).name
                hint = "; perhaps the machine ran out of memory" if ended == "SIGKILL" else ""
                said = f"{name} was killed ({ended}){hint}; the same command goes on from its checkpoint"
                found.append((0, said, ""))
            elif line.startswith("w2s: "):
                found.append((1, line.removeprefix("w2s: "), ""))
            elif _is_lost(text):
                said = f"{name} lost the others, or waited for them longer than {wait_seconds():g} s ({WAIT})"
                found.append((3, said, ""))
            else:
                found.append((2, f"{name} failed: {line}", text))
        _, said, trace = min(found)
        if trace:
            print(trace, file=sys.stderr, flush=True)
        return said


def _resident(process: subprocess.Popen[bytes]) -> int:
    """Bytes of memory that a process has now; 0 of one that has ended."""
    try:
        return int(psutil.Process(process.pid).memory_info().rss)
    except psutil.Error:
        return 0


def _is_lost(text: str) -> bool:
    """Whether a process failed for want of the others."""
    return any(sign in text for sign in ("Connection closed by peer", "Connection reset by peer", "Timed out waiting"))
