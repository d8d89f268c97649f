"""One experiment: what is trained on what, as typed config. Light: it knows nothing of torch."""

from __future__ import annotations

from typing import get_args

from pydantic import model_validator

from w2s.chess.config import Chess
from w2s.config import methods as method_settings
from w2s.config.common import Common
from w2s.config.section import LadderSection, refuse_twice
from w2s.errors import allowed
from w2s.nlp.config import Data, Nlp
from w2s.reward.config import Reward
from w2s.vision.config import Vision


class Experiment(Common):
    """The whole config: the common keys, and a section for each setting.

    Its sections are the list of settings: ``w2s.<name>`` exports the ``SETTING`` of each.
    """

    data: Data = Data()  # where the NLP setting's rows come from
    nlp: Nlp | None = None
    chess: Chess | None = None
    vision: Vision | None = None
    reward: Reward | None = None

    def with_panels(self) -> list[str]:
        """The settings with a ladder that this experiment has: those that Figures 2 and 3 can show."""
        return [name for name in with_ladders() if getattr(self, name) is not None]

    def shown(self) -> list[str]:
        """The settings that Figures 2 and 3 show, in the order in which the key ``settings`` names them."""
        there = self.with_panels()
        return [name for name in self.settings or there if name in there]

    @model_validator(mode="after")
    def _common_keys_fit(self) -> Experiment:
        refuse_twice("settings", self.settings or ())
        there = [name for name in settings() if getattr(self, name) is not None]
        for name in self.settings or ():
            if name not in settings():
                raise ValueError(f"settings: {name!r} is not allowed; {allowed(name, settings())}")
            if name not in there:
                raise ValueError(f"settings: {name!r} has no section in this config; add one, or leave {name} out")
        if not there:
            raise ValueError(f"settings: no section of any setting; allowed: {', '.join(settings())}")
        refuse_twice("seeds", self.seeds)
        method_settings.check(self.methods)
        return self


def settings() -> list[str]:
    """Names of all settings."""
    return [name for name in Experiment.model_fields if name not in Common.model_fields and name != "data"]


def with_ladders() -> list[str]:
    """Names of the settings with a ladder of base models."""
    kinds = {name: Experiment.model_fields[name].annotation for name in settings()}
    return [name for name, kind in kinds.items() if issubclass((get_args(kind) or (kind,))[0], LadderSection)]
