"""Other test sets: the section ``shift`` of settings with a ladder."""

from __future__ import annotations

from collections.abc import Collection
from typing import ClassVar

from pydantic import Field, field_validator, model_validator

from w2s.config.schema import Seed, Strict
from w2s.config.section import refuse_twice, refuse_unknown

ELSEWHERE = "elsewhere-"  # before the name of another test set: the parent's role, and the part of predictions


class OtherTest(Strict):
    """A test set that runs on ``task`` are scored on beside their own: of another task, or another split."""

    task: str  # trained on
    other: str  # the data set that the test set is of
    test: str | None = None  # its split (file name without ending); the usual one by default

    @field_validator("test")
    @classmethod
    def _is_a_split(cls, test: str | None) -> str | None:
        if test == "none":
            raise ValueError("none: a test set cut from training rows is the task's own; allowed: a split")
        return test

    @model_validator(mode="after")
    def _is_another(self) -> OtherTest:
        if self.other == self.task and self.test is None:
            raise ValueError(f"{self.task} on {self.other} is its own test set; name another task, or a split (test)")
        return self

    @property
    def name(self) -> str:
        """What tables and figures call it."""
        return f"{self.other}-{self.test}" if self.test else self.other


class Shift(Strict):
    """Supervisors, students and ceilings of some pairs, scored on other test sets too."""

    USUAL: ClassVar[tuple[OtherTest, ...]] = ()

    tests: tuple[OtherTest, ...] | None = Field(None, min_length=1)  # by default the usual ones between its tasks
    seeds: tuple[Seed, ...] | None = Field(None, min_length=1)  # the experiment's by default
    pairs: tuple[tuple[str, str], ...] | None = Field(None, min_length=1)  # (supervisor, student); that of example
    methods: tuple[str, ...] | None = Field(None, min_length=1)  # the setting's by default

    @model_validator(mode="after")
    def _names_each_once(self) -> Shift:
        for key in ("tests", "seeds", "pairs", "methods"):
            refuse_twice(f"shift.{key}", getattr(self, key) or ())
        return self

    def chosen(self, tasks: Collection[str], others: Collection[str]) -> tuple[OtherTest, ...]:
        """The other test sets; by default the usual ones of these tasks and of data sets among ``others``."""
        return self.tests or tuple(test for test in self.USUAL if test.task in tasks and test.other in others)

    def check(self, tasks: Collection[str], methods: Collection[str]) -> None:
        """ValueError for what is not in the experiment."""
        for test in self.tests or ():
            refuse_unknown("shift.tests: task", test.task, tasks)
        for name in self.methods or ():
            refuse_unknown("shift.methods", name, methods)
