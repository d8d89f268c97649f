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
from torch import Tensor

from w2s.chess import notation
from w2s.chess.config import CLOSED
from w2s.chess.specs import GenerateSpec
from w2s.engine import artifacts
from w2s.engine.memory import Budget
from w2s.errors import UserError
from w2s.models import context, encoding, generator
from w2s.models.base import directory_of
from w2s.models.base import max_length as longest
from w2s.models.generator import Generator
from w2s.training.batching import Texts
from w2s.training.generative import AnswerExamples, answer_examples, backward, greedy
from w2s.training.job import Job
from w2s.training.loop import Evaluation, Schedule, optimise
from w2s.training.specs import Training

ANSWER = 8  # tokens of an answer at most; of words, one a token:
WORDS = 3  # piece, square, promotion
BETWEEN = "\n\n"  # between worked examples for open models; rungs pretrained here have the end token, as between games


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
class Predictions:
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
        self.between = "" if network.output is None else BETWEEN  # of a rung pretrained here, the end token
        self._texts = cache(self._encoded)

    def answer_tokens(self, prompts: Sequence[str], answers: Sequence[str]) -> list[list[int]]:
        """The tokens to learn after each prompt: an answer's and the end token; the latter alone without an answer."""
        return [[*ids[: self.most], self.end] for ids in context.following(self.tokenizer, prompts, answers)]

    def prompt_tokens(self, prompts: Sequence[str], before: Sequence[int] = ()) -> list[list[int]]:
        """Prompts after the start token; long ones lose their beginning. before: worked examples."""
        start = encoding.start_of(self.tokenizer)
        room = self.room - len(start)
        behind = [self.between if before else ""] * len(prompts)
        return [start + [*before, *ids][-room:] for ids in context.following(self.tokenizer, behind, prompts)]

    def shots(self, puzzles: Puzzles, count: int, seed: int) -> list[int]:
        """Tokens of ``count`` puzzles with their answers, drawn with the seed."""
        (between,) = context.words(self.tokenizer, [self.between]) if self.between else [[self.end]]
        chosen = random.Random(f"shots-{seed}").sample(range(len(puzzles)), min(count, len(puzzles)))
        tokens: list[int] = []
        for number in chosen:
            text, behind = puzzles.prompts[number] + puzzles.answers[number], self.between if tokens else ""
            tokens += [*context.following(self.tokenizer, [behind], [text])[0], *between]
        return tokens

    def predict(self, name: str, puzzles: Puzzles, before: Sequence[int] = ()) -> Predictions:
        """Greedy answers. name: of the part, by which its tokens are cached for later evaluations."""
        prompts = self._texts(name, tuple(before), tuple(puzzles.prompts))
        tokens = greedy(self.network, prompts, end=self.end, most=self.most, budget=self.budget)
        answers = [as_answer(text) for text in encoding.texts_of(self.tokenizer, tokens)]
        return judged(puzzles, answers, self.notated)

    def _encoded(self, name: str, before: tuple[int, ...], prompts: tuple[str, ...]) -> Texts:
        return Texts(self.prompt_tokens(prompts, before))


def make(
    build: artifacts.Build, data: Path, model: Path, labels: Path | None, environment: Mapping[str, Any] | None = None
) -> None:
    """Train and write ``predictions.parquet`` and ``history.csv``. labels: the supervisor's run, or None.

    environment: of the job, without effect on results: ``checkpointing``, ``gpus``.
    """
    spec = GenerateSpec.from_spec(build.identity.spec)
    job, base = Job(build, environment), directory_of(model)
    parts = read_parts(data)
    needed = [name for name in (*spec.predicts, spec.part) if name]
    known = learned_labels(parts, spec.part, labels, needed)
    computing = job.computing(spec)
    network = job.load(lambda: generator.load(base, computing), spec.seed)
    player = Player(network, base, spec.notation, spec.training.max_length, job.budget)
    predictions: dict[str, Predictions] = {}
    measured: dict[str, Any] = {}
    if spec.part is None:
        shots = player.shots(parts["weak"], spec.shots, spec.seed) if spec.shots else []
        predictions["test"] = player.predict("test", parts["test"], shots)
        history = [{"step": 0, "epoch": 0.0, "train_loss": math.nan, **evaluated(predictions["test"])}]
    else:
        learned = answer_examples(
            player.prompt_tokens(parts[spec.part].prompts),
            player.answer_tokens(parts[spec.part].prompts, known[spec.part]),
        )
        history = train(job, player, learned, spec, parts["test"], predictions)
        measured = {"steps": int(history[-1]["step"]), "examples": len(learned)}
    for name in spec.predicts:
        if name not in predictions:
            predictions[name] = player.predict(name, parts[name])
    write_predictions(build.folder / "predictions.parquet", parts, known, predictions, spec.predicts)
    test = predictions["test"]
    measured |= {
        "test_accuracy": test.share("correct"),
        "test_legal": test.share("legal"),
        "random_legal_move": sum(1 / moves for moves in parts["test"].legal_moves) / len(parts["test"]),
    }
    job.finish(measured, history)
    print(
        f"test: {test.share('correct'):.4f} right, {test.share('legal'):.4f} legal; "
        f"a random legal move is right {measured['random_legal_move']:.4f} of the time"
    )


def train(
    job: Job,
    player: Player,
    learned: AnswerExamples,
    spec: GenerateSpec,
    test: Puzzles,
    predictions: dict[str, Predictions],
) -> list[dict[str, float]]:
    """Train in place; returns the history. predictions: get those of the last evaluation on the test set."""
    assert isinstance(spec.training, Training)
    network = player.network
    schedule = Schedule.of(spec.training, spec.learning_rate, spec.seed)
    job.train(network, schedule.epochs * learned.inputs.tokens, compiles=network.backbone)

    def evaluate() -> dict[str, float]:
        predictions["test"] = player.predict("test", test)
        return evaluated(predictions["test"])

    def gradient(batch: Sequence[int], progress: float, tokens: int) -> Tensor:
        return backward(network, learned, batch, tokens)

    history, _ = optimise(network, len(learned), gradient, schedule, Evaluation(evaluate), job.runtime())
    return history


def evaluated(predictions: Predictions) -> dict[str, float]:
    """Columns of the history."""
    return {"test_truth": predictions.share("correct"), "test_legal": predictions.share("legal")}


# -- puzzles, labels, answers ------------------------------------------------------------------------------


@lru_cache(maxsize=2)  # of recent seeds: a warm process trains run after run
def read_parts(data: Path) -> Mapping[str, Puzzles]:
    """Part -> its puzzles. Read-only."""
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
    """Part -> the labels of its puzzles: true answers, or the supervisor's, joined by id.

    Empty where there is none: a supervisor answers its students' part and the test set. UserError if a puzzle of the
    part that is trained on has no answer.
    """
    if part is None:
        return {name: [""] * len(parts[name]) for name in needed}
    if labels is None:
        return {name: parts[name].answers for name in needed}
    table = artifacts.read_table(labels / "predictions.parquet").to_pydict()
    given = {(name, key): text for name, key, text in zip(table["part"], table["id"], table["answer"], strict=True)}
    missing = [key for key in parts[part].ids if (part, key) not in given]
    if missing:
        raise UserError(
            f"{labels}/predictions.parquet: no answer to {len(missing)} of {len(parts[part])} puzzles of {part}, "
            f"first {missing[0]}"
        )
    return {name: [given.get((name, key), "") for key in parts[name].ids] for name in needed}


def as_answer(text: str) -> str:
    """A generated text as an answer: its first line after one space; empty if it is empty."""
    line = text.split("\n")[0].strip()
    return f" {line}" if line else ""


def judged(puzzles: Puzzles, answers: Sequence[str], notated: str) -> Predictions:
    """Which answers begin with the right move, and which with a legal one."""
    correct, legal = [], []
    for fen, truth, answer in zip(puzzles.fens, puzzles.answers, answers, strict=True):
        board = chess.Board(fen)
        move = notation.parse_answer(answer, board, notated)
        legal.append(int(move is not None))
        correct.append(int(move is not None and move == notation.parse_answer(truth, board, notated)))
    return Predictions(list(answers), correct, legal)


def write_predictions(
    path: Path,
    parts: Mapping[str, Puzzles],
    known: Mapping[str, list[str]],
    predictions: Mapping[str, Predictions],
    predicted: Sequence[str],
) -> None:
    """One row per puzzle of each predicted part."""
    columns: dict[str, list[object]] = {
        name: [] for name in ("id", "part", "rating", "truth", "label", "answer", "correct", "legal")
    }
    for name in predicted:
        puzzles, given = parts[name], predictions[name]
        columns["id"] += puzzles.ids
        columns["part"] += [name] * len(puzzles)
        columns["rating"] += puzzles.ratings
        columns["truth"] += puzzles.answers
        columns["label"] += known[name]
        columns["answer"] += given.answers
        columns["correct"] += given.correct
        columns["legal"] += given.legal
    artifacts.write_table(path, columns)
