"""A run as a folder in the hub's layout: its files, and a model card that says what it is.

Nothing that names this machine is published: of the run's parents go their stage, key and spec, not their records.
"""

from __future__ import annotations

import math
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from w2s.analysis.pgr import pgr
from w2s.engine import artifacts
from w2s.engine.space import room_for
from w2s.engine.tracking import HISTORY, names_of
from w2s.errors import UserError
from w2s.nlp.tasks import TASKS
from w2s.report.rendering import render

PREDICTIONS = "predictions.parquet"
SOURCES = ("rows", "puzzles", "images")  # the keys of a spec that say where its examples come from
INVENTED = ("world", "endgames", "digits")  # sources that stand in for real data
APART = ("half", "objective", "method", "selected", "part", "predicts")  # in which a ceiling's spec may differ


@dataclass(frozen=True)
class Finished:
    """A finished training run on disk. record: its manifest; names: setting, task, rung, labels, method, seed."""

    folder: Path
    record: Mapping[str, Any]
    names: Mapping[str, Any]

    @property
    def root(self) -> Path:
        """The folder results/."""
        return self.folder.parents[5]

    @property
    def accuracy(self) -> float:
        """On the test set."""
        return float(self.record["measured"]["test_accuracy"])

    @cached_property
    def parents(self) -> dict[str, Mapping[str, Any]]:
        """Role -> record of those parents that are on this disk, whole."""
        found: dict[str, Mapping[str, Any]] = {}
        places = (self.root / "models", self.root / self.names["setting"] / self.names["task"])
        for role, key in self.record["parents"].items():
            for folder in (path for place in places for path in place.rglob(f"*-{key}")):
                if artifacts.is_complete(folder, key):
                    found[role] = artifacts.read(folder)
        return found

    @cached_property
    def examples(self) -> int:
        """Of the test set."""
        parts: list[str] = artifacts.read_table(self.folder / PREDICTIONS).column("part").to_pylist()
        return parts.count("test")

    @property
    def interval(self) -> tuple[float, float]:
        """(low, high) of the accuracy: Wilson's 95% interval, over draws of the test examples."""
        from scipy.stats import binomtest

        right = round(self.accuracy * self.examples)
        low, high = binomtest(right, self.examples).proportion_ci(0.95, method="wilson")
        return float(low), float(high)

    @property
    def supervisor(self) -> float:
        """Its supervisor's accuracy; NaN for a run on ground truth, and where it is not known."""
        if "labels" not in self.record["parents"]:
            return math.nan
        of_labels = self.parents.get("labels", {}).get("measured", {})
        return float(self.record["measured"].get("label_accuracy", of_labels.get("test_accuracy", math.nan)))

    @property
    def ceiling(self) -> float:
        """The accuracy of the same training on ground truth; NaN unless exactly one such run is on this disk."""
        if "labels" not in self.record["parents"]:
            return math.nan
        wanted = {role: key for role, key in self.record["parents"].items() if role != "labels"}
        place = self.folder.parents[2] / "truth"
        found = []
        for folder in sorted(place.glob(f"*/s{self.names['seed']}-*")):
            other = artifacts.read(folder)
            if other["parents"] == wanted and _comparable(other["spec"]) == _comparable(self.record["spec"]):
                found.append(float(other["measured"]["test_accuracy"]))
        return found[0] if len(found) == 1 else math.nan


def _comparable(spec: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in spec.items() if name not in APART}


def read(path: Path) -> Finished:
    """The run at a path, its folder or a file in it, every file checked. UserError if it is none, or not whole."""
    folder = (path if path.is_dir() else path.parent).absolute()
    record = artifacts.read(folder)
    names = names_of(folder, record["key"])
    if "setting" not in names or not {PREDICTIONS, HISTORY} <= set(record["files"]):
        raise UserError(f"{path}: not a training run; expected results/<setting>/<task>/<rung>/<labels>/<method>/...")
    return Finished(folder, record, names)


def write(run: Finished, folder: Path, repository: str) -> None:
    """Fill a folder with the run's files and its card. UserError if there is something in it already."""
    content = card(run, repository)
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise UserError(f"{folder}: not empty; name a folder that is not there yet")
    parents = {
        role: {name: record[name] for name in ("stage", "version", "key", "spec", "parents")}
        for role, record in run.parents.items()
    }
    files = {folder / file.name: file for file in run.folder.iterdir()}
    with artifacts.all_or_none([*files, folder / "parents.json", folder / "README.md"]):
        for target, file in files.items():
            with room_for(target, file.stat().st_size):
                shutil.copyfile(file, target)
        artifacts.write_json(folder / "parents.json", parents)
        artifacts.write_whole(folder / "README.md", content.encode())


def card(run: Finished, repository: str) -> str:
    """The model card: metadata in YAML, as the hub reads it, and text."""
    data = _source(run.parents.get("data") or run.parents.get("images", {}))
    model = _source(run.parents.get("model", {}))
    task = TASKS.get(run.names["task"]) if run.names["setting"] == "nlp" else None
    low, high = run.interval
    values = {"weak": run.supervisor, "ceiling": run.ceiling}
    recovered = pgr(values["weak"], run.accuracy, values["ceiling"])
    return render(
        "card.md.j2",
        metadata=_metadata(run, repository, data, model, recovered),
        run=run,
        names=run.names,
        record=run.record,
        training=run.record["spec"].get("training", {}),
        task=task,
        data=data,
        model=model,
        invented=next((kind for kind in INVENTED if kind in data), None),
        low=low,
        high=high,
        recovered=recovered,
        **values,
    )


def _source(record: Mapping[str, Any]) -> Mapping[str, Any]:
    """Where a parent's examples or weights come from, as its spec has it; nothing for what was made here."""
    spec = record.get("spec", {})
    found: Any = next((spec[name] for name in (*SOURCES, "source") if name in spec), {})
    return found if isinstance(found, Mapping) else {}


def _metadata(
    run: Finished, repository: str, data: Mapping[str, Any], model: Mapping[str, Any], recovered: float
) -> str:
    from huggingface_hub import EvalResult, ModelCardData

    title = f"{run.names['setting']}/{run.names['task']}"
    dataset: dict[str, Any] = {"dataset_type": data.get("hub", title), "dataset_name": title, "dataset_split": "test"}
    results = [EvalResult("text-classification", metric_type="accuracy", metric_value=run.accuracy, **dataset)]
    if math.isfinite(recovered):
        gap: dict[str, Any] = {"metric_type": "pgr", "metric_name": "performance gap recovered"}
        results.append(EvalResult("text-classification", metric_value=recovered, **gap, **dataset))
    content = ModelCardData(
        license="other",
        license_name="see-data-and-base-model",
        base_model=model.get("hub"),
        datasets=[data["hub"]] if "hub" in data else None,
        tags=["weak-to-strong", "w2s", run.names["setting"], run.names["method"], "arxiv:2312.09390"],
        metrics=["accuracy"],
        model_name=repository.rpartition("/")[2],
        eval_results=results,
    )
    return str(content.to_yaml())
