"""Completions that are right or legal, by rating, and as another model's; runs of the chess setting in pairs."""

from __future__ import annotations

import math
from typing import Any

import pytest

from tests.figures.conftest import Shape
from tests.figures.fake import EXAMPLES, Fake, halfway
from w2s.analysis import pairs
from w2s.analysis.bootstrap import written
from w2s.chess import analysis as chess
from w2s.errors import LackingError

TABLE: dict[str, list[Any]] = {
    "id": ["a", "b", "c", "d", "e"],
    "part": ["test", "test", "test", "test", "strong"],
    "rating": [610, 699, 2000, None, 2400],
    "answer": [" Qa8#", " Kb1", " zz", " Rh1+", " Qa1"],
    "correct": [1, 0, 0, 1, 0],
    "legal": [1, 1, 0, 1, 0],
}
TEST = chess.part_of(TABLE)


def test_a_part_has_its_own_rows_in_every_column() -> None:
    assert TEST["id"] == ["a", "b", "c", "d"]
    assert chess.part_of(TABLE, "strong")["rating"] == [2400]


def test_shares_are_of_all_puzzles_or_of_those_rated_so_high() -> None:
    assert chess.share(TEST).value == 0.5
    assert chess.share(TEST, "legal").value == 0.75
    assert chess.share(TEST, rated_from=699).value == 0
    assert chess.share(TEST, rated_from=610).value == pytest.approx(1 / 3)  # an unrated puzzle is neither easy nor hard
    assert math.isnan(chess.share(TEST, rated_from=2001).value)
    assert (chess.rated(TEST, 2000), chess.rated(TEST, 2001)) == (1, 0)


def test_bins_are_the_papers_and_empty_ones_have_no_accuracy() -> None:
    bins = chess.by_rating(TEST)
    assert [one.rating for one in bins] == list(range(650, 2451, 100))
    assert (bins[0].accuracy.value, bins[0].examples) == (0.5, 2)
    assert (bins[14].accuracy.value, bins[14].examples) == (0, 1)  # 2000 opens a bin
    assert math.isnan(bins[1].accuracy.value)
    assert sum(one.examples for one in bins) == 3


def test_puzzles_outside_of_the_bins_are_left_out() -> None:
    outside = {"correct": [1, 1, 1], "rating": [599, 2500, 400]}
    assert sum(one.examples for one in chess.by_rating(outside)) == 0


def test_agreement_is_about_moves_whether_right_or_not() -> None:
    other = TEST | {"answer": ["Qa8 ", " Kb2", " zz", " Rh1#"]}
    assert chess.agreement(TEST, other).value == 0.75
    assert chess.agreement(other, TEST).value == 0.75


def test_agreement_goes_by_the_puzzle_and_not_by_its_place() -> None:
    turned = {column: values[::-1] for column, values in TEST.items()}
    assert chess.agreement(TEST, turned).value == 1
    with pytest.raises(ValueError, match="different puzzles"):
        chess.agreement(TEST, chess.part_of(TABLE, "strong"))


def test_a_promotion_is_another_move() -> None:
    assert chess.move(" a8=Q+") == "a8=Q"
    assert chess.move("a8=N!?") != chess.move("a8=Q")


def test_accuracy_is_of_the_column_correct_where_there_is_one() -> None:
    assert pairs.accuracy_on_test(TABLE).value == 0.5


def test_steps_are_what_chains_begin_with_each_once(shape: Shape) -> None:
    assert chess.steps(shape(chess=True).chess) == [("c16", "c32"), ("c16", "c32", "c40"), ("c24", "c40")]


def test_chains_compare_with_the_first_rungs_truth_and_the_last_students_ceiling(shape: Shape) -> None:
    plan = shape(chess=True, seeds=1)
    results = Fake(halfway(plan))
    first, second, third = map(written, chess.chained(plan.chess, results))
    assert results.read == {run.key for run in chess.chain_runs(plan.chess)}
    assert (second["supervisor"], second["student"], second["labels"]) == ("c16", "c40", "chain-c16-c32")
    assert second["chain"] == "c16 > c32 > c40"
    assert (second["weak"], second["accuracy"], second["ceiling"]) == (0.6, 0.8, 0.9)
    assert second["pgr"] == pytest.approx(2 / 3)
    assert first["labels"] == "from-c16"  # the first step is the naive student
    assert third["supervisor"] == "c24"


def test_a_chain_that_ends_without_ceiling_has_no_pgr(shape: Shape) -> None:
    plan = shape(chess=True, seeds=1, without_truth=3)
    rows = {row["chain"]: row for row in chess.chained(plan.chess, Fake(halfway(plan)))}
    assert math.isnan(rows["c16 > c32 > c40"]["pgr"])
    assert "undefined" not in rows["c16 > c32 > c40"]


def test_agreement_and_legality_of_naive_students(shape: Shape) -> None:
    plan = shape(chess=True, seeds=1)
    results = Fake(halfway(plan))
    rows = [
        written(row)
        for row in chess.with_agreement(plan.chess, results, pairs.naive_rows(plan.chess, "fig15", results))
    ]
    found = {(row.get("supervisor"), row["student"]): row for row in rows}
    assert found["c16", "c40"]["agreement"] == pytest.approx(1 - 0.15)  # right on 60 and 75 of 100, else the same
    assert found["c16", "c16"]["agreement"] == 1
    wrong = 25
    assert found["c16", "c40"]["legal"] == pytest.approx((EXAMPLES - wrong + wrong // 2) / EXAMPLES)


def test_an_experiment_without_chess_lacks_it(shape: Shape) -> None:
    with pytest.raises(LackingError, match="no chess section"):
        _ = shape().chess
