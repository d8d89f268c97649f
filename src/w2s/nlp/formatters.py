"""What the tasks' formatters share: from one raw row in hub schema to candidate examples.

Every text ends in a short cue ("Correct:", "Answer:") after which " yes" or " no" is the natural next
word; the label itself never appears in the text. Paper section: 4.1 and Appendix A.1; the rows' schemas
are the hub's own. A value that is not of the schema raises ValueError, TypeError or KeyError saying which.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from w2s.engine.rows import whole

Row = Mapping[str, Any]

WORD = re.compile(r"[^\W_]+")
ACCENT = re.compile("[\u0300-\u036f]")  # of a Latin, Greek or Cyrillic letter, as a character of its own
APOSTROPHE = re.compile("[\u02b9-\u02ff]")  # and other signs that Unicode counts among letters
INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufe00-\ufe0f\ufeff]")


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


def single(group: str, text: str, label: int) -> list[Candidate]:
    """The one candidate of a row, in a group of its own."""
    return [Candidate(group, group, text, label)]


def choices(
    group: str, question: str, stem: str, answers: Iterable[str], right: Iterable[bool], *, word: str = "Answer"
) -> list[Candidate]:
    """Multiple choice: one candidate an answer (A.1: k data points (Q, A_i), label 1 iff correct)."""
    return [
        Candidate(group, question, f"{stem}\n{word}: {answer.strip()}\nCorrect:", int(is_right))
        for answer, is_right in zip(answers, right, strict=True)
    ]


def only(count: int, index: int) -> list[bool]:
    """``count`` answers, of which the one at ``index`` is right."""
    return [number == index for number in range(count)]


def number(row: Row, column: str, *allowed: int) -> int:
    """The column's value, one of these whole numbers; CSV files and some data sets have it as text."""
    value = whole(row[column])
    hint = f"allowed: {', '.join(map(str, allowed))}"
    if value is None:
        raise ValueError(f"{column} is missing ({row[column]!r}); {hint}")
    if value not in allowed:
        raise ValueError(f"{column} {row[column]!r} is not allowed; {hint}")
    return int(value)


def text(row: Row, column: str) -> str:
    """The column's text without surrounding space. EmptyTextError if there is none, ValueError if it is no text."""
    value = row[column]
    if value is None or (isinstance(value, str) and not value.strip()):
        raise EmptyTextError(f"{column} is empty")
    if not isinstance(value, str):
        raise ValueError(f"{column} should be text, not {value!r}")
    return value.strip()


def texts(row: Row, column: str) -> list[str]:
    """The column's list of texts. EmptyTextError for an empty item, TypeError if it is no list."""
    if not isinstance(row[column], list):
        raise TypeError(f"{column} should be a list, as in the hub's parquet, not {type(row[column]).__name__}")
    if not all(isinstance(item, str) and item.strip() for item in row[column]):
        raise EmptyTextError(f"{column} has an empty item")
    return list(row[column])


def keyed(row: Row) -> tuple[list[str], int]:
    """(answers, number of the right one) of ``choices`` {text, label} and ``answerKey``."""
    choices = row["choices"]
    if not isinstance(choices, Mapping):
        raise TypeError(f"choices should hold text and label, as in the hub's parquet, not {type(choices).__name__}")
    answers, letters = texts(choices, "text"), texts(choices, "label")
    if row["answerKey"] not in letters:
        raise ValueError(f"answerKey {row['answerKey']!r} is not allowed; allowed: {', '.join(letters)}")
    return answers, letters.index(row["answerKey"])


def as_question(question: str) -> str:
    """With a question mark at its end."""
    question = question.strip()
    return question if question.endswith("?") else question + "?"


def plain(text: str) -> str:
    """The text's words in lower case, without punctuation; the text itself if it has no words."""
    if ACCENT.search(text):
        text = unicodedata.normalize("NFC", text)
    return " ".join(WORD.findall(text.casefold())) or text


def alike(text: str) -> str:
    """The same for all texts that differ in case, punctuation, accents, width or invisible characters alone.

    Marks of scripts without accents, as vowels in Hindi, are letters.
    """
    if text.isascii():
        return plain(text)
    apart = unicodedata.normalize("NFKD", _words(APOSTROPHE.sub(" ", INVISIBLE.sub("", text))))
    return " ".join(_words(ACCENT.sub("", apart)).casefold().split()) or text


def _words(text: str) -> str:
    """Its letters, digits and marks, with a space for everything else."""
    return "".join(one if one.isalnum() or unicodedata.category(one)[0] == "M" else " " for one in text)


def first_words(text: str, count: int) -> str:
    """The first words, as ``plain`` has them: variants of one scenario share them."""
    return " ".join(plain(text).split()[:count])


def last_words(text: str, count: int) -> str:
    """The last words, as ``plain`` has them."""
    return " ".join(plain(text).split()[-count:])
