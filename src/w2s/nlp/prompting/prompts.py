"""What stands before a task's questions when a base model is prompted: the paper's words where it has any (Table 2).

They ask for 1 or 0; where a prompt's answers are other words, these take their place.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from w2s.nlp.tasks import TASKS


def is_papers(task: str) -> bool:
    """Whether Table 2 has a prompt for the task."""
    return bool(TASKS[task].instruction)


def instruction(task: str) -> str:
    """The paper's words, or ours where it has none."""
    return TASKS[task].instruction or TASKS[task].our_instruction


def worded(text: str, answers: Sequence[str]) -> str:
    """A prompt that asks for these answers (label 0, label 1) in place of 0 and 1."""
    return re.sub(r"\b[01]\b", lambda digit: answers[int(digit[0])].strip(), text)
