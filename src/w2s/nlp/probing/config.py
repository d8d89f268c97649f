"""Linear probes on frozen features: their section of the config (Section 5.2.3, Appendices D.2 and E.1)."""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated, Literal

from pydantic import Field, model_validator

from w2s.config.schema import Positive, Rate, Seed, Strict
from w2s.config.section import Pair, refuse_twice, refuse_unknown

Noise = Annotated[float, Field(ge=0, lt=0.5)]


class Recipe(Strict):
    """How a probe is trained: logistic regression by L-BFGS, or the paper's Adam recipe (Appendix D.2)."""

    by: Literal["lbfgs", "adam"] = "lbfgs"
    c: Rate = 1.0  # lbfgs: inverse strength of the l2 penalty
    iterations: Positive = 1000  # lbfgs: at most
    learning_rate: Rate = 1e-3  # adam
    batch: Positive = 128  # adam
    epochs: Positive = 200  # adam; students stop early on agreement with weak labels (validation part)

    def settings(self) -> dict[str, object]:
        """What of it decides numbers."""
        names = {"lbfgs": ("c", "iterations"), "adam": ("learning_rate", "batch", "epochs")}[self.by]
        return {"by": self.by} | {name: getattr(self, name) for name in names}


class Errors(Strict):
    """Figure 24: students of weak labels whose errors they can, or cannot, simulate."""

    task: str | None = None  # sciq by default, or the first task
    rung: str | None = None  # whose features; the largest by default
    features: tuple[Positive, ...] = Field((10, 30, 100, 300, 1000), min_length=1)  # that a weak labeller sees, rising
    noised: Positive = 300  # features of the one whose labels are made noisy
    noise: tuple[Noise, ...] = Field(
        (0.1, 0.07, 0.05, 0.01, 0.0), min_length=1
    )  # shares of its labels that are flipped
    draws: Positive = 1  # of what is flipped

    @model_validator(mode="after")
    def _features_rise(self) -> Errors:
        if list(self.features) != sorted(set(self.features)):
            raise ValueError(f"features: {list(self.features)} do not rise; allowed: numbers from few to many")
        if self.noised not in self.features:
            raise ValueError(
                f"noised: {self.noised} is none of features; allowed: {', '.join(map(str, self.features))}"
            )
        refuse_twice("noise", self.noise)
        return self


class Probing(Strict):
    """Probes on base models and on finetuned ones (Figures 11, 23 and 24)."""

    tasks: tuple[str, ...] | None = Field(None, min_length=1)  # the representative ones by default
    seeds: tuple[Seed, ...] | None = Field(None, min_length=1)  # those of the experiment by default
    pair: Pair = Pair()  # Figure 11: the weakest supervisor and the largest rung by default
    recipe: Recipe = Recipe()  # of Figure 11's probes
    students: Recipe = Recipe(by="adam")  # of Figure 23's: weak heads teach strong ones
    errors: Errors = Errors()

    @model_validator(mode="after")
    def _named_once(self) -> Probing:
        for key in ("tasks", "seeds"):
            refuse_twice(key, getattr(self, key) or ())
        return self

    def refuse(self, tasks: Collection[str], rungs: Collection[str], supervising: Collection[str]) -> None:
        """ValueError if it names what the experiment does not have."""
        for name in self.tasks or ():
            refuse_unknown("probing.tasks", name, tasks)
        refuse_unknown("probing.errors.task", self.errors.task, tasks)
        refuse_unknown("probing.errors.rung", self.errors.rung, rungs)
        refuse_unknown("probing.pair.supervisor", self.pair.supervisor, supervising)
        refuse_unknown("probing.pair.student", self.pair.student, rungs)
