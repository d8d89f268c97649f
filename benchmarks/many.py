"""Many short runs of one rung and task: a process each, against warm processes.

python benchmarks/many.py [--runs N]
"""

from __future__ import annotations

import argparse
import os
import shutil
import socket
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from common import machine, spread, table
from prepared import commands_of, prepare, run

VARIANTS = {
    "a process each": {"W2S_WARM": "0"},
    "warm, a process each": {"W2S_RUNS_PER_PROCESS": "1"},
    "warm, one process for all": {"W2S_RUNS_PER_PROCESS": "64"},
}


def measure(runs: int) -> str:
    """Wall seconds a run, the first ones of each variant (start of the warm process) included."""
    seconds: dict[str, list[float]] = {variant: [] for variant in VARIANTS}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        plan = prepare(folder)
        everything = commands_of(plan, seeds=range(runs))
        for variant, settings in VARIANTS.items():
            warm = {"W2S_WARM": f"{socket.gethostname()}:{os.getpid()}"}
            for arguments in everything:
                started = time.monotonic()
                run(folder, arguments, **(warm | settings))
                seconds[variant].append(time.monotonic() - started)
            shutil.rmtree(folder / "results/nlp/sciq/w32")
    slowest = sum(seconds["a process each"])
    rows = [
        (variant, f"{sum(some) / runs:.2f}", spread(some, ".2f"), f"{slowest / sum(some):.2f}")
        for variant, some in seconds.items()
    ]
    header = ("how", "s / run", "from, to", "ratio")
    return table(f"{runs} runs of one rung and task, one after another", header, rows)


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=12)
    print(machine())
    print(measure(parser.parse_args().runs))


if __name__ == "__main__":
    main()
