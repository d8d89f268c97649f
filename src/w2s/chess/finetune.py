"""The generate stage: a chess run, from its parents' artifacts to greedy answers, history and record."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import chess
import torch

from w2s.chess import notation
from w2s.chess.config import CLOSED
from w2s.engine import artifacts
from w2s.engine import distributed
from w2s.engine.devices import compile_where_it_pays, described, device, peak_of
from w2s.engine.memory import Budget, budget_of
from w2s.engine.sharded import checkpoint_at
from w2s.errors import UserError
from w2s.models import encoding, generator
from w2s.models.base import directory_of
from w2s.models.base import max_length as longest
from w2s.models.classifier import Computing
from w2s.models.generator import Generator
from w2s.training.batching import Texts
from w2s.training.generative import backward, greedy, lessons
from w2s.training.loop import Schedule, optimise, summary
from w2s.training.records import write_history

ANSWER = 8  # tokens of an answer at most; of words, one a token:
WORDS = 3  # piece, square, promotion
BETWEEN = "\n\n"  # two worked examples for an open model; an own rung has the end token there, as between games


@dataclass(frozen=True)
class Puzzles:
    """One part of the data. fens: positions to move in; legal_moves: how many there are; answers: the true ones."""

    ids: list[str]
    ratings: list[int | None]
    fens: list[str]
    legal_moves: list[int]
    prompts: list[str]
    answers: list[str]

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True)
class Solved:
    """Answers to the puzzles of a part, and which of them are right, and legal at all (0 or 1)."""

    answers: list[str]
    correct: list[int]
    legal: list[int]

    def share(self, what: str) -> float:
        """The share of ``correct`` or ``legal`` ones."""
        values: list[int] = getattr(self, what)
        return sum(values) / len(values)


class Player:
    """A model with its tokenizer: puzzles in, moves out."""

    def __init__(self, network: Generator, base: Path, notated: str, max_length: int, budget: Budget) -> None:
        self.network, self.base, self.notated, self.budget = network, base, notated, budget
        self.most = WORDS if notated in CLOSED else ANSWER
        self.room = min(max_length, longest(base) or max_length) - self.most
        if self.room < 1:
            raise UserError(f"chess.training.max_length: {max_length} leaves no room for a prompt beside its answer")
        self.tokenizer = encoding.tokenizer_of(base)
        self.end = encoding.end_of(base)
        self._texts = cache(self._encoded)

    def answer_tokens(self, answers: Sequence[str]) -> list[list[int]]:
        """What is to be learned behind a prompt: an answer's tokens and the end token; for no answer the latter."""
        return [[*ids[: self.most], self.end] for ids in encoding.bare_ids(self.tokenizer, answers)]

    def prompt_tokens(self, prompts: Sequence[str], before: Sequence[int] = ()) -> list[list[int]]:
        """Prompts behind the start token, their beginning cut off where they are too long. before: worked examples."""
        start = encoding.start_of(self.tokenizer)
        room = self.room - len(start)
        return [start + [*before, *ids][-room:] for ids in encoding.bare_ids(self.tokenizer, prompts)]

    def shots(self, puzzles: Puzzles, count: int, seed: int) -> list[int]:
        """Tokens of so many solved puzzles, drawn with the seed."""
        own = self.network.output is None
        (between,) = encoding.bare_ids(self.tokenizer, [BETWEEN]) if not own else ([self.end],)
        chosen = random.Random(f"shots-{seed}").sample(range(len(puzzles)), min(count, len(puzzles)))
        tokens: list[int] = []
        for number in chosen:
            prompt, answer = encoding.bare_ids(self.tokenizer, [puzzles.prompts[number], puzzles.answers[number]])
            tokens += [*prompt, *answer, *between]
        return tokens

    def solve(self, name: str, puzzles: Puzzles, before: Sequence[int] = ()) -> Solved:
        """Greedy answers. name: of the part; evaluations come back to the same one."""
        prompts = self._texts(name, tuple(before), tuple(puzzles.prompts))
        said = greedy(self.network, prompts, end=self.end, most=self.most, budget=self.budget)
        answers = [as_answer(text) for text in encoding.texts_of(self.tokenizer, said)]
        return judged(puzzles, answers, self.notated)

    def _encoded(self, name: str, before: tuple[int, ...], prompts: tuple[str, ...]) -> Texts:
        return Texts(self.prompt_tokens(prompts, before))


def make(
    build: artifacts.Build, data: Path, model: Path, labels: Path | None, environment: Mapping[str, Any] | None = None
) -> None:
    """Train and write ``predictions.parquet`` and ``history.csv``. labels: the supervisor's run, or None.

    The spec's ``part`` is None where a base model is prompted as it is. environment: what the rung needs of the
    machine, without effect on numbers: ``checkpointing``, ``gpus``.
    """
    environment = environment or {}
    spec = build.identity.spec
    where = device()
    base = directory_of(model)
    parts = read_parts(data)
    needed = [name for name in (*spec["predicts"], spec["part"]) if name]
    known = learned_labels(parts, spec["part"], labels, needed)
    computing = Computing(
        spec.get("precision", "float32"), spec.get("adapters"), bool(environment.get("checkpointing"))
    )
    torch.manual_seed(spec["seed"])  # where adapters start
    network: Generator = distributed.load_on(lambda: generator.load(base, computing), where)
    player = Player(network, base, spec["notation"], spec["training"]["max_length"], budget_of(where))
    build.measured |= {"device": described(where)}
    if spec["part"] is None:
        history = prompted(player, parts, spec)
        solved = {"test": history.pop("solved")}
        rows = [history]
    else:
        rows, solved = trained(build, player, parts, known, spec, where)
    write_history(build.folder / "history.csv", rows)
    for name in spec["predicts"]:
        if name not in solved:
            solved[name] = player.solve(name, parts[name])
    write_predictions(build.folder / "predictions.parquet", parts, known, solved, spec["predicts"])
    test = solved["test"]
    build.measured |= {
        "test_accuracy": test.share("correct"),
        "test_legal": test.share("legal"),
        "random_legal_move": sum(1 / moves for moves in parts["test"].legal_moves) / len(parts["test"]),
    } | player.budget.record()
    build.measured |= peak_of(where)
    print(summary(rows[-1]))
    print(
        f"test: {test.share('correct'):.4f} right, {test.share('legal'):.4f} legal; "
        f"a random legal move is right {build.measured['random_legal_move']:.4f} of the time"
    )


def prompted(player: Player, parts: Mapping[str, Puzzles], spec: Mapping[str, Any]) -> dict[str, Any]:
    """The history's one row of a model that is not trained, and what it said of the test set as ``solved``."""
    before = player.shots(parts["weak"], spec["shots"], spec["seed"]) if spec["shots"] else []
    solved = player.solve("test", parts["test"], before)
    row = {"step": 0, "epoch": 0.0, "train_loss": math.nan, **evaluated(solved)}
    return row | {"solved": solved}


def trained(
    build: artifacts.Build,
    player: Player,
    parts: Mapping[str, Puzzles],
    known: Mapping[str, list[str]],
    spec: Mapping[str, Any],
    where: torch.device,
) -> tuple[list[dict[str, float]], dict[str, Solved]]:
    """Train in place: (history, what it said of the test set after the last step, unless that was before a kill)."""
    training, part = spec["training"], spec["part"]
    network = player.network
    learned = lessons(player.prompt_tokens(parts[part].prompts), player.answer_tokens(known[part]))
    schedule = Schedule(
        epochs=training["epochs"],
        batch=training["batch"],
        learning_rate=spec["learning_rate"],
        weight_decay=training["weight_decay"],
        evaluations_per_epoch=training["evaluations_per_epoch"],
        seed=spec["seed"],
    )
    tokens = schedule.epochs * sum(learned.inputs.lengths)
    flop = 6.0 * sum(parameter.numel() for parameter in network.parameters()) * tokens
    compiled = compile_where_it_pays(network.backbone, where, flop)
    latest: dict[str, Solved] = {}

    def evaluate() -> dict[str, float]:
        latest["test"] = player.solve("test", parts["test"])
        return evaluated(latest["test"])

    history, _ = optimise(
        network,
        len(learned),
        schedule,
        lambda batch, done, at_once: backward(network, learned, batch, at_once),
        evaluate=evaluate,
        checkpoint=checkpoint_at(build.work / "checkpoint.pt"),
        budget=player.budget,
    )
    build.measured |= {
        "steps": int(history[-1]["step"]),
        "examples": len(learned),
        "tokens": round(tokens),
        "flop": flop,
    } | ({"compiled": True} if compiled else {})
    return history, latest


def evaluated(solved: Solved) -> dict[str, float]:
    """Columns of the history."""
    return {"test_truth": solved.share("correct"), "test_legal": solved.share("legal")}


# -- puzzles, labels, answers ------------------------------------------------------------------------------


@lru_cache(maxsize=2)  # of the last seeds: a process trains run after run
def read_parts(data: Path) -> Mapping[str, Puzzles]:
    """Part -> its puzzles. Not to be changed."""
    table = artifacts.read_table(data / "examples.parquet").to_pydict()
    rows: dict[str, list[int]] = {}
    for number, part in enumerate(table["part"]):
        rows.setdefault(part, []).append(number)
    columns = ("id", "rating", "fen", "legal_moves", "prompt", "answer")
    return {
        name: Puzzles(*([table[column][number] for number in numbers] for column in columns))
        for name, numbers in rows.items()
    }


def learned_labels(
    parts: Mapping[str, Puzzles], part: str | None, labels: Path | None, needed: Sequence[str]
) -> dict[str, list[str]]:
    """Part -> the answers that a run learns, or would learn, there: true ones, or its supervisor's, joined by id.

    Empty where there are none: a supervisor has answered its students' slice and the test set. UserError if it has
    not answered a puzzle of the part that is trained on.
    """
    if part is None:
        return {name: [""] * len(parts[name]) for name in needed}
    if labels is None:
        return {name: parts[name].answers for name in needed}
    table = artifacts.read_table(labels / "predictions.parquet").to_pydict()
    said = {(place, one): text for place, one, text in zip(table["part"], table["id"], table["answer"], strict=True)}
    missing = [one for one in parts[part].ids if (part, one) not in said]
    if missing:
        raise UserError(
            f"{labels}/predictions.parquet: no answer to {len(missing)} of {len(parts[part])} puzzles of {part}, "
            f"{missing[0]} first"
        )
    return {name: [said.get((name, one), "") for one in parts[name].ids] for name in needed}


def as_answer(text: str) -> str:
    """What a model wrote, as an answer: its first line, with one space before it; empty if it wrote nothing."""
    line = text.split("\n")[0].strip()
    return f" {line}" if line else ""


def judged(puzzles: Puzzles, answers: Sequence[str], notated: str) -> Solved:
    """Which answers begin with the right move, and which with a legal one."""
    correct, legal = [], []
    for fen, truth, answer in zip(puzzles.fens, puzzles.answers, answers, strict=True):
        board = chess.Board(fen)
        move = notation.parse_answer(answer, board, notated)
        legal.append(int(move is not None))
        correct.append(int(move is not None and move == notation.parse_answer(truth, board, notated)))
    return Solved(list(answers), correct, legal)


def write_predictions(
    path: Path,
    parts: Mapping[str, Puzzles],
    known: Mapping[str, list[str]],
    solved: Mapping[str, Solved],
    predicted: Sequence[str],
) -> None:
    """One row a puzzle of each part that was answered."""
    columns: dict[str, list[object]] = {
        name: [] for name in ("id", "part", "rating", "truth", "label", "answer", "correct", "legal")
    }
    for name in predicted:
        puzzles, said = parts[name], solved[name]
        columns["id"] += puzzles.ids
        columns["part"] += [name] * len(puzzles)
        columns["rating"] += puzzles.ratings
        columns["truth"] += puzzles.answers
        columns["label"] += known[name]
        columns["answer"] += said.answers
        columns["correct"] += said.correct
        columns["legal"] += said.legal
    artifacts.write_table(path, columns)
