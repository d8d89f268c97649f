"""The same row with another answer: what a formatter must *not* show in its text.

A formatter leaks by construction if the text of a row depends on which answer is right, as in two published
ones (OpenBookQA with a letter for right and a text for wrong answers; ETHICS with the label as last word).
So every task says how its rows look with another answer, and every build formats both: the texts must be the
same, and the labels must not.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from w2s.engine.rows import whole
from w2s.nlp.formatters import Row

Relabel = Callable[[Row], Row]


def exchange(column: str, *values: int) -> Relabel:
    """The next of these values, cyclically: ``exchange("label", 0, 1)`` flips a binary label."""
    return partial(_exchanged, column, values)


def _exchanged(column: str, values: tuple[int, ...], row: Row) -> Row:
    old = row[column]
    flipped = {"yes": "no", "no": "yes", "true": "false", "false": "true"}.get(str(old).strip().lower())
    if isinstance(old, str) and flipped:  # as text where the data set has text
        return {**row, column: flipped}
    return {**row, column: type(old)(values[(values.index(whole(old)) + 1) % len(values)])}


def swap(one: str, other: str) -> Relabel:
    """Two columns exchanged, one of which holds the right answer."""
    return partial(_swapped, one, other)


def _swapped(one: str, other: str, row: Row) -> Row:
    return {**row, one: row[other], other: row[one]}


def next_letter(row: Row) -> Row:
    """The next of ``choices.label`` as ``answerKey``."""
    letters: list[Any] = list(row["choices"]["label"])
    return {**row, "answerKey": letters[(letters.index(row["answerKey"]) + 1) % len(letters)]}


def next_choice(row: Row) -> Row:
    """Another of ``choice`` as ``answer``."""
    others = [choice for choice in row["choice"] if choice != row["answer"]]
    return {**row, "answer": (others or [row["answer"]])[0]}


def next_answer(row: Row) -> Row:
    """The next of ``answers`` as ``correct_answer_id``."""
    count = len(row["answers"])
    return exchange("correct_answer_id", *range(count))(row)


def next_ending(row: Row) -> Row:
    """The next of ``endings`` as ``label``."""
    return exchange("label", *range(len(row["endings"])))(row)
