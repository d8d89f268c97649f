"""Scores of probabilities: against scikit-learn and SciPy, and where their values are known."""

from __future__ import annotations

import math
from functools import partial
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import mannwhitneyu
from sklearn.metrics import brier_score_loss, roc_auc_score

from w2s.analysis.bootstrap import Estimate
from w2s.analysis.scores import PROBABILISTIC, auroc, ece, rate, scores, squared

Array = np.ndarray[Any, Any]
Rows = list[tuple[bool, int, int]]
rows = st.lists(st.tuples(st.booleans(), st.integers(0, 20), st.integers(1, 5)), min_size=2, max_size=40)
both_classes = rows.filter(lambda rows: len({row[0] for row in rows}) == 2)


def columns(rows: Rows) -> tuple[Array, Array, Array]:
    """(truth, probability with ties, weights that add up to 1)."""
    truth, tenths, weights = (np.array(column, float) for column in zip(*rows, strict=True))
    return truth, tenths / 20, weights / weights.sum()


@settings(deadline=None)
@given(both_classes)
def test_brier_scores_and_aurocs_are_scikit_learns(rows: Rows) -> None:
    truth, probability, weights = columns(rows)
    found = scores(truth, probability)
    assert found["brier"] == pytest.approx(brier_score_loss(truth, probability))
    assert found["auroc"] == pytest.approx(roc_auc_score(truth, probability))
    assert found["accuracy"] == pytest.approx(((probability > 0.5) == truth).mean())
    weighted = roc_auc_score(truth, probability, sample_weight=weights)
    assert auroc(truth, probability, weights) == pytest.approx(weighted)
    weighted = brier_score_loss(truth, probability, sample_weight=weights)
    assert squared(truth, probability, weights) == pytest.approx(weighted)


@settings(deadline=None)
@given(both_classes)
def test_auroc_is_the_statistic_of_mann_and_whitney(rows: Rows) -> None:
    truth, probability, _ = columns(rows)
    ones, zeros = probability[truth > 0.5], probability[truth < 0.5]
    wins = mannwhitneyu(ones, zeros).statistic
    assert auroc(truth, probability) == pytest.approx(wins / (len(ones) * len(zeros)))


@settings(deadline=None)
@given(both_classes)
def test_auroc_sees_ranks_alone_and_classes_exchanged(rows: Rows) -> None:
    truth, probability, _ = columns(rows)
    assert auroc(truth, np.exp(3 * probability)) == pytest.approx(auroc(truth, probability))
    assert auroc(1 - truth, probability) == pytest.approx(1 - auroc(truth, probability))


def test_auroc_of_one_class_is_undefined() -> None:
    assert math.isnan(auroc(np.ones(3), np.array([0.1, 0.5, 0.9])))


@settings(deadline=None)
@given(rows, st.randoms(use_true_random=False))
def test_the_order_of_examples_does_not_matter(rows: Rows, random: Random) -> None:
    mixed = [*rows]
    random.shuffle(mixed)
    for score in (*PROBABILISTIC.values(), rate):
        one, other = (score(*columns(some)) for some in (rows, mixed))
        assert one == pytest.approx(other, nan_ok=True)


@settings(deadline=None)
@given(rows)
def test_weights_are_repetitions(rows: Rows) -> None:
    truth, probability, weights = columns(rows)
    often = [row for row in rows for _ in range(row[2])]
    repeated = columns(often)[:2]
    for score in (*PROBABILISTIC.values(), rate):
        expected = float(score(*repeated))
        assert float(score(truth, probability, weights)) == pytest.approx(expected, nan_ok=True)
        of_draws = score(truth, probability, np.stack([weights, np.full(len(truth), 1 / len(truth))]))
        assert list(of_draws) == pytest.approx([expected, float(score(truth, probability))], nan_ok=True)


@settings(deadline=None)
@given(both_classes)
def test_the_perfect_and_the_inverted_predictor(rows: Rows) -> None:
    truth = columns(rows)[0]
    assert scores(truth, truth) == pytest.approx({"accuracy": 1, "brier": 0, "ece": 0, "auroc": 1})
    assert scores(truth, 1 - truth) == pytest.approx({"accuracy": 0, "brier": 1, "ece": 1, "auroc": 0}, abs=1e-12)


@settings(deadline=None)
@given(both_classes, st.integers(0, 20))
def test_a_constant_predictor_ranks_by_chance_and_is_off_by_the_share_of_a_class(rows: Rows, twentieths: int) -> None:
    truth, said = columns(rows)[0], twentieths / 20
    found, share = scores(truth, np.full(len(truth), said)), truth.mean()
    assert found["auroc"] == pytest.approx(0.5)
    assert found["ece"] == pytest.approx(abs(said - share))
    assert found["brier"] == pytest.approx((said - share) ** 2 + share * (1 - share))


@settings(deadline=None)
@given(rows)
def test_calibration_error_is_a_lower_bound_of_what_is_missing(rows: Rows) -> None:
    """Within a bin errors cancel, so it is at most the mean error, whose square is at most the Brier score."""
    truth, probability, weights = columns(rows)
    off = ece(truth, probability, weights)
    mean = weights @ abs(truth - probability)
    assert off <= mean + 1e-12
    assert off**2 <= mean**2 + 1e-12 <= squared(truth, probability, weights) + 2e-12
    assert abs(weights @ (truth - probability)) <= off + 1e-12
    assert ece(truth, probability, weights, bins=1) == pytest.approx(abs(weights @ (truth - probability)))


@settings(deadline=None)
@given(rows)
def test_brier_scores_fall_into_reliability_resolution_and_uncertainty(rows: Rows) -> None:
    """Murphy (1973), by distinct predictions: calibration error squared is at most the reliability."""
    truth, probability, _ = columns(rows)
    reliability = resolution = 0.0
    for value in np.unique(probability):
        of_value = truth[probability == value]
        reliability += len(of_value) / len(truth) * (value - of_value.mean()) ** 2
        resolution += len(of_value) / len(truth) * (of_value.mean() - truth.mean()) ** 2
    uncertainty = truth.mean() * (1 - truth.mean())
    assert squared(truth, probability) == pytest.approx(reliability - resolution + uncertainty)
    assert ece(truth, probability) ** 2 <= reliability + 1e-12


def test_calibration_error_counted_by_hand() -> None:
    truth = np.array([1.0, 0.0, 1.0, 1.0, 1.0])
    probability = np.array([0.70, 0.71, 0.10, 0.12, 1.0])  # bins 10, 10, 1, 1 and the last
    by_hand = 2 / 5 * abs(0.705 - 0.5) + 2 / 5 * abs(0.11 - 1) + 0
    assert ece(truth, probability) == pytest.approx(by_hand)


def test_a_calibrated_forecast_has_no_calibration_error() -> None:
    assert ece(np.array([1.0, 0.0, 0.0, 0.0]), np.full(4, 0.25)) == pytest.approx(0)


# -- draws of test examples ----------------------------------------------------------------------------------


def test_scores_are_drawn_as_shares_are() -> None:
    """The error rate has the same draws either way, in any order of the examples, so differences are paired."""
    rng = np.random.default_rng(0)
    ids = [f"e{number}" for number in rng.permutation(200)]
    truth, probability = rng.integers(0, 2, 200).astype(float), rng.uniform(size=200)
    wrong = rate(truth, probability, np.eye(200)) > 0.5
    by_share = Estimate.share(ids, list(wrong))
    by_score = Estimate.score(ids, partial(rate, truth, probability))
    assert by_score.value == pytest.approx(by_share.value)
    assert by_score.draws == pytest.approx(by_share.draws, abs=1e-6)


def test_bounds_of_an_auroc_narrow_with_the_number_of_examples() -> None:
    widths = []
    for count in (100, 1600):
        rng = np.random.default_rng(1)
        truth = rng.integers(0, 2, count).astype(float)
        said = truth + rng.normal(scale=1, size=count)
        found = Estimate.score(range(count), partial(auroc, truth, said))
        low, high = found.bounds
        assert low < found.value < high
        widths.append(high - low)
    assert widths[0] / widths[1] == pytest.approx(4, rel=0.3)
