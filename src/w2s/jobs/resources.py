"""What a job asks a scheduler for: memory, minutes and GPUs, from the cost model with a margin. Light, as the plan.

Nothing of it changes results or paths. On a single machine Snakemake counts memory and GPUs only where its user sets
limits.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from w2s.config.execution import Execution
from w2s.experiments.settings import WORK
from w2s.graph.artifact import Artifact, canonical
from w2s.jobs.cost import GIB, Estimate, Model, is_kind
from w2s.jobs.records import MIB, Records

MINUTES = 5  # for start-up, reading and writing, and a node that is busy
LEARNED, ASSUMED = 3, 6  # times the estimate, where jobs were measured on the device and where they were not
MEMORY = 1.5  # times the estimate
BESIDE = 1 * GIB  # of Snakemake's own processes in a job
LEAST_MEMORY = 4 * GIB


@dataclass(frozen=True)
class Asked:
    """mem_mb: of the host; runtime: minutes; gpu: None for none."""

    mem_mb: int
    runtime: int
    gpu: int | None


class Resources:
    """Of all jobs of a call. records: read once, and only when a job asks."""

    def __init__(self, execution: Execution, records: Callable[[], Records]) -> None:
        self._execution = execution
        self._records = records

    @cached_property
    def model(self) -> Model:
        """For the kind of GPU that is asked for, or else the device where most was made, or else a CPU."""
        records, kind = self._records(), self._execution.gpu
        measured = next((device for device in records.devices if is_kind(device, kind)), kind)
        return Model(records, {"none": "cpu", "any": None}.get(kind, measured))

    def estimate(self, artifact: Artifact) -> Estimate:
        """Of one job."""
        return self.model.estimate(artifact)

    def asked(self, artifact: Artifact, attempt: int = 1) -> Asked:
        """More with every attempt: one that failed may have had too little."""
        estimate = self.estimate(artifact)
        memory = max(LEAST_MEMORY, MEMORY * estimate.host + BESIDE)
        minutes = MINUTES + (LEARNED if self.model.learned else ASSUMED) * estimate.seconds / 60
        return Asked(
            mem_mb=math.ceil(memory * attempt / 1e6),
            runtime=min(math.ceil(minutes * attempt), self._execution.longest_job),
            gpu=estimate.gpus if self._execution.gpu != "none" and _computes(artifact) else None,
        )

    def recorded(self, artifact: Artifact) -> str:
        """The estimate as the job's own record will have it, beside what was measured."""
        estimate = self.estimate(artifact)
        seconds, memory = round(estimate.seconds, 3), round(estimate.memory / MIB)
        return canonical({"seconds": seconds, "memory_mib": memory, "device": self.model.device})


def _computes(artifact: Artifact) -> bool:
    """Whether a model computes: questions may be judged by a user's function as well."""
    work = WORK.get(artifact.stage)
    return artifact.stage.gpu and (work is None or work(artifact).parameters > 0)
