"""What a job asks a scheduler for: memory, minutes, GPUs, from the cost model with a margin. Pure and light.

Nothing of it changes results or paths, and a machine without a scheduler is not asked: there Snakemake counts memory
and GPUs only where its user sets limits.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from w2s.config.execution import Execution
from w2s.graph.artifact import Artifact, canonical
from w2s.jobs.cost import GIB, MIB, Estimate, Model, Past

MINUTES = 5  # for start-up, reading and writing, and a node that is busy
LEARNED, ASSUMED = 3, 6  # times what is expected, where such jobs were measured and where they were not
MEMORY = 1.5  # times what is expected
BESIDE = 1 * GIB  # of Snakemake's own processes in a job
LEAST_MEMORY = 4 * GIB


@dataclass(frozen=True)
class Asked:
    """mem_mb: of the host; runtime: minutes; gpu: None for none."""

    mem_mb: int
    runtime: int
    gpu: int | None


class Resources:
    """Of all jobs of a call. past: what was measured before; read once, and only when a job asks."""

    def __init__(self, execution: Execution, past: Callable[[], Past]) -> None:
        self._execution = execution
        self._past = past
        self._estimates: dict[str, Estimate] = {}

    @cached_property
    def model(self) -> Model:
        """For the kind of GPU that is asked for, or else the device where most was made, or else a CPU."""
        past, kind = self._past(), self._execution.gpu
        if kind == "none":
            return Model(past, "cpu")
        return Model(past) if kind == "any" else Model(past, past.on(kind) or kind)

    def estimate(self, artifact: Artifact) -> Estimate:
        """Of one job, the same all through a call."""
        if artifact.key not in self._estimates:
            self._estimates[artifact.key] = self.model.estimate(artifact)
        return self._estimates[artifact.key]

    def asked(self, artifact: Artifact, attempt: int = 1) -> Asked:
        """More with every attempt: one that failed may have had too little."""
        estimate = self.estimate(artifact)
        memory = max(LEAST_MEMORY, MEMORY * estimate.host + BESIDE)
        margin = LEARNED if self.model.learned else ASSUMED
        minutes = (MINUTES + margin * estimate.seconds / 60) * attempt
        return Asked(
            mem_mb=math.ceil(memory * attempt / 1e6),
            runtime=min(math.ceil(minutes), self._execution.longest_job),
            gpu=estimate.gpus if self._on_gpu(artifact) else None,
        )

    def _on_gpu(self, artifact: Artifact) -> bool:
        judges_itself = artifact.stage.name == "judge" and "model" not in artifact.parents
        return self._execution.gpu != "none" and artifact.stage.gpu and not judges_itself

    def recorded(self, artifact: Artifact) -> str:
        """The estimate as the job's own record will say it, beside what was measured."""
        estimate = self.estimate(artifact)
        content = {
            "seconds": round(estimate.seconds, 3),
            "memory_mib": round(estimate.memory / MIB),
            "device": self.model.device,
        }
        return canonical(content)
