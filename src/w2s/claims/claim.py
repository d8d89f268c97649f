"""What a claim of the paper is, and how a measured number decides it. Light: the plan of a report imports it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from w2s.claims.cells import Cells

HOLDS, FAILS, OPEN = "holds", "does not hold", "cannot tell"
VERDICTS = (HOLDS, FAILS, OPEN)

# Where the paper prints a number ("about half"), ours meets it within this much, fixed before any run of ours.
PGR_NEAR = 0.10  # of a PGR
GAIN_NEAR = 0.05  # of a difference of PGRs
DIGITS = 9

# What a claim is about: what an experiment needs to speak to it.
MECHANISM, NUMBERS, PROMPTING, IMAGENET = "mechanism", "numbers", "prompting", "ImageNet"
NEEDS = {  # why invented data cannot tell; a mechanism is to show on any data and any ladder
    NUMBERS: "the claim is a number of the paper's kind of data",
    PROMPTING: "the claim is about what models know to answer after pretraining on text or games of people",
    IMAGENET: "the claim is about ImageNet",
}

UNITS = {  # unit -> (factor, what stands behind the number, digits)
    "percent": (100, "%", 1),
    "points": (100, " points", 1),
    "points a decade": (100, " points a decade", 1),
    "decades": (1, " decades", 1),
}


@dataclass(frozen=True)
class Target:
    """The range in which a claim's number lies if the claim holds, in fractions; strict: without its ends."""

    low: float = -math.inf
    high: float = math.inf
    strict: bool = False

    def __contains__(self, value: float) -> bool:
        inside = self.low <= value <= self.high
        return inside and not (self.strict and value in (self.low, self.high))


def above(low: float) -> Target:
    """More than that."""
    return Target(low=low, strict=True)


def at_least(low: float) -> Target:
    """So much or more."""
    return Target(low=low)


def below(high: float) -> Target:
    """Less than that."""
    return Target(high=high, strict=True)


def at_most(high: float) -> Target:
    """So much or less."""
    return Target(high=high)


def near(value: float, by: float) -> Target:
    """A printed number, give or take."""
    return Target(value - by, value + by)


@dataclass(frozen=True)
class Claim:
    """One thing that the paper says, and the rule that decides whether it holds in an experiment.

    name: its anchor. where: section and page of the paper. says: in our words. figure: whose table tests it ("" if
    none does, and ``untested`` says why). measure: the number, from that table's rows of the setting, once for every
    part of it. rule: what measure and target are, in words. about: a mechanism, or what else of ``NEEDS``. one_task:
    the paper says it of one NLP task, not of many; other settings have one. flaw: the paper's own inconsistency, where
    its figure does not meet its text.
    """

    name: str
    setting: str
    where: str
    says: str
    figure: str
    rule: str = ""
    measure: Callable[[Cells], Any] | None = None
    target: Target = Target()
    unit: str = "points"
    about: str = MECHANISM
    one_task: bool = False
    untested: str = ""
    flaw: str = ""

    @property
    def on_one_task(self) -> bool:
        """Whether seeds and test examples decide, and not tasks."""
        return self.one_task or self.setting != "nlp"


@dataclass(frozen=True)
class Rests:
    """What a number rests on. seeds: of each task. draws: of training examples or prompts, where seeds have several.

    examples: of the smallest test set, NaN if not known. compute: log10 of the smallest and the largest model's, as
    fractions of GPT-4's; None where no model has any.
    """

    tasks: int = 0
    seeds: str = ""
    draws: str = ""
    examples: float = math.nan
    compute: tuple[float, float] | None = None

    def __str__(self) -> str:
        parts = [f"{self.tasks} task" + "s" * (self.tasks != 1)] if self.tasks else []
        parts += [f"{self.seeds} seed" + "s" * (self.seeds != "1")] if self.seeds else []
        parts += [f"{self.draws} draws"] if self.draws else []
        parts += [] if math.isnan(self.examples) else [f"{self.examples:.0f} test examples"]
        parts += [f"models of {shown_compute(*self.compute)}"] if self.compute else []
        return ", ".join(parts)


def shown_compute(low: float, high: float) -> str:
    """A range of compute, from log10 of fractions of GPT-4's."""
    return f"10^{low:.1f} to 10^{high:.1f} of GPT-4's compute"


@dataclass(frozen=True)
class Finding:
    """A measured number and what it decides. low, high: 95% interval, NaN where there is none."""

    verdict: str
    value: float = math.nan
    low: float = math.nan
    high: float = math.nan
    basis: str = ""  # what the interval covers
    reason: str = ""  # why the verdict is "cannot tell"
    rests: Rests = Rests()


def decide(target: Target, value: float, low: float, high: float, why: str = "") -> tuple[str, str]:
    """(verdict, reason): holds if the whole interval lies in the target, does not if none of it does.

    Else one cannot tell, for the reason given. why: there is no interval.
    """
    if math.isnan(value):
        return OPEN, "undefined: the ceiling is no better than the supervisor"
    if math.isnan(low) or math.isnan(high):
        return OPEN, f"no interval: {why}"
    least, most = round(low, DIGITS), round(high, DIGITS)  # sums of floats are not quite 0 where they should be
    if least in target and most in target:
        return HOLDS, ""
    if most not in target and least not in target and (most <= target.low or least >= target.high):
        return FAILS, ""
    return OPEN, "the interval lies on both sides of what decides"


def shown(value: float, unit: str) -> str:
    """A number in its unit; "" where there is none."""
    factor, words, digits = UNITS[unit]
    return "" if math.isnan(value) else f"{value * factor:.{digits}f}{words}"


def shown_target(target: Target, unit: str) -> str:
    """A target as a reader takes it in: "more than 0 points"."""
    factor, words, _ = UNITS[unit]
    low, high = (f"{bound * factor:g}" for bound in (target.low, target.high))
    if math.isinf(target.high):
        return f"{'more than' if target.strict else 'at least'} {low}{words}"
    if math.isinf(target.low):
        return f"{'less than' if target.strict else 'at most'} {high}{words}"
    return f"{low} to {high}{words}"
