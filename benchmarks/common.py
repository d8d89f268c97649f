"""What benchmarks share: the machine in words, work in fresh processes, and tables of ratios.

Speeds of a shared machine drift, so everything is measured side by side: each variant runs in a fresh process of
its own, in turns, and what counts is the ratio of the best of each. Tables also say how far measurements spread.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent


def machine() -> str:
    """Processor, cores, memory and versions, in one line."""
    import psutil

    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        names = [line.partition(":")[2].strip() for line in cpuinfo.read_text().splitlines() if "model name" in line]
        model = names[0] if names else model
    memory = round(psutil.virtual_memory().total / 2**30)
    from importlib.metadata import version

    return (
        f"{model}, {os.cpu_count()} cores, {memory} GiB; Python {platform.python_version()}, torch {version('torch')}"
    )


def fresh(script: str, *arguments: str, environment: Mapping[str, str] | None = None) -> dict[str, Any]:
    """What ``script --worker *arguments`` prints as JSON on its last line, from a process of its own."""
    command = [sys.executable, script, "--worker", *arguments]
    threads = {"OMP_NUM_THREADS": "1", "W2S_WARM": "0", "PYTHONPATH": str(ROOT / "src")}
    done = subprocess.run(
        command, env={**os.environ, **threads, **(environment or {})}, capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(f"{' '.join(command)}\n{done.stdout}\n{done.stderr}")
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def one_thread(*, ours: bool) -> None:
    """Compute on one thread; a loop of ours with the memory settings of a job."""
    import torch

    from w2s.engine.heap import keep_freed_memory

    torch.set_num_threads(1)
    if ours:
        keep_freed_memory()


def in_turns(variants: Sequence[str], measure: Callable[[str], dict[str, Any]], repeats: int) -> dict[str, list[Any]]:
    """Variant -> its measurements; A B C A B C ..., so that a drift of the machine meets all alike."""
    found: dict[str, list[Any]] = {variant: [] for variant in variants}
    for _ in range(repeats):
        for variant in variants:
            found[variant].append(measure(variant))
    return found


def spread(values: Iterable[float], form: str) -> str:
    """The smallest to the largest of some measurements, each formatted as ``form``."""
    ordered = sorted(values)
    return f"{ordered[0]:{form}} to {ordered[-1]:{form}}"


def table(title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table, aligned for a terminal."""
    widths = [max(len(str(row[column])) for row in [header, *rows]) for column in range(len(header))]

    def line(cells: Sequence[str]) -> str:
        return "| " + " | ".join(str(cell).ljust(width) for cell, width in zip(cells, widths, strict=True)) + " |"

    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    return "\n".join([f"\n{title}\n", line(header), rule, *map(line, rows)])
