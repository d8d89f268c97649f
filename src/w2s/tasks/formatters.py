"""From one raw row in hub schema to candidate examples: one small pure function a data set.

Every text ends in a short cue ("Correct:", "Answer:") after which " yes" or " no" is the natural next
word; the label itself never appears in the text. Paper section: 4.1 and Appendix A.1; the rows' schemas
are the hub's own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Candidate:
    """One binary example before balancing.

    group: what must stay on one side of every split (same passage, same question, same scenario).
    question: candidates of one question are equalised, as many right as wrong ones; unused otherwise.
    """

    group: str
    question: str
    text: str
    label: int


def _single(group: str, text: str, label: int) -> list[Candidate]:
    return [Candidate(group, group, text, label)]


def _choices(group: str, question: str, stem: str, answers: Iterable[str], right: Iterable[bool]) -> list[Candidate]:
    """Multiple choice: one candidate an answer (A.1: k data points (Q, A_i), label 1 iff correct)."""
    return [
        Candidate(group, question, f"{stem}\nAnswer: {answer.strip()}\nCorrect:", int(is_right))
        for answer, is_right in zip(answers, right, strict=True)
    ]


def _label(row: Row, *allowed: int) -> int:
    """The row's label, which is one of these; anything else (hidden, missing, text) is a mistake."""
    label = row["label"]
    if isinstance(label, float) or label not in allowed:
        raise ValueError(f"label {label!r} is not allowed; allowed: {', '.join(map(str, allowed))}")
    return int(label)


def _list(row: Row, column: str) -> list[str]:
    if not isinstance(row[column], list):
        raise TypeError(f"{column} should be a list, as in the hub's parquet, not {type(row[column]).__name__}")
    return list(row[column])


def _ask(question: str) -> str:
    question = question.strip()
    return question if question.endswith("?") else question + "?"


def boolq(row: Row) -> list[Candidate]:
    """Yes/no question about a passage."""
    passage = row["passage"].strip()
    text = f"Passage: {passage}\nQuestion: {_ask(row['question'])}\nAnswer:"
    return _single(passage, text, _label({"label": row["answer"]}, 0, 1))


def dream(row: Row) -> list[Candidate]:
    """Three-way multiple choice about a dialogue; questions of one dialogue stay together."""
    dialogue = "\n".join(turn.strip() for turn in _list(row, "dialogue"))
    question = row["question"].strip()
    return _choices(
        str(row["dialogue_id"]),
        f"{row['dialogue_id']}\n{question}",
        f"{dialogue}\nQuestion: {question}",
        _list(row, "choice"),
        [choice == row["answer"] for choice in _list(row, "choice")],
    )


def sciq(row: Row) -> list[Candidate]:
    """Four-way science question without its support passage, as in the paper's 23k points (E.1)."""
    question = row["question"].strip()
    answers = [row["correct_answer"], row["distractor1"], row["distractor2"], row["distractor3"]]
    return _choices(question, question, f"Question: {question}", answers, [True, False, False, False])


def anli(row: Row) -> list[Candidate]:
    """Entailment against neutral and contradiction taken together (A.1)."""
    premise = row["premise"].strip()
    text = f"Premise: {premise}\nHypothesis: {row['hypothesis'].strip()}\nEntailed:"
    return _single(premise, text, int(_label(row, 0, 1, 2) == 0))


def cola(row: Row) -> list[Candidate]:
    """Linguistic acceptability of a sentence."""
    sentence = row["sentence"].strip()
    return _single(sentence, f"Sentence: {sentence}\nAcceptable:", _label(row, 0, 1))


def sst2(row: Row) -> list[Candidate]:
    """Sentiment of a phrase. Phrases of one review nest, so a group is the first four words."""
    sentence = row["sentence"].strip()
    group = " ".join(sentence.lower().split()[:4])
    return _single(group, f"Review: {sentence}\nPositive:", _label(row, 0, 1))


def ethics_justice(row: Row) -> list[Candidate]:
    """Is the claim just? Variants of one scenario share their first words and stay together."""
    scenario = row["scenario"].strip()
    group = " ".join(scenario.lower().split()[:5])
    return _single(group, f"Scenario: {scenario}\nReasonable:", _label(row, 0, 1))


def ethics_deontology(row: Row) -> list[Candidate]:
    """Is the excuse a valid answer to the request? Excuses for one scenario stay together."""
    scenario = row["scenario"].strip()
    text = f"Request: {scenario}\nExcuse: {row['excuse'].strip()}\nValid:"
    return _single(scenario, text, _label(row, 0, 1))


def multirc(row: Row) -> list[Candidate]:
    """One row an answer, several of which may be right; questions of one paragraph stay together."""
    paragraph, question = row["paragraph"].strip(), row["question"].strip()
    stem = f"{paragraph}\nQuestion: {question}"
    return _choices(paragraph, f"{paragraph}\n{question}", stem, [row["answer"]], [_label(row, 0, 1) == 1])


def wic(row: Row) -> list[Candidate]:
    """Does a word mean the same in two sentences? Rows about one word stay together."""
    first, second = row["sentence1"].strip(), row["sentence2"].strip()
    text = f"First: {first}\nSecond: {second}\nWord: {row['word']}\nSame:"
    return _single(row["word"], text, _label(row, 0, 1))
