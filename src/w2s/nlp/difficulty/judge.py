"""The judge stage: which of two questions is easier, and the Elo ratings that follow (Appendix C.3).

Three judges, none of which is told the answers:

* ``confidence``: a base model that is not finetuned answers every question; the one on which the odds of its two
  answers are further apart counts as easier. Small models can be judged by what they are sure of long before they
  can be asked about it;
* ``prompt``: a base model is asked, in the paper's words; every pair in both orders, since models prefer a place;
* a function of the user's own, from pairs of texts to the probability that the first is easier.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from w2s.config import user_code as own
from w2s.engine import artifacts
from w2s.errors import UserError
from w2s.nlp.difficulty import elo
from w2s.nlp.difficulty.subsets import HALVES, drawn, fitting, refuse_empty
from w2s.nlp.specs import JudgeSpec

PROMPT = (
    "Question A:\n{first}\n\nQuestion B:\n{second}\n\n"
    "Which question is easier, Question A or Question B?\nThe easier question is Question"
)
ANSWERS = (" B", " A")  # class 1: the first is easier
ROOM = 64  # tokens of the prompt beside the two questions

Texts = Sequence[str]
Easier = Callable[[Texts, Sequence[elo.Pair]], list[float]]  # probability that the first of each pair is easier


def make(build: artifacts.Build, data: Path, model: Path | None, environment: Mapping[str, Any]) -> None:
    """Write ``examples.parquet``: id, part, label, elo, and for every share of the easiest whether it is trained on."""
    spec = JudgeSpec.from_spec(build.identity.spec)
    table = artifacts.read_table(data / "examples.parquet").to_pydict()
    rows = sorted((number for number, part in enumerate(table["part"]) if part in HALVES), key=table["id"].__getitem__)
    ids, parts, texts = ([table[column][number] for number in rows] for column in ("id", "part", "text"))
    labels = {table["id"][number]: int(table["label"][number]) for number in rows}
    compared = elo.pairs(len(ids), spec.rounds, f"elo-{spec.seed}")
    easier = judge_of(spec, model, environment, build)(texts, compared)
    scores = [1.0 if first < 0.5 else 0.0 if first > 0.5 else 0.5 for first in easier]
    rated = dict(zip(ids, elo.ratings(len(ids), compared, scores, spec.step), strict=True))
    columns: dict[str, list[object]] = {"id": list(ids), "part": list(parts), "label": [labels[name] for name in ids]}
    columns["elo"] = [rated[name] for name in ids]
    trained = {}
    for share in spec.shares:
        name, chosen = f"easiest_{round(100 * share)}", elo.easiest(ids, rated, share)
        count = fitting(chosen, labels, balance=spec.balance)
        refuse_empty(count, f"the easiest {share:.0%} of the examples", "set nlp.difficulty.balance: false")
        subset = set(drawn(chosen, labels, count, balance=spec.balance, seed=f"{name}-{spec.seed}"))
        columns[name] = [example in subset for example in ids]
        trained[name] = count
    artifacts.write_table(build.folder / "examples.parquet", columns)
    build.measured |= {"examples": len(ids), "comparisons": len(compared), "ties": scores.count(0.5)} | trained
    print(f"{len(ids)} examples, {len(compared)} comparisons; to train on: {trained}")


def judge_of(spec: JudgeSpec, model: Path | None, environment: Mapping[str, Any], build: artifacts.Build) -> Easier:
    """The judge that a spec names. build: whose record gets the cost of reading with a model."""
    if not isinstance(spec.by, str):
        return by_own(own.load(dict(spec.by), dict(environment)), environment["reference"])
    assert model is not None
    by = by_confidence if spec.by_confidence else by_prompt
    return by(spec, model, build)


def by_own(function: Callable[..., Any], reference: str) -> Easier:
    """A user's function. UserError if it does not give one probability a pair."""

    def easier(texts: Texts, compared: Sequence[elo.Pair]) -> list[float]:
        result = list(function([(texts[first], texts[second]) for first, second in compared]))
        if len(result) != len(compared) or not all(map(_is_probability, result)):
            raise UserError(
                f"{reference}: expected {len(compared)} numbers from 0 to 1, the probability that the first "
                "question of each pair is easier"
            )
        return [float(value) for value in result]

    return easier


def _is_probability(value: object) -> bool:
    return isinstance(value, (int, float)) and 0 <= value <= 1


def by_confidence(spec: JudgeSpec, model: Path, build: artifacts.Build) -> Easier:
    """The surer the base model is of an answer, whichever it is, the easier the question."""

    def easier(texts: Texts, compared: Sequence[elo.Pair]) -> list[float]:
        answers = answered(spec, model, spec.answers, texts, spec.max_length, build)
        margins = [abs(math.log(max(p, 1e-12) / max(1 - p, 1e-12))) for p in answers]
        return [
            1.0 if margins[first] > margins[second] else 0.0 if margins[first] < margins[second] else 0.5
            for first, second in compared
        ]

    return easier


def by_prompt(spec: JudgeSpec, model: Path, build: artifacts.Build) -> Easier:
    """The base model is asked which of the two is easier, in both orders; the mean of its two probabilities."""

    def easier(texts: Texts, compared: Sequence[elo.Pair]) -> list[float]:
        asked = [PROMPT.format(first=texts[first], second=texts[second]) for first, second in compared]
        asked += [PROMPT.format(first=texts[second], second=texts[first]) for first, second in compared]
        answers = answered(spec, model, ANSWERS, asked, 2 * spec.max_length + ROOM, build)
        forward, backward = answers[: len(compared)], answers[len(compared) :]
        return [(p + 1 - q) / 2 for p, q in zip(forward, backward, strict=True)]

    return easier


def answered(
    spec: JudgeSpec,
    model: Path,
    answers: Sequence[str],
    texts: Texts,
    max_length: int,
    build: artifacts.Build,
) -> list[float]:
    """The base model's probability of the second of two answers after each text, among the two."""
    from w2s.models import classifier, encoding
    from w2s.models.base import directory_of
    from w2s.training.batching import Texts as Encoded
    from w2s.training.job import Job
    from w2s.training.loop import probabilities

    job, base = Job(build), directory_of(model)
    computing = classifier.Computing(spec.precision)
    network = job.load(lambda: classifier.load(base, answers, computing), spec.seed)
    encoded = Encoded(encoding.encode_each(base, texts, max_length))
    probability = [float(value) for value in probabilities(network, encoded)]
    job.read(network, encoded.tokens)
    job.finish({})
    return probability
