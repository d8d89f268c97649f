"""List the jobs of a dry run, one sorted line of JSON each, so that two versions of the workflow can be compared.

    python tests/golden/dryrun.py figures/fig5.pdf > after.txt
    diff before.txt after.txt

Run it in the root of a checkout. Arguments are those of ``snakemake``; ``-n`` is added. A line holds the rule, the
inputs and outputs, what the command passes to ``w2s make`` (stage, spec, parents, environment), log, resources,
priority, conda environment and message of a job. Every other command is listed as it would be run.
Source files among the inputs (of figures and pages) are left out: moving code changes no job.
"""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from snakemake.cli import main as snakemake
from snakemake.executors.dryrun import Executor

MAKE = ["python", "-m", "w2s", "make"]


def made(command: str) -> dict[str, Any]:
    """The arguments of ``w2s make`` in a job's command."""
    words = shlex.split(command)
    start = next(n for n in range(len(words)) if words[n : n + len(MAKE)] == MAKE) + len(MAKE)
    parser = argparse.ArgumentParser()
    parser.add_argument("stage")
    for name in ("spec", "out", "estimate"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--environment", default="{}")
    parser.add_argument("--parents", nargs="*", default=[])
    options = vars(parser.parse_args(words[start : words.index(">", start)]))
    for name in ("spec", "environment", "estimate"):
        options[name] = json.loads(options[name])
    return options


def listed(job: Any) -> dict[str, Any]:
    """What a job is, apart from its number and the order in which it is planned."""
    command = job.shellcmd or ""
    resources = {name: value for name, value in dict(job.resources.items()).items() if name != "tmpdir"}
    return {
        "output": sorted(map(str, job.output)),
        "rule": job.rule.name,
        "local": job.rule.name in job.rule.workflow._localrules,
        "input": sorted(str(path) for path in job.input if not str(path).startswith("src/")),
        "command": made(command) if " ".join(MAKE) in command else command,
        "log": list(map(str, job.log)),
        "resources": {name: value if isinstance(value, int) else str(value) for name, value in resources.items()},
        "priority": job.priority,
        "conda": Path(str(job.conda_env_spec.file)).name if job.conda_env_spec else None,
        "message": job.message,
    }


def main(arguments: Sequence[str]) -> None:
    """Print the listing and exit as Snakemake does; everything that Snakemake itself prints goes to stderr."""
    lines: list[str] = []
    run_job = Executor.run_job

    def record(self: Executor, job: Any) -> None:
        jobs = job.jobs if job.is_group() else [job]
        lines.extend(json.dumps(listed(one)) for one in jobs)
        run_job(self, job)

    Executor.run_job = record
    listing, sys.stdout = sys.stdout, sys.stderr
    try:
        snakemake([*arguments, "-n", "--quiet", "all"])
    finally:
        print(*sorted(lines), sep="\n", file=listing)


if __name__ == "__main__":
    main(sys.argv[1:])
