"""A tiny chess experiment on real processes: games, ladder, supervisor, student, chain, prompt."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from tests.workflow.test_dag import checkout, planned, snakemake
from w2s.experiments.plan import Plan
from w2s.graph.artifact import Run

pytestmark = pytest.mark.xdist_group(__name__)  # what these tests share is made once


def runs_of(plan: Plan) -> dict[str, Run]:
    chess = plan.chess
    return {
        "truth": chess.truth("puzzles", "c8", 0),
        "student": chess.student("puzzles", "c8", "c12", "naive", 0),
        "chain": chess.chain(("c8", "c12", "c16"), 0),
        "zero-shot": chess.zero_shot("c8", 0),
    }


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, tiny: Plan) -> Path:
    folder = checkout(tmp_path_factory.mktemp("chess") / "checkout")
    snakemake(folder, *(run.manifest for run in runs_of(tiny).values()))
    return folder


def read(made: Path, run: Run) -> dict[str, list[Any]]:
    columns: dict[str, list[Any]] = pq.read_table(made / run.path / "predictions.parquet").to_pydict()
    return columns


def test_a_chain_needs_exactly_its_runs(tmp_path: Path, tiny: Plan) -> None:
    folder = checkout(tmp_path / "checkout")
    output = snakemake(folder, "-n", tiny.chess.chain(("c8", "c12", "c16"), 0).manifest)
    assert planned(output) == {"puzzles": 1, "games": 1, "pretrain": 3, "generate": 3}
    assert "finetune c16 on puzzles: labels of c12 (chain-c8-c12) on step2, seed 0" in output


def test_a_second_call_does_nothing(made: Path, tiny: Plan) -> None:
    output = snakemake(made, *(run.manifest for run in runs_of(tiny).values()))
    assert "Nothing to be done" in output


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
