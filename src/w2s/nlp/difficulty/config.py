"""Easy-to-hard generalization on NLP tasks (Appendices C.2 and C.3): its section of the config, ``nlp.difficulty``."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from pydantic import Field, field_validator, model_validator

from w2s.config.schema import Positive, Rate, Seed, Share, Strict
from w2s.config.section import NotNegative, refuse_twice, refuse_unknown

CONFIDENCE, PROMPT = "confidence", "prompt"  # ways in which a rung of the ladder judges
OWN = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*")  # module:function of the user's


class Judge(Strict):
    """Who says which of two questions is easier (Appendix C.3), and how Elo ratings follow from that.

    by: ``confidence`` (the question on which the judge, not finetuned, is surer of whatever it would answer),
    ``prompt`` (it is asked, as in the paper), or ``module:function`` of the user's own.
    """

    by: str = CONFIDENCE
    rung: str | None = None  # the largest of the ladder by default
    rounds: Positive = 20  # in each, every question meets another at random
    step: Rate = 32  # K of Elo's update: how far one comparison moves a rating
    shares: tuple[Share, ...] = Field((0.3, 0.5), min_length=1)  # the easiest that are trained on, beside all

    @field_validator("by")
    @classmethod
    def _is_a_way(cls, by: str) -> str:
        if by not in (CONFIDENCE, PROMPT) and not OWN.fullmatch(by):
            raise ValueError(f"{by!r} is not allowed; allowed: {CONFIDENCE}, {PROMPT}, module:function of your own")
        return by

    @model_validator(mode="after")
    def _shares_differ(self) -> Judge:
        refuse_twice("shares", [round(100 * share) for share in self.shares])
        return self


class Difficulty(Strict):
    """Training on the truth of easy examples: which are easy by held-out runs, and by a judge."""

    seeds: tuple[Seed, ...] | None = Field(None, min_length=1)  # the experiment's by default
    tasks: tuple[str, ...] | None = Field(None, min_length=1)  # the first ``count`` by default
    count: Positive = 7  # of tasks where they are not named
    rungs: tuple[str, ...] | None = Field(None, min_length=1)  # that measure difficulty: all with truth, ...
    leave_out: NotNegative = 0  # ... but so many of the weakest, which near chance are right by luck
    students: tuple[str, ...] | None = Field(None, min_length=1)  # rungs that learn: those by default
    balance: bool = True  # equal classes in every training set, as in every data set (A.1)
    judge: Judge | None = Judge()  # null: no Figure 22

    def check(self, tasks: Collection[str], ladder: Sequence[str]) -> None:
        """ValueError for what is not in the experiment. ladder: names of the rungs with ground truth."""
        for key, names, there in (
            ("tasks", self.tasks, tasks),
            ("rungs", self.rungs, ladder),
            ("students", self.students, ladder),
        ):
            refuse_twice(f"difficulty.{key}", names or ())
            for name in names or ():
                refuse_unknown(f"difficulty.{key}", name, there)

    def measuring(self, ladder: Sequence[str]) -> list[str]:
        """The rungs that difficulty is measured with, weakest first; one at least."""
        if self.rungs is not None:
            return [name for name in ladder if name in self.rungs]
        return list(ladder[self.leave_out :] or ladder[-1:])
