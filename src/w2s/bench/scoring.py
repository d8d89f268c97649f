"""The scorer: prepares what a method gets, runs it, and puts the truth, which it never gets, beside its predictions."""

from __future__ import annotations

import json
import math
import os
import resource
import shutil
import stat
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from w2s.analysis.results import Predictions, Stored
from w2s.bench.protocol import Compared
from w2s.bench.sandbox import Process
from w2s.errors import UserError
from w2s.graph import lock
from w2s.graph.artifact import Artifact
from w2s.graph.stage import MANIFESTS
from w2s.models.base import directory_of
from w2s.nlp.specs import FinetuneSpec
from w2s.training.specs import Training

ENTRY = "w2s.bench.sealed"
BYTES = 64  # at most, of a prediction in a file
# Settings of NLP training that methods are told of, or need not be, beside those that all training has.
TOLD = ("answers", "batches", "evaluation_examples")
PARTS = ("strong", "validation")  # with weak labels; the test part has texts alone


@dataclass(frozen=True)
class Submission:
    """A method's file, and where it runs. root: the checkout; work: an empty folder; log: of the method's output."""

    method: Path
    root: Path
    work: Path
    sealed: bool
    cores: int = 1


def predictions(submission: Submission, cells: Sequence[Compared], log: Path) -> tuple[list[list[float]], float]:
    """((cells,) of predictions for each test example, CPU seconds). UserError, in one line, where the method fails.

    A pair and seed has a process of its own, so that no method sees the labels of stronger supervisors than its own, or
    of other draws of the data.
    """
    groups: dict[tuple[str, int], list[int]] = {}
    for number, cell in enumerate(cells):
        groups.setdefault((cell.weak.rung, cell.seed), []).append(number)
    common = _common(submission, cells)
    found: dict[int, list[float]] = {}
    stop = threading.Event()

    def run(place: int, numbers: list[int]) -> None:
        found.update(_run(submission, common, place, {number: cells[number] for number in numbers}, log, stop))

    before = _cpu_seconds()
    with ThreadPoolExecutor(max(1, submission.cores)) as pool:
        runs = [pool.submit(run, place, numbers) for place, numbers in enumerate(groups.values())]
        try:
            for ended in as_completed(runs):
                ended.result()
        except BaseException:
            stop.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return [found[number] for number in range(len(cells))], _cpu_seconds() - before


def _cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _common(submission: Submission, cells: Sequence[Compared]) -> Path:
    """What all processes of a submission get: the method, base models, and the modules that training needs."""
    folder = submission.work / "common"
    folder.mkdir()
    shutil.copyfile(submission.method, folder / "method.py")
    for cell in cells:
        if not (folder / "models" / cell.student).is_dir():
            _copy_model(submission.root, cell.model, folder / "models" / cell.student)
    for module in lock.closure(ENTRY):
        source = lock.file_of(module)
        assert source is not None
        place = folder / "package" / source.relative_to(lock.PACKAGE.parent)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, place)
    for package in (folder / "package").rglob("*"):
        if package.is_dir() and package.name != "package":
            (package / "__init__.py").touch()  # of a package whose own one imports more
    return folder


def _copy_model(root: Path, model: Artifact, place: Path) -> None:
    """A base model's files, without its record: that names the world that it was pretrained on."""
    with _in(root):
        source = directory_of(Path(model.path)).resolve()
    place.mkdir(parents=True)
    for path in source.iterdir():
        if path.is_file() and path.name not in MANIFESTS:
            shutil.copyfile(path, place / path.name)


@contextmanager
def _in(folder: Path) -> Iterator[None]:
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def _run(
    submission: Submission, common: Path, place: int, cells: dict[int, Compared], log: Path, stop: threading.Event
) -> dict[int, list[float]]:
    """One process: a folder with the cells' texts and weak labels, and what it predicts."""
    work = submission.work / str(place)
    folder, out = work / "folder", work / "out"
    shutil.copytree(common, folder, copy_function=_linked)
    (folder / "cells").mkdir()
    out.mkdir()
    stored = Stored(submission.root)
    sizes = {}
    for number, cell in cells.items():
        told = told_of(cell, stored)
        sizes[number] = len(told["texts"]["test"])
        (folder / "cells" / f"{number:03}.json").write_text(json.dumps(told), encoding="utf-8")
    process = process_of(submission, folder, out)
    output = log.with_name(f"{log.stem}-{place}{log.suffix}")
    status = process.run(output, sealed=submission.sealed, stop=stop)
    if status != 0:
        said = output.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        last = said[-1] if said else f"ended with status {status}"
        raise UserError(f"{submission.method}: {last} (all of it: {output})")
    return {number: read(out / f"{number:03}.json", size) for number, size in sizes.items()}


def process_of(submission: Submission, folder: Path, out: Path) -> Process:
    """The method's process. folder: all that it gets; out: an empty folder for its predictions."""
    return Process(
        ["-m", ENTRY, "{folder}", "{out}"],
        folder,
        out,
        {"PYTHONPATH": "{folder}/package", "PYTHONDONTWRITEBYTECODE": "1", "W2S_DEVICE": "cpu", "W2S_THREADS": "1"},
        hidden=[lock.PACKAGE, *(submission.root / name for name in ("results", "data", "work"))],
    )


def _linked(source: str, place: str) -> None:
    """The same file under another name, in what only the scorer writes."""
    os.link(source, place)


def told_of(cell: Compared, stored: Stored) -> dict[str, Any]:
    """All that a method is told of a cell, as JSON: no truth, no ids, nothing of the world's seed.

    Examples come in the order of their ids, which are hashes of texts.
    """
    spec = FinetuneSpec.from_spec(cell.baselines["naive"].spec)
    _refuse_what_is_not_told(spec)
    examples = stored.examples(cell.data)
    parts: dict[str, list[int]] = {}
    for number, part in enumerate(examples["part"]):
        parts.setdefault(part, []).append(number)
    labels: dict[str, dict[str, list[float]]] = {part: {} for part in PARTS}
    for run in cell.supervisors:
        said = stored.predictions(run)
        weak = dict(zip(said["id"], said["probability"], strict=True))
        for part in PARTS:
            labels[part][run.rung] = [weak[examples["id"][number]] for number in parts[part]]
    return {
        "cell": {
            "task": cell.task,
            "supervisor": cell.weak.rung,
            "student": cell.student,
            "seed": cell.seed,
            "supervisors": [run.rung for run in cell.supervisors],
            "answers": list(spec.training.answers),
            "learning_rate": spec.learning_rate,
            "training": spec.training.model_dump(include=set(Training.model_fields)),
            "early_stopping": spec.selected == "validation",
            "precision": spec.precision,
            "adapters": spec.adapters.model_dump() if spec.adapters else None,
            "by_length": spec.training.batches == "by_length",
        },
        "texts": {part: [examples["text"][number] for number in parts[part]] for part in (*PARTS, "test")},
        "labels": labels,
    }


def _refuse_what_is_not_told(spec: FinetuneSpec) -> None:
    """UserError for a setting of naive finetuning that methods would not train with: their gain would be its effect."""
    known = {"objective", "half", "learning_rate", "selected", "seed", "precision", "adapters", "training"}
    known |= {f"training.{name}" for name in (*Training.model_fields, *TOLD)}
    told = spec.model_dump(exclude_defaults=True)
    unknown = sorted({*told, *(f"training.{name}" for name in told["training"])} - known)
    if unknown:
        raise UserError(
            f"the bench does not know {unknown[0]}, which naive students of this experiment are trained with"
        )


def read(path: Path, count: int) -> list[float]:
    """A method's predictions: (count,) probabilities. UserError for a file that is anything else, such as a link."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        raise UserError(f"{path.name}: the method left no predictions ({error.strerror})") from None
    with os.fdopen(handle, "rb") as file:
        about = os.fstat(file.fileno())
        if not stat.S_ISREG(about.st_mode) or about.st_size > BYTES * (count + 1):
            raise UserError(f"{path.name}: expected a file of {count} predictions")
        try:
            values = json.loads(file.read())
        except ValueError:
            values = None
    numbers = isinstance(values, list) and all(type(value) in (int, float) for value in values)
    if not numbers or len(values) != count or not all(math.isfinite(value) and 0 <= value <= 1 for value in values):
        raise UserError(f"{path.name}: expected {count} predictions, numbers from 0 to 1")
    return [float(value) for value in values]


def judged(cell: Compared, predicted: Sequence[float], stored: Stored) -> Predictions:
    """Predictions for the test part beside the truth, as those of a run."""
    examples = stored.examples(cell.data)
    rows = [number for number, part in enumerate(examples["part"]) if part == "test"]
    return {
        "id": [examples["id"][number] for number in rows],
        "part": ["test"] * len(rows),
        "truth": [examples["label"][number] for number in rows],
        "probability": list(predicted),
    }
