"""The features stage: what a two-way head would read of every text (Section 5.2.3, Appendix D.2), computed once.

Features are the hidden state of the last token behind the last norm, before the unembedding: of a base model, or of
a finetuned run at its selected step. A run's weights are not kept, so its features come of finetuning it again, from
the spec in its record: the same bits on a CPU. Its own artifact stays as it is.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from w2s.engine import artifacts
from w2s.engine import distributed
from w2s.engine.devices import described, device, peak_of
from w2s.engine.memory import Budget, budget_of
from w2s.errors import DivergedError, UserError
from w2s.graph.artifact import Identity
from w2s.models import classifier
from w2s.models.base import directory_of
from w2s.models.classifier import Classifier, Computing
from w2s.nlp import finetune
from w2s.training.batching import Texts, joined, shape_for
from w2s.training.loop import EVALUATION, read

ANY = ("0", "1")  # answers to make a head of that is thrown away
FILE, EXAMPLES = "features.npy", "examples.parquet"


@dataclass(frozen=True)
class Seen:
    """One part of the data as a model sees it. values: (n, width) float32; truth: (n,) 0 or 1."""

    ids: list[str]
    values: np.ndarray[Any, np.dtype[np.float32]]
    truth: np.ndarray[Any, np.dtype[np.int64]]

    def __len__(self) -> int:
        return len(self.ids)


def make(
    build: artifacts.Build,
    data: Path,
    model: Path,
    run: Path | None = None,
    labels: Path | None = None,
    environment: Mapping[str, Any] | None = None,
) -> None:
    """Write ``features.npy`` and ``examples.parquet``, row by row the same examples.

    run: a finetuned run of this model on these data, or None for the base model; labels: what that run was trained
    on, if not the truth. environment: what the rung needs of the machine, without effect on numbers.
    """
    environment = environment or {}
    spec = build.identity.spec
    where, base = device(), directory_of(model)
    if run is None:
        torch.manual_seed(0)  # where adapters start: they change nothing until they are trained
        computing = Computing(spec.get("precision", "float32"), spec.get("adapters"))
        network = distributed.load_on(lambda: classifier.load(base, ANY, computing), where)
    else:
        network = again(build, data, model, run, labels, environment)
    parts = finetune.encoded(data, base, spec["max_length"])
    texts = joined([part.texts for part in parts.values()])
    budget = budget_of(where)
    values = last_states(network, texts, budget)
    np.save(build.folder / FILE, values, allow_pickle=False)
    columns: dict[str, list[Any]] = {"id": [], "part": [], "truth": []}
    for name, part in parts.items():
        columns["id"] += part.ids
        columns["part"] += [name] * len(part.ids)
        columns["truth"] += part.truth.int().tolist()
    artifacts.write_table(build.folder / EXAMPLES, columns)
    flop = 2.0 * sum(parameter.numel() for parameter in network.parameters()) * sum(texts.lengths)
    build.measured |= {
        "examples": len(texts),
        "width": values.shape[1],
        "tokens": sum(texts.lengths),
        "flop": flop,
        "device": described(where),
    } | budget.record()
    build.measured |= peak_of(where)
    print(f"{len(texts)} texts, {values.shape[1]} features each")


@torch.no_grad()
def last_states(network: Classifier, texts: Texts, budget: Budget | None = None) -> np.ndarray[Any, Any]:
    """(texts, width) float32: what the head reads. DivergedError if one of them is not a number."""
    where = next(network.parameters()).device
    head, network.head = network.head, nn.Identity()  # type: ignore[assignment]

    def states(tokens: int) -> torch.Tensor:
        parts = texts.all(EVALUATION * tokens, where, shape_for(network, where) * 2)
        own = torch.cat([read(network, part).cpu() for part in parts])
        every, numbers = distributed.gather(own, [number for part in parts for number in part.numbers])
        found = torch.empty_like(every)
        found[numbers] = every
        return found

    network.eval()
    try:
        values = (budget or budget_of(where)).attempt(states)
    finally:
        network.head = head
    if not values.isfinite().all():
        raise DivergedError("diverged: features are not numbers")
    return values.numpy()


def again(
    build: artifacts.Build,
    data: Path,
    model: Path,
    run: Path,
    labels: Path | None,
    environment: Mapping[str, Any],
) -> Classifier:
    """The network of a finished run at its selected step, finetuned again; how near it came is measured."""
    record = artifacts.read(run)
    identity = Identity(record["stage"], record["version"], record["spec"], record["parents"])
    with tempfile.TemporaryDirectory() as folder:
        redone = artifacts.Build(identity, Path(folder), build.work)
        network = finetune.make(redone, data, model, labels, environment)
        before, now = (finetune.weak_labels(place) for place in (run, Path(folder)))
    apart = max(abs(now[one] - value) for one, value in before.items())
    build.measured["largest_difference_from_run"] = apart
    print(f"finetuned again: predictions differ from the run's by {apart:.2g} at most")
    return network


@lru_cache(maxsize=2)  # of the last models: a process trains probe after probe
def read_parts(folder: Path) -> Mapping[str, Seen]:
    """Part -> its features and truth. Not to be changed. UserError if the file is not what it should be."""
    table = artifacts.read_table(folder / EXAMPLES).to_pydict()
    try:
        values = np.load(folder / FILE, allow_pickle=False)
    except (OSError, ValueError) as error:
        raise UserError(f"{folder / FILE}: not a readable array ({error})") from None
    rows: dict[str, list[int]] = {}
    for number, part in enumerate(table["part"]):
        rows.setdefault(part, []).append(number)
    truth = np.array(table["truth"])
    return {
        name: Seen([table["id"][number] for number in numbers], values[numbers], truth[numbers])
        for name, numbers in rows.items()
    }
