"""From one raw row in hub schema to candidate examples: one small pure function a data set.

Every text ends in a short cue ("Correct:", "Answer:") after which " yes" or " no" is the natural next
word; the label itself never appears in the text. Paper section: 4.1 and Appendix A.1; the rows' schemas
are the hub's own. A value that is not of the schema raises ValueError, TypeError or KeyError saying which.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

Row = Mapping[str, Any]


class EmptyTextError(ValueError):
    """A text of a row is empty: large data sets have a few such rows, which make no examples."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One binary example before balancing.

    group: what must stay on one side of every split (same passage, same question, same scenario).
    question: candidates of one question are equalised, as many right as wrong ones; unused otherwise.
    also: another group that this candidate belongs to, if any: both then stay together.
    """

    group: str
    question: str
    text: str
    label: int
    also: str = ""


# -- what formatters share ---------------------------------------------------------------------------------


def _single(group: str, text: str, label: int) -> list[Candidate]:
    return [Candidate(group, group, text, label)]


def _choices(
    group: str, question: str, stem: str, answers: Iterable[str], right: Iterable[bool], *, word: str = "Answer"
) -> list[Candidate]:
    """Multiple choice: one candidate an answer (A.1: k data points (Q, A_i), label 1 iff correct)."""
    return [
        Candidate(group, question, f"{stem}\n{word}: {answer.strip()}\nCorrect:", int(is_right))
        for answer, is_right in zip(answers, right, strict=True)
    ]


def _only(count: int, index: int) -> list[bool]:
    """``count`` answers, of which the one at ``index`` is right."""
    return [number == index for number in range(count)]


def _number(row: Row, column: str, *allowed: int) -> int:
    """The column's value, one of these whole numbers; CSV files and some data sets have it as text."""
    value = row[column]
    if isinstance(value, str):
        value = {"true": "1", "false": "0"}.get(value.strip().lower(), value.strip())
        value = int(value) if value.lstrip("-").isdigit() else value
    if isinstance(value, float) or value not in allowed:
        raise ValueError(f"{column} {row[column]!r} is not allowed; allowed: {', '.join(map(str, allowed))}")
    return int(value)


def _text(row: Row, column: str) -> str:
    """The column's text without surrounding space. EmptyTextError if there is none, ValueError if it is no text."""
    value = row[column]
    if value is None or (isinstance(value, str) and not value.strip()):
        raise EmptyTextError(f"{column} is empty")
    if not isinstance(value, str):
        raise ValueError(f"{column} should be text, not {value!r}")
    return value.strip()


def _list(row: Row, column: str) -> list[str]:
    if not isinstance(row[column], list):
        raise TypeError(f"{column} should be a list, as in the hub's parquet, not {type(row[column]).__name__}")
    if not all(isinstance(item, str) and item.strip() for item in row[column]):
        raise EmptyTextError(f"{column} has an empty item")
    return list(row[column])


def _keyed(row: Row) -> tuple[list[str], int]:
    """(answers, number of the right one) of ``choices`` {text, label} and ``answerKey``."""
    choices = row["choices"]
    if not isinstance(choices, Mapping):
        raise TypeError(f"choices should hold text and label, as in the hub's parquet, not {type(choices).__name__}")
    answers, letters = _list(choices, "text"), _list(choices, "label")
    if row["answerKey"] not in letters:
        raise ValueError(f"answerKey {row['answerKey']!r} is not allowed; allowed: {', '.join(letters)}")
    return answers, letters.index(row["answerKey"])


def _ask(question: str) -> str:
    question = question.strip()
    return question if question.endswith("?") else question + "?"


def _start(text: str, words: int) -> str:
    """The first words, in lower case: variants of one scenario share them."""
    return " ".join(text.lower().split()[:words])


# -- reading, with a passage, a dialogue or a context ------------------------------------------------------


def boolq(row: Row) -> list[Candidate]:
    """Yes/no question about a passage."""
    passage = _text(row, "passage")
    text = f"Passage: {passage}\nQuestion: {_ask(_text(row, 'question'))}\nAnswer:"
    return _single(passage, text, _number(row, "answer", 0, 1))


def cosmos_qa(row: Row) -> list[Candidate]:
    """Four-way question about a blog post; "None of the above" is right where the data set says so."""
    context, question = _text(row, "context"), _text(row, "question")
    answers = [_text(row, f"answer{number}") for number in range(4)]
    stem = f"Context: {context}\nQuestion: {question}"
    return _choices(context, f"{context}\n{question}", stem, answers, _only(4, _number(row, "label", 0, 1, 2, 3)))


def dream(row: Row) -> list[Candidate]:
    """Three-way multiple choice about a dialogue; questions of one dialogue stay together."""
    dialogue = "\n".join(turn.strip() for turn in _list(row, "dialogue"))
    question, choices = _text(row, "question"), _list(row, "choice")
    if row["answer"] not in choices:
        raise ValueError(f"answer {row['answer']!r} is not one of the choices")
    stem = f"{dialogue}\nQuestion: {question}"
    right = [choice == row["answer"] for choice in choices]
    return _choices(str(row["dialogue_id"]), f"{row['dialogue_id']}\n{question}", stem, choices, right)


def quail(row: Row) -> list[Candidate]:
    """Four-way question about a text of some 350 words; questions of one text stay together."""
    context, question = _text(row, "context"), _text(row, "question")
    answers = _list(row, "answers")
    right = _only(len(answers), _number(row, "correct_answer_id", *range(len(answers))))
    group = str(row["context_id"])
    return _choices(group, f"{group}\n{question}", f"{context}\nQuestion: {question}", answers, right)


def social_i_qa(row: Row) -> list[Candidate]:
    """Three-way question about people in a situation; labels are "1" to "3"."""
    context, question = _text(row, "context"), _text(row, "question")
    answers = [_text(row, f"answer{letter}") for letter in "ABC"]
    right = _only(3, _number(row, "label", 1, 2, 3) - 1)
    return _choices(context, f"{context}\n{question}", f"Context: {context}\nQuestion: {question}", answers, right)


def multirc(row: Row) -> list[Candidate]:
    """One row an answer, several of which may be right; questions of one paragraph stay together."""
    paragraph, question = _text(row, "paragraph"), _text(row, "question")
    stem = f"{paragraph}\nQuestion: {question}"
    right = [_number(row, "label", 0, 1) == 1]
    return _choices(paragraph, f"{paragraph}\n{question}", stem, [_text(row, "answer")], right)


def mc_taco(row: Row) -> list[Candidate]:
    """One row an answer to a question of time, several of which may be plausible."""
    sentence, question = _text(row, "sentence"), _text(row, "question")
    stem = f"{sentence}\nQuestion: {question}"
    right = [_yes_or_no(row["label"]) == 1]
    return _choices(sentence, f"{sentence}\n{question}", stem, [_text(row, "answer")], right)


def _yes_or_no(label: object) -> int:
    """The hub has 0 and 1, the authors' own files "no" and "yes"."""
    return _number({"label": {"no": 0, "yes": 1}.get(str(label), label)}, "label", 0, 1)


# -- knowledge and common sense ----------------------------------------------------------------------------


def sciq(row: Row) -> list[Candidate]:
    """Four-way science question without its support passage, as in the paper's 23k points (E.1)."""
    question = _text(row, "question")
    answers = [_text(row, column) for column in ("correct_answer", "distractor1", "distractor2", "distractor3")]
    return _choices(question, question, f"Question: {question}", answers, _only(4, 0))


def openbookqa(row: Row) -> list[Candidate]:
    """Four-way science question or sentence to be completed. Right and wrong answers look the same."""
    answers, right = _keyed(row)
    question = _text(row, "question_stem")
    return _choices(question, question, f"Question: {question}", answers, _only(len(answers), right))


def quartz(row: Row) -> list[Candidate]:
    """Two-way question about a qualitative relationship; questions of one paragraph stay together."""
    answers, right = _keyed(row)
    paragraph, question = _text(row, "para"), _text(row, "question")
    stem = f"{paragraph}\nQuestion: {question}"
    return _choices(paragraph, f"{paragraph}\n{question}", stem, answers, _only(len(answers), right))


def piqa(row: Row) -> list[Candidate]:
    """Two ways of reaching a goal, one of which works."""
    goal = _text(row, "goal")
    answers = [_text(row, "sol1"), _text(row, "sol2")]
    return _choices(goal, goal, f"Goal: {goal}", answers, _only(2, _number(row, "label", 0, 1)), word="Solution")


def hellaswag(row: Row) -> list[Candidate]:
    """Four endings of a scene. Scenes of one video or article stay together; WikiHow's tags are taken out."""
    endings = [_untagged(ending) for ending in _list(row, "endings")]
    context = _untagged(_text(row, "ctx"))
    right = _only(len(endings), _number(row, "label", *range(len(endings))))
    group = str(row.get("source_id") or context)
    stem = f"{_text(row, 'activity_label')}: {context}"
    return _choices(group, f"{group}\n{stem}", stem, endings, right, word="Ending")


def _untagged(text: str) -> str:
    """WikiHow's ``[header] A [title] B [step] C`` as sentences."""
    parts = [part.strip() for part in re.split(r"\[(?:header|title|step|substeps)\]", text)]
    sentences = [part if part.endswith((".", "!", "?", ":")) else part + "." for part in parts[:-1] if part]
    return " ".join([*sentences, *parts[-1:]]).strip()


# -- sentences and pairs of sentences ----------------------------------------------------------------------


def anli(row: Row) -> list[Candidate]:
    """Entailment against neutral and contradiction taken together (A.1)."""
    premise = _text(row, "premise")
    text = f"Premise: {premise}\nHypothesis: {_text(row, 'hypothesis')}\nEntailed:"
    return _single(premise, text, int(_number(row, "label", 0, 1, 2) == 0))


def paws(row: Row) -> list[Candidate]:
    """Do two sentences of nearly the same words mean the same? Scramblings of one sentence stay together."""
    first, second = _text(row, "sentence1"), _text(row, "sentence2")
    group, also = (" ".join(sorted(set(sentence.lower().split()))) for sentence in (first, second))
    text = f"First: {first}\nSecond: {second}\nSame meaning:"
    return [Candidate(group, group, text, _number(row, "label", 0, 1), also)]


def wic(row: Row) -> list[Candidate]:
    """Does a word mean the same in two sentences? Rows about one word stay together."""
    first, second = _text(row, "sentence1"), _text(row, "sentence2")
    text = f"First: {first}\nSecond: {second}\nWord: {_text(row, 'word')}\nSame:"
    return _single(_text(row, "word"), text, _number(row, "label", 0, 1))


def cola(row: Row) -> list[Candidate]:
    """Linguistic acceptability of a sentence."""
    sentence = _text(row, "sentence")
    return _single(sentence, f"Sentence: {sentence}\nAcceptable:", _number(row, "label", 0, 1))


def sst2(row: Row) -> list[Candidate]:
    """Sentiment of a phrase. Phrases of one review nest, so a group is the first four words."""
    sentence = _text(row, "sentence")
    return _single(_start(sentence, 4), f"Review: {sentence}\nPositive:", _number(row, "label", 0, 1))


def twitter_sentiment(row: Row) -> list[Candidate]:
    """Sentiment of a tweet; neutral ones (label 1 of three) make no example."""
    tweet, label = _text(row, "text"), _number(row, "label", 0, 1, 2)
    return _single(tweet.lower(), f"Tweet: {tweet}\nPositive:", int(label == 2)) if label != 1 else []


# -- ethics ------------------------------------------------------------------------------------------------


def ethics_justice(row: Row) -> list[Candidate]:
    """Is the claim just? Variants of one scenario share their first words and stay together."""
    scenario = _text(row, "scenario")
    return _single(_start(scenario, 5), f"Scenario: {scenario}\nReasonable:", _number(row, "label", 0, 1))


def ethics_deontology(row: Row) -> list[Candidate]:
    """Is the excuse a valid answer to the request? Excuses for one scenario stay together."""
    scenario = _text(row, "scenario")
    text = f"Request: {scenario}\nExcuse: {_text(row, 'excuse')}\nValid:"
    return _single(scenario, text, _number(row, "label", 0, 1))


def ethics_virtue(row: Row) -> list[Candidate]:
    """Does the character show the trait? The raw column is ``scenario [SEP] trait``."""
    scenario, separator, trait = _text(row, "scenario").rpartition("[SEP]")
    if not separator or not trait.strip():
        raise ValueError("scenario should be of the form 'scenario [SEP] trait'")
    text = f"Scenario: {scenario.strip()}\nTrait: {trait.strip()}\nShown:"
    return _single(scenario.strip(), text, _number(row, "label", 0, 1))


def ethics_utilitarianism(row: Row) -> list[Candidate]:
    """Which of two events is more pleasant? Their order follows from a hash of both, whichever is better.

    An event turns up in several pairs, so a pair belongs with both of its events.
    """
    better, worse = _text(row, "baseline"), _text(row, "less_pleasant")
    if better == worse:
        return []
    first, second = sorted((better, worse))
    if hashlib.sha256(f"{first}\n{second}".encode()).digest()[0] % 2:
        first, second = second, first
    text = f"First: {first}\nSecond: {second}\nFirst is more pleasant:"
    return [Candidate(first, first, text, int(first == better), second)]
