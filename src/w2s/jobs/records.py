"""What finished jobs took, as the manifests under results/ record it. Light: no torch, no tables."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

from w2s.engine.artifacts import written
from w2s.errors import UserError
from w2s.experiments import settings
from w2s.graph.artifact import Artifact
from w2s.graph.stage import MANIFESTS

CACHE = Path(".snakemake/w2s-measured.json")  # what manifests say, so that each is read once
KEYED = re.compile(r"-[0-9a-f]{10}$")
FLOP = 2.0  # per parameter and token of a forward pass
CHARACTERS = 4.0  # of a token, in English
MIB = 2.0**20


@dataclass(frozen=True)
class Finished:
    """One finished job, as its manifest has it."""

    name: str
    stage: str
    key: str
    spec: Mapping[str, Any]
    parents: Mapping[str, str]
    seconds: float
    device: str
    processes: int  # a GPU each
    memory: float  # peak, in bytes: of one GPU, or else of the host
    host: float
    tokens: float  # of an example; 0 where it trained on none
    parameters: float  # of a base model
    parts: Mapping[str, float]  # of data: part -> examples
    characters: float  # of data: of an example's text; 0 where it was not counted
    estimated: Mapping[str, Any]  # before it ran


class Records:
    """All finished jobs whose ancestors are there too, and what they tell of data."""

    def __init__(self, jobs: Iterable[Finished] = ()) -> None:
        self._jobs = {job.key: job for job in jobs}
        self._made: dict[str, Artifact] = {}
        self.jobs: list[tuple[Artifact, Finished]] = []
        tokens: dict[str, list[float]] = {}
        for job in self._jobs.values():
            with suppress(KeyError, UserError):  # a parent is gone, or another version of the package made it
                artifact = self._artifact(job.key)
                settings.work(artifact)
                self.jobs.append((artifact, job))
                if job.tokens and "data" in job.parents:
                    tokens.setdefault(_kind(self._made[job.parents["data"]]), []).append(job.tokens)
        self._tokens = {kind: median(several) for kind, several in tokens.items()}
        self.devices = sorted({job.device for _, job in self.jobs if job.device})

    def _artifact(self, key: str) -> Artifact:
        """As the plan had it, as far as the cost model looks at it."""
        if key not in self._made:
            job = self._jobs[key]
            parents = {role: self._artifact(parent) for role, parent in job.parents.items()}
            environment = {"gpus": job.processes, "parameters": job.parameters}
            self._made[key] = Artifact(settings.with_id(job.stage), job.name, "", job.spec, parents, environment)
        return self._made[key]

    def flop(self, artifact: Artifact) -> float:
        """Floating-point operations of a job: texts counted and measured where they can be, else assumed."""
        work, data = settings.work(artifact), artifact.parents.get("data")
        tokens = work.tokens
        if data and work.passes:
            texts = sum(times * self.examples(data, part) for part, times in work.passes.items())
            tokens += texts * self.tokens_of(data)
        return FLOP * (work.parameters - work.looked_up) * tokens

    def tokens_of(self, data: Artifact) -> float:
        """Of an example: as finished jobs on such data counted, else by the length of built texts, else assumed."""
        built = self._jobs.get(data.key)
        characters = built.characters if built else 0.0
        return self._tokens.get(_kind(data)) or characters / CHARACTERS or settings.size(data).tokens

    def examples(self, data: Artifact, part: str) -> float:
        """Counted where the data are built, else as their sizes say, else assumed."""
        sizes = {**data.spec["sizes"], **data.spec.get("subsets", {})}
        sizes |= self._jobs[data.key].parts if data.key in self._jobs else {}
        if sizes.get(part) is not None:
            return float(sizes[part])
        half = float(sizes["train"] / 2 if sizes.get("train") else settings.size(data).half)
        share = sizes.get("validation_share", 0.0)  # of a half, from both alike
        return float(half * (share if part == "validation" else 1 - share / 2))


def _kind(data: Artifact) -> str:
    """What decides how long texts are: setting and task, notation, and the source of the rows."""
    sources = sorted(key for value in data.spec.values() if isinstance(value, Mapping) for key in value)
    return " ".join([*data.name.split("/")[:2], str(data.spec.get("notation", "")), *sources])


def read(root: Path, cache: Path | None = None, *, look: bool = True) -> Records:
    """What the manifests under ``root`` (results/) say; those that cannot be read are left out.

    cache: a file that keeps it, so that each is read once. look: whether there may be newer ones.
    """
    known: dict[str, Finished] = {}
    jobs: dict[str, Finished] = {}
    if cache:
        with suppress(OSError, ValueError, TypeError, AttributeError):  # of another version of the package, say
            known = {path: Finished(**job) for path, job in json.loads(cache.read_text(encoding="utf-8")).items()}
    for path in _manifests(root) if look else known:
        with suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
            jobs[path] = known.get(path) or _finished(Path(path), root)
    if cache and jobs.keys() != known.keys():
        with suppress(OSError):
            cache.parent.mkdir(parents=True, exist_ok=True)
            with written(cache) as file:
                json.dump({path: asdict(job) for path, job in jobs.items()}, file)
    return Records(jobs.values())


def _manifests(root: Path) -> Iterator[str]:
    """Of every artifact, without a look into other folders of it; those in the making are left out."""
    for folder, folders, files in os.walk(root):
        if KEYED.search(folder):
            folders.clear()
            if not os.path.basename(folder).startswith("."):
                yield from (os.path.join(folder, file) for file in files if file in MANIFESTS)


def _finished(path: Path, root: Path) -> Finished:
    record = json.loads(path.read_text(encoding="utf-8"))
    spec, measured, made_with = record["spec"], record["measured"], record["made_with"]
    passes = spec.get("training", {}).get("epochs", 0) * measured.get("examples", 0)
    host = made_with.get("peak_memory_mib", 0) * MIB
    counted = measured.get("counts", {}).get("parts", {})
    lengths = [part["mean_characters"] for part in counted.values() if "mean_characters" in part]
    return Finished(
        name=str(path.parent.relative_to(root)).rsplit("-", 1)[0],
        **{name: record[name] for name in ("stage", "key", "spec", "parents")},
        seconds=measured["seconds"],
        device=measured.get("device", ""),
        processes=measured.get("processes", 1),
        memory=measured.get("peak_gpu_memory_mib", 0) * MIB or host,
        host=host,
        tokens=measured.get("tokens", 0) / passes if passes else 0.0,
        parameters=measured.get("parameters", 0),
        parts={part: next(iter(count.values())) for part, count in counted.items()},
        characters=sum(lengths) / len(lengths) if lengths else 0.0,
        estimated=made_with.get("estimated", {}),
    )
