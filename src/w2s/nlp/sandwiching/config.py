"""Sandwiching (Cotra 2021, Bowman et al. 2022): its section of the config, ``nlp.sandwiching``."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Literal

from pydantic import Field, field_validator, model_validator

from w2s.config.schema import Positive, Seed, Strict
from w2s.config.section import refuse_twice, refuse_unknown
from w2s.nlp.hint import LabelHint

# Who the assistant is: the strong base model as it is, asked without examples; or the student that the non-expert alone
# has made of it. Neither was trained on the truth of an example that it assists with. In a debate, one of them argues
# for both answers.
Advocate = Literal["zero-shot", "student"]
Assistant = Literal[Advocate, "debate"]
PROMPTED: Advocate = "zero-shot"
STUDENT: Advocate = "student"
DEBATE: Assistant = "debate"


class Asked(LabelHint):
    """How a non-expert's texts tell what the assistant answers."""

    prompt: str = "An assistant says that this is {label}. What do you think?"


class Debate(Strict):
    """How a non-expert's texts tell how strong the case for either answer is, after Khan et al. (2024)."""

    advocate: Advocate = STUDENT  # argues for both answers
    prompt: str = "One assistant says incorrect, a {no} case. Another says correct, a {yes} case. What do you think?"
    strengths: tuple[str, ...] = Field(("hopeless", "weak", "fair", "strong"), min_length=2)  # of equal ranges

    @field_validator("prompt")
    @classmethod
    def _has_both_places(cls, prompt: str) -> str:
        if prompt.count("{no}") != 1 or prompt.count("{yes}") != 1:
            raise ValueError(f"{prompt!r} is not allowed; it should have one {{no}} and one {{yes}}")
        return prompt

    @model_validator(mode="after")
    def _strengths_differ(self) -> Debate:
        refuse_twice("strengths", self.strengths)
        return self


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
    debate: Debate = Debate()  # if it is among the assistants; where the line stands and for how long, ``told`` says

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
