"""What was made for an experiment, from the manifests: jobs, their times, devices and code."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from w2s.experiments.settings import STAGES
from w2s.graph.artifact import Artifact
from w2s.graph.stage import Stage
from w2s.jobs.status import state_of

UNKNOWN = "unknown"
KINDS = ("data", "corpus", "model", "")  # of stages, in the order in which they run


@dataclass(frozen=True)
class Made:
    """An artifact that exists, and its manifest."""

    artifact: Artifact
    record: Mapping[str, Any]
    finished: datetime

    @property
    def measured(self) -> Mapping[str, Any]:
        """What was measured while it was made."""
        found: Mapping[str, Any] = self.record["measured"]
        return found

    @property
    def made_with(self) -> Mapping[str, Any]:
        """The commit, versions and machine that it was made with."""
        found: Mapping[str, Any] = self.record["made_with"]
        return found

    @property
    def seconds(self) -> float:
        """Wall-clock time that it took to make."""
        return float(self.measured.get("seconds", 0.0))

    @property
    def computing(self) -> float:
        """Seconds of computing: on a CPU the processor's, to which other work on the machine adds nothing."""
        return float(self.measured.get("processor_seconds", self.seconds)) if self.device == "cpu" else self.seconds

    @property
    def device(self) -> str:
        """Where it was made; the CPU unless the stage says otherwise."""
        return str(self.measured.get("device", "cpu"))

    @property
    def memory(self) -> float:
        """Peak of the GPU, or of the process, in MiB."""
        return float(self.measured.get("peak_gpu_memory_mib") or self.made_with.get("peak_memory_mib", 0))


@dataclass
class Work:
    """All artifacts that figures need: those that exist, and those that do not, with their state."""

    made: dict[str, Made] = field(default_factory=dict)  # by key
    missing: dict[str, tuple[str, str, str]] = field(default_factory=dict)  # key -> description, state, end of its log

    def seconds(self, keys: Iterable[str]) -> float:
        """Computing time of those that exist."""
        return sum(self.made[key].computing for key in keys if key in self.made)

    def by_device(self) -> dict[str, float]:
        """Device -> seconds in use; several devices at once each count."""
        spent: dict[str, float] = {}
        for one in self.made.values():
            seconds = one.seconds * int(one.measured.get("processes", 1))
            spent[one.device] = spent.get(one.device, 0.0) + seconds
        return dict(sorted(spent.items(), key=lambda one: -one[1]))

    def counted(self, *path: str) -> Counter[str]:
        """Value of ``made_with`` at a path of keys -> number of artifacts."""
        found: Counter[str] = Counter()
        for one in self.made.values():
            value: Any = one.made_with
            for name in path:
                value = value.get(name, UNKNOWN) if isinstance(value, Mapping) else UNKNOWN
            found[str(value)] += 1
        return found

    def dates(self) -> tuple[datetime, datetime] | None:
        """When the first and the last job finished."""
        times = [one.finished for one in self.made.values()]
        return (min(times), max(times)) if times else None

    def memory_halved(self) -> list[Made]:
        """Runs that continued with smaller micro-batches after memory had run out."""
        return [one for one in self.made.values() if one.measured.get("out_of_memory_at")]


def gather(artifacts: Mapping[str, Artifact]) -> Work:
    """Read the manifests of artifacts by key. A manifest that cannot be read counts as missing."""
    work = Work()
    for key, artifact in artifacts.items():
        path = Path(artifact.manifest)
        try:
            record = json.loads(path.read_text(encoding="utf-8"))
            made = Made(artifact, record, _finished(record, path))
            _ = made.seconds, made.memory, made.device
            work.made[key] = made
        except OSError:
            state = state_of(artifact)
            work.missing[key] = (artifact.message, state.what, state.said or "")
        except (ValueError, KeyError, TypeError, AttributeError):
            work.missing[key] = (artifact.message, "damaged", f"{path} is not a manifest")
    return work


def _finished(record: Mapping[str, Any], path: Path) -> datetime:
    """The time in the manifest, or else the file's modification time."""
    stated = record["made_with"].get("finished")
    return datetime.fromisoformat(stated) if stated else datetime.fromtimestamp(path.stat().st_mtime, UTC)


def stages(artifacts: Iterable[Artifact]) -> list[tuple[Stage, int]]:
    """(stage, number of its artifacts): stages that make data and base models first."""
    found = Counter(artifact.stage for artifact in artifacts)
    order = sorted(STAGES.values(), key=lambda stage: KINDS.index(stage.kind))
    return [(stage, found[stage]) for stage in order if stage in found]


def in_words(counts: Sequence[tuple[Stage, int]]) -> str:
    """Stages with their numbers of artifacts: "build data (2), finetune a classifier (12)"."""
    return ", ".join(f"{stage.description} ({number:,})" for stage, number in counts)
