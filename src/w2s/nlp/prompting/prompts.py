"""What stands before a task's questions when a base model is prompted: the paper's words where it has any (Table 2).

They ask for 1 or 0; where a prompt's answers are other words, these take their place.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from w2s.nlp.tasks import TASKS

OURS = {
    "boolq": "There is a passage, followed by a yes/no question about it. "
    "Respond with 1 if the answer is yes, and with 0 if it is no.",
    "dream": "There is a dialogue, followed by a question about it, and an answer. "
    "Respond with 1 if the answer is correct, and with 0 otherwise.",
    "ethics_utilitarianism": "There are two short scenarios. "
    "Respond with 1 if the first is more pleasant than the second for the person in it, and with 0 otherwise.",
    "anli": "There is a premise, followed by a hypothesis. "
    "Respond with 1 if the premise entails the hypothesis, and with 0 otherwise.",
    "cola": "There is a sentence. Respond with 1 if it is grammatically acceptable, and with 0 otherwise.",
    "sst2": "There is a passage from a film review. Respond with 1 if its sentiment is positive, and with 0 otherwise.",
    "hellaswag": "There is a description of a scene, followed by a possible ending. "
    "Respond with 1 if this is how the scene goes on, and with 0 otherwise.",
    "mc_taco": "There is a sentence, followed by a question about time, and an answer. "
    "Respond with 1 if the answer is plausible, and with 0 otherwise.",
    "openbookqa": "There is an elementary science question, followed by an answer. "
    "Respond with 1 if the answer is correct, and with 0 otherwise.",
    "paws": "There are two sentences. Respond with 1 if they mean the same, and with 0 otherwise.",
    "piqa": "There is a practical goal, followed by a way of reaching it. "
    "Respond with 1 if the way works, and with 0 otherwise.",
    "quartz": "There is a short text, followed by a question that it helps to answer, and an answer. "
    "Respond with 1 if the answer is correct, and with 0 otherwise.",
    "multirc": "There is a paragraph, followed by a question about it, and an answer. "
    "Respond with 1 if the answer is correct, and with 0 otherwise.",
    "wic": "There are two sentences, followed by a word that is in both. "
    "Respond with 1 if the word means the same in both sentences, and with 0 otherwise.",
    "twitter_sentiment": "There is a tweet. Respond with 1 if its sentiment is positive, and with 0 otherwise.",
}


def is_papers(task: str) -> bool:
    """Whether Table 2 has a prompt for the task."""
    return bool(TASKS[task].instruction)


def instruction(task: str) -> str:
    """The paper's words, or ours where it has none."""
    return TASKS[task].instruction or OURS[task]


def worded(text: str, answers: Sequence[str]) -> str:
    """A prompt that asks for these answers (label 0, label 1) in place of 0 and 1."""
    return re.sub(r"\b[01]\b", lambda digit: answers[int(digit[0])].strip(), text)
