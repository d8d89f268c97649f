"""What runs of the special studies do differently; every other run's spec is silent about it.

``half: both`` and ``subset``: trained on a part of both halves (Appendices C.2 and C.3); ``agreement``: a history that
tells agreement with right labels from agreement with wrong ones (Figure 26); ``appended``: prompts that end in what
the supervisor thinks (Appendix E.3), or what an assistant answers (sandwiching).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from w2s.engine import artifacts
from w2s.errors import UserError
from w2s.models import encoding
from w2s.training.batching import Texts

HALVES = ("weak", "strong")
BOTH = "both"


def restricted(ids: Sequence[str], subset: Path, column: str) -> list[int]:
    """The numbers of the examples that a subset's table marks in a column. UserError for one it does not know."""
    table = artifacts.read_table(subset / "examples.parquet").to_pydict()
    marked = dict(zip(table["id"], table[column], strict=True))
    missing = [one for one in ids if one not in marked]
    if missing:
        raise UserError(f"{subset}/examples.parquet: says nothing of {len(missing)} examples, {missing[0]} first")
    return [number for number, one in enumerate(ids) if marked[one]]


def told(
    data: Path, model: Path, max_length: int, appended: Mapping[str, Any], thought: Mapping[str, float]
) -> dict[str, list[list[int]]]:
    """Part -> its texts' tokens, each text with what the supervisor (or an assistant) thinks of it.

    appended: ``prompt``, with a place ``{label}`` for one of the ``words`` of class 0 and 1, and the ``place`` where it
    is put. thought: example -> probability of class 1, hardened here; examples without one (those that the supervisor
    was trained on) are left out.
    """
    table = artifacts.read_table(data / "examples.parquet").to_pydict()
    rows = [number for number, one in enumerate(table["id"]) if one in thought]
    said = [appended["words"][int(thought[table["id"][number]] > 0.5)] for number in rows]
    texts = [with_word(table["text"][number], word, appended) for number, word in zip(rows, said, strict=True)]
    found: dict[str, list[list[int]]] = {}
    for number, ids in zip(rows, encoding.encode(model, texts, max_length), strict=True):
        found.setdefault(table["part"][number], []).append(ids)
    return found


def with_word(text: str, word: str, appended: Mapping[str, Any]) -> str:
    """A text, and what the supervisor thinks of it on a line of its own, behind it (``end``) or before (``start``)."""
    said = str(appended["prompt"]).replace("{label}", word)
    return f"{text}\n{said}" if appended["place"] == "end" else f"{said}\n{text}"


def agreement(predicted: Tensor, labels: Tensor, truth: Tensor) -> dict[str, float]:
    """Share of test examples that are predicted as they are labelled, where the label is right and where it is wrong.

    All (n,), probabilities of class 1; NaN where there is no such example.
    """
    same, right = (predicted > 0.5) == (labels > 0.5), (labels > 0.5) == (truth > 0.5)
    return {"test_labels_right": _share(same[right]), "test_labels_wrong": _share(same[~right])}


def _share(hits: Tensor) -> float:
    return hits.double().mean().item() if len(hits) else math.nan


def before_training(evaluated: Mapping[str, float]) -> dict[str, float]:
    """The row of a history that stands before the first step."""
    return {"step": 0, "epoch": 0.0, "train_loss": math.nan, **evaluated}


def taken(texts: Texts, numbers: Sequence[int]) -> Texts:
    """Some of the texts."""
    return Texts([texts.ids(number) for number in numbers])


def rows(values: Tensor, numbers: Sequence[int]) -> Tensor:
    """Some of the values, in this order."""
    return values[torch.tensor(numbers, dtype=torch.long)]
