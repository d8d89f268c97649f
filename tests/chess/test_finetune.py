"""The generate stage over whole games, in every notation that can hold them, with own and with open models."""

from __future__ import annotations

import json
import math
import random
from pathlib import Path
from typing import Any

import chess
import chess.pgn
import pyarrow.parquet as pq
import pytest
from safetensors import safe_open

from w2s import cli
from w2s.config.files import deep_merge
from w2s.experiments.loading import plan_of
from w2s.graph.artifact import Artifact, Run, canonical

PUZZLES = 80
pytestmark = pytest.mark.slow


def game(seed: int) -> list[chess.Move]:
    """Some plies of random moves."""
    choose, board = random.Random(seed), chess.Board()
    moves = []
    for _ in range(choose.randint(8, 20)):
        if board.is_game_over():
            break
        move = choose.choice(list(board.legal_moves))
        moves.append(move)
        board.push(move)
    return moves


def write_games(path: Path, count: int) -> None:
    texts = []
    for seed in range(count):
        one = chess.pgn.Game({"WhiteElo": "2000", "BlackElo": "2000", "Result": "*"})
        one.add_line(game(10_000 + seed))
        texts.append(str(one) + "\n\n")
    path.write_text("".join(texts))


def puzzle_rows(count: int) -> list[dict[str, str]]:
    """The last move of each game is the answer, as rows of the dump with the moves of the game."""
    rows = []
    for seed in range(count):
        *before, opponent, answer = game(seed)
        board, sans = chess.Board(), []
        for move in before:
            sans.append(board.san(move))
            board.push(move)
        fen, said = board.fen(), board.san(opponent)
        row = {"PuzzleId": f"p{seed:03}", "FEN": fen, "Moves": f"{opponent.uci()} {answer.uci()}", "Rating": "1500"}
        link = {"GameUrl": f"https://lichess.org/game{seed:04}", "Themes": "", "game_moves": " ".join([*sans, said])}
        rows.append(row | link)
    return rows


def make(artifact: Artifact) -> Path:
    """The artifact, after its parents, as Snakemake's jobs make them."""
    for parent in artifact.parents.values():
        make(parent)
    parents = [f"{role}={parent.path}" for role, parent in artifact.parents.items()]
    command = ["make", artifact.stage.name, "--spec", canonical(artifact.spec), "--out", artifact.path]
    command += ["--environment", canonical(artifact.environment)] if artifact.environment else []
    code = cli.main([*command, *(["--parents", *parents] if parents else [])])
    assert not code, artifact.message
    return Path(artifact.path)


def answers(run: Run) -> dict[str, list[Any]]:
    columns: dict[str, list[Any]] = pq.read_table(make(run) / "predictions.parquet").to_pydict()
    return columns


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    monkeypatch.chdir(tmp_path)
    write_games(tmp_path / "games.pgn", 40)
    lines = [json.dumps(row) + "\n" for row in puzzle_rows(PUZZLES)]
    (tmp_path / "puzzles.jsonl").write_text("".join(lines))
    return {
        "games": {"source": "files", "paths": ["games.pgn"]},
        "puzzles": {"source": "files", "paths": ["puzzles.jsonl"]},
        "sizes": {"weak": 24, "strong": 24, "steps": 0, "test": 20},
        "chains": [],
        "shots": 3,
        "training": {"max_length": 200},
    }


@pytest.mark.parametrize("notation", ["pgn", "fen", "squares"])
def test_a_ladder_learns_and_labels_whole_games(
    notation: str, files: dict[str, Any], tiny_config: dict[str, Any]
) -> None:
    changed = files | {"notation": notation, "pretraining": {"vocabulary": 300}}
    plan = plan_of(deep_merge(tiny_config, {"settings": ["chess"], "chess": changed}), "tiny").chess
    student = plan.student("puzzles", "c8", "c16", "naive", 0)
    taught, learned = answers(plan.truth("puzzles", "c8", 0)), answers(student)
    said = dict(zip(zip(taught["part"], taught["id"], strict=True), taught["answer"], strict=True))
    assert set(taught["part"]) == {"test", "strong"}
    assert learned["label"] == [said["test", one] for one in learned["id"]]
    prompted = answers(plan.zero_shot("c8", 0))
    assert prompted["truth"] == learned["truth"]
    assert all(right <= legal for right, legal in zip(learned["correct"], learned["legal"], strict=True))
    examples = pq.read_table(Path(plan.data(0).path) / "examples.parquet").to_pydict()
    assert len(set(examples["prompt"])) == len(examples["prompt"])


def test_open_models_are_finetuned_and_prompted_with_solved_puzzles(
    files: dict[str, Any], tiny_config: dict[str, Any], models: dict[str, Path]
) -> None:
    """Two architectures, one the supervisor of the other; worked examples change what a prompt reads, no training."""
    rungs = [
        {"name": name, "source": str(models[name]), "parameters": weights(models[name]), "tokens": tokens}
        | {"learning_rate": 1e-3}
        for name, tokens in (("gpt2", 10**6), ("llama", 10**8))
    ]
    changed = files | {"notation": "pgn", "ladder": rungs}
    plan = plan_of(deep_merge(tiny_config, {"settings": ["chess"], "chess": changed}), "tiny").chess
    bare = plan_of(deep_merge(tiny_config, {"settings": ["chess"], "chess": changed | {"shots": 0}}), "tiny").chess
    assert plan.truth("puzzles", "gpt2", 0).key == bare.truth("puzzles", "gpt2", 0).key
    assert plan.zero_shot("gpt2", 0).key != bare.zero_shot("gpt2", 0).key
    taught, learned = (
        answers(plan.truth("puzzles", "gpt2", 0)),
        answers(plan.student("puzzles", "gpt2", "llama", "naive", 0)),
    )
    said = dict(zip(zip(taught["part"], taught["id"], strict=True), taught["answer"], strict=True))
    assert learned["label"] == [said["test", one] for one in learned["id"]]
    for prompted in (plan.zero_shot("llama", 0), bare.zero_shot("llama", 0)):
        assert answers(prompted)["id"] == learned["id"]


def weights(folder: Path) -> int:
    """How many there are, a tied one once."""
    with safe_open(folder / "model.safetensors", "pt") as file:
        return sum(math.prod(file.get_slice(name).get_shape()) for name in file.keys())  # noqa: SIM118
