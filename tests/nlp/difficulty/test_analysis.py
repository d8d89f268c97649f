"""Boxes and rank correlations of Figure 22, against scipy's."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest
from scipy.stats import spearmanr

from w2s.nlp.difficulty.analysis import box, rank_correlation, ranks


def test_equal_values_share_the_mean_of_their_ranks() -> None:
    assert ranks([3, 1, 3, 2]) == [3.5, 1, 3.5, 2]


def test_rank_correlation_is_spearmans() -> None:
    rng = random.Random(0)
    levels = [rng.randrange(4) for _ in range(50)]
    ratings = [level + rng.random() * 4 for level in levels]
    assert rank_correlation(levels, ratings) == pytest.approx(spearmanr(levels, ratings).statistic)
    assert math.isnan(rank_correlation([1, 1], [1, 2]))
    assert math.isnan(rank_correlation([], []))


def test_a_box_has_quartiles_and_the_outer_twentieths() -> None:
    values = [float(number**2) for number in range(37)]
    found = box(values)
    expected = np.quantile(values, [0.05, 0.25, 0.5, 0.75, 0.95])
    assert [found[name] for name in ("low", "lower", "middle", "upper", "high")] == pytest.approx(list(expected))
    assert math.isnan(box([])["middle"])
    assert box([2.0])["high"] == 2.0
