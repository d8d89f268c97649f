"""Tasks of the user's own: a formatter in the project's folder, and rows in a directory (docs/methods.md)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from w2s.config import user_code as own
from w2s.errors import UserError
from w2s.nlp.config import TaskChoice
from w2s.nlp.formatters import Candidate, Row
from w2s.nlp.task import Task


def of_choice(choice: TaskChoice) -> Task:
    """What is known of a task without importing its formatter, which is not to be called."""
    title = choice.title or choice.name
    return Task(
        choice.name,
        title,
        _not_imported,
        (),
        "",
        per_question=choice.per_question,
        group="the formatter's",
        source="own",
    )


def of_spec(spec: Mapping[str, Any]) -> Task:
    """The task of a data set's spec, its functions imported. UserError if their code is not as planned."""
    name, described = spec["task"], spec["own"]
    functions = {
        role: own.function(described[role]["name"], described[role]["code"])
        for role in ("formatter", "relabel")
        if role in described
    }
    formatter = functions["formatter"]

    def checked(row: Row) -> list[Candidate]:
        made = formatter(row)
        which = described["formatter"]["name"]
        if not isinstance(made, (list, tuple)) or not all(isinstance(one, Candidate) for one in made):
            raise UserError(f"{which}: should return a list of Candidates, not {made!r:.60}")
        for one in made:
            for field in ("group", "question", "text", "also"):
                value = getattr(one, field)
                if not isinstance(value, str):
                    raise UserError(f"{which}: {field} of a Candidate should be a str, not {value!r:.60}")
        return list(made)

    return Task(name, name, checked, (), "", relabel=functions.get("relabel"), per_question=described["per_question"])


def _not_imported(row: Row) -> list[Candidate]:
    raise AssertionError("a formatter is called in the data stage, and not here")
