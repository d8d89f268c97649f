"""What studies of NLP tasks have in common: their seeds and tasks, and the plan that they take runs from."""

from __future__ import annotations

from typing import Generic, Protocol, TypeVar

from w2s.graph.artifact import Cached
from w2s.nlp.plan import NlpPlan


class Section(Protocol):
    """A study's section of the config."""

    @property
    def seeds(self) -> tuple[int, ...] | None:
        """The experiment's by default."""

    @property
    def tasks(self) -> tuple[str, ...] | None:
        """The first ``count`` by default."""

    @property
    def count(self) -> int:
        """Of tasks, where they are not named."""


S = TypeVar("S", bound=Section)


class Study(Cached, Generic[S]):
    """Every run of a study, made on demand and remembered.

    seeds: the experiment's by default; tasks: the first ``count`` where the section does not name them.
    """

    def __init__(self, plan: NlpPlan, setting: S) -> None:
        super().__init__()
        self.plan = plan
        self.setting = setting
        self.seeds: tuple[int, ...] = setting.seeds or plan.seeds
        self.tasks: list[str] = list(setting.tasks or plan.tasks[: setting.count])
