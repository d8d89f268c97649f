"""Start-up: from the start of a process to the first training step of a tiny rung, to help, and to the plan.

python benchmarks/startup.py [--repeats N]
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from common import ROOT, machine, spread, table
from prepared import ENVIRONMENT, commands_of, prepare

FIRST_STEP = """
import json, os, sys, time
from w2s.training import loop
def stop(*_, **__):
    print(json.dumps(time.time() - float(os.environ["STARTED"])), flush=True)
    os._exit(0)
loop.backward = stop
from w2s.cli import main
sys.exit(main(sys.argv[1:]))
"""


def seconds(command: Sequence[str], folder: Path) -> float:
    """Wall seconds of a whole command."""
    started = time.monotonic()
    subprocess.run(command, cwd=folder, env=environment(), check=True, capture_output=True)
    return time.monotonic() - started


def environment() -> dict[str, str]:
    """Of a job that works in a process of its own."""
    return {**os.environ, **ENVIRONMENT, "STARTED": str(time.time())}


def first_step(folder: Path, arguments: Sequence[str]) -> float:
    """Seconds from the start of ``w2s make finetune`` to its first gradient."""
    command = [sys.executable, "-c", FIRST_STEP, *arguments]
    done = subprocess.run(command, cwd=folder, env=environment(), check=True, capture_output=True, text=True)
    return float(json.loads(done.stdout.splitlines()[-1]))


def measure(repeats: int) -> str:
    """Wall seconds, the median of several."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        plan = prepare(folder)
        (arguments, *_) = commands_of(plan, seeds=[0])
        python = [sys.executable, "-m"]
        what: dict[str, Callable[[], float]] = {
            "python -c pass": lambda: seconds([sys.executable, "-c", "pass"], ROOT),
            "w2s --help": lambda: seconds([*python, "w2s", "--help"], ROOT),
            "the plan of Figure 12, without Snakemake": lambda: seconds(
                [
                    sys.executable,
                    "-c",
                    "from w2s.jobs.workflow import *; w = Workflow(read_yaml(Path('config.yaml'))); w.figure('fig12')",
                ],
                ROOT,
            ),
            "import torch": lambda: seconds([sys.executable, "-c", "import torch"], ROOT),
            "w2s make finetune, to the first step": lambda: first_step(folder, arguments),
        }
        rows = []
        for title, run in what.items():
            found = sorted(run() for _ in range(repeats))
            rows.append((title, f"{found[len(found) // 2]:.2f}", spread(found, ".2f")))
    header = ("what", "seconds, median", "from, to")
    return table("Start-up (goal: under 3 s to the first step, under 1 s for help and plan)", header, rows)


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=5)
    print(machine())
    print(measure(parser.parse_args().repeats))


if __name__ == "__main__":
    main()
