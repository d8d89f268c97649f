"""From a raw row to a comparison: what was said before, the better completion and the worse one.

A formatter raises MalformedError, naming what is wrong in a few words, for a row of the right schema in which there is
nothing to compare, and UndecidedError for a sound row without a preference. Both are left out, counted by those words;
only malformed rows can be too many. A row of another schema is the caller's mistake and raises KeyError or TypeError.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from w2s.engine.rows import whole

Row = Mapping[str, Any]
HUMAN, ASSISTANT = "\n\nHuman:", "\n\nAssistant:"
TURN = re.compile(r"\n\n(?:Human|Assistant):")


class MalformedError(ValueError):
    """A row that compares nothing; its message says why, the same for all such rows."""


class UndecidedError(ValueError):
    """A sound row in which neither completion is preferred; its message says so, the same for all such rows."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """prefix + better and prefix + worse are the two dialogues as a model reads them. group: stays on one side."""

    prefix: str
    better: str
    worse: str
    group: str

    def __post_init__(self) -> None:
        if not self.better.strip() or not self.worse.strip():
            raise MalformedError("a completion is empty")

    @property
    def diverges_early(self) -> bool:
        """Whether a completion holds further turns: the dialogues part before their last answer."""
        return any(TURN.search(completion) for completion in (self.better, self.worse))


def hh(row: Row) -> Comparison:
    """Anthropic HH-RLHF: two dialogues, cut at the last assistant turn up to which both agree."""
    chosen, rejected = _text(row, "chosen"), _text(row, "rejected")
    for dialogue in (chosen, rejected):
        turns = TURN.findall(dialogue)
        if not turns or not dialogue.startswith(turns[0]):
            raise MalformedError("a dialogue does not begin with a turn")
        if turns[-1] != ASSISTANT:
            raise MalformedError("a dialogue does not end with the assistant")
    agreed = os.path.commonprefix([chosen, rejected])  # noqa: RUF071  # of characters is what is wanted
    cut = agreed.rfind(ASSISTANT)
    if cut < 0:
        raise MalformedError("the dialogues share no assistant turn")
    cut += len(ASSISTANT)
    opening = TURN.split(agreed, maxsplit=2)[1].strip()
    return Comparison(chosen[:cut], chosen[cut:], rejected[cut:], opening)


def summarize(row: Row) -> Comparison:
    """OpenAI summarize-from-feedback, config comparisons: two summaries of a post or an article."""
    info, summaries, choice = row["info"], row["summaries"], whole(row["choice"])
    text = info.get("post") or info.get("article")
    if not isinstance(text, str) or not text.strip():
        raise MalformedError("there is no text to summarize")
    if len(summaries) != 2 or choice not in (0, 1):
        raise MalformedError("not a choice between two summaries")
    title = f"Title: {info['title'].strip()}\n\n" if info.get("title") else ""
    place = f"Subreddit: r/{info['subreddit']}\n\n" if info.get("subreddit") else ""
    prefix = f"{place}{title}{text.strip()}\n\nTL;DR:"
    better, worse = (f" {_text(summaries[number], 'text').strip()}" for number in (choice, 1 - choice))
    return Comparison(prefix, better, worse, str(info.get("id") or text))


def shp(row: Row) -> Comparison:
    """Stanford Human Preferences: a post and two comments; label 1 where A is preferred."""
    label = whole(row["labels"])
    if label not in (0, 1):
        raise MalformedError("not a choice between two comments")
    names = ("human_ref_A", "human_ref_B") if label == 1 else ("human_ref_B", "human_ref_A")
    better, worse = (f" {_text(row, name).strip()}" for name in names)
    history = _text(row, "history").strip()
    return Comparison(f"{history}\n\nComment:", better, worse, str(row.get("post_id") or history))


def webgpt(row: Row) -> Comparison:
    """OpenAI WebGPT comparisons: two answers to a question; the one with the higher score is preferred."""
    scores = [_number(row, name) for name in ("score_0", "score_1")]
    if scores[0] == scores[1]:
        raise UndecidedError("neither answer is preferred")
    question = _text(row["question"], "full_text").strip()
    names = ("answer_0", "answer_1") if scores[0] > scores[1] else ("answer_1", "answer_0")
    better, worse = (f" {_text(row, name).strip()}" for name in names)
    return Comparison(f"Question: {question}\n\nAnswer:", better, worse, question)


def _text(row: Row, name: str) -> str:
    text = row[name]
    if text is None:
        raise MalformedError(f"{name} is missing")
    if not isinstance(text, str):
        raise TypeError(f"{name} is no text")
    return text


def _number(row: Row, name: str) -> float:
    """A number, which some files have as text."""
    try:
        value = float(row[name])
    except ValueError:
        raise TypeError(f"{name} is no number") from None
    except TypeError:
        value = math.nan
    if math.isnan(value):
        raise MalformedError(f"{name} is missing")
    return value
