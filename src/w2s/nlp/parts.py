"""The parts of a task's data in a base model's tokens, with the labels that a run learns."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import torch
from torch import Tensor

from w2s.models import encoding
from w2s.nlp import examples, variants
from w2s.nlp.labels import PREDICTED, join, weak_labels
from w2s.nlp.specs import DebateSpec, LabelHintSpec
from w2s.training import labels as label_changes
from w2s.training.batching import Texts, joined
from w2s.training.elsewhere import unseen
from w2s.training.specs import MethodChanges


@dataclass(frozen=True)
class Encoded:
    """One part of the data in a base model's tokens. truth: (n,) float, 0 or 1."""

    ids: list[str]
    texts: Texts
    truth: Tensor


@dataclass(frozen=True)
class Part(Encoded):
    """A part with the labels that a run learns. labels: (n,) float, probability of class 1."""

    labels: Tensor


@lru_cache(maxsize=4)  # of recent tasks and tokenizers: a warm process trains run after run
def encoded(data: Path, model: Path, max_length: int) -> Mapping[str, Encoded]:
    """Part -> its texts in the tokens of a base model, and the truth. Read-only."""
    return {
        name: Encoded(
            table["id"].to_pylist(),
            Texts(encoding.encode_each(model, examples.texts_of(table), max_length)),
            torch.tensor(table["label"].to_pylist(), dtype=torch.float),
        )
        for name, table in examples.by_part(data)
    }


def read_parts(data: Path, model: Path, labels: Path | None, max_length: int) -> dict[str, Part]:
    """All parts of the data, encoded, with weak labels joined by id (the truth where there is no supervisor)."""
    weak = weak_labels(labels) if labels else None
    parts = {}
    for name, part in encoded(data, model, max_length).items():
        learned = part.truth
        if weak is not None and name in PREDICTED:
            learned = join(part.ids, weak, where=f"{labels}/predictions.parquet")
        parts[name] = Part(part.ids, part.texts, part.truth, learned)
    return parts


def with_label_hints(
    parts: Mapping[str, Part],
    data: Path,
    model: Path,
    source: Path,
    max_length: int,
    hint: LabelHintSpec | DebateSpec,
) -> dict[str, Part]:
    """The parts that a run (``source``) predicts, every text with a hint at its predicted label."""
    texts = variants.hinted_texts(data, model, max_length, hint, weak_labels(source))
    return {name: Part(part.ids, texts[name], part.truth, part.labels) for name, part in parts.items() if name in texts}


def parts_elsewhere(others: Mapping[str, Path], data: Path, model: Path, max_length: int) -> dict[str, Part]:
    """Name -> the test part of other data, which has no weak labels (NaN).

    Examples of a group that was trained on are left out; UserError if none is left (``w2s.training.elsewhere``).
    """
    found = {}
    for name, other in others.items():
        part, kept = encoded(other, model, max_length)["test"], unseen(other, data)
        ids, truth = [part.ids[number] for number in kept], variants.rows(part.truth, kept)
        found[name] = Part(ids, variants.taken(part.texts, kept), truth, torch.full_like(truth, torch.nan))
    return found


def training_part(parts: Mapping[str, Part], half: str, subset: Path | None, column: str | None) -> Part:
    """The examples to train on: a half, or both; all of it, or what a column of a subset marks."""
    if half != variants.BOTH:
        return parts[half]
    halves = [parts[name] for name in variants.HALVES]
    texts = joined([part.texts for part in halves])
    truth, labels = (torch.cat([getattr(part, name) for part in halves]) for name in ("truth", "labels"))
    both = Part([name for part in halves for name in part.ids], texts, truth, labels)
    if subset is None or column is None:
        return both
    return _some(both, variants.restricted(both.ids, subset, column))


def share_of(part: Part, data: Path, share: float | None, seed: int) -> Part:
    """A random share of a part, by group; None: all of it."""
    if share is None:
        return part
    return _some(part, variants.at_random(part.ids, examples.groups_of(data), share, seed))


def _some(part: Part, numbers: Sequence[int]) -> Part:
    ids, texts = [part.ids[number] for number in numbers], variants.taken(part.texts, numbers)
    return Part(ids, texts, variants.rows(part.truth, numbers), variants.rows(part.labels, numbers))


def with_balanced_labels(parts: Mapping[str, Part], half: str) -> dict[str, Part]:
    """The parts with weak labels relative to the median of those of a half."""
    by = parts[half].labels
    return {
        name: replace(part, labels=label_changes.balanced(part.labels, by)) if name in PREDICTED else part
        for name, part in parts.items()
    }


def first_of(part: Part, count: int | None) -> Part:
    """The first ``count`` examples of a part, a random sample since ids are hashes; None: all."""
    if count is None or count >= len(part.ids):
        return part
    numbers = range(count)
    return Part(part.ids[:count], variants.taken(part.texts, numbers), part.truth[:count], part.labels[:count])


def apply_label_changes(
    part: Part,
    parts: dict[str, Part],
    half: str,
    changes: MethodChanges,
    seed: int,
    states: Callable[[Texts], Tensor],
) -> Part:
    """The examples to train on with a little truth, without those that are not kept, and with noise.

    Changed labels also go into ``parts``: predictions are written beside the labels that the run was trained on.
    states: (texts, width) hidden states of the base model.
    """
    labels = label_changes.with_truth(part.labels, part.truth, changes, seed)
    kept = label_changes.select(labels, changes, lambda: states(part.texts))
    part = replace(part, labels=label_changes.add_noise(labels, changes, seed))
    if half in parts:
        parts[half] = part
    if kept is None:
        return part
    return Part(
        [part.ids[number] for number in kept], variants.taken(part.texts, kept), part.truth[kept], part.labels[kept]
    )
