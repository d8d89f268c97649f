"""Keep Snakemake's planning short where it does what is known already.

An artifact that is there is never made again, nor what it was made from: its path says what it is, and its inputs are
`ancient`. So a figure's finished runs need no jobs in the graph. Snakemake (9.27) makes a job for each file that a rule
could make, and for all that this job needs; with thousands of finished runs that takes minutes.

It also inspects the signature of the same few input functions again for each job.
"""

from __future__ import annotations

import re
import sys
from collections.abc import AsyncIterator
from functools import lru_cache
from pathlib import Path
from typing import Any

MANIFEST = re.compile(r"results/(?!figures/).+-[0-9a-f]{10}/[a-z]+\.json")  # of an artifact (src/w2s/graph/artifact.py)
TRIGGERS = {"input", "mtime"}  # neither of which concerns an artifact that is there
FORCED = ("forceall", "forcetargets", "forcerun", "until", "omit_from", "batch", "force_incomplete", "target_jobs")


def plan_what_is_missing() -> None:
    """Leave finished artifacts out of the graph of jobs to run. Calling it again changes nothing."""
    # Where a later Snakemake has other names, nothing is changed.
    graph: Any = getattr(sys.modules.get("snakemake.dag"), "DAG", None)
    rules: Any = sys.modules.get("snakemake.rules")
    collect = getattr(graph, "collect_potential_dependencies", None)
    if collect is not None and not hasattr(collect, "__wrapped__"):
        graph.collect_potential_dependencies = _without_finished(collect)
    parameters = getattr(rules, "get_function_params", None)
    if parameters is not None and not hasattr(parameters, "cache_info"):
        rules.get_function_params = lru_cache(maxsize=1000)(parameters)


def _without_finished(collect: Any) -> Any:
    async def collected(self: Any, job: Any, known_producers: dict[Any, Any]) -> AsyncIterator[Any]:
        if runs_jobs(self.workflow):
            for file in job.unique_input:
                if file not in known_producers and is_finished(str(file)):
                    known_producers[file] = None  # as of a file that no rule makes
        async for found in collect(self, job, known_producers):
            yield found

    collected.__wrapped__ = collect  # type: ignore[attr-defined]
    return collected


def runs_jobs(workflow: Any) -> bool:
    """Whether a call of Snakemake runs what is missing (or shows it, with ``-n``), and no more.

    Reports, summaries and graphs show all jobs, and options that force some need them.
    """
    settings = workflow.dag_settings
    if workflow.execution_settings is None or not workflow.is_main_process:
        return False
    triggers = {trigger.item_to_choice() for trigger in settings.rerun_triggers}
    return triggers <= TRIGGERS and not any(getattr(settings, name) for name in FORCED)


def is_finished(file: str) -> bool:
    """Whether a file is the manifest of an artifact that is there."""
    return MANIFEST.fullmatch(file) is not None and Path(file).is_file()
