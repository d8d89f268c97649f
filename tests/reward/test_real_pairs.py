"""The formatter of HH-RLHF on samples of the real data, read in place; skipped, aloud, where there are none."""

from __future__ import annotations

import pytest

from tests.conftest import REAL_DATA, needs_real_data
from w2s.engine.rows import from_files, split_files
from w2s.reward.build import build
from w2s.reward.config import PairSizes
from w2s.reward.tasks import PREFERENCES

pytestmark = [needs_real_data, pytest.mark.slow]
HH = PREFERENCES["hh"]


@pytest.mark.parametrize(
    ("folder", "train"), [("anthropic_hh", "test_*"), ("anthropic_hh_single_turn", "harmless_train_*")]
)
def test_nearly_all_real_pairs_are_sound_and_their_place_says_nothing(folder: str, train: str) -> None:
    rows = from_files({"train": split_files(REAL_DATA / folder, train)}, HH.columns, "task 'hh'")
    built = build(HH, rows.parts, PairSizes(), 0, rows.origins)
    counts = built.counts["train"]
    assert sum(counts["malformed_dropped"].values()) < 0.01 * counts["rows"]
    assert counts["pairs"] + counts["duplicates_dropped"] > 0.95 * counts["rows"]
    pairs = [pair for part in built.parts.values() for pair in part]
    assert all(pair.prefix.endswith("\n\nAssistant:") for pair in pairs)
    assert sum(pair.label for pair in pairs) / len(pairs) == pytest.approx(0.5, abs=0.03)
