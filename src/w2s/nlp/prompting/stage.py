"""The prompt stage: a base model that is not finetuned answers a task's test questions (Section 5.2.1, Figure 9).

A prompt is an instruction, some labelled examples (truth, or a supervisor's hardened labels) and a question. What
all questions of a draw share is read once; of the answer only the two answer tokens' log-probabilities count.
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

import torch
from torch import Tensor

from w2s.engine import artifacts
from w2s.engine import distributed
from w2s.engine.devices import described, device, peak_of
from w2s.engine.memory import Budget, budget_of
from w2s.errors import DivergedError, UserError
from w2s.models import encoding, generator
from w2s.models.base import directory_of
from w2s.models.base import max_length as longest
from w2s.models.classifier import Computing
from w2s.models.generator import Generator
from w2s.nlp.finetune import join, weak_labels
from w2s.nlp.prompting import prompts
from w2s.training.batching import Texts, shape_for
from w2s.training.loop import EVALUATION, accuracy

TEST = "test"


@dataclass(frozen=True)
class Examples:
    """Parts of the data. labels: (n,) probabilities of class 1, the truth where there is no supervisor."""

    ids: list[str]
    parts: list[str]
    texts: list[str]
    truth: list[int]
    labels: list[float]


@dataclass(frozen=True)
class Answers:
    """Answers to the test questions, (n,) each.

    probability: of class 1, given that it is one of the two answers; mass: of the two answers together among all
    tokens; shots: how many examples stood before the question; cut: how many questions lost their beginning.
    """

    probability: list[float]
    mass: list[float]
    shots: list[int]
    cut: int


@dataclass(frozen=True)
class Pieces:
    """A prompt in tokens. head: instruction; shots: an example with its answer each; questions: up to the answer."""

    head: list[int]
    shots: list[list[int]]
    questions: list[list[int]]


def make(build: artifacts.Build, data: Path, model: Path, labels: Path | None) -> None:
    """Prompt and write ``predictions.parquet``. labels: the supervisor's run, or None for truth.

    The spec's ``predicts`` names the parts whose questions are answered, the test set alone where it is silent.
    """
    spec = build.identity.spec
    where, base = device(), directory_of(model)
    half = spec["half"] if spec["shots"] else None
    pool, asked = read_examples(data, half, labels, spec.get("predicts", [TEST]))
    torch.manual_seed(spec["seed"])  # where adapters start, though nothing trains them
    computing = Computing(spec.get("precision", "float32"), spec.get("adapters"))
    network: Generator = distributed.load_on(lambda: generator.load(base, computing), where)
    prompter = Prompter(network, base, spec, budget_of(where))
    answered = []
    for draw in range(spec["draws"]):
        numbers = choose(pool.labels, spec["shots"], random.Random(f"shots-{spec['seed']}-{draw}"))
        shots = [(pool.texts[number], int(pool.labels[number] > 0.5)) for number in numbers]
        answered.append(prompter.answer(prompter.pieces(shots, asked.texts)))
    write_predictions(build.folder / "predictions.parquet", asked, answered)
    test = torch.tensor([part == TEST for part in asked.parts])
    truth = torch.tensor([float(one) for one in asked.truth])[test]
    reached = [accuracy(torch.tensor(one.probability)[test], truth) for one in answered]
    build.measured |= {
        "test_accuracy": fmean(reached),
        "test_accuracy_by_draw": reached,
        "shots_asked": spec["shots"],
        "questions_by_shots": counted([count for one in answered for count in one.shots]),
        "questions_cut": sum(one.cut for one in answered),
        "answer_mass": fmean(value for one in answered for value in one.mass),
        "instruction": prompter.instruction,
        "device": described(where),
    } | prompter.budget.record()
    build.measured |= peak_of(where)
    print(_summary(build.measured))


def _summary(measured: Mapping[str, Any]) -> str:
    said = ", ".join(f"{value:.4f}" for value in measured["test_accuracy_by_draw"])
    fewer = {
        shots: count for shots, count in measured["questions_by_shots"].items() if int(shots) != measured["shots_asked"]
    }
    words = f"test accuracy {measured['test_accuracy']:.4f} (by draw: {said})"
    words += f"; the two answers have {measured['answer_mass']:.3f} of the probability"
    if fewer:
        words += (
            "; too long for "
            + f"{measured['shots_asked']} examples: "
            + ", ".join(f"{count} questions have {shots}" for shots, count in fewer.items())
        )
    return words + (f"; {measured['questions_cut']} questions cut" if measured["questions_cut"] else "")


# -- which examples ----------------------------------------------------------------------------------------


def read_examples(
    data: Path, half: str | None, labels: Path | None, asked: Sequence[str] = (TEST,)
) -> tuple[Examples, Examples]:
    """(the half that examples are taken from, the parts that are asked), labelled by the supervisor's run if any."""
    table = artifacts.read_table(data / "examples.parquet").to_pydict()
    weak = weak_labels(labels) if labels else None

    def those(wanted: Sequence[str | None]) -> Examples:
        rows = [number for number, name in enumerate(table["part"]) if name in wanted]
        ids, parts, texts, truth = ([table[column][row] for row in rows] for column in ("id", "part", "text", "label"))
        known = [float(one) for one in truth]
        if weak is not None:
            known = join(ids, weak, where=f"{labels}/predictions.parquet").tolist()
        return Examples(ids, parts, texts, truth, known)

    return those([half]), those(asked)


def choose(labels: Sequence[float], count: int, chance: random.Random) -> list[int]:
    """Numbers of so many different examples at random, in the order in which they stand in the prompt.

    Any beginning of them has as many of one hardened label as of the other, to within one, as long as there are
    enough of both. Fewer than ``count`` only where there are no more.
    """
    sides: tuple[list[int], list[int]] = ([], [])
    for number, label in enumerate(labels):
        sides[label > 0.5].append(number)
    for side in sides:
        chance.shuffle(side)
    chosen: list[int] = []
    while len(chosen) < count and (sides[0] or sides[1]):
        order = [0, 1]
        chance.shuffle(order)
        chosen += [sides[label].pop() for label in order if sides[label]]
    return chosen[:count]


# -- prompts in tokens, and what is answered ---------------------------------------------------------------


class Prompter:
    """A model with its tokenizer, and how it is prompted (the run's spec)."""

    def __init__(self, network: Generator, base: Path, spec: Mapping[str, Any], budget: Budget) -> None:
        self.network, self.budget = network, budget
        self.tokenizer = encoding.tokenizer_of(base)
        self.limit = min(filter(None, (spec["max_length"], longest(base))), default=None)
        said = spec["instruction"]
        text = prompts.instruction(spec["task"]) if said is True else said or ""
        self.instruction = prompts.worded(text, spec["answers"])
        own = spec["between"] is None  # documents that an own rung was pretrained on stand apart so
        self.between = [encoding.end_of(base)] if own else self._ids(spec["between"])
        answers = [self._ids(answer) for answer in spec["answers"]]
        self.answers = answers
        self.lead, self.asked = told_apart(answers, spec["answers"])

    def _ids(self, text: str) -> list[int]:
        return list(encoding.bare_ids(self.tokenizer, [text])[0])

    def pieces(self, shots: Sequence[tuple[str, int]], questions: Sequence[str]) -> Pieces:
        """shots: (text, label 0 or 1)."""
        start = encoding.start_of(self.tokenizer)
        head = start + ([*self._ids(self.instruction), *self.between] if self.instruction else [])
        solved = [[*self._ids(text), *self.answers[label], *self.between] for text, label in shots]
        asked = [[*ids, *self.lead] for ids in encoding.bare_ids(self.tokenizer, list(questions))]
        return Pieces(head, solved, asked)

    def answer(self, pieces: Pieces) -> Answers:
        """The two answers' probabilities behind every question, with as many of the examples as there is room for.

        A question before which not even the instruction alone leaves room loses its beginning. UserError if the
        instruction leaves no room at all.
        """
        before = [pieces.head]
        for shot in pieces.shots:
            before.append([*before[-1], *shot])
        room = [math.inf if self.limit is None else self.limit - len(ids) for ids in before]
        if room[0] < 1:
            raise UserError(f"nlp.prompting.max_length: {self.limit} leaves no room for a question")
        shots = [max((n for n, left in enumerate(room) if len(one) <= left), default=0) for one in pieces.questions]
        cut = sum(len(one) > room[0] for one in pieces.questions)
        questions = [one if len(one) <= room[0] else one[-int(room[0]) :] for one in pieces.questions]
        logits = torch.empty(len(questions), 3)
        for count in sorted(set(shots)):
            numbers = [number for number, taken in enumerate(shots) if taken == count]
            logits[numbers] = self._scored(before[count], Texts([questions[number] for number in numbers]))
        if not logits.isfinite().all():
            raise DivergedError("diverged: logits are not numbers")
        two = logits[:, :2].double()
        mass = (two.logsumexp(-1) - logits[:, 2].double()).exp()
        return Answers(two.softmax(-1)[:, 1].tolist(), mass.tolist(), shots, cut)

    @torch.no_grad()
    def _scored(self, before: Sequence[int], texts: Texts) -> Tensor:
        """(texts, 3) on the CPU: logits of the two answers, and the log of all logits' summed exponentials."""
        where = next(self.network.parameters()).device
        asked = torch.tensor(self.asked, device=where)
        mean = sum(texts.lengths) / len(texts)
        share = mean / (mean + len(before))  # of the tokens that are held for a question, its own

        def score(tokens: int) -> Tensor:
            shared = self.network.read_prefix(before)
            found, rows, numbers = torch.empty(len(texts), 3), [], []
            for part in texts.all(
                max(1, round(EVALUATION * tokens * share)), where, shape_for(self.network, where) * 2
            ):
                said = self.network.score_after(shared, part.ids, part.lengths)[: len(part.numbers)]
                rows.append(torch.cat([said[:, asked], said.logsumexp(-1, keepdim=True)], dim=-1).cpu())
                numbers += part.numbers
            every, numbers = distributed.gather(torch.cat(rows), numbers)
            found[numbers] = every
            return found

        self.network.eval()
        return self.budget.attempt(score)


def told_apart(answers: Sequence[Sequence[int]], words: Sequence[str]) -> tuple[list[int], list[int]]:
    """(tokens that both answers begin with, the two tokens that tell them apart). UserError if none does."""
    first, second = answers
    shared = 0
    while shared < min(len(first), len(second)) and first[shared] == second[shared]:
        shared += 1
    if shared == min(len(first), len(second)):
        raise UserError(f"nlp.prompting.answers: {words[0]!r} and {words[1]!r} begin with the same tokens")
    return list(first[:shared]), [first[shared], second[shared]]


def counted(shots: Sequence[int]) -> dict[str, int]:
    """Number of examples -> questions with so many before them (as JSON has it: the number as text)."""
    return {str(one): shots.count(one) for one in sorted(set(shots), reverse=True)}


def write_predictions(path: Path, asked: Examples, answered: Sequence[Answers]) -> None:
    """One row a question and draw."""
    columns: dict[str, list[Any]] = {
        name: [] for name in ("id", "part", "draw", "shots", "truth", "label", "probability", "mass")
    }
    for draw, answers in enumerate(answered):
        columns["id"] += asked.ids
        columns["part"] += asked.parts
        columns["draw"] += [draw] * len(asked.ids)
        columns["shots"] += answers.shots
        columns["truth"] += asked.truth
        columns["label"] += asked.labels
        columns["probability"] += answers.probability
        columns["mass"] += answers.mass
    artifacts.write_table(path, columns)
