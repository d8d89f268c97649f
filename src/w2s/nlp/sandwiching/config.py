"""Sandwiching (Cotra 2021, Bowman et al. 2022): its section of the config, ``nlp.sandwiching``."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Literal

from pydantic import Field, model_validator

from w2s.config.schema import Positive, Seed, Strict
from w2s.config.section import refuse_twice, refuse_unknown
from w2s.nlp.hint import LabelHint

# Who the assistant is: the strong base model as it is, asked without examples; or the student that the non-expert alone
# has made of it. Neither was trained on the truth of an example that it assists with.
Assistant = Literal["zero-shot", "student"]
PROMPTED: Assistant = "zero-shot"
STUDENT: Assistant = "student"


class Asked(LabelHint):
    """How a non-expert's texts tell what the assistant answers."""

    prompt: str = "An assistant says that this is {label}. What do you think?"


class Sandwiching(Strict):
    """Non-experts, the model that assists them, and what can be made of both without an expert."""

    seeds: tuple[Seed, ...] | None = Field(None, min_length=1)  # the experiment's by default
    tasks: tuple[str, ...] | None = Field(None, min_length=1)  # the first ``count`` by default
    count: Positive = 3  # of tasks where they are not named
    pairs: tuple[tuple[str, str], ...] | None = Field(None, min_length=1)  # non-expert, assistant's rung
    non_experts: Positive | None = None  # the weakest supervisors, where pairs are not named; all by default
    assistants: tuple[Assistant, ...] = Field((PROMPTED, STUDENT), min_length=1)
    methods: tuple[str, ...] | None = Field(None, min_length=1)  # of students; the first of nlp.methods by default
    told: Asked = Asked()

    @model_validator(mode="after")
    def _names_each_once(self) -> Sandwiching:
        for key in ("seeds", "tasks", "pairs", "assistants", "methods"):
            refuse_twice(key, getattr(self, key) or ())
        return self

    def check(self, tasks: Collection[str], there: Sequence[tuple[str, str]], methods: Collection[str]) -> None:
        """ValueError for what is not in the experiment. there: pairs whose student is larger and has ground truth."""
        for name in self.tasks or ():
            refuse_unknown("sandwiching.tasks", name, tasks)
        for name in self.methods or ():
            refuse_unknown("sandwiching.methods", name, methods)
        for weak, strong in self.pairs or ():
            if (weak, strong) not in there:
                pairs = ", ".join(f"[{one}, {other}]" for one, other in there) or "none"
                raise ValueError(
                    f"sandwiching.pairs: [{weak}, {strong}] is no supervisor with a larger rung that has ground truth; "
                    f"allowed: {pairs}"
                )

    def chosen(self, there: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
        """(non-expert, assistant's rung): by default supervisors with the largest rung that has ground truth."""
        if self.pairs:
            return list(self.pairs)
        largest = there[-1][1] if there else None
        return [pair for pair in there if pair[1] == largest][: self.non_experts]
