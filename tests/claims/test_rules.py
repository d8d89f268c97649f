"""Every rule can fail: for each claim a plausible table on which it does not hold, beside one on which it does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from w2s.claims import everything, paper
from w2s.claims.cells import Cells
from w2s.claims.claim import FAILS, HOLDS, Claim
from w2s.claims.evaluate import judge

Row = dict[str, Any]
World = Callable[[list[Row]], list[Row]]
BY_NAME = {claim.name: claim for claim in everything() if claim.measure}


# -- worlds: the paper's tables, changed -------------------------------------------------------------------


def changed(change: Callable[[Row], Row]) -> World:
    return lambda rows: [row | change(row) for row in rows]


def student(row: Row) -> bool:
    return "supervisor" in row or "kind" in row or "told" in row or "stopping" in row


def known(row: Row, **values: Any) -> Row:
    """Those values that the row has already."""
    return {name: value for name, value in values.items() if name in row}


@changed
def copies(row: Row) -> Row:
    """Students answer as their supervisors do."""
    agreed = known(row, agreement=1.0, agreement_right=1.0, agreement_wrong=1.0)
    return known(row, accuracy=row.get("weak", 0.6), pgr=0.0) | agreed if student(row) else {}


@changed
def reach_ceilings(row: Row) -> Row:
    return known(row, accuracy=row.get("ceiling", row.get("accuracy")), pgr=1.0) if student(row) else {}


@changed
def own_errors(row: Row) -> Row:
    """Students of any size are better the larger they are, and their errors have nothing to do with their labels."""
    if "agreement_right" not in row:
        return {}
    right = 0.9 + 0.01 * float(row.get("student", 0))
    weak = row.get("weak", 0.7)
    every = weak * right + (1 - weak) * (1 - right)
    return known(row, agreement=every, agreement_right=right, agreement_wrong=1 - right)


def negated(rows: list[Row]) -> list[Row]:
    """PGR of the opposite sign, so that what rises falls."""
    return [with_pgr(row, -pgr(row)) for row in rows if student(row) and has_pgr(row)]


def has_pgr(row: Row) -> bool:
    return {"weak", "ceiling"} <= row.keys() and row["ceiling"] > row["weak"]


def pgr(row: Row) -> float:
    return float((row["accuracy"] - row["weak"]) / (row["ceiling"] - row["weak"]))


def with_pgr(row: Row, value: float) -> Row:
    return {name: other for name, other in row.items() if name not in ("weak", "ceiling")} | {"pgr": value}


def swapped(one: Any, other: Any, column: str = "method") -> World:
    names = {one: other, other: one}
    return changed(lambda row: {column: names.get(row.get(column), row.get(column))} if column in row else {})


def same(one: Callable[[Row], bool], as_other: Callable[[Row], bool], keys: tuple[str, ...]) -> World:
    """Rows of one sort have the numbers of another sort."""

    def key(row: Row) -> tuple[Any, ...]:
        return tuple(row.get(name) for name in keys)

    def world(rows: list[Row]) -> list[Row]:
        numbers = {
            key(row): {name: row[name] for name in paper.NUMBERS if name in row} for row in rows if as_other(row)
        }
        return [row | known(row, **numbers.get(key(row), {})) if one(row) else row for row in rows]

    return world


def method(*names: str) -> Callable[[Row], bool]:
    return lambda row: any(str(row.get("method", "")).startswith(name) for name in names)


def constant(**values: Any) -> World:
    return changed(lambda row: known(row, **values) if student(row) else {})


def moved(which: Callable[[Row], bool], column: str, by: float) -> World:
    return changed(lambda row: {column: row[column] + by} if which(row) and column in row else {})


PAIR = ("supervisor", "student")
swap_loss = swapped("naive", "confidence")
chains_are_naive = same(method("bootstrap"), method("naive"), PAIR)
flat = constant(pgr=0.3)


@changed
def prompts_lag_alike(row: Row) -> Row:
    return {"accuracy": 0.6} if row.get("method") in ("few-shot", "truth") else {}


@changed
def text_of_section_5(row: Row) -> Row:
    return {"accuracy": 0.82} if row.get("method") == "ft(gt)" else {}


# -- tables where the paper has none ------------------------------------------------------------------------


def methods(**pgrs: float) -> list[Row]:
    compute = {"supervisor_compute": 1e-6, "student_compute": 1e-2}
    pair = {"task": "all", "seed": 0, "supervisor": "w", "student": "s"} | compute
    return [pair | {"method": name.replace("_", "-"), "pgr": value} for name, value in pgrs.items()]


def by_rating(easy: float) -> list[Row]:
    rung = {"task": "all", "seed": 0, "student": "c", "student_compute": 1e-2, "rating": 1000}
    return [rung | {"method": "below-900", "accuracy": easy}, rung | {"method": "zero-shot", "accuracy": 0.3}]


MADE: dict[str, tuple[list[Row], list[Row]]] = {  # claim -> (holds, does not hold)
    "product-loss-gains": (methods(naive=0.3, product=0.4), methods(naive=0.3, product=0.2)),
    "product-loss-below-confidence": (
        methods(confidence=0.7, product=0.4),
        methods(confidence=0.7, product=0.68),
    ),
    "entropy-loss-below-confidence": (
        methods(confidence=0.7, l2_confidence=0.5, entropy_confidence=0.6),
        methods(confidence=0.7, l2_confidence=0.8, entropy_confidence=0.7),
    ),
    "other-methods-no-gain": (methods(naive=0.3, dropout=0.32, lora=0.29), methods(naive=0.3, dropout=-3, lora=0.1)),
    "chess-easy-up-to-1500": (by_rating(0.4), by_rating(0.3)),
}
WHERE_IT_HOLDS: dict[str, World] = {"probe-after-finetuning-share": text_of_section_5}
AGAINST: dict[str, World] = {
    "nlp-naive-half": copies,
    "nlp-confidence-most": copies,
    "nlp-better-than-supervisor": copies,
    "nlp-weakest-above-20": copies,
    "nlp-pgr-rises-with-supervisor": negated,
    "nlp-pgr-rises-with-student": negated,
    "nlp-largest-often-above-half": copies,
    "nlp-extreme-naive": copies,
    "nlp-extreme-confidence": copies,
    "nlp-confidence-helps-far": copies,
    "nlp-confidence-hurts-near": swap_loss,
    "nlp-confidence-hurts-small": swap_loss,
    "nlp-example-naive": copies,
    "nlp-example-best": swap_loss,
    "nlp-stopping-over-last": flat,
    "nlp-stopping-over-weak": flat,
    "nlp-overfitting": flat,
    "nlp-agreement-high": own_errors,
    "nlp-errors-imitated": own_errors,
    "nlp-agreement-falls": own_errors,
    "nlp-confidence-agrees-less": own_errors,
    "chess-weakest-near-zero": reach_ceilings,
    "chess-small-gaps": copies,
    "chess-pgr-falls-with-student": negated,
    "chess-bootstrapping-pgr": chains_are_naive,
    "chess-bootstrapping-rises": chains_are_naive,
    "chess-example-best": swapped("naive", "bootstrap"),
    "chess-prompting-beats-weak": reach_ceilings,
    "chess-agreement-falls": copies,
    "chess-easy-elicits": same(method("below-"), method("zero-shot"), ("student",)),
    "chess-easy-not-hard": moved(method("below-"), "accuracy_hard", 0.1),
    "chess-easy-below-all": same(method("below-"), method("all"), ("student",)),
    "reward-ten-percent": copies,
    "reward-stopping": flat,
    "reward-generative-gain": same(method("generative"), method("naive"), PAIR),
    "reward-generative-accuracy": swapped("naive", "generative"),
    "reward-generative-and-stopping": copies,
    "reward-generative-everywhere": copies,
    "reward-errors-imitated": own_errors,
    "reward-agreement-falls": own_errors,
    "reward-example-best": swapped("naive", "generative"),
    "prompting-examples-help": swapped("zero-shot", "few-shot"),
    "prompting-grows": prompts_lag_alike,
    "prompting-near-finetuning": moved(method("few-shot"), "accuracy", -0.2),
    "prompting-weak-beats-naive": swapped("few-shot", "naive"),
    "prompting-weak-below-confidence": swapped("few-shot", "confidence"),
    "probe-after-finetuning-share": lambda rows: rows,  # the bar that the figure draws
    "probe-after-finetuning": swapped("ft(weak)+lp(gt)", "lp(gt)"),
    "probe-beats-weak-finetuning": swapped("ft(weak)+lp(gt)", "ft(weak)"),
    "probe-weak-lowest": swapped("ft(weak)", "lp(weak)"),
    "linear-probing-students": copies,
    "difficulty-order": swapped(30.0, 50.0, "share"),
    "difficulty-order-all": swapped(50.0, 100.0, "share"),
    "simulable-errors-copied": moved(lambda row: row["student"] == "full", "accuracy", 0.1),
    "random-errors-corrected": same(
        lambda row: row["student"] == "full", lambda row: row["student"] == "labeller", ("panel", "labels")
    ),
    "random-errors-easier": swapped("random", "weak", "kind"),
    "adversarial-errors-hardest": swapped("confident", "weak", "kind"),
    "errors-imitated": own_errors,
    "told-naive": constant(pgr=0.5),
    "told-confidence": constant(pgr=0.5),
    "vision-half": copies,
}


def verdict(claim: Claim, rows: list[Row]) -> str:
    return judge(claim, Cells(rows, exact=True)).verdict


@pytest.mark.parametrize("name", BY_NAME)
def test_every_rule_holds_on_one_table_and_fails_on_another(name: str) -> None:
    claim = BY_NAME[name]
    rows = paper.table(claim.figure, claim.setting)
    if name in MADE:
        assert not rows
        holds, against = MADE[name]
    else:
        holds, against = WHERE_IT_HOLDS.get(name, list)(rows), AGAINST[name](rows)
    assert verdict(claim, holds) == HOLDS
    assert verdict(claim, against) == FAILS


# What copies of their supervisors show as the paper's students do: they gain nothing, and they imitate.
OF_COPIES = {
    "chess-weakest-near-zero",
    "told-naive",
    "told-confidence",
    "nlp-agreement-high",
    "nlp-errors-imitated",
    "reward-errors-imitated",
    "errors-imitated",
}
ABOUT_OTHERS = {  # about models without a supervisor, in tables that have students as well
    "chess-prompting-beats-weak",
    "prompting-examples-help",
    "prompting-grows",
    "prompting-near-finetuning",
}


@pytest.mark.parametrize(
    ("world", "allowed"), [(copies, OF_COPIES | ABOUT_OTHERS), (own_errors, set())], ids=["copies", "own errors"]
)
def test_students_that_copy_or_ignore_supervisors_meet_no_rule_by_accident(world: World, allowed: set[str]) -> None:
    met = set()
    for name, claim in BY_NAME.items():
        rows = [row for row in paper.table(claim.figure, claim.setting) if claim.figure != "fig24"]  # probes' features
        if rows != (other := world(rows)) and verdict(claim, other) == HOLDS:
            met.add(name)
    assert met == allowed
