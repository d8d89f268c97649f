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
from w2s.nlp.difficulty.config import CONFIDENCE
from w2s.nlp.difficulty.subsets import HALVES, drawn, fitting, refuse_empty

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
    spec = build.identity.spec
    table = artifacts.read_table(data / "examples.parquet").to_pydict()
    rows = sorted((number for number, part in enumerate(table["part"]) if part in HALVES), key=table["id"].__getitem__)
    ids, parts, texts = ([table[column][number] for number in rows] for column in ("id", "part", "text"))
    labels = {table["id"][number]: int(table["label"][number]) for number in rows}
    compared = elo.pairs(len(ids), spec["rounds"], f"elo-{spec['seed']}")
    easier = judge_of(spec, model, environment, build.measured)(texts, compared)
    scores = [1.0 if one < 0.5 else 0.0 if one > 0.5 else 0.5 for one in easier]
    rated = dict(zip(ids, elo.ratings(len(ids), compared, scores, spec["step"]), strict=True))
    columns: dict[str, list[object]] = {"id": list(ids), "part": list(parts), "label": [labels[one] for one in ids]}
    columns["elo"] = [rated[one] for one in ids]
    trained = {}
    for share in spec["shares"]:
        name, chosen = f"easiest_{round(100 * share)}", elo.easiest(ids, rated, share)
        count = fitting(chosen, labels, balance=spec["balance"])
        refuse_empty(count, f"the easiest {share:.0%} of the examples", "set nlp.difficulty.balance: false")
        subset = set(drawn(chosen, labels, count, balance=spec["balance"], seed=f"{name}-{spec['seed']}"))
        columns[name] = [one in subset for one in ids]
        trained[name] = count
    artifacts.write_table(build.folder / "examples.parquet", columns)
    build.measured |= {"examples": len(ids), "comparisons": len(compared), "ties": scores.count(0.5)} | trained
    print(f"{len(ids)} examples, {len(compared)} comparisons; to train on: {trained}")


def judge_of(
    spec: Mapping[str, Any], model: Path | None, environment: Mapping[str, Any], measured: dict[str, Any]
) -> Easier:
    """The judge that a spec names. measured: gets what reading with a model took."""
    if isinstance(spec["by"], Mapping):
        return by_own(own.load(dict(spec["by"]), dict(environment)), environment["reference"])
    assert model is not None
    by = by_confidence if spec["by"] == CONFIDENCE else by_prompt
    return by(spec, model, measured)


def by_own(function: Callable[..., Any], reference: str) -> Easier:
    """A user's function. UserError if it does not give one probability a pair."""

    def easier(texts: Texts, compared: Sequence[elo.Pair]) -> list[float]:
        said = list(function([(texts[first], texts[second]) for first, second in compared]))
        if len(said) != len(compared) or not all(_is_probability(one) for one in said):
            raise UserError(
                f"{reference}: should give {len(compared)} numbers from 0 to 1, the probability that the first "
                "question of each pair is the easier one"
            )
        return [float(one) for one in said]

    return easier


def _is_probability(value: object) -> bool:
    return isinstance(value, (int, float)) and 0 <= value <= 1


def by_confidence(spec: Mapping[str, Any], model: Path, measured: dict[str, Any]) -> Easier:
    """The surer the base model is of an answer, whichever it is, the easier the question."""

    def easier(texts: Texts, compared: Sequence[elo.Pair]) -> list[float]:
        said = answered(spec, model, spec["answers"], texts, spec["max_length"], measured)
        apart = [abs(math.log(max(one, 1e-12) / max(1 - one, 1e-12))) for one in said]
        return [
            1.0 if apart[first] > apart[second] else 0.0 if apart[first] < apart[second] else 0.5
            for first, second in compared
        ]

    return easier


def by_prompt(spec: Mapping[str, Any], model: Path, measured: dict[str, Any]) -> Easier:
    """The base model is asked which of the two is easier, in both orders; the mean of its two probabilities."""

    def easier(texts: Texts, compared: Sequence[elo.Pair]) -> list[float]:
        asked = [PROMPT.format(first=texts[first], second=texts[second]) for first, second in compared]
        asked += [PROMPT.format(first=texts[second], second=texts[first]) for first, second in compared]
        said = answered(spec, model, ANSWERS, asked, 2 * spec["max_length"] + ROOM, measured)
        return [(one + 1 - other) / 2 for one, other in zip(said[: len(compared)], said[len(compared) :], strict=True)]

    return easier


def answered(
    spec: Mapping[str, Any],
    model: Path,
    answers: Sequence[str],
    texts: Texts,
    max_length: int,
    measured: dict[str, Any],
) -> list[float]:
    """The base model's probability of the second of two answers behind each text, of the two."""
    from w2s.engine import distributed
    from w2s.engine.devices import described, device, peak_of
    from w2s.models import classifier, encoding
    from w2s.models.base import directory_of
    from w2s.training.batching import Texts as Encoded
    from w2s.training.loop import probabilities

    base, computing = directory_of(model), classifier.Computing(spec.get("precision", "float32"))
    where, encoded = device(), Encoded(encoding.encode(base, texts, max_length))
    network = distributed.load_on(lambda: classifier.load(base, answers, computing), where)
    said = [float(one) for one in probabilities(network, encoded)]
    tokens = sum(encoded.lengths)
    flop = 2.0 * sum(parameter.numel() for parameter in network.parameters()) * tokens
    measured |= {"tokens": tokens, "flop": flop, "device": described(where)} | peak_of(where)
    return said
