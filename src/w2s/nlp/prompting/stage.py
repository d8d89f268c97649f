"""The prompt stage: a base model without finetuning answers a task's test questions (Section 5.2.1, Figure 9).

A prompt is an instruction, some labelled examples (truth, or a supervisor's hardened labels) and a question. The prefix
that all questions of a draw share is computed once; only the log-probabilities of the two answer tokens count.
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
from w2s.engine.memory import Budget
from w2s.errors import DivergedError, UserError
from w2s.models import context, encoding, generator
from w2s.models.base import directory_of
from w2s.models.base import max_length as longest
from w2s.models.generator import Generator
from w2s.nlp.labels import join, weak_labels
from w2s.nlp.prompting import prompts
from w2s.nlp.specs import PromptSpec
from w2s.training.batching import Micro, Texts, in_order, indices, shape_for
from w2s.training.job import Job
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

    probability: of class 1, given that it is one of the two answers; mass: probability of the two answers together
    among all tokens; shots: labelled examples before the question; cut: how many questions lost their beginning.
    """

    probability: list[float]
    mass: list[float]
    shots: list[int]
    cut: int


@dataclass(frozen=True)
class Pieces:
    """A prompt in tokens.

    head: instruction; shots: an example with its answer each; questions: up to where the answers differ; scored: for
    each question, the tokens at which they do.
    """

    head: list[int]
    shots: list[list[int]]
    questions: list[list[int]]
    scored: list[list[int]]


def make(build: artifacts.Build, data: Path, model: Path, labels: Path | None) -> None:
    """Prompt and write ``predictions.parquet``. labels: the supervisor's run, or None for truth."""
    spec = PromptSpec.from_spec(build.identity.spec)
    job = Job(build)
    base, computing = directory_of(model), job.computing(spec)
    pool, asked = read_examples(data, spec.half if spec.shots else None, labels, spec.predicts)
    network = job.load(lambda: generator.load(base, computing), spec.seed)
    prompter = Prompter(network, base, spec, job.budget)
    answered = []
    for draw in range(spec.draws):
        numbers = choose(pool.labels, spec.shots, random.Random(f"shots-{spec.seed}-{draw}"))
        shots = [(pool.texts[number], int(pool.labels[number] > 0.5)) for number in numbers]
        answered.append(prompter.answer(prompter.pieces(shots, asked.texts)))
    write_predictions(build.folder / "predictions.parquet", asked, answered)
    test = torch.tensor([part == TEST for part in asked.parts])
    truth = torch.tensor([float(label) for label in asked.truth])[test]
    accuracies = [accuracy(torch.tensor(answers.probability)[test], truth) for answers in answered]
    measured = {
        "test_accuracy": fmean(accuracies),
        "test_accuracy_by_draw": accuracies,
        "shots_asked": spec.shots,
        "questions_by_shots": counted([count for answers in answered for count in answers.shots]),
        "questions_cut": sum(answers.cut for answers in answered),
        "answer_mass": fmean(value for answers in answered for value in answers.mass),
        "instruction": prompter.instruction,
    }
    job.finish(measured)
    print(_summary(measured))


def _summary(measured: Mapping[str, Any]) -> str:
    by_draw = ", ".join(f"{value:.4f}" for value in measured["test_accuracy_by_draw"])
    fewer = {
        shots: count for shots, count in measured["questions_by_shots"].items() if int(shots) != measured["shots_asked"]
    }
    words = f"test accuracy {measured['test_accuracy']:.4f} (by draw: {by_draw})"
    words += f"; the two answers have {measured['answer_mass']:.3f} of the probability"
    if fewer:
        words += (
            "; too long for "
            + f"{measured['shots_asked']} examples: "
            + ", ".join(f"{count} questions have {shots}" for shots, count in fewer.items())
        )
    return words + (f"; {measured['questions_cut']} questions cut" if measured["questions_cut"] else "")


# -- examples ----------------------------------------------------------------------------------------------


def read_examples(
    data: Path, half: str | None, labels: Path | None, asked: Sequence[str] = (TEST,)
) -> tuple[Examples, Examples]:
    """(the half that shots are drawn from, the parts to answer), labelled by the supervisor's run if there is one."""
    columns = ["id", "part", "text", "label"]
    table = artifacts.read_table(data / "examples.parquet").select(columns).to_pydict()
    weak = weak_labels(labels) if labels else None

    def of_parts(wanted: Sequence[str | None]) -> Examples:
        rows = [number for number, name in enumerate(table["part"]) if name in wanted]
        ids, parts, texts, truth = ([table[column][row] for row in rows] for column in ("id", "part", "text", "label"))
        known = [float(label) for label in truth]
        if weak is not None:
            known = join(ids, weak, where=f"{labels}/predictions.parquet").tolist()
        return Examples(ids, parts, texts, truth, known)

    return of_parts([half]), of_parts(asked)


def choose(labels: Sequence[float], count: int, rng: random.Random) -> list[int]:
    """The numbers of ``count`` different random examples, in their order in the prompt; fewer only if there are no
    more.

    Any first few of them have equally many of both hardened labels, to within one, as long as both are available.
    """
    sides: tuple[list[int], list[int]] = ([], [])
    for number, label in enumerate(labels):
        sides[label > 0.5].append(number)
    for side in sides:
        rng.shuffle(side)
    chosen: list[int] = []
    while len(chosen) < count and (sides[0] or sides[1]):
        order = [0, 1]
        rng.shuffle(order)
        chosen += [sides[label].pop() for label in order if sides[label]]
    return chosen[:count]


# -- prompts in tokens, and answers ------------------------------------------------------------------------


class Prompter:
    """A model with its tokenizer, and the form of its prompts."""

    def __init__(self, network: Generator, base: Path, spec: PromptSpec, budget: Budget) -> None:
        self.network, self.budget = network, budget
        self.tokenizer = encoding.tokenizer_of(base)
        self.limit = min(filter(None, (spec.max_length, longest(base))), default=None)
        text = prompts.instruction(spec.task) if spec.instruction is True else spec.instruction or ""
        self.instruction = prompts.worded(text, spec.answers)
        # Rungs pretrained here have the end token between examples, as between the documents of their corpus.
        self.before = spec.between or ""  # the text that a later example or question stands behind
        (self.between,) = (
            [[encoding.end_of(base)]] if spec.between is None else context.words(self.tokenizer, [spec.between])
        )
        self.answers = spec.answers

    def pieces(self, shots: Sequence[tuple[str, int]], questions: Sequence[str]) -> Pieces:
        """shots: (text, label 0 or 1)."""
        head = encoding.start_of(self.tokenizer)
        if self.instruction:
            head = [*head, *encoding.bare_ids(self.tokenizer, [self.instruction])[0], *self.between]
        texts = [text + self.answers[label] for text, label in shots]
        behind = [self.before if self.instruction else "", *[self.before] * len(shots)]
        shown = [[*ids, *self.between] for ids in context.following(self.tokenizer, behind[:-1], texts)]
        either = [
            context.following(self.tokenizer, behind[-1:] * len(questions), [text + answer for text in questions])
            for answer in self.answers
        ]
        asked = [distinguishing_tokens(both, self.answers) for both in zip(*either, strict=True)]
        return Pieces(head, shown, [shared for shared, _ in asked], [scored for _, scored in asked])

    def answer(self, pieces: Pieces) -> Answers:
        """The two answers' probabilities after every question, with as many of the shots as fit.

        A question that does not fit even after the instruction alone loses its beginning. UserError if the instruction
        leaves no room at all.
        """
        before = [pieces.head]
        for shot in pieces.shots:
            before.append([*before[-1], *shot])
        room = [math.inf if self.limit is None else self.limit - len(ids) for ids in before]
        if room[0] < 1:
            raise UserError(f"nlp.prompting.max_length: {self.limit} leaves no room for a question")
        shots = [max((n for n, left in enumerate(room) if len(ids) <= left), default=0) for ids in pieces.questions]
        cut = sum(len(ids) > room[0] for ids in pieces.questions)
        questions = [ids if len(ids) <= room[0] else ids[-int(room[0]) :] for ids in pieces.questions]
        logits = torch.empty(len(questions), 3)
        for count in sorted(set(shots)):
            numbers = [number for number, fitting in enumerate(shots) if fitting == count]
            scored = [pieces.scored[number] for number in numbers]
            logits[numbers] = self._scored(before[count], Texts([questions[number] for number in numbers]), scored)
        if not logits.isfinite().all():
            raise DivergedError("diverged: logits are not numbers")
        two = logits[:, :2].double()
        mass = (two.logsumexp(-1) - logits[:, 2].double()).exp()
        return Answers(two.softmax(-1)[:, 1].tolist(), mass.tolist(), shots, cut)

    @torch.no_grad()
    def _scored(self, before: Sequence[int], texts: Texts, tokens_of: Sequence[Sequence[int]]) -> Tensor:
        """(texts, 3) on the CPU: logits of each text's two answers, and the logsumexp of all logits."""
        where = next(self.network.parameters()).device
        answers = torch.tensor(tokens_of, device=where)
        mean = texts.tokens / len(texts)
        share = mean / (mean + len(before))  # of a question's own tokens among those held for it

        def score(tokens: int) -> Tensor:
            shared = self.network.read_prefix(before)

            def of_part(part: Micro) -> Tensor:
                logits = self.network.score_after(shared, part.ids, part.lengths)[: len(part.numbers)]
                scored = logits.gather(1, answers[indices(part.numbers, where)])
                return torch.cat([scored, logits.logsumexp(-1, keepdim=True)], dim=-1).cpu()

            most = max(1, round(EVALUATION * tokens * share))
            return in_order(texts.all(most, where, shape_for(self.network, where) * 2), of_part)

        self.network.eval()
        return self.budget.attempt(score)


def distinguishing_tokens(answers: Sequence[Sequence[int]], words: Sequence[str]) -> tuple[list[int], list[int]]:
    """(tokens that both answers begin with, the two tokens at which they differ). UserError if they do not."""
    first, second = answers
    shared = 0
    while shared < min(len(first), len(second)) and first[shared] == second[shared]:
        shared += 1
    if shared == min(len(first), len(second)):
        raise UserError(f"nlp.prompting.answers: {words[0]!r} and {words[1]!r} begin with the same tokens")
    return list(first[:shared]), [first[shared], second[shared]]


def counted(shots: Sequence[int]) -> dict[str, int]:
    """Number of shots, as text -> number of questions with so many."""
    return {str(count): shots.count(count) for count in sorted(set(shots), reverse=True)}


def write_predictions(path: Path, asked: Examples, answered: Sequence[Answers]) -> None:
    """One row per question and draw."""
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
