"""Variants of finetuning for single studies; other runs do not have these keys in their specs.

``half: both`` and ``subset``: training on a part of both halves (Appendices C.2 and C.3); ``share``: on a random part
of a half; ``agreement``: a history that
separates agreement with right labels from agreement with wrong ones (Figure 26); ``appended``: prompts with a hint at
the supervisor's label (Appendix E.3) or at an assistant's, or with the case for either answer (sandwiching).
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor

from w2s.engine import artifacts
from w2s.errors import UserError
from w2s.models import encoding
from w2s.nlp import examples
from w2s.nlp.specs import DebateSpec, LabelHintSpec
from w2s.training.batching import Texts

HALVES = ("weak", "strong")
BOTH = "both"


def restricted(ids: Sequence[str], subset: Path, column: str) -> list[int]:
    """The numbers of the examples that a column of a subset marks. UserError for an example that it lacks."""
    table = artifacts.read_table(subset / "examples.parquet").to_pydict()
    marked = dict(zip(table["id"], table[column], strict=True))
    missing = [name for name in ids if name not in marked]
    if missing:
        raise UserError(f"{subset}/examples.parquet: {len(missing)} examples are missing, first {missing[0]}")
    return [number for number, name in enumerate(ids) if marked[name]]


def at_random(ids: Sequence[str], groups: Mapping[str, str], share: float, seed: int) -> list[int]:
    """The numbers of a share of the examples, one at least: whole groups, drawn at random, but for the last of them.

    Smaller shares are parts of larger ones; the order of the examples has no effect.
    """
    names = sorted({groups[one] for one in ids})
    random.Random(f"share-{seed}").shuffle(names)
    place = {name: number for number, name in enumerate(names)}
    drawn = sorted(range(len(ids)), key=lambda number: (place[groups[ids[number]]], ids[number]))
    return sorted(drawn[: max(1, round(share * len(ids)))])


def hinted_texts(
    data: Path, model: Path, max_length: int, hint: LabelHintSpec | DebateSpec, predicted: Mapping[str, float]
) -> dict[str, Texts]:
    """Part -> its texts in a base model's tokens, each text with a hint at its predicted label, or a debate about it.

    predicted: example -> probability of class 1, which a label hint hardens; examples without a prediction (those that
    the supervisor was trained on) are left out.
    """

    def asked(text: str, probability: float) -> str:
        if isinstance(hint, DebateSpec):
            return with_debate(text, probability, hint)
        return with_hint(text, hint.words[int(probability > 0.5)], hint)

    found = {}
    for name, table in examples.by_part(data):
        hinted = (
            asked(text, predicted[example])
            for example, text in zip(table["id"].to_pylist(), examples.texts_of(table), strict=True)
            if example in predicted
        )
        if texts := Texts(encoding.encode_each(model, hinted, max_length)):
            found[name] = texts
    return found


def with_hint(text: str, word: str, hint: LabelHintSpec) -> str:
    """A text with the hint on a line of its own, after it (``end``) or before it (``start``)."""
    return _beside(text, hint.prompt.replace("{label}", word), hint.place)


def with_debate(text: str, probability: float, debate: DebateSpec) -> str:
    """A text with the strength of both cases on a line of its own. probability: of class 1, in [0, 1]."""
    words, line = debate.strengths, debate.prompt
    for name, share in (("{no}", 1 - probability), ("{yes}", probability)):
        line = line.replace(name, words[min(int(share * len(words)), len(words) - 1)])
    return _beside(text, line, debate.place)


def _beside(text: str, line: str, place: str) -> str:
    return f"{text}\n{line}" if place == "end" else f"{line}\n{text}"


def agreement(predicted: Tensor, labels: Tensor, truth: Tensor) -> dict[str, float]:
    """Agreement of predictions with labels on the test set, where the label is right and where it is wrong.

    All (n,), probabilities of class 1; NaN where there is no such example.
    """
    same, right = (predicted > 0.5) == (labels > 0.5), (labels > 0.5) == (truth > 0.5)
    return {"test_labels_right": _share(same[right]), "test_labels_wrong": _share(same[~right])}


def _share(hits: Tensor) -> float:
    return hits.double().mean().item() if len(hits) else math.nan


def before_training(evaluated: Mapping[str, float]) -> dict[str, float]:
    """The row of a history before the first step."""
    return {"step": 0, "epoch": 0.0, "train_loss": math.nan, **evaluated}


def taken(texts: Texts, numbers: Sequence[int]) -> Texts:
    """Some of the texts."""
    return Texts(texts.ids(number) for number in numbers)


def rows(values: Tensor, numbers: Sequence[int]) -> Tensor:
    """Some of the values, in this order."""
    return values[torch.tensor(numbers, dtype=torch.long)]
