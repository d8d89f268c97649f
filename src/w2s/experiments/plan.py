"""Every run that an experiment can ask for: the plans of its settings. Pure and light."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any

from w2s.chess.plan import ChessPlan
from w2s.engine.sources import Sources
from w2s.errors import LackingError
from w2s.experiments.experiment import Experiment
from w2s.experiments.settings import SETTINGS, setting
from w2s.graph.artifact import Run
from w2s.nlp.plan import NlpPlan
from w2s.reward.plan import RewardPlan
from w2s.vision.plan import VisionPlan


class Plan:
    """The settings' parts of the run graph, each made on demand; LackingError for one that the experiment has not."""

    def __init__(self, experiment: Experiment, sources: Sources | None = None) -> None:
        self.experiment = experiment
        self.sources = sources or Sources()

    @cached_property
    def nlp(self) -> NlpPlan:
        """NLP tasks."""
        return self._of("nlp")  # type: ignore[no-any-return]

    @cached_property
    def chess(self) -> ChessPlan:
        """Chess puzzles."""
        return self._of("chess")  # type: ignore[no-any-return]

    @cached_property
    def reward(self) -> RewardPlan:
        """Preference pairs."""
        return self._of("reward")  # type: ignore[no-any-return]

    @cached_property
    def vision(self) -> VisionPlan:
        """Images."""
        return self._of("vision")  # type: ignore[no-any-return]

    def _of(self, name: str) -> Any:
        if getattr(self.experiment, name) is None:
            raise LackingError(f"experiment {self.experiment.experiment!r} has no {name} section in its config")
        return setting(name).plan(self.experiment, self.sources)

    def there(self) -> list[str]:
        """Names of the settings that the experiment has."""
        return [one.name for one in SETTINGS if getattr(self.experiment, one.name) is not None]

    def everything(self) -> Iterator[Run]:
        """All runs of all settings."""
        for name in self.there():
            yield from getattr(self, name).every_run()
