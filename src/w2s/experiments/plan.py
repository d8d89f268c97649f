"""Every run that an experiment can ask for: the plans of its settings. Pure and light."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from w2s.engine.sources import Sources
from w2s.errors import LackingError
from w2s.experiments.experiment import Experiment
from w2s.experiments.settings import SETTINGS
from w2s.graph.artifact import Run

if TYPE_CHECKING:
    from w2s.chess.plan import ChessPlan
    from w2s.nlp.plan import NlpPlan
    from w2s.reward.plan import RewardPlan
    from w2s.vision.plan import VisionPlan


class Plan:
    """The settings' parts of the run graph, by name and made on demand (``plan.chess``).

    LackingError for a setting that the experiment has no section for.
    """

    nlp: NlpPlan
    chess: ChessPlan
    reward: RewardPlan
    vision: VisionPlan

    def __init__(self, experiment: Experiment, sources: Sources | None = None) -> None:
        self.experiment = experiment
        self.sources = sources or Sources()

    def __getattr__(self, name: str) -> Any:
        setting = next((one for one in SETTINGS if one.name == name), None)
        if setting is None:
            raise AttributeError(name)
        if getattr(self.experiment, name) is None:
            raise LackingError(f"experiment {self.experiment.experiment!r} has no {name} section in its config")
        plan = setting.plan(self.experiment, self.sources)
        setattr(self, name, plan)
        return plan

    def there(self) -> list[str]:
        """Names of the settings that the experiment has."""
        return [one.name for one in SETTINGS if getattr(self.experiment, one.name) is not None]

    def everything(self) -> Iterator[Run]:
        """All runs of all settings."""
        for name in self.there():
            yield from getattr(self, name).every_run()
