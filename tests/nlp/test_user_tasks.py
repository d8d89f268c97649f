"""What an own formatter returns is checked, and what is wrong with it names the row."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from w2s.config import user_code
from w2s.errors import UserError
from w2s.nlp.build import build
from w2s.nlp.config import Sizes
from w2s.nlp.task import Task
from w2s.nlp.user_tasks import of_spec

CODE = """
from w2s.nlp.formatters import Candidate


def formatter(row):
    group, label = row["group"], row["label"]
    return {returned}
"""


@pytest.fixture
def task(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Task]:
    monkeypatch.chdir(tmp_path)

    def made(returned: str) -> Task:
        Path("mine.py").write_text(CODE.format(returned=returned))
        described = {"name": "mine:formatter", "code": user_code.digest("mine:formatter")}
        return of_spec({"task": "mine", "own": {"formatter": described, "per_question": False}})

    return made


def rows() -> list[dict[str, Any]]:
    return [{"group": f"g{number}", "label": number % 2} for number in range(60)]


def test_a_formatter_that_returns_candidates_makes_a_task(task: Callable[[str], Task]) -> None:
    made = build(task('[Candidate(group, group, "Text of " + group, label)]'), {"train": rows()}, Sizes(), 0)
    assert sum(map(len, made.parts.values())) >= 50


@pytest.mark.parametrize(
    ("returned", "said"),
    [
        ("None", "mine:formatter: should return a list of Candidates, not None"),
        ('b"some bytes"', "mine:formatter: should return a list of Candidates, not b'some bytes'"),
        ("[Candidate(group, group, group.encode(), label)]", "mine:formatter: text of a Candidate should be a str"),
        ("[Candidate(7 if label else group, group, group, label)]", "group of a Candidate should be a str, not 7"),
        ("[Candidate(group, None, group, label)]", "question of a Candidate should be a str, not None"),
        ("[Candidate(group, group, group, label, None)]", "also of a Candidate should be a str, not None"),
        ("[Candidate(group, group, group, float(label))]", "label 0.0 is not allowed; allowed: 0, 1"),
        ("[Candidate(group, group, [][3], label)]", "not in the expected form (IndexError: list index out of range)"),
        ("1 / 0", "not in the expected form (ZeroDivisionError: division by zero)"),
    ],
)
def test_what_is_wrong_with_what_it_returns_names_the_row(
    returned: str, said: str, task: Callable[[str], Task]
) -> None:
    with pytest.raises(UserError) as caught:
        build(task(returned), {"train": rows()}, Sizes(), 0, {"train": "train.jsonl"})
    assert str(caught.value).startswith("task 'mine', train row ")
    assert "row 0 of train.jsonl: " in str(caught.value) or "row 1 of train.jsonl: " in str(caught.value)
    assert said in str(caught.value)
