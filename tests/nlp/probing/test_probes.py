"""Probes separate what a line separates, take soft labels as they are, and stop where weak labels are matched best."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch

from w2s.nlp.probing import logistic
from w2s.nlp.probing.config import Recipe
from w2s.nlp.probing.probes import agreement, by_adam
from w2s.nlp.probing.simulable import flip, simulate
from w2s.nlp.probing.table import FeaturePart
from w2s.nlp.specs import ErrorsSpec

ADAM = Recipe(by="adam", learning_rate=1e-2, batch=32, epochs=40)


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """As in jobs: a second one makes small steps many times slower."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def clouds(count: int, seed: int = 0, width: int = 6) -> tuple[Any, Any]:
    """Features of which the first tells the class."""
    chance = np.random.default_rng(seed)
    truth = chance.integers(0, 2, count)
    values = chance.normal(size=(count, width)).astype(np.float32)
    values[:, 0] += 4 * truth - 2
    return values, truth


@pytest.mark.parametrize("recipe", ["lbfgs", "adam"])
def test_a_probe_finds_the_line_between_two_classes(recipe: str) -> None:
    values, truth = clouds(300)
    labels = truth.astype(float)
    head = logistic.fit(values, labels) if recipe == "lbfgs" else by_adam(values, labels, ADAM, 0, None)[0]
    others, wanted = clouds(300, 1)
    assert agreement(head.probability(others), wanted) > 0.95
    assert abs(head.weight[0]) > 3 * np.abs(head.weight[1:]).max()


@pytest.mark.parametrize("recipe", ["lbfgs", "adam"])
def test_soft_labels_are_learned_as_probabilities(recipe: str) -> None:
    """Hardened ones would give certainty."""
    values, truth = clouds(400)
    soft = np.where(truth == 1, 0.7, 0.3)
    fitted = logistic.fit(values, soft, c=100) if recipe == "lbfgs" else by_adam(values, soft, ADAM, 0, None)[0]
    assert 0.6 < fitted.probability(values)[truth == 1].mean() < 0.75


def test_a_soft_label_counts_as_both_classes_with_its_weights() -> None:
    """Three examples at one place, one of them of the other class, are as one with probability 1/3."""
    place, far = np.ones((3, 1), np.float32), np.full((3, 1), -1.0, np.float32)
    several = logistic.fit(np.concatenate([place, far]), np.array([1.0, 0.0, 0.0, 0.0, 0.0, 0.0]))
    soft = logistic.fit(np.concatenate([place, far]), np.array([1 / 3] * 3 + [0.0] * 3))
    assert soft.weight == pytest.approx(several.weight, abs=1e-3)


def test_labels_that_are_all_the_same_are_learned_without_a_line() -> None:
    values, _ = clouds(20)
    assert logistic.fit(values, np.ones(20)).hard(values).tolist() == [1] * 20
    assert logistic.fit(values, np.zeros(20)).hard(values).tolist() == [0] * 20


def test_a_stronger_penalty_gives_smaller_weights() -> None:
    values, truth = clouds(100)
    weak, strong = (np.abs(logistic.fit(values, truth, c=c).weight).sum() for c in (100.0, 0.01))
    assert strong < weak / 2


def test_adam_stops_where_validation_labels_are_matched_best() -> None:
    """Labels of validation that are the opposite of those learned are matched best before anything is learned."""
    values, truth = clouds(200)
    labels = truth.astype(float)
    _, late = by_adam(values, labels, ADAM, 0, None)
    _, early = by_adam(values, labels, ADAM, 0, (values, 1 - labels))
    _, agreed = by_adam(values, labels, ADAM, 0, (values, labels))
    assert late["selected_epoch"] == 40
    assert early["selected_epoch"] < 5
    assert agreed["selected_epoch"] > 5
    assert early["validation_agreement"] < 0.6 < agreed["validation_agreement"]


def test_adam_is_the_same_for_the_same_seed() -> None:
    values, truth = clouds(100)
    one, same, other = (by_adam(values, truth.astype(float), ADAM, seed, None)[0] for seed in (0, 0, 1))
    assert (one.weight == same.weight).all()
    assert not np.allclose(one.weight, other.weight)


# -- Appendix E.1 ------------------------------------------------------------------------------------------

WIDTH, FEW = 12, [2, 4, 8]
SPEC: dict[str, Any] = {"features": FEW, "noised": 4, "noise": [0.1, 0.0], "draws": 2, "seed": 0}


def parts(sizes: int = 600) -> dict[str, FeaturePart]:
    """Every feature tells a little of the truth."""
    found = {}
    for seed, name in enumerate(("weak", "strong", "validation", "test")):
        chance = np.random.default_rng(seed)
        truth = chance.integers(0, 2, sizes)
        values = (chance.normal(size=(sizes, WIDTH)) + 0.6 * (2 * truth[:, None] - 1)).astype(np.float32)
        found[name] = FeaturePart([f"{name}{number}" for number in range(sizes)], values, truth)
    return found


def accuracies(**changed: Any) -> dict[tuple[str, str, str, int], tuple[float, float]]:
    fits = simulate(parts(), ErrorsSpec.from_spec(SPEC | changed))
    return {(one.panel, one.labels, one.student, one.draw): (one.accuracy, one.agreement) for one in fits}


def test_all_cells_of_figure_24_are_there() -> None:
    cells = accuracies()
    simulable = [(str(a), str(b)) for a in FEW for b in FEW if b >= a]
    simulable += [(str(a), "full") for a in FEW] + [("full", "full")]
    assert {(a, b) for panel, a, b, _ in cells if panel == "simulable"} == set(simulable)
    for panel, labels in (("unsimulable", FEW), ("mixed", ["0.1", "0"])):
        wanted = {(str(a), student, draw) for a in labels for student in ("labeller", "full") for draw in (0, 1)}
        assert {(a, b, draw) for name, a, b, draw in cells if name == panel} == wanted


def test_students_keep_errors_that_they_can_simulate_and_drop_those_that_they_cannot() -> None:
    """The paper's finding: of labels as good, the student of random errors is better, and agrees less."""
    cells = accuracies()
    simulated, random = cells["simulable", "2", "full", 0], cells["unsimulable", "2", "full", 0]
    assert cells["unsimulable", "2", "labeller", 0][0] == pytest.approx(cells["simulable", "2", "2", 0][0], abs=1 / 600)
    assert random[0] > simulated[0] + 0.05
    assert random[1] < simulated[1] - 0.1


def test_without_noise_mixed_errors_are_the_simulable_ones() -> None:
    """As in the paper's own numbers: 80.9 and 93.6 in both panels."""
    cells = accuracies()
    assert cells["mixed", "0", "full", 0] == cells["simulable", "4", "full", 0]
    assert cells["mixed", "0", "labeller", 0][0] == cells["simulable", "4", "4", 0][0]


def test_noise_makes_labels_worse_by_its_share() -> None:
    """Of flipped labels those that were right become wrong, and the others right."""
    cells = accuracies()
    clean, noisy = (cells["mixed", share, "labeller", 0][0] for share in ("0", "0.1"))
    assert noisy == pytest.approx(0.9 * clean + 0.1 * (1 - clean), abs=0.02)
    assert cells["mixed", "0.1", "full", 0][1] < cells["mixed", "0", "full", 0][1] - 0.03


def test_draws_differ_and_the_seed_decides_them() -> None:
    one, same, other = accuracies(), accuracies(), accuracies(seed=1)
    assert one == same
    assert one != other
    assert one["unsimulable", "2", "full", 0] != one["unsimulable", "2", "full", 1]


def test_a_share_of_labels_is_flipped_to_the_example() -> None:
    labels = np.array([0, 1] * 50)
    flipped = flip(labels, 0.13, np.random.default_rng(0))
    assert (flipped != labels).sum() == 13
    assert set(flipped.tolist()) == {0, 1}


def test_a_rung_with_too_few_features_is_one_line() -> None:
    from w2s.errors import UserError

    with pytest.raises(UserError, match=r"nlp\.probing\.errors\.noised: 300 is not allowed; this rung has 12 features"):
        simulate(parts(50), ErrorsSpec.from_spec(SPEC | {"features": [10, 300], "noised": 300}))
