"""Verdicts are wrong at most 5 times in 100: simulations with the truth on a rule's border."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest

from w2s.analysis.bootstrap import FEWEST_TASKS
from w2s.claims import cells as module
from w2s.claims import measures as m
from w2s.claims.cells import Cells
from w2s.claims.claim import FAILS, HOLDS, above, decide
from w2s.claims.intervals import TAIL, over_seeds, over_tasks, rank

Array = np.ndarray[Any, Any]
SIMULATIONS = 10_000
SEED_NOISE = 0.5  # standard deviation of one seed beside tasks whose own is about 1

EFFECTS: Mapping[str, Callable[[np.random.Generator, tuple[int, int]], Array]] = {  # of tasks; the median task is at 0
    "normal": lambda rng, shape: rng.standard_normal(shape),
    "skewed": lambda rng, shape: rng.exponential(size=shape) - math.log(2),
    "heavy-tailed": lambda rng, shape: rng.standard_t(2, shape),
}


def tolerated(share: float, simulations: int) -> float:
    """A share, and three standard errors of it."""
    return share + 3 * math.sqrt(share * (1 - share) / simulations)


def wrong(low: Array, high: Array) -> tuple[float, float]:
    """Shares of simulations that say "more than 0" and "not more than 0"; where the truth is 0 both are wrong."""
    return float((low > 0).mean()), float((high < 0).mean())


@pytest.mark.parametrize("distribution", EFFECTS)
@pytest.mark.parametrize("tasks", [3, 4, 6, 8, 22])
@pytest.mark.parametrize("seeds", [1, 2, 3])
def test_over_tasks_verdicts_on_the_border_are_wrong_at_most_5_times_in_100(
    distribution: str, tasks: int, seeds: int
) -> None:
    rng = np.random.default_rng([tasks, seeds])
    each = EFFECTS[distribution](rng, (SIMULATIONS, tasks))
    each = each + SEED_NOISE / math.sqrt(seeds) * rng.standard_normal(each.shape)
    holds, fails = wrong(*over_tasks(np.median(each, axis=1), each))
    assert max(holds, fails) <= tolerated(TAIL, SIMULATIONS)
    assert holds + fails <= tolerated(2 * TAIL, SIMULATIONS)
    assert (holds == fails == 0) == (tasks < FEWEST_TASKS)


@pytest.mark.parametrize(("tasks", "least"), [(6, 0.8), (8, 0.8), (22, 0.99)])
def test_over_tasks_a_clear_effect_is_found(tasks: int, least: float) -> None:
    """Two standard deviations of tasks above the border."""
    each = 2 + np.random.default_rng(0).standard_normal((SIMULATIONS, tasks))
    low, _ = over_tasks(np.median(each, axis=1), each)
    assert (low > 0).mean() > least


@pytest.mark.parametrize(("tasks", "expected"), [(5, 0), (6, 1), (8, 1), (9, 2), (22, 6)])
def test_ranks_are_those_of_the_sign_test(tasks: int, expected: int) -> None:
    assert rank(tasks) == expected
    missed = sum(math.comb(tasks, heads) for heads in range(expected)) / 2**tasks
    assert missed <= TAIL < missed + math.comb(tasks, expected) / 2**tasks


def test_an_interval_over_tasks_is_widened_to_its_value_and_leaves_out_tasks_without_one() -> None:
    each = np.array([1.0, 2, 3, math.nan, 4, 5, 6])
    assert [float(bound) for bound in over_tasks(np.array(9.0), each)] == [1, 9]
    few = np.where(each > 5, math.nan, each)
    assert np.isnan(over_tasks(np.array(3.0), few)).all()


@pytest.mark.parametrize("seeds", [1, 2, 3])
@pytest.mark.parametrize("examples", [0.0, 0.5, 1.0, 4.0])
@pytest.mark.parametrize("distribution", ["normal", "heavy-tailed"])
def test_over_seeds_verdicts_on_the_border_are_wrong_at_most_5_times_in_100(
    seeds: int, examples: float, distribution: str
) -> None:
    """All seeds share their test examples, whose standard error is so many times that of a seed."""
    rng = np.random.default_rng(seeds)
    each = EFFECTS[distribution](rng, (SIMULATIONS, seeds))
    each = each + examples * rng.standard_normal((SIMULATIONS, 1))
    bound = np.full(SIMULATIONS, 1.96 * examples)
    holds, fails = wrong(*over_seeds(each.mean(axis=1), each, bound, bound))
    assert max(holds, fails) <= tolerated(TAIL, SIMULATIONS)
    assert (holds == fails == 0) == (seeds == 1)


def test_over_seeds_a_clear_effect_is_found() -> None:
    each = 10 + np.random.default_rng(0).standard_normal((SIMULATIONS, 3))
    low, _ = over_seeds(each.mean(axis=1), each, np.ones(SIMULATIONS), np.ones(SIMULATIONS))
    assert (low > 0).mean() > 0.95


# -- through tables and rules --------------------------------------------------------------------------------


def row(method: str, supervisor: str, student: str, **values: Any) -> dict[str, Any]:
    compute = {"w": 1e10, "m": 1e11, "s": 1e12}
    pair = {"method": method, "supervisor": supervisor, "student": student}
    return pair | {"supervisor_compute": compute[supervisor], "student_compute": compute[student]} | values


def test_rules_on_tables_of_several_tasks_hold_their_level() -> None:
    """Both losses do the same on average: the mean over three pairs of the difference of medians is on the border."""
    rng, simulations, pairs = np.random.default_rng(0), 200, [("w", "m"), ("w", "s"), ("m", "s")]
    found = []
    for _ in range(simulations):
        tasks = 0.3 + 0.2 * rng.standard_exponential(6)
        rows = [
            row(method, weak, strong, task=f"t{task}", seed=0, pgr=level + 0.1 * rng.standard_normal())
            for task, level in enumerate(tasks)
            for weak, strong in pairs
            for method in ("naive", "confidence")
        ]
        cells = Cells(rows)
        found.append(decide(above(0), *cells.interval(m.mean_gain(cells, "confidence", "naive")))[0])
    assert found.count(HOLDS) + found.count(FAILS) <= tolerated(2 * TAIL, simulations) * simulations


@pytest.mark.parametrize(("seeds", "least"), [(2, 0), (3, 20)])
def test_rules_on_tables_of_one_task_hold_their_level(seeds: int, least: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """PGR is 40% in truth; seeds and test examples move accuracies by about a point."""
    monkeypatch.setattr(module, "DRAWS", 300)
    rng, simulations, examples, truth = np.random.default_rng(seeds), 200, 1000, (0.6, 0.72, 0.9)
    border, clear = [], []
    for _ in range(simulations):
        shared = 0.5 * rng.standard_normal()
        onto = [math.sqrt(p * (1 - p) / examples) * (shared + math.sqrt(0.75) * rng.standard_normal()) for p in truth]
        rows = []
        for seed in range(seeds):
            weak, reached, ceiling = (
                p + off + 0.01 * rng.standard_normal() for p, off in zip(truth, onto, strict=True)
            )
            rows.append(row("naive", "w", "s", task="one", seed=seed, weak=weak, accuracy=reached, ceiling=ceiling))
        cells = Cells(rows, sizes={"": examples}, one_task=True)
        interval = cells.interval(m.farthest(cells, "naive"))
        border.append(decide(above(0.4), *interval)[0])
        clear.append(decide(above(0), *interval)[0])
    assert border.count(HOLDS) + border.count(FAILS) <= tolerated(2 * TAIL, simulations) * simulations
    assert clear.count(HOLDS) >= least
    assert FAILS not in clear
