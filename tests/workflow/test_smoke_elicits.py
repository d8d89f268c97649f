"""Smoke shows elicitation: knowledge that a base model does not tell when asked, and that weak labels bring out.

The guards read the tables of Figures 5 and 13 that CI draws (``W2S_SMOKE_TABLES``: the folder with them).
"""

from __future__ import annotations

import os
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from w2s.report.elicited import Elicited, by_pair, table, widest

TABLES = os.environ.get("W2S_SMOKE_TABLES", "")
Guard = Callable[[list[Elicited]], bool]


def base_models_do_not_tell(pairs: list[Elicited]) -> bool:
    """The largest rung is at least 10 points under its ceiling before training."""
    largest = widest(pairs)
    return largest.before <= largest.ceiling - 0.10


def students_rise(pairs: list[Elicited]) -> bool:
    """The median pair's students end above their first evaluation."""
    return float(pd.Series([pair.end - pair.first for pair in pairs]).median()) > 0


def ceilings_rise(pairs: list[Elicited]) -> bool:
    rungs = {pairs[0].supervisor: pairs[0].supervisor_accuracy} | {pair.student: pair.ceiling for pair in pairs}
    return all(lower < upper for lower, upper in pairwise(rungs.values()))


def a_part_of_the_gap_is_recovered(pairs: list[Elicited]) -> bool:
    """Naive PGR from the second weakest supervisor to the largest rung is between 20% and 80%."""
    second = list(dict.fromkeys(pair.supervisor for pair in pairs))[1]
    return 0.2 <= [pair for pair in pairs if pair.supervisor == second][-1].pgr["naive"] <= 0.8


def confidence_helps_at_the_largest_gap(pairs: list[Elicited]) -> bool:
    pgr = widest(pairs).pgr
    return pgr["confidence"] > pgr["naive"]


GUARDS = (
    base_models_do_not_tell,
    students_rise,
    ceilings_rise,
    a_part_of_the_gap_is_recovered,
    confidence_helps_at_the_largest_gap,
)


@pytest.mark.skipif(not TABLES, reason="W2S_SMOKE_TABLES is not set: no tables of the smoke experiment")
@pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: guard.__name__)
def test_smoke_elicits(guard: Guard) -> None:
    pairs = by_pair(*(pd.read_csv(Path(TABLES) / f"{name}.csv") for name in ("fig13", "fig5")))
    assert guard(pairs), f"\n{table(pairs).to_string(index=False)}"


def elicited(supervisor: str, student: str, numbers: str) -> Elicited:
    """Numbers in percent: before, first, end, supervisor, ceiling, PGR naive, PGR confidence."""
    before, first, end, weak, ceiling, naive, confidence = (float(value) / 100 for value in numbers.split())
    pgr = {"naive": naive, "confidence": confidence}
    return Elicited(supervisor, student, before, first, end, weak, ceiling, pgr)


FORGETTING = [  # what version 1 of smoke's corpus gave, with the questions of all tasks solved in their layouts
    elicited("w24", "w32", "69.4 68.4 61.9 58.8 69.5 44 30"),
    elicited("w24", "w80", "78.0 76.2 65.3 58.8 77.0 60 77"),
    elicited("w24", "w128", "91.1 91.6 64.2 58.8 86.9 50 85"),
    elicited("w32", "w80", "78.0 77.5 71.4 69.5 77.0 62 102"),
    elicited("w32", "w128", "91.1 89.7 76.1 69.5 86.9 91 89"),
    elicited("w80", "w128", "91.1 90.6 81.7 77.0 86.9 55 88"),
]


def test_guards_notice_forgetting() -> None:
    assert [guard.__name__ for guard in GUARDS if not guard(FORGETTING)] == [
        "base_models_do_not_tell",
        "students_rise",
        "a_part_of_the_gap_is_recovered",
    ]


def rows(method: str, task: str, student: str, accuracy: float, **more: Any) -> dict[str, Any]:
    return {"method": method, "task": task, "student": student, "accuracy": accuracy} | more


def test_a_pair_is_read_from_the_tables_of_the_figures() -> None:
    sizes = {"supervisor": "w1", "supervisor_compute": 1.0, "student_compute": 2.0, "panel": "a"}
    curves = pd.DataFrame(
        rows("naive", task, "w2", start + step / 10, evaluation=step, seed=seed, **sizes)
        for task, start in (("sciq", 0.4), ("boolq", 0.5), ("wic", 0.6))
        for seed in (0, 1)
        for step in range(4)
    )
    numbers = pd.DataFrame(
        [rows("truth", "median", "w1", 0.6), rows("truth", "median", "w2", 0.9)]
        + [rows("naive", "median", "w2", 0.8, supervisor="w1", pgr=pgr) for pgr in (0.5, 0.7)]
    )
    (pair,) = by_pair(curves, numbers)
    found = [pair.before, pair.first, pair.end, pair.supervisor_accuracy, pair.ceiling, pair.pgr["naive"]]
    assert found == pytest.approx([0.5, 0.6, 0.8, 0.6, 0.9, 0.6])
    assert by_pair(curves[curves["evaluation"] > 0], numbers) == []


def test_the_report_says_what_was_elicited() -> None:
    assert widest(FORGETTING).in_words() == (
        "Naive w128 on labels of w24, median accuracy over tasks: 91.1% before training, 91.6% at the first "
        "evaluation, 64.2% at the end, 58.8% for the supervisor, 86.9% for the ceiling."
    )
