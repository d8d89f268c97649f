"""Finetuning at the shapes of open models: tokens a second and share of the peak, against the Hugging Face Trainer.

Random weights of Pythia's shapes, batches of 32 texts, bfloat16 computation over float32 weights, AdamW. Both sides
make the same optimiser steps on the same batches: of texts of 512 tokens, and of mixed lengths (32 to 512 tokens,
log-uniform). Micro-batches are the largest that fit. Only tokens of texts count, padding does not.

    python benchmarks/gpu.py --short             # 10 minutes at most, the most important measurements first
    python benchmarks/gpu.py                     # the same, measured for longer
    python benchmarks/gpu.py --ladder pip        # real models, after `w2s fetch` has downloaded them
    python benchmarks/gpu.py --models DIRECTORY  # a model in the hub's layout, or a GGUF file
    python benchmarks/gpu.py --shapes tiny       # does it run? on any machine

Every row is printed when it is measured; whatever is done when the time is up is in the table and in --json.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

from common import ROOT, machine, table
from on_gpu import SHAPES

SIDE_BY_SIDE = (2, 4)  # processes on one device
LEAST = 3  # seconds that are left: with fewer no process is worth starting
# bfloat16 FLOP/s, dense, by what a device's name contains; manufacturers' data sheets
PEAK = {"H200": 989e12, "H100": 989e12, "A100": 312e12, "L40S": 362e12, "L4": 121e12, "4090": 165e12, "V100": 125e12}


class Benchmark:
    """Starts processes that measure, one after another, until the time is up; prints their rows as they come."""

    def __init__(self, seconds: float, minutes: float, out: Path, about: dict[str, Any]) -> None:
        self.seconds, self.out, self.about = seconds, out, about
        self.ends = time.monotonic() + 60 * minutes
        self.rows: list[dict[str, Any]] = []
        self.failed: list[str] = []

    def measure(self, what: str, name: str, **environment: str) -> None:
        """The rows of one process."""
        self.together(what, name, [environment], self.add)

    def together(
        self, what: str, name: str, environments: Sequence[dict[str, str]], each: Callable[[dict[str, Any]], None]
    ) -> None:
        """Start several processes at once, and call ``each`` with every row of theirs; nothing when the time is up."""
        left = self.ends - time.monotonic()
        if left < LEAST:
            self.failed.append(f"{name}, {what}: no time left")
            return
        command = [sys.executable, str(Path(__file__).with_name("on_gpu.py")), what, name, str(self.seconds)]
        usual = {**os.environ, "W2S_WARM": "0", "PYTHONPATH": str(ROOT / "src"), "W2S_JOBS_PER_GPU": "8"}
        with contextlib.ExitStack() as files:
            started = []
            for environment in environments:
                said = files.enter_context(tempfile.TemporaryFile("w+"))
                process = subprocess.Popen(
                    command, env=usual | environment, stdout=subprocess.PIPE, stderr=said, text=True
                )
                started.append((process, said))
            watch = threading.Timer(left, lambda: [process.kill() for process, _ in started])
            watch.start()
            for process, said in started:
                assert process.stdout
                for line in process.stdout:
                    if line.startswith('{"model"'):
                        each(json.loads(line))
                if process.wait():
                    said.seek(0)
                    last = (said.read().strip().splitlines() or ["no time left"])[-1]
                    self.failed.append(f"{name}, {what}: {'no time left' if process.returncode < 0 else last[:300]}")
            watch.cancel()

    def add(self, row: dict[str, Any]) -> None:
        """Print a row, and keep it in the file."""
        self.rows.append(row)
        print(", ".join(cell for cell in self.cells(row) if cell), flush=True)
        self.save()

    def save(self) -> None:
        """Write the file: what was measured, what was not, and where."""
        self.out.parent.mkdir(parents=True, exist_ok=True)
        self.out.write_text(json.dumps({**self.about, "rows": self.rows, "failed": self.failed}, indent=1) + "\n")

    def cells(self, row: dict[str, Any]) -> tuple[str, ...]:
        """A row of the table."""
        peak = next((flop for part, flop in PEAK.items() if part in self.about["device"]), None)
        peer = next(
            (
                other["tokens_per_second"]
                for other in self.rows
                if other["loop"] == "Trainer" and all(other[key] == row[key] for key in ("model", "texts"))
            ),
            None,
        )
        trains = not row["loop"].startswith("evaluation")
        syncs, gib = row.get("syncs_per_step"), row.get("gib")
        return (
            row["model"],
            row["loop"],
            row["texts"],
            f"{row['tokens_per_second']:,.0f}",
            f"{row['tokens_per_second'] / peer:.2f}" if peer and trains else "",
            f"{row['flop_per_second'] / peak:.0%}" if peak else "",
            "" if gib is None else f"{gib:.1f}",
            "" if syncs is None else f"{syncs:.1f}",
            " to ".join(f"{loss:.2f}" for loss in row.get("losses", [])),
        )

    def table(self) -> str:
        """All rows, and what is missing."""
        header = ("model", "loop", "texts", "tokens / s", "x Trainer", "share of peak", "GiB", "waits / step", "loss")
        title = f"Finetuning on {self.about['device']} (goal: 1.3 x Trainer, 45% of the peak at 1.4b)"
        missing = "".join(f"\nnot measured: {line}" for line in self.failed)
        return table(title, header, [self.cells(row) for row in self.rows]) + missing


def side_by_side(benchmark: Benchmark, name: str) -> None:
    """Several runs on one device at once: all their tokens a second."""
    for count in (1, *(SIDE_BY_SIDE if name != "tiny" else (2,))):
        found: list[dict[str, Any]] = []
        with tempfile.TemporaryDirectory() as folder:
            environment = {"SIDE_BY_SIDE": f"{folder}:{count}", **on_device(0)}
            benchmark.together("small", name, [environment] * count, found.append)
        if len(found) == count:
            sums = {key: sum(row[key] for row in found) for key in ("tokens_per_second", "flop_per_second")}
            words = f"ours, {count} runs side by side" if count > 1 else "ours, alone"
            benchmark.add(found[0] | sums | {"loop": words, "syncs_per_step": None})


def sharded(benchmark: Benchmark, path: str, count: int) -> None:
    """One run on several GPUs (FSDP)."""
    from w2s.engine.rank import WORKER, Worker

    with tempfile.TemporaryDirectory() as folder:
        environments = [
            {WORKER: json.dumps(asdict(Worker(rank, count, folder, folder))), **on_device(rank)}
            for rank in range(count)
        ]
        benchmark.together("real", path, environments, benchmark.add)


def on_device(place: int) -> dict[str, str]:
    """The environment of a process that sees one of the GPUs that this one sees."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    devices = [str(place)] * (place + 1) if visible is None else visible.split(",")
    return {"CUDA_VISIBLE_DEVICES": devices[place] if place < len(devices) else ""}


def models_of(ladder: str) -> Iterator[str]:
    """The GGUF files of a ladder, as ``w2s fetch`` has downloaded them."""
    import yaml

    from w2s.models import wheels

    for rung in yaml.safe_load((ROOT / f"config/ladders/{ladder}.yaml").read_text())["rungs"]:
        if "blocks" not in rung and "wheel" in rung["source"]:
            path = ROOT / wheels.path_of(rung["source"]["sha256"])
            if not path.is_file():
                sys.exit(f"{rung['name']}: {path} is not there; w2s fetch real-cpu downloads it")
            yield str(path)


def about() -> dict[str, Any]:
    """Device, driver, versions."""
    from importlib.metadata import version

    import torch

    cuda = torch.cuda.is_available()
    driver = ""
    if cuda:
        ask = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
        with contextlib.suppress(OSError):
            driver = subprocess.run(ask, capture_output=True, text=True, check=False).stdout.split("\n")[0]
    return {
        "machine": machine(),
        "device": torch.cuda.get_device_name() if cuda else "cpu",
        "devices": torch.cuda.device_count(),
        "driver": driver,
        "cuda": torch.version.cuda,
        **{name: version(name) for name in ("torch", "transformers")},
    }


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    open_shapes = [name for name in SHAPES if name != "tiny"]
    parser.add_argument("--shapes", nargs="*", choices=list(SHAPES))
    parser.add_argument("--models", nargs="*", default=[], help="directories in the hub's layout, or GGUF files")
    parser.add_argument("--ladder", help="a ladder from wheels, such as pip")
    parser.add_argument("--short", action="store_true", help="5 seconds a row, 10 minutes in all")
    parser.add_argument("--seconds", type=float, help="a row (20 by default)")
    parser.add_argument("--minutes", type=float, help="in all (60 by default)")
    parser.add_argument("--ranks", type=int, help="processes of a sharded run of each model (2 with two GPUs, else 0)")
    parser.add_argument("--json", type=Path, default=ROOT / "work/gpu.json")
    options = parser.parse_args()
    models = [*options.models, *(models_of(options.ladder) if options.ladder else [])]
    shapes = options.shapes if options.shapes is not None else [] if models else open_shapes
    known = about()
    if known["device"] == "cpu" and set(shapes) - {"tiny"}:
        sys.exit("no GPU here: these shapes need one; `--shapes tiny` shows that the benchmark runs")
    print(", ".join(f"{key} {value}" for key, value in known.items()))
    seconds, minutes = (5, 10) if options.short else (20, 60)
    benchmark = Benchmark(
        seconds if options.seconds is None else options.seconds, options.minutes or minutes, options.json, known
    )
    compiles = {
        "W2S_COMPILE": "always" if known["device"] != "cpu" else "never",
        "OMP_NUM_THREADS": "8",
        **on_device(0),
    }
    for name in shapes:
        benchmark.measure("Trainer", name, **compiles)
        benchmark.measure("ours", name, **compiles)
    if shapes:
        side_by_side(benchmark, shapes[-1])
    ranks = options.ranks if options.ranks is not None else 2 if known["devices"] > 1 else 0
    for path in models:
        benchmark.measure("real", path, **compiles)
        if ranks:
            sharded(benchmark, path, ranks)
    benchmark.save()
    print(benchmark.table())


if __name__ == "__main__":
    main()
