"""What figures will cost before anything is made: jobs, hours, memory and disk, learned from what was made before.

A job's time is that of the finished jobs most like it (same stage, same kind of device), scaled by its floating-point
operations; where a device has made nothing yet, an assumed share of its peak speed. Pure and light, as the plan.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from statistics import median
from typing import Any

from w2s.engine.artifacts import written
from w2s.errors import UserError, allowed
from w2s.experiments.settings import STAGES
from w2s.graph.artifact import Artifact
from w2s.graph.stage import MANIFESTS
from w2s.nlp.difficulty.config import PROMPT
from w2s.nlp.difficulty.judge import ROOM
from w2s.nlp.difficulty.subsets import HALVES

NEAREST = 7  # finished jobs whose median decides
STARTING = 0.5  # seconds of a job that are not work, in a process that is warm (``w2s.engine.warm``)
TOKENS = {"nlp": 120, "chess": 60}  # of an example, where no run has read its task yet
TOKENS_OTHERWISE = 300
INVENTED = {"world": (25, 300), "endgames": (9, 1_500)}  # (tokens of an example, examples of a half) of smoke's data
TRAINING_BYTES = 16  # a parameter: weight, gradient and AdamW's two moments, all float32
TRAINING = 6  # FLOP a parameter and token of training
READING = 2  # where a model only reads
WITH_ADAPTERS = 4  # where base weights are frozen: they need no gradient of their own
READERS = ("prompt", "features", "judge")  # stages that only read with a model
SMALL = 1e9  # parameters below which a GPU is not filled: its assumed speed falls with their square root
GIB = 2.0**30
MIB = 2.0**20
REMEMBERED = Path(".snakemake/w2s-measured.json")  # what manifests say, so that they are read once
FORMAT = 3  # of that file
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
class Foreseen:
    """What a job's record says was expected of it, before it ran, on a device."""

    seconds: float
    memory: float
    device: str


@dataclass(frozen=True)
class Finished:
    """One finished job, as its manifest tells."""

    key: str
    stage: str
    where: str  # setting and task of its path
    device: str
    parameters: float
    flop: float
    seconds: float
    tokens: float  # of an example, all epochs' passes as one; 0 where it trained on none
    host: float  # peak memory of the process, in bytes
    gpu: float  # peak of a GPU; 0 without one
    data: str = ""  # key of the data that it worked on
    model: str = ""  # key of its base model
    texts: float = 0.0  # that a model was prompted with, examples in prompts among them
    again: bool = False  # whether it trained a finished run's network once more
    kind: str = ""  # of data: what sort of text it holds
    processes: int = 1  # that shared it, a GPU each
    foreseen: Foreseen | None = None

    @property
    def memory(self) -> float:
        """Of what is scarcer: the GPU where there is one."""
        return self.gpu or self.host

    @property
    def share(self) -> float:
        """FLOP of each of its processes."""
        return self.flop / self.processes


@dataclass(frozen=True)
class Estimate:
    """One job to be done.

    seconds: by the clock. memory: peak of host or of one GPU, host: of the host alone, disk: what it leaves, all in
    bytes; gpus: that share the work.
    """

    artifact: Artifact
    flop: float
    seconds: float
    memory: float
    host: float
    disk: float
    gpus: int = 1


@dataclass
class Past:
    """Everything that was measured, by stage."""

    jobs: dict[str, list[Finished]] = field(default_factory=dict)
    kinds: dict[str, str] = field(default_factory=dict)  # key of data -> what kind of text it holds
    _kinds: dict[str, str] = field(default_factory=dict)  # the same of data that is asked for

    def device(self) -> str | None:
        """Where most of the time went; None if nothing was made yet."""
        spent: dict[str, float] = {}
        for job in (job for jobs in self.jobs.values() for job in jobs if job.device):
            spent[job.device] = spent.get(job.device, 0.0) + job.seconds
        return max(spent, key=lambda device: spent[device]) if spent else None

    def tokens_of_an_example(self, run: Artifact) -> float:
        """Measured on data of the same kind (a task from the same source), or else assumed."""
        data = run.parents["data"]
        if data.key not in self._kinds:
            self._kinds[data.key] = kind_of(data.name, data.spec)
        invented = _invented(data)
        otherwise = invented[0] if invented else TOKENS.get(run.name.split("/")[0], TOKENS_OTHERWISE)
        return self.tokens_of(self._kinds[data.key], otherwise)

    def tokens_of(self, kind: str, otherwise: float) -> float:
        """Measured on data of a kind."""
        return self._tokens.get(kind, otherwise)

    @cached_property
    def _tokens(self) -> dict[str, float]:
        """Kind of data -> the median tokens of an example."""
        found: dict[str, list[float]] = {}
        for job in (job for jobs in self.jobs.values() for job in jobs):
            if job.tokens and job.data in self.kinds:
                found.setdefault(self.kinds[job.data], []).append(job.tokens)
        return {kind: median(tokens) for kind, tokens in found.items()}

    def on(self, wanted: str) -> str | None:
        """The device of past jobs whose name says that it is of a kind (``h100``)."""
        known = sorted({job.device for jobs in self.jobs.values() for job in jobs if job.device})
        kind = re.compile(rf"(?<![a-z0-9]){re.escape(wanted)}(?![a-z0-9])")
        return next((device for device in known if kind.search(device.lower().replace("rtx ", "rtx"))), None)


def _invented(data: Artifact) -> tuple[int, int] | None:
    """What is known of data that the package makes up itself."""
    sources = {key for value in data.spec.values() if isinstance(value, Mapping) for key in value}
    return next((known for name, known in INVENTED.items() if name in sources), None)


def kind_of(name: str, spec: Mapping[str, Any]) -> str:
    """What decides how long data's texts are: setting and task, how they are written, and what rows they come from."""
    sources = sorted(str(key) for value in spec.values() if isinstance(value, Mapping) for key in value)
    return " ".join([*name.split("/")[:2], str(spec.get("notation", "")), *sources])


def past(root: Path, remembered: Path | None = None, *, look: bool = True) -> Past:
    """What the manifests under ``root`` (results/) have measured; those that cannot be read are left out.

    remembered: a file that keeps it, so that each is read once. look: whether there may be newer ones.
    """
    known = _remembered(remembered) if remembered else {}
    jobs = dict(known)
    if look:
        jobs = {}
        for path in _manifests(root):
            name = str(path.relative_to(root))
            with contextlib.suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
                jobs[name] = known.get(name) or _finished(json.loads(path.read_text(encoding="utf-8")), Path(name))
        if remembered and jobs.keys() != known.keys():
            _remember(remembered, jobs)
    return _together(jobs.values())


def _manifests(root: Path) -> Iterator[Path]:
    """Of every artifact, without a look into other folders of it; those in the making are left out."""
    names = set(MANIFESTS)
    for folder, folders, files in os.walk(root):
        if KEYED.search(folder):
            folders.clear()
            if not os.path.basename(folder).startswith("."):
                yield from (Path(folder, file) for file in names.intersection(files))
        folders.sort()


KEYED = re.compile(r"-[0-9a-f]{10}$")


def _remembered(path: Path) -> dict[str, Finished]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["format"] != FORMAT:
            return {}
        return {name: _from_json(job) for name, job in content["jobs"].items()}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def _from_json(job: dict[str, Any]) -> Finished:
    foreseen = job.pop("foreseen")
    return Finished(**job, foreseen=Foreseen(**foreseen) if foreseen else None)


def _remember(path: Path, jobs: Mapping[str, Finished]) -> None:
    """Nothing is lost where it cannot be written."""
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        with written(path) as file:
            json.dump({"format": FORMAT, "jobs": {name: asdict(job) for name, job in jobs.items()}}, file)


def _together(jobs: Iterable[Finished]) -> Past:
    """By stage; a job that did not say how large its model is, or how much it computed, learns it from the others."""
    found = Past()
    for job in jobs:
        found.jobs.setdefault(job.stage, []).append(job)
        if job.kind:
            found.kinds[job.key] = job.kind
    sizes = {job.key: job.parameters for stage in ("pretrain", "open", "writing") for job in found.jobs.get(stage, [])}
    for stage, several in found.jobs.items():
        found.jobs[stage] = [_completed(job, sizes.get(job.model, 0.0), found) for job in several]
    return found


def _completed(job: Finished, parameters: float, past: Past) -> Finished:
    if job.parameters or not parameters:
        return job
    tokens = past.tokens_of(past.kinds.get(job.data, ""), TOKENS["nlp"])
    return replace(job, parameters=parameters, flop=job.flop or READING * parameters * job.texts * tokens)


def _finished(record: Mapping[str, Any], path: Path) -> Finished:
    measured, spec, stage = record["measured"], record["spec"], record["stage"]
    flop, tokens = float(measured.get("flop", 0)), float(measured.get("tokens", 0))
    passes = float(spec.get("training", {}).get("epochs", 0)) * float(measured.get("examples", 0))
    parameters = float(measured.get("parameters", 0))
    if tokens:
        parameters = flop / (READING if stage in READERS else TRAINING) / tokens
    if "adapters" in spec and stage not in READERS:  # records count as if all weights were trained
        flop *= WITH_ADAPTERS / TRAINING
    estimated = record["made_with"].get("estimated")
    where = "/".join(path.parts[:2])
    return Finished(
        key=record["key"],
        stage=stage,
        where=where,
        device=str(measured.get("device", "")),
        parameters=parameters,
        flop=flop,
        seconds=float(measured["seconds"]),
        tokens=tokens / passes if passes else 0.0,
        host=float(record["made_with"].get("peak_memory_mib", 0)) * MIB,
        gpu=float(measured.get("peak_gpu_memory_mib", 0)) * MIB,
        data=str(record["parents"].get("data", "")),
        model=str(record["parents"].get("model", "")),
        texts=sum(measured.get("questions_by_shots", {}).values()) * (1.0 + float(spec.get("shots") or 0)),
        again="run" in record["parents"],
        processes=int(measured.get("processes", 1)),
        kind=kind_of(where, spec) if path.parent.name.startswith("data-") else "",
        foreseen=Foreseen(estimated["seconds"], estimated["memory_mib"] * MIB, estimated["device"])
        if estimated
        else None,
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
        self._seconds: dict[tuple[object, ...], float] = {}
        self._likes: dict[tuple[str, bool, bool], list[Finished]] = {}

    @property
    def is_gpu(self) -> bool:
        """Whether hours on it are GPU hours."""
        return ASSUMED[self.device][1] if self.device in ASSUMED else self.device != "cpu"

    def estimate(self, artifact: Artifact, *, without: str = "") -> Estimate:
        """What making an artifact takes, its parents given. without: the key of a finished job that is left out."""
        parameters, flop = self._work(artifact)
        like = self._like(artifact, computes=bool(flop))
        if without:
            like = [job for job in like if job.key != without]
        gpus = int(artifact.environment.get("gpus", 1))
        share = flop / gpus
        work = (artifact.stage.id, parameters, share, "run" in artifact.parents, without)
        if work not in self._seconds:
            self._seconds[work] = self._from_like(like, parameters, share) if like else self._assumed(parameters, share)
        memory, host = self._memory(artifact, like, parameters, gpus)
        return Estimate(artifact, flop, self._seconds[work], memory, host, _disk(artifact, parameters), gpus)

    def _like(self, artifact: Artifact, *, computes: bool) -> list[Finished]:
        """Finished jobs of the stage; on the same device, where that decides how long they take."""
        kind = (artifact.stage.id, "run" in artifact.parents, computes)
        if kind not in self._likes:
            jobs = [job for job in self.past.jobs.get(artifact.stage.id, []) if job.again == kind[1]]
            self._likes[kind] = [job for job in jobs if not computes or job.device == self.device]
        return self._likes[kind]

    def _work(self, artifact: Artifact) -> tuple[float, float]:
        """(parameters, FLOP); zeros for what computes with no model."""
        training = artifact.spec.get("training")
        if "shape" in artifact.spec:
            parameters = parameters_of(artifact)
            return parameters, TRAINING * parameters * float(artifact.spec["tokens"])
        parameters = parameters_of(artifact.parents["model"]) if "model" in artifact.parents else 0.0
        if not parameters or "data" not in artifact.parents:
            return parameters, 0.0
        if artifact.stage.id in ("prompt", "features"):
            shots = artifact.spec.get("draws", 1) * (1 + artifact.spec.get("shots", 0))
            every = ("weak", "strong", "validation", "test")
            parts = artifact.spec.get("predicts", ("test",)) if artifact.stage.id == "prompt" else every
            texts = shots * sum(examples_of(artifact, part) for part in parts)
            return parameters, READING * parameters * texts * self.past.tokens_of_an_example(artifact)
        if artifact.stage.id == "judge":
            texts, long = self._judged(artifact)
            return parameters, READING * parameters * texts * long
        if not isinstance(training, Mapping):
            return parameters, 0.0
        parts = HALVES if artifact.stage.id == "writing" else (None,)
        passes = float(training.get("epochs", 0)) * sum(examples_of(artifact, part) for part in parts)
        each = WITH_ADAPTERS if "adapters" in artifact.spec else TRAINING
        return parameters, each * parameters * passes * self.past.tokens_of_an_example(artifact)

    def _judged(self, artifact: Artifact) -> tuple[float, float]:
        """(texts that a judge reads, tokens of one): every question, or every pair of them in both orders."""
        questions, long = sum(examples_of(artifact, part) for part in HALVES), self.past.tokens_of_an_example(artifact)
        if artifact.spec["by"] != PROMPT:
            return questions, long
        return questions * float(artifact.spec["rounds"]), 2 * long + ROOM

    def _from_like(self, like: Sequence[Finished], parameters: float, flop: float) -> float:
        """Seconds. flop: of each GPU, as shares are."""
        if not flop:
            return median(job.seconds for job in like)
        like = [job for job in like if job.flop and job.parameters]
        if not like:
            return self._assumed(parameters, flop)

        def distance(job: Finished) -> float:
            return abs(math.log(job.parameters / parameters)) + abs(math.log(job.share / flop)) / 2

        nearest = sorted(like, key=distance)[:NEAREST]
        return float(median(job.seconds * (flop / job.share) ** _growth(job.share, flop) for job in nearest))

    def _assumed(self, parameters: float, flop: float) -> float:
        speed, gpu = ASSUMED.get(self.device, ASSUMED["cpu"])
        filled = min(1.0, math.sqrt(max(parameters, 1.0) / SMALL)) if gpu else 1.0
        return STARTING + flop / (speed * filled)

    def _memory(
        self, artifact: Artifact, like: Sequence[Finished], parameters: float, gpus: int
    ) -> tuple[float, float]:
        """(peak of host or of each GPU, of the host): weights, and in training gradients and the optimiser.

        A pass's activations are small beside those of a large model. Beside a GPU the host holds the weights once.
        """
        small = [job for job in like if job.parameters <= 2 * parameters]
        frozen = 2 if artifact.spec.get("precision") == "bfloat16" and "adapters" in artifact.spec else 4
        trained = artifact.stage.id not in (*READERS, "open") and "adapters" not in artifact.spec
        beside = 8 if artifact.stage.id == "writing" else 4 if trained else frozen  # it is read once more to be written
        memory = max(
            max((job.memory for job in small), default=GIB / 2),
            (TRAINING_BYTES if trained else frozen) * parameters / (gpus if self.is_gpu else 1) * 1.2,
        )
        if not self.is_gpu:
            return memory, memory
        return memory, max(max((job.host for job in small), default=GIB), beside * parameters * 1.2)


def _growth(known: float, asked: float) -> float:
    """How time grows with work: in proportion for larger jobs; a smaller one saves less than that."""
    return 1.0 if asked >= known else 0.8


def parameters_of(model: Artifact) -> float:
    """All weights of a base model's artifact, from its spec or what an open rung declares; 0 where neither says."""
    if "model" in model.parents:  # a base model that was finetuned further
        return parameters_of(model.parents["model"])
    if "parameters" in model.environment:
        return float(model.environment["parameters"])
    if "shape" not in model.spec:  # a vision network
        return 0.0
    shape = model.spec["shape"]
    width, layers = shape["width"], shape["layers"]
    layer = 4 * width**2 + 3 * width * shape["intermediate"] + 2 * width
    vocabulary = model.parents["corpus"].spec["vocabulary"]
    return float(vocabulary * width + layers * layer + width)


def examples_of(run: Artifact, part: str | None = None) -> float:
    """How many examples a run trains on, or a part has: counted in its built data, or else as its sizes say."""
    part = part or run.spec.get("part") or run.spec.get("half") or "weak"
    data = run.parents.get("data")
    if data is None:
        return 0.0
    if (found := _counted(data.manifest, part)) is not None:
        return found
    sizes = data.spec.get("sizes", {})
    if isinstance(sizes.get(part), int):
        return float(sizes[part])
    if part in data.spec.get("subsets", {}):
        return float(data.spec["subsets"][part])
    invented = _invented(data)
    half = float(sizes["train"]) / 2 if isinstance(sizes.get("train"), int) else None
    half = half or float(invented[1] if invented else UNKNOWN_EXAMPLES)
    return half * float(sizes.get("validation_share", 0)) if part == "validation" else half


UNKNOWN_EXAMPLES = 10_000  # of a half, where a data set has not been read yet and its config sets no limit
_counts: dict[str, Mapping[str, Any]] = {}  # of built data, by manifest


def _counted(manifest: str, part: str) -> float | None:
    path = os.path.abspath(manifest)
    try:
        if path not in _counts:
            _counts[path] = json.loads(Path(path).read_text(encoding="utf-8"))["measured"]["counts"]["parts"]
        count = _counts[path][part]
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
        kind = (artifact.stage.id, _rung_of(artifact))
        kinds.setdefault(kind, []).append((artifact, None if there else model.estimate(artifact)))
    order = {stage.id: place for place, stage in enumerate(STAGES.values())}
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
    return parameters_of(model) if model.stage.id in ("pretrain", "open") or "model" in model.parents else 0.0


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
    basis = (
        f"times on {model.device!r} as measured by {sum(map(len, model.past.jobs.values())):,} finished jobs"
        if model.learned
        else f"nothing was made on {model.device!r} yet: times assume {ASSUMED[model.device][0]:.2g} FLOP/s"
    )
    return _aligned(title, header, [_row(one) for one in [*sums, whole]], words=2) + f"\n({basis})"


def _aligned(title: str, header: Sequence[str], rows: Sequence[Sequence[str]], *, words: int) -> str:
    """A table for a terminal, its last row apart; so many columns of words come first."""
    widths = [max(len(row[column]) for row in [header, *rows]) for column in range(len(header))]

    def line(cells: Sequence[str]) -> str:
        left = [cell.ljust(width) for cell, width in zip(cells[:words], widths[:words], strict=True)]
        right = [cell.rjust(width) for cell, width in zip(cells[words:], widths[words:], strict=True)]
        return "  ".join(left + right).rstrip()

    rule = "-" * len(line(header))
    return "\n".join([title, line(header), rule, *map(line, rows[:-1]), rule, line(rows[-1])])


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


# -- how good estimates were --------------------------------------------------------------------------------


def check(artifacts: Iterable[Artifact], past: Past, device: str | None = None) -> str:
    """By stage: how many finished jobs took between half and twice what was estimated, in time and in memory.

    As recorded: by the estimate of the call that made them, before it ran, of those made on the device it was for.
    From others: by what all other finished jobs say today.
    """
    model = Model(past, device)
    by_key = {job.key: job for jobs in past.jobs.values() for job in jobs}
    rows: dict[str, list[tuple[float | None, float | None, float, float]]] = {}
    for artifact in artifacts:
        job = by_key.get(artifact.key)
        if job is None or job.device not in ("", model.device):
            continue
        before, today = job.foreseen, model.estimate(artifact, without=job.key)
        recorded: tuple[float, float] | tuple[None, None] = (None, None)
        if before and before.device == model.device:
            recorded = (_ratio(job.seconds, before.seconds), _ratio(job.memory, before.memory))
        others = (_ratio(job.seconds, today.seconds), _ratio(job.memory, today.memory))
        rows.setdefault(job.stage, []).append((*recorded, *others))
    if not rows:
        raise UserError(f"no job of these figures is finished on {model.device!r}: nothing to compare with")
    header = ["stage", "jobs", "recorded", "time", "memory", "from others: time", "median", "memory"]
    order = {stage.id: place for place, stage in enumerate(STAGES.values())}
    named = sorted(rows.items(), key=lambda one: order[one[0]])
    lines = [_checked(stage, ratios) for stage, ratios in named]
    lines.append(_checked("all", [one for ratios in rows.values() for one in ratios]))
    title = f"within a factor of two of the estimate, on {model.device!r}; median: of measured / estimated"
    return _aligned(title, header, lines, words=1)


def _ratio(measured: float, estimated: float) -> float:
    return measured / estimated if estimated else math.inf


def _checked(stage: str, ratios: Sequence[tuple[float | None, float | None, float, float]]) -> list[str]:
    columns = [[one for one in column if one is not None] for column in zip(*ratios, strict=True)]
    shares = [f"{sum(0.5 <= one <= 2 for one in column) / len(column):.0%}" if column else "" for column in columns]
    middle = f"{median(columns[2]):.2f}"
    return [stage, f"{len(ratios):,}", f"{len(columns[0]):,}", *shares[:3], middle, shares[3]]


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
