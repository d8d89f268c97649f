"""Differences between two experiments: what is paired, what is shared, and how sure they are."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest

from w2s.report.differences import SAME, Cell, Keys, Side, compare, match

TASKS = [f"t{number}" for number in range(8)]
COMPUTE = {"a": 1e3, "b": 1e4, "c": 1e5, "x": 2e3, "y": 3e4}
SIZES = {"": 1000}


def rows(
    reached: Mapping[str, float],
    *,
    tasks: Sequence[str] = TASKS,
    seeds: Sequence[int] = (0, 1),
    pair: tuple[str, str] = ("a", "b"),
    weak: float = 0.6,
    ceiling: float = 0.9,
    noise: Any = None,
) -> list[dict[str, Any]]:
    """Students' accuracies by method. noise: (task, seed, method) -> what is added."""
    found: list[dict[str, Any]] = []
    for number, task in enumerate(tasks):
        for seed in seeds:
            shared = {"task": task, "seed": seed, "setting": "nlp", "student_compute": COMPUTE[pair[1]]}
            found.append(shared | {"method": "truth", "student": pair[1], "accuracy": ceiling + number / 1000})
            for method, value in reached.items():
                moved = noise(task, seed, method) if noise else 0.0
                found.append(
                    shared
                    | {"method": method, "supervisor": pair[0], "student": pair[1], "weak": weak + number / 1000}
                    | {"supervisor_compute": COMPUTE[pair[0]], "ceiling": ceiling + number / 1000}
                    | {"accuracy": value + number / 1000 + moved}
                )
    return found


def of(found: list[dict[str, Any]], task: str, method: str) -> dict[str, Any]:
    (row,) = [row for row in found if row["task"] == task and row["method_first"] == method]
    return row


def test_a_difference_that_every_task_has_is_sure_and_one_that_half_of_them_have_is_not() -> None:
    def some(task: str, seed: int, method: str) -> float:
        return 0.05 if TASKS.index(task) % 2 else -0.05

    first = Side(rows({"naive": 0.75}), SIZES)
    for second, clear in (
        (Side(rows({"naive": 0.70}), SIZES), True),
        (Side(rows({"naive": 0.75}, noise=some), SIZES), False),
    ):
        row = of(compare(first, second, match(first, second)), "median", "naive")
        assert (row["accuracy_low"] > 0) == clear
        assert row["accuracy_low"] <= row["accuracy_difference"] <= row["accuracy_high"]
        assert row["basis"] == "bootstrap over 8 tasks, paired"
    assert of(compare(first, first, match(first, first)), "median", "naive")["accuracy_difference"] == 0


def test_medians_are_paired_by_task() -> None:
    """Tasks differ by much more than the experiments do; the same tasks are drawn for both."""

    def easy(task: str, seed: int, method: str) -> float:
        return TASKS.index(task) * 0.02

    def harder(task: str, seed: int, method: str) -> float:
        return TASKS.index(task) * 0.02 + 0.01

    first, second = Side(rows({"naive": 0.65}, noise=harder), SIZES), Side(rows({"naive": 0.65}, noise=easy), SIZES)
    row = of(compare(first, second, match(first, second)), "median", "naive")
    assert row["accuracy_difference"] == pytest.approx(0.01)
    assert (row["accuracy_low"], row["accuracy_high"]) == pytest.approx((0.01, 0.01))


def test_single_tasks_have_the_noise_of_test_sets_and_seeds() -> None:
    found = {}
    for size in (100, 10_000):
        first, second = Side(rows({"naive": 0.75}), {"": size}), Side(rows({"naive": 0.72}), {"": size})
        row = of(compare(first, second, match(first, second)), "t0", "naive")
        found[size] = (row["accuracy_high"] - row["accuracy_low"]) / 2
        assert row["accuracy_difference"] == pytest.approx(0.03)
    both = math.sqrt((0.75 * 0.25 + 0.72 * 0.28) / 10_000 / 2)  # two seeds
    assert found[10_000] == pytest.approx(1.96 * both, rel=0.1)
    assert found[100] > 8 * found[10_000]


def test_seeds_that_move_both_experiments_alike_are_paired() -> None:
    rng = np.random.default_rng(3)
    moves = {(task, seed): rng.normal(0, 0.03) for task in TASKS for seed in (0, 1)}
    own = {(task, seed): rng.normal(0, 0.003) for task in TASKS for seed in (0, 1)}
    first = Side(rows({"naive": 0.75}, noise=lambda task, seed, _: moves[task, seed]), SIZES)
    alike = Side(rows({"naive": 0.72}, noise=lambda task, seed, _: moves[task, seed] + own[task, seed]), SIZES)
    apart = Side(rows({"naive": 0.72}, noise=lambda task, seed, _: moves[task, 1 - seed]), SIZES)
    width = {}
    for name, second in {"alike": alike, "apart": apart}.items():
        row = of(compare(first, second, match(first, second)), "t0", "naive")
        width[name] = row["accuracy_high"] - row["accuracy_low"]
        assert row["basis"] == "paired over 2 seeds"
    assert width["alike"] < width["apart"] / 2


def test_shared_runs_do_not_differ_and_equal_numbers_of_other_runs_may() -> None:
    def keys(name: str) -> Any:
        def found(task: str, cell: Cell, seed: str) -> Keys:
            own = f"{task} {cell} {seed}"
            return own if cell[0] != "mine" else f"{own} {name}", f"weak {task} {seed}", f"ceiling {task} {seed}"

        return found

    sides = [Side(rows({"naive": 0.75, "mine": 0.75}), SIZES, keys(name)) for name in ("one", "other")]
    found = compare(sides[0], sides[1], match(*sides))
    assert of(found, "t0", "naive")["basis"] == of(found, "median", "naive")["basis"] == SAME
    assert (of(found, "t0", "naive")["accuracy_low"], of(found, "t0", "naive")["accuracy_high"]) == (0, 0)
    assert of(found, "t0", "mine")["accuracy_low"] < 0 < of(found, "t0", "mine")["accuracy_high"]
    assert of(found, "t0", "mine")["basis"] != SAME


def test_pgr_is_undefined_without_a_gap_and_for_same_size_and_unsure_within_noise() -> None:
    flat = Side(rows({"naive": 0.605}, weak=0.60, ceiling=0.60), {"": 1000})
    row = of(compare(flat, flat, match(flat, flat)), "t0", "naive")
    assert math.isnan(row["pgr_first"])
    assert math.isnan(row["pgr_low"])
    for ceiling, known in ((0.61, False), (0.68, True)):  # draws in which one of both has no gap are left out
        small = Side(rows({"naive": (0.6 + ceiling) / 2}, seeds=[0], weak=0.60, ceiling=ceiling), {"": 100})
        row = of(compare(small, small, match(small, small)), "t0", "naive")
        assert row["pgr_first"] == pytest.approx(0.5)
        assert (row["pgr_low"] < -2 < 2 < row["pgr_high"]) == known
    large = Side(rows({"naive": 0.75}, weak=0.60, ceiling=0.90), {"": 1000})
    row = of(compare(large, large, match(large, large)), "t0", "naive")
    assert row["pgr_first"] == pytest.approx(0.5)
    assert row["pgr_low"] < 0 < row["pgr_high"]
    same = Side(rows({"naive": 0.75}, pair=("b", "b")), SIZES)
    assert math.isnan(of(compare(same, same, match(same, same)), "t0", "naive")["pgr_first"])


def test_ladders_without_a_common_name_are_matched_by_rank_and_lone_methods_with_each_other() -> None:
    first = Side(rows({"naive": 0.7, "mine": 0.8}), SIZES)
    second = Side(rows({"naive": 0.7, "confidence": 0.75}, pair=("x", "y")), SIZES)
    matched = match(first, second)
    assert matched.by_rank
    assert matched.rungs == {"a": "x", "b": "y"}
    assert matched.methods["mine"] == "confidence"
    row = of(compare(first, second, matched), "median", "mine")
    assert (row["method_second"], row["supervisor_second"], row["student_second"]) == ("confidence", "x", "y")
    assert row["accuracy_difference"] == pytest.approx(0.05)
    named = match(first, Side(rows({"naive": 0.7}, pair=("a", "c")), SIZES))
    assert not named.by_rank
    assert named.rungs == {"a": "a"}


def test_few_tasks_have_no_medians_and_tasks_of_one_experiment_are_left_out() -> None:
    first, second = (
        Side(rows({"naive": 0.75}, tasks=TASKS[:3]), SIZES),
        Side(rows({"naive": 0.7}, tasks=TASKS[1:]), SIZES),
    )
    found = compare(first, second, match(first, second))
    assert {row["task"] for row in found} == {"t1", "t2"}
    assert len(found) == 4


def test_without_seeds_and_sizes_nothing_is_said_of_noise() -> None:
    first, second = (Side(rows({"naive": value}, tasks=["t0"], seeds=[0]), {}) for value in (0.75, 0.7))
    row = of(compare(first, second, match(first, second)), "t0", "naive")
    assert row["accuracy_difference"] == pytest.approx(0.05)
    assert math.isnan(row["accuracy_low"])
    assert row["basis"] == "runs taken as independent"
