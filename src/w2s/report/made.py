"""What was made for an experiment, as the manifests tell: how many jobs, how long, on what, with which code."""

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


@dataclass(frozen=True)
class Made:
    """An artifact that is there, and its manifest."""

    artifact: Artifact
    record: Mapping[str, Any]
    finished: datetime

    @property
    def measured(self) -> Mapping[str, Any]:
        """What its making measured."""
        found: Mapping[str, Any] = self.record["measured"]
        return found

    @property
    def seconds(self) -> float:
        """Of wall clock, while it was made."""
        return float(self.measured.get("seconds", 0.0))

    @property
    def device(self) -> str:
        """Where it was made; stages that do not say use the processor."""
        return str(self.measured.get("device", "cpu"))

    @property
    def memory(self) -> float:
        """Peak of the GPU, or of the process, in MiB."""
        return float(self.measured.get("peak_gpu_memory_mib") or self.record["made_with"].get("peak_memory_mib", 0))


@dataclass
class Work:
    """All artifacts that figures need: those that are there, and those that are not, with what became of them."""

    made: dict[str, Made] = field(default_factory=dict)  # by key
    missing: dict[str, tuple[Artifact, str, str]] = field(default_factory=dict)  # key -> artifact, state, last words

    def seconds(self, keys: Iterable[str]) -> float:
        """Computing time of those that are there."""
        return sum(self.made[key].seconds for key in keys if key in self.made)

    def by_device(self) -> dict[str, float]:
        """Device -> seconds that it was held, several at once counted each."""
        spent: dict[str, float] = {}
        for one in self.made.values():
            seconds = one.seconds * int(one.measured.get("processes", 1))
            spent[one.device] = spent.get(one.device, 0.0) + seconds
        return dict(sorted(spent.items(), key=lambda one: -one[1]))

    def counted(self, *path: str) -> Counter[str]:
        """What ``made_with`` says at a path of keys -> of how many artifacts."""
        found: Counter[str] = Counter()
        for one in self.made.values():
            value: Any = one.record["made_with"]
            for name in path:
                value = value.get(name, UNKNOWN) if isinstance(value, Mapping) else UNKNOWN
            found[str(value)] += 1
        return found

    def dates(self) -> tuple[datetime, datetime] | None:
        """First and last."""
        times = [one.finished for one in self.made.values()]
        return (min(times), max(times)) if times else None

    def memory_halved(self) -> list[Made]:
        """Runs that went on in smaller pieces after memory had run out."""
        return [one for one in self.made.values() if one.measured.get("out_of_memory_at")]


def gather(artifacts: Mapping[str, Artifact]) -> Work:
    """Read the manifests of artifacts by key. What cannot be read counts as missing; no file's content is checked."""
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
            work.missing[key] = (artifact, state.what, state.said)
        except (ValueError, KeyError, TypeError, AttributeError):
            work.missing[key] = (artifact, "damaged", f"{path} is not a manifest")
    return work


def _finished(record: Mapping[str, Any], path: Path) -> datetime:
    """By the manifest, or by the file's own time where it does not say."""
    stated = record["made_with"].get("finished")
    return datetime.fromisoformat(stated) if stated else datetime.fromtimestamp(path.stat().st_mtime, UTC)


def stages(artifacts: Iterable[Artifact]) -> list[tuple[Stage, int]]:
    """(stage, how many), in the order of making."""
    found = Counter(artifact.stage for artifact in artifacts)
    return [(stage, found[stage]) for stage in STAGES.values() if stage in found]


def in_words(counts: Sequence[tuple[Stage, int]]) -> str:
    """Finetune a classifier (12), ..."""
    return ", ".join(f"{stage.words} ({number:,})" for stage, number in counts)
