"""The protocol of a setting: what the rest of the package knows of NLP, chess, reward models, vision, or a new one.

Each setting is a folder that exports one ``SETTING``; ``w2s.experiments`` is the only place that lists them. A setting
is light: no torch, no tables; what needs them is imported when it is called.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from w2s.graph.artifact import Artifact, Run
from w2s.graph.stage import Stage
from w2s.graph.work import Size, Work

if TYPE_CHECKING:
    from pydantic import BaseModel

    from w2s.engine.sources import Sources


class Examples(NamedTuple):
    """Rendered examples of a task, as models see them, each with its label."""

    title: str
    texts: list[str]


class SettingPlan(ABC):
    """A setting's part of the run graph. ``task``, ``rung``: by name. The runs of all settings are asked for alike."""

    seeds: tuple[int, ...]

    @property
    @abstractmethod
    def tasks(self) -> list[str]:
        """Names of the setting's tasks."""

    def seeds_of(self, task: str) -> tuple[int, ...]:
        """The seeds of a task's runs."""
        return self.seeds

    @abstractmethod
    def truth(self, task: str, rung: str, seed: int) -> Run:
        """A run on ground truth: the supervisor of students."""

    @abstractmethod
    def ceiling(self, task: str, rung: str, seed: int) -> Run:
        """The ground-truth run that bounds students of this rung."""

    @abstractmethod
    def student(self, task: str, weak: str, strong: str, method: str, seed: int) -> Run:
        """A run on the labels that ``weak`` gives the strong half."""

    @abstractmethod
    def every_run(self) -> Iterator[Run]:
        """All runs of the setting, whichever figure asks for them."""


class Setting(ABC):
    """A setting.

    name: in paths and in the config. section: its part of the config. stages: that it alone has. work: what jobs of a
    stage compute with a model; a stage that is not there computes with none.
    """

    name: ClassVar[str]
    section: ClassVar[type[BaseModel]]
    stages: ClassVar[tuple[Stage, ...]]
    work: ClassVar[Mapping[Stage, Callable[[Artifact], Work]]] = {}
    prints: ClassVar[bool] = True  # whether its examples can be printed

    @abstractmethod
    def check(self, experiment: Any, sources: Sources) -> None:
        """UserError (or ValueError) for names of the section that nothing goes by, or that do not fit together."""

    @abstractmethod
    def plan(self, experiment: Any, sources: Sources) -> SettingPlan:
        """The setting's part of an experiment's run graph. experiment: one that has the setting's section."""

    @abstractmethod
    def is_synthetic(self, experiment: Mapping[str, Any]) -> str | None:
        """What is invented about the setting's data, in a few words; None where they are real. experiment: as JSON."""

    def size(self, data: Artifact) -> Size:
        """How large data are that are not built yet."""
        return Size()

    @abstractmethod
    def examples(self, plan: Any, task: str, number: int) -> Examples:
        """The first examples of a task as models see them. plan: what ``plan`` returned."""

    @abstractmethod
    def fetch(self, plan: Any) -> Iterator[str]:
        """Fetch and check what the setting needs from the hub, a line at a time; nothing where it needs nothing."""
