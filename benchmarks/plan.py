"""The plan of whole papers: seconds and memory until Snakemake could start its first job, and of ``w2s cost``.

python benchmarks/plan.py [--seeds 3 9] [--figures FIGURE ...]

All figures that config/nlp-paper.yaml can have, with so many seeds; from nothing, and when everything is there
but the figures.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

import yaml

from w2s.config.files import read_yaml
from w2s.graph.artifact import Artifact, with_ancestors
from w2s.jobs.workflow import Workflow

from common import ROOT, machine, table

EXPERIMENT = "nlp-paper"
COPIED = ("Snakefile", "config.yaml", "config", "rules", "src", "envs", "profiles")


def checkout(folder: Path, seeds: int) -> Workflow:
    """A checkout of its own, whose experiment has so many seeds."""
    for name in COPIED:
        (shutil.copytree if (ROOT / name).is_dir() else shutil.copy)(ROOT / name, folder / name)
    overlay = read_yaml(ROOT / "config" / f"{EXPERIMENT}.yaml") | {"seeds": list(range(seeds))}
    (folder / "config" / f"{EXPERIMENT}.yaml").write_text(yaml.safe_dump(overlay, sort_keys=False))
    return Workflow(read_yaml(folder / "config.yaml"), folder)


def call(folder: Path, *command: str) -> tuple[float, float, float, str]:
    """(wall seconds, CPU seconds, peak MiB, output) of a command in a process of its own."""
    started = time.monotonic()
    environment = {**os.environ, "PYTHONPATH": str(folder / "src"), "W2S_WARM": "0"}
    with tempfile.TemporaryFile("w+") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", *command], cwd=folder, env=environment, stdout=said, stderr=subprocess.STDOUT
        )
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.monotonic() - started
        said.seek(0)
        output = said.read()
    if status:
        sys.exit(f"{' '.join(command)}\n{output[-3000:]}")
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, output


def pretend(folder: Path, artifacts: Iterable[Artifact], outputs: Sequence[str]) -> None:
    """Files as finished jobs leave them: empty ones, and manifests that say how long something took."""
    for name in outputs:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    for artifact in artifacts:
        record = {
            "stage": artifact.stage.id,
            "version": artifact.stage.version,
            "key": artifact.key,
            "spec": artifact.spec,
            "parents": {role: parent.key for role, parent in artifact.parents.items()},
            "measured": {"seconds": 60.0, "flop": 1e15, "tokens": 1e6, "examples": 9000, "device": "cpu"},
            "made_with": {"peak_memory_mib": 2000},
        }
        (folder / artifact.manifest).write_text(json.dumps(record))


def measure(seeds: int, figures: Sequence[str]) -> list[tuple[str, ...]]:
    """Rows of a table."""
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        workflow = checkout(folder, seeds)
        names = list(figures) or workflow.drawable(EXPERIMENT)
        artifacts = with_ancestors(run for figure in names for run in workflow.figure(figure, EXPERIMENT)).values()
        targets = [f"figures/{EXPERIMENT}/{figure}.pdf" for figure in names]

        def row(what: str, *command: str) -> None:
            wall, processor, memory, output = call(folder, *command)
            jobs = re.search(r"^total +(\d+)$", output, flags=re.MULTILINE)
            found = f"{int(jobs[1]):,}" if jobs else ""
            measured = (f"{wall:.1f}", f"{processor:.1f}", f"{memory:,.0f}")
            rows.append((f"{seeds}", f"{len(artifacts):,}", what, found, *measured))

        row("w2s cost, nothing is there", "w2s", "cost", *targets, "--device", "h100")
        row("snakemake -n, nothing is there", "snakemake", "-n", *targets, "--quiet", "all")
        said = call(folder, "snakemake", "--summary", *targets)[3]
        lines = [line.split("\t")[0] for line in said.splitlines()]
        pretend(folder, artifacts, [line for line in lines if line.startswith("results/") and "/figures/" not in line])
        row("w2s cost, all is there but the figures", "w2s", "cost", *targets)
        row("w2s cost, again", "w2s", "cost", *targets)
        row("snakemake -n, all is there but the figures", "snakemake", "-n", *targets, "--quiet", "all")
    return rows


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[3])
    parser.add_argument("--figures", nargs="*", default=[], help="all by default")
    options = parser.parse_args()
    rows = [row for seeds in options.seeds for row in measure(seeds, options.figures)]
    print(machine())
    title = "Plans of whole papers (goal: under 60 s)"
    print(table(title, ("seeds", "artifacts", "what", "jobs", "wall s", "CPU s", "MiB"), rows))


if __name__ == "__main__":
    main()
