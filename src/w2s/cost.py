"""What figures will cost before anything is made: jobs, hours, memory and disk, learned from what was made before.

A job's time is that of the finished jobs most like it (same stage, same kind of device), scaled by its floating-point
operations; where a device has made nothing yet, an assumed share of its peak speed. Pure and light, as the plan.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from statistics import median
from typing import Any

from w2s.errors import UserError, allowed
from w2s.plan import MANIFESTS, Artifact

NEAREST = 7  # finished jobs whose median decides
STARTING = 0.5  # seconds of a job that are not work, in a process that is warm (``w2s.warm``)
TOKENS = {"nlp": 120, "chess": 60}  # of an example, where no run has read its task yet
TOKENS_OTHERWISE = 300
INVENTED = {"world": (25, 300), "endgames": (9, 1_500)}  # (tokens of an example, examples of a half) of smoke's data
TRAINING_BYTES = 16  # a parameter: weight, gradient and AdamW's two moments, all float32
WITH_ADAPTERS = 4  # FLOP a parameter and token where base weights are frozen: they need no gradient of their own
SMALL = 1e9  # parameters below which a GPU is not filled: its assumed speed falls with their square root
GIB = 2.0**30
# Device -> (FLOP a second that are assumed, whether hours on it are counted as GPU hours): about 35% of the dense
# bfloat16 peak that the maker states; of a CPU, what one core of a server reached here.
ASSUMED = {
    "cpu": (6e10, False),
    "a100": (0.35 * 312e12, True),
    "l40s": (0.35 * 362e12, True),
    "h100": (0.35 * 989e12, True),
    "h200": (0.35 * 989e12, True),
    "rtx4090": (0.35 * 165e12, True),
}


@dataclass(frozen=True)
class Finished:
    """One finished job, as its manifest tells."""

    stage: str
    where: str  # setting and task of its path
    device: str
    parameters: float
    flop: float
    seconds: float
    tokens: float  # of an example, all epochs' passes as one; 0 where it trained on none
    memory: float  # peak, in bytes
    data: str = ""  # key of the data that it was trained on


@dataclass(frozen=True)
class Estimate:
    """One job to be done. memory: peak of host or GPU, disk: what it leaves, both in bytes; gpus: that it takes."""

    artifact: Artifact
    flop: float
    seconds: float
    memory: float
    disk: float
    gpus: int = 1


@dataclass
class Past:
    """Everything that was measured, by stage."""

    jobs: dict[str, list[Finished]] = field(default_factory=dict)
    kinds: dict[str, str] = field(default_factory=dict)  # key of data -> what kind of text it holds

    def device(self) -> str | None:
        """Where most of the time went; None if nothing was made yet."""
        spent: dict[str, float] = {}
        for job in (job for jobs in self.jobs.values() for job in jobs if job.device):
            spent[job.device] = spent.get(job.device, 0.0) + job.seconds
        return max(spent, key=lambda device: spent[device]) if spent else None

    def tokens_of_an_example(self, run: Artifact) -> float:
        """Measured on data of the same kind (a task from the same source), or else assumed."""
        kind = kind_of(run.parents["data"].name, run.parents["data"].spec)
        invented = _invented(run.parents["data"])
        return self._tokens.get(kind, invented[0] if invented else TOKENS.get(run.name.split("/")[0], TOKENS_OTHERWISE))

    @cached_property
    def _tokens(self) -> dict[str, float]:
        """Kind of data -> the median tokens of an example."""
        found: dict[str, list[float]] = {}
        for job in (job for jobs in self.jobs.values() for job in jobs):
            if job.tokens and job.data in self.kinds:
                found.setdefault(self.kinds[job.data], []).append(job.tokens)
        return {kind: median(tokens) for kind, tokens in found.items()}


def _invented(data: Artifact) -> tuple[int, int] | None:
    """What is known of data that the package makes up itself."""
    sources = {key for value in data.spec.values() if isinstance(value, Mapping) for key in value}
    return next((known for name, known in INVENTED.items() if name in sources), None)


def kind_of(name: str, spec: Mapping[str, Any]) -> str:
    """What decides how long data's texts are: setting and task, how they are written, and what rows they come from."""
    sources = sorted(str(key) for value in spec.values() if isinstance(value, Mapping) for key in value)
    return " ".join([*name.split("/")[:2], str(spec.get("notation", "")), *sources])


def past(root: Path) -> Past:
    """What the manifests under ``root`` (results/) have measured; those that cannot be read are left out."""
    found = Past()
    for name in sorted(set(MANIFESTS.values())):
        for path in root.glob(f"**/{name}"):
            try:
                record = json.loads(path.read_text(encoding="utf-8"))
                job = _finished(record, path.relative_to(root))
            except (OSError, ValueError, KeyError, TypeError, AttributeError):
                continue
            found.jobs.setdefault(job.stage, []).append(job)
            if path.parent.name.startswith("data-"):
                found.kinds[record["key"]] = kind_of(job.where, record["spec"])
    return found


def _finished(record: Mapping[str, Any], path: Path) -> Finished:
    measured = record["measured"]
    flop, tokens = float(measured.get("flop", 0)), float(measured.get("tokens", 0))
    passes = float(record["spec"].get("training", {}).get("epochs", 0)) * float(measured.get("examples", 0))
    host = float(record["made_with"].get("peak_memory_mib", 0)) * 2**20
    return Finished(
        stage=record["stage"],
        where="/".join(path.parts[:2]),
        device=str(measured.get("device", "")),
        parameters=flop / 6 / tokens if tokens else 0.0,
        flop=flop,
        seconds=float(measured["seconds"]),
        tokens=tokens / passes if passes else 0.0,
        memory=float(measured.get("peak_gpu_memory_mib", 0)) * 2**20 or host,
        data=str(record["parents"].get("data", "")),
    )


class Model:
    """Estimates of jobs on a device: a name of ``ASSUMED``, or one that past records name."""

    def __init__(self, past: Past, device: str | None = None) -> None:
        self.past = past
        self.device = device or past.device() or "cpu"
        known = {job.device for jobs in past.jobs.values() for job in jobs if job.device}
        if self.device not in {*ASSUMED, *known}:
            raise UserError(f"unknown device {self.device!r}; {allowed(self.device, [*ASSUMED, *sorted(known)])}")
        self.learned = self.device in known
        self._seconds: dict[tuple[str, float, float], float] = {}

    @property
    def is_gpu(self) -> bool:
        """Whether hours on it are GPU hours."""
        return ASSUMED[self.device][1] if self.device in ASSUMED else self.device != "cpu"

    def estimate(self, artifact: Artifact) -> Estimate:
        """What making an artifact takes, its parents given."""
        parameters, flop = self._work(artifact)
        like = [job for job in self.past.jobs.get(artifact.stage, []) if not flop or job.device == self.device]
        work = (artifact.stage, parameters, flop)
        if work not in self._seconds:
            self._seconds[work] = self._from_like(like, parameters, flop) if like else self._assumed(parameters, flop)
        memory, gpus = self._memory(artifact, like, parameters), int(artifact.environment.get("gpus", 1))
        return Estimate(artifact, flop, self._seconds[work], memory, _disk(artifact, parameters), gpus)

    def _work(self, artifact: Artifact) -> tuple[float, float]:
        """(parameters, FLOP of training); zeros for what trains nothing."""
        training = artifact.spec.get("training")
        if not isinstance(training, Mapping):
            return 0.0, 0.0
        if "shape" in artifact.spec:
            parameters = parameters_of(artifact)
            return parameters, 6 * parameters * float(artifact.spec["tokens"])
        parameters = parameters_of(artifact.parents["model"]) if "model" in artifact.parents else 0.0
        if not parameters or "data" not in artifact.parents:
            return parameters, 0.0
        passes = float(training.get("epochs", 0)) * examples_of(artifact)
        each = WITH_ADAPTERS if "adapters" in artifact.spec else 6  # FLOP a parameter and token
        return parameters, each * parameters * passes * self.past.tokens_of_an_example(artifact)

    def _from_like(self, like: Sequence[Finished], parameters: float, flop: float) -> float:
        if not flop:
            return median(job.seconds for job in like)
        like = [job for job in like if job.flop]
        if not like:
            return self._assumed(parameters, flop)

        def distance(job: Finished) -> float:
            return abs(math.log(job.parameters / parameters)) + abs(math.log(job.flop / flop)) / 2

        nearest = sorted(like, key=distance)[:NEAREST]
        return float(median(job.seconds * (flop / job.flop) ** _growth(job.flop, flop) for job in nearest))

    def _assumed(self, parameters: float, flop: float) -> float:
        speed, gpu = ASSUMED.get(self.device, ASSUMED["cpu"])
        filled = min(1.0, math.sqrt(max(parameters, 1.0) / SMALL)) if gpu else 1.0
        return STARTING + flop / (speed * filled)

    def _memory(self, artifact: Artifact, like: Sequence[Finished], parameters: float) -> float:
        """Of weights, gradients and the optimiser; a pass's activations are small beside those of a large model."""
        floor = max((job.memory for job in like if job.parameters <= 2 * parameters), default=GIB / 2)
        frozen = 2 if artifact.spec.get("precision") == "bfloat16" else 4
        weights = frozen if "adapters" in artifact.spec else TRAINING_BYTES
        return max(floor, weights * parameters * 1.2)


def _growth(known: float, asked: float) -> float:
    """How time grows with work: in proportion for larger jobs; a smaller one saves less than that."""
    return 1.0 if asked >= known else 0.8


def parameters_of(model: Artifact) -> float:
    """All weights of a base model's artifact, from its spec or from what an open rung declares."""
    if "model" in model.parents:  # a base model that was finetuned further
        return parameters_of(model.parents["model"])
    if "parameters" in model.environment:
        return float(model.environment["parameters"])
    shape = model.spec["shape"]
    width, layers = shape["width"], shape["layers"]
    layer = 4 * width**2 + 3 * width * shape["intermediate"] + 2 * width
    vocabulary = model.parents["corpus"].spec["vocabulary"]
    return float(vocabulary * width + layers * layer + width)


def examples_of(run: Artifact) -> float:
    """How many examples a run trains on: counted in its built data, or else as its sizes say."""
    part = run.spec.get("part") or run.spec.get("half") or "weak"
    data = run.parents.get("data")
    if data is None:
        return 0.0
    if (found := _counted(data, part)) is not None:
        return found
    sizes = data.spec.get("sizes", {})
    if isinstance(sizes.get(part), int):
        return float(sizes[part])
    if part in data.spec.get("subsets", {}):
        return float(data.spec["subsets"][part])
    if isinstance(sizes.get("train"), int):
        return float(sizes["train"]) / 2
    invented = _invented(data)
    return float(invented[1] if invented else UNKNOWN_EXAMPLES)


UNKNOWN_EXAMPLES = 10_000  # of a half, where a data set has not been read yet and its config sets no limit


def _counted(data: Artifact, part: str) -> float | None:
    try:
        record = json.loads(Path(data.manifest).read_text(encoding="utf-8"))
        count = record["measured"]["counts"]["parts"][part]
        return float(next(iter(count.values()))) if isinstance(count, Mapping) else float(count)
    except (OSError, ValueError, KeyError, TypeError, StopIteration):
        return None


def _disk(artifact: Artifact, parameters: float) -> float:
    """Of a base model its weights, unless they stay on the hub; of a corpus its tokens; of a run its predictions."""
    if "shape" in artifact.spec or artifact.name.startswith("models/"):
        return 4 * parameters
    return 100_000.0


@dataclass(frozen=True)
class Sum:
    """Jobs of one kind together. seconds: of all of them one after another; hours: of all their devices."""

    stage: str
    rung: str
    jobs: int
    there: int
    seconds: float
    hours: float
    memory: float
    disk: float


def summed(artifacts: Iterable[Artifact], model: Model) -> list[Sum]:
    """One line a stage and rung, in the order of making; only what is not there yet costs."""
    kinds: dict[tuple[str, str], list[tuple[Artifact, Estimate | None]]] = {}
    for artifact in artifacts:
        there = Path(artifact.manifest).is_file()
        kind = (artifact.stage, _rung_of(artifact))
        kinds.setdefault(kind, []).append((artifact, None if there else model.estimate(artifact)))
    order = {stage: place for place, stage in enumerate(MANIFESTS)}
    sums = []
    for (stage, rung), jobs in sorted(kinds.items(), key=lambda one: (order[one[0][0]], _size(one[1][0][0]), one[0])):
        open_jobs = [estimate for _, estimate in jobs if estimate]
        sums.append(
            Sum(
                stage,
                rung,
                len(jobs),
                len(jobs) - len(open_jobs),
                sum(one.seconds for one in open_jobs),
                sum(one.seconds * one.gpus for one in open_jobs) / 3600,
                max((one.memory for one in open_jobs), default=0.0),
                sum(one.disk for one in open_jobs),
            )
        )
    return sums


def _size(artifact: Artifact) -> float:
    """Parameters of its model; 0 for what has none."""
    model = artifact.parents.get("model", artifact)
    return parameters_of(model) if model.stage in ("pretrain", "open") or "model" in model.parents else 0.0


def _rung_of(artifact: Artifact) -> str:
    rung = getattr(artifact, "rung", "")
    return str(rung) if rung else (artifact.name.split("/")[-1] if artifact.name.startswith("models/") else "")


def table(sums: Sequence[Sum], model: Model, title: str) -> str:
    """For people: a line a stage and rung, and the whole."""
    hours = "GPU-h" if model.is_gpu else "h"
    header = ("stage", "rung", "jobs", "there", f"{hours} in all", "one job", "peak GiB", "disk")
    whole = Sum(
        "all",
        "",
        sum(one.jobs for one in sums),
        sum(one.there for one in sums),
        sum(one.seconds for one in sums),
        sum(one.hours for one in sums),
        max((one.memory for one in sums), default=0.0),
        sum(one.disk for one in sums),
    )
    rows = [_row(one) for one in [*sums, whole]]
    widths = [max(len(row[column]) for row in [header, *rows]) for column in range(len(header))]

    def line(cells: Sequence[str]) -> str:
        words = [cell.ljust(width) for cell, width in zip(cells[:2], widths[:2], strict=True)]
        numbers = [cell.rjust(width) for cell, width in zip(cells[2:], widths[2:], strict=True)]
        return "  ".join(words + numbers).rstrip()

    basis = (
        f"times on {model.device!r} as measured by {sum(map(len, model.past.jobs.values())):,} finished jobs"
        if model.learned
        else f"nothing was made on {model.device!r} yet: times assume {ASSUMED[model.device][0]:.2g} FLOP/s"
    )
    rule = "-" * len(line(header))
    return "\n".join([title, line(header), rule, *map(line, rows[:-1]), rule, line(rows[-1]), f"({basis})"])


def _row(one: Sum) -> tuple[str, ...]:
    left = one.jobs - one.there
    return (
        one.stage,
        one.rung,
        f"{one.jobs:,}",
        f"{one.there:,}",
        f"{one.hours:,.2f}" if left else "",
        duration(one.seconds / left) if left and one.stage != "all" else "",
        f"{one.memory / GIB:,.1f}" if left else "",
        size(one.disk) if left else "",
    )


def duration(seconds: float) -> str:
    """In words: 3 s, 12 min, 5.2 h."""
    if seconds < 90:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def size(count: float) -> str:
    """Bytes in words."""
    for unit, one in (("GB", 1e9), ("MB", 1e6)):
        if count >= one:
            return f"{count / one:,.1f} {unit}"
    return f"{count / 1e3:,.0f} kB"
