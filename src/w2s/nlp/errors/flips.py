"""The flip stage: hard labels with as many errors as a weak model makes, of a kind that is known (Appendix E.2)."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from w2s.engine import artifacts
from w2s.nlp.errors.config import CONFIDENT, LONGEST, RANDOM, SHORTEST, UNCONFIDENT, WEAK

PARTS = ("strong", "validation", "test")


@dataclass(frozen=True)
class Example:
    """What decides whether a label is flipped. weak, strong: the models' probabilities of class 1."""

    id: str
    truth: int
    weak: float
    strong: float = 0.5
    letters: int = 0  # of the prompt


def error_rate(examples: Sequence[Example]) -> float:
    """Share that the weak model, hardened, gets wrong."""
    return sum((one.weak > 0.5) != bool(one.truth) for one in examples) / len(examples)


def flipped(examples: Sequence[Example], kind: str, rate: float, seed: str) -> list[int]:
    """The labels of a supervisor of this kind, in the order of the examples.

    The weak one's are its own; of the others' labels ``rate`` are wrong: of random examples, of those with the longest
    or shortest prompts, of those on which the strong model's answers are the least apart (``unconfident``), or whose
    truth it finds likeliest (``confident``: confidently correct). Equals go by id.
    """
    if kind == WEAK:
        return [int(one.weak > 0.5) for one in examples]
    count = round(rate * len(examples))
    ordered = sorted(examples, key=lambda one: one.id)
    if kind == RANDOM:
        chosen = random.Random(seed).sample(ordered, count)
    else:
        first = {
            LONGEST: lambda one: -one.letters,
            SHORTEST: lambda one: one.letters,
            UNCONFIDENT: lambda one: abs(one.strong - 0.5),
            CONFIDENT: lambda one: -(one.strong if one.truth else 1 - one.strong),
        }[kind]
        chosen = sorted(ordered, key=first)[:count]
    wrong = {one.id for one in chosen}
    return [1 - one.truth if one.id in wrong else one.truth for one in examples]


def make(build: artifacts.Build, parents: Mapping[str, Path]) -> None:
    """Write ``predictions.parquet`` (id, part, truth, probability: 0 or 1), as a supervisor's is read.

    The weak model's error rate on the strong half holds for every part.
    """
    spec = build.identity.spec
    weak = artifacts.read_table(parents["weak"] / "predictions.parquet").to_pydict()
    strong = _probabilities(parents.get("strong"))
    letters = _letters(parents.get("data"))
    by_part: dict[str, list[Example]] = {part: [] for part in PARTS}
    for one, part, truth, said in zip(weak["id"], weak["part"], weak["truth"], weak["probability"], strict=True):
        by_part[part].append(Example(one, int(truth), said, strong.get(one, 0.5), letters.get(one, 0)))
    rate = error_rate(by_part["strong"])
    columns: dict[str, list[Any]] = {"id": [], "part": [], "truth": [], "probability": []}
    measured: dict[str, float] = {}
    for part, examples in by_part.items():
        labels = flipped(examples, spec["kind"], rate, f"flip-{part}-{spec.get('seed')}")
        columns["id"] += [one.id for one in examples]
        columns["part"] += [part] * len(examples)
        columns["truth"] += [one.truth for one in examples]
        columns["probability"] += [float(label) for label in labels]
        wrong = sum(label != one.truth for label, one in zip(labels, examples, strict=True))
        measured[f"wrong_{part}"] = round(wrong / len(examples), 4)
    artifacts.write_table(build.folder / "predictions.parquet", columns)
    build.measured |= measured
    print(f"{spec['kind']}: {measured}")


def _probabilities(run: Path | None) -> dict[str, float]:
    if run is None:
        return {}
    table = artifacts.read_table(run / "predictions.parquet").to_pydict()
    return dict(zip(table["id"], table["probability"], strict=True))


def _letters(data: Path | None) -> dict[str, int]:
    if data is None:
        return {}
    table = artifacts.read_table(data / "examples.parquet").to_pydict()
    return {one: len(text) for one, text in zip(table["id"], table["text"], strict=True)}
