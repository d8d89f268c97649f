"""A tiny chess experiment on real processes: games, ladder, supervisor, student, chain, prompt."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from w2s.experiments.plan import Plan
from w2s.graph.artifact import Run, with_ancestors

pytestmark = pytest.mark.xdist_group("tiny")  # what these tests share is made once


def runs_of(plan: Plan) -> dict[str, Run]:
    chess = plan.chess
    return {
        "truth": chess.truth("puzzles", "c8", 0),
        "student": chess.student("puzzles", "c8", "c12", "naive", 0),
        "chain": chess.chain(("c8", "c12", "c16"), 0),
        "zero-shot": chess.zero_shot("c8", 0),
    }


def wanted(plan: Plan) -> list[str]:
    return [run.manifest for run in runs_of(plan).values()]


def read(made: Path, run: Run) -> dict[str, list[Any]]:
    columns: dict[str, list[Any]] = pq.read_table(made / run.path / "predictions.parquet").to_pydict()
    return columns


def test_a_chain_needs_exactly_its_runs(tiny: Plan) -> None:
    chain = tiny.chess.chain(("c8", "c12", "c16"), 0)
    needed = with_ancestors([chain]).values()
    assert Counter(one.stage.name for one in needed) == {"puzzles": 1, "games": 1, "pretrain": 3, "generate": 3}
    assert chain.message.startswith("finetune c16 on puzzles: labels of c12 (chain-c8-c12) on step2, seed 0")


def test_predictions_hold_the_test_set_and_what_later_runs_learn(made: Path, tiny: Plan) -> None:
    parts = {"truth": {"test", "strong"}, "student": {"test", "step2"}, "chain": {"test"}, "zero-shot": {"test"}}
    for name, run in runs_of(tiny).items():
        table = read(made, run)
        assert set(table) == {"id", "part", "rating", "truth", "label", "answer", "correct", "legal"}
        assert set(table["part"]) == parts[name]
        assert all(legal >= right for right, legal in zip(table["correct"], table["legal"], strict=True))


def test_each_run_learns_the_answers_of_the_one_before_by_id(made: Path, tiny: Plan) -> None:
    runs = runs_of(tiny)
    for name, supervisor in (("student", "truth"), ("chain", "student")):
        table, taught = read(made, runs[name]), read(made, runs[supervisor])
        said = dict(zip(zip(taught["part"], taught["id"], strict=True), taught["answer"], strict=True))
        rows = list(zip(table["part"], table["id"], table["label"], strict=True))
        assert [label for part, one, label in rows if part == "test"] == [
            said["test", one] for part, one, _ in rows if part == "test"
        ]
    assert set(read(made, runs["zero-shot"])["label"]) == {""}
    truth = read(made, runs["truth"])
    assert truth["label"] == truth["truth"]


def test_the_record_says_how_good_chance_is(made: Path, tiny: Plan) -> None:
    for run in runs_of(tiny).values():
        measured = json.loads((made / run.manifest).read_text())["measured"]
        assert 0 < measured["random_legal_move"] < 0.2
        assert 0 <= measured["test_accuracy"] <= measured["test_legal"] <= 1


def test_games_do_not_hold_the_puzzles(made: Path, tiny: Plan) -> None:
    measured = json.loads((made / tiny.chess.corpus().manifest).read_text())["measured"]
    assert measured["games"] == measured["documents"] + measured["with_a_puzzle_dropped"] == 400
