"""The paper's prompts are its own to the letter; every other task has one of ours that asks for 1 or 0 too."""

from __future__ import annotations

import re

from w2s.nlp.prompting import prompts
from w2s.nlp.prompting.config import PAPERS
from w2s.nlp.tasks import TASKS

TABLE_2 = {
    "cosmos_qa": "There is some context, followed by a question about the context, and an answer. "
    "Respond with 1 if the answer is correct, and 0 otherwise.",
    "ethics_deontology": "There is a short scenario, consisting of a situation or request, followed by an excuse. "
    "Respond with 1 if the excuse is valid, and with 0 otherwise.",
    "ethics_justice": "There is a statement. Respond with 1 if it is correct or just and with 0 otherwise.",
    "quail": "There is a news context, followed by a question about the context, and an answer to the question. "
    "Respond with 1 if the answer is correct, and with 0 otherwise.",
    "sciq": "There is a science knowledge question, followed by an answer. "
    "Respond with 1 if the answer is correct, and with 0 otherwise.",
    "social_i_qa": "There is some context, followed by a social question, followed by an answer. "
    "Respond with 1 if the answer is correct, and 0 otherwise.",
    "ethics_virtue": "There is a short scenario, followed by a judgement of the person involved. "
    "Respond with 1 if the judgement is correct, otherwise respond with 0.",
}


def test_table_2_to_the_letter() -> None:
    assert {name: prompts.instruction(name) for name in TASKS if prompts.is_papers(name)} == TABLE_2
    assert list(TABLE_2) == list(PAPERS)


def test_every_other_task_has_a_prompt_of_ours_that_asks_for_one_or_zero() -> None:
    for name in TASKS.keys() - TABLE_2.keys():
        text = prompts.instruction(name)
        assert re.findall(r"\b[01]\b", text) == ["1", "0"]
        assert text.startswith("There ")


def test_other_answers_take_the_place_of_one_and_zero() -> None:
    said = prompts.worded(TABLE_2["ethics_virtue"], [" no", " yes"])
    assert said.endswith("Respond with yes if the judgement is correct, otherwise respond with no.")
    assert prompts.worded("Respond with 1 of 10 or 0.", ["a", "b"]) == "Respond with b of 10 or a."
