"""The structure of supervisors' errors (Appendices E.2 and E.3): its section of the config, ``nlp.errors``."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from pydantic import Field

from w2s.config.schema import Positive, Seed, Strict
from w2s.config.section import refuse_twice, refuse_unknown
from w2s.nlp.hint import LabelHint

# Who a flipped-label supervisor is, in the order of Figure 25: the weak model itself, or truth with as many labels
# flipped, of examples that are drawn, have the longest or shortest prompt, or that a strong model finds hardest or
# easiest.
WEAK, RANDOM, LONGEST, SHORTEST = "weak", "random", "longest", "shortest"
UNCONFIDENT, CONFIDENT = "unconfident", "confident"
KINDS = (WEAK, RANDOM, LONGEST, SHORTEST, UNCONFIDENT, CONFIDENT)
OF_STRONG = (UNCONFIDENT, CONFIDENT)  # those that a strong model's predictions decide
OF_TEXTS = (LONGEST, SHORTEST)


class Appended(LabelHint):
    """A label hint: prompts end in the supervisor's label (Appendix E.3)."""

    tasks: tuple[str, ...] | None = Field(None, min_length=1)  # the first ``count`` by default
    count: Positive = 9  # of tasks where they are not named


class Errors(Strict):
    """One pair of rungs, whose supervisor's errors are replaced by others of the same number."""

    seeds: tuple[Seed, ...] | None = Field(None, min_length=1)  # the experiment's by default
    tasks: tuple[str, ...] | None = Field(None, min_length=1)  # the first ``count`` by default
    count: Positive = 3  # of tasks where they are not named
    supervisor: str | None = None  # the second weakest that supervises by default
    student: str | None = None  # the largest with ground truth by default
    methods: tuple[str, ...] | None = Field(None, min_length=1)  # those that figures compare by default
    appended: Appended = Appended()

    def check(
        self, tasks: Collection[str], supervising: Sequence[str], ladder: Sequence[str], methods: Collection[str]
    ) -> None:
        """ValueError for what is not in the experiment. ladder: names of the rungs with ground truth."""
        refuse_twice("errors.tasks", self.tasks or ())
        refuse_twice("errors.appended.tasks", self.appended.tasks or ())
        refuse_twice("errors.methods", self.methods or ())
        for name in self.tasks or ():
            refuse_unknown("errors.tasks", name, tasks)
        for name in self.appended.tasks or ():
            refuse_unknown("errors.appended.tasks", name, tasks)
        for name in self.methods or ():
            refuse_unknown("errors.methods", name, methods)
        refuse_unknown("errors.supervisor", self.supervisor, supervising)
        refuse_unknown("errors.student", self.student, ladder)
        pair = self.pair(supervising, ladder)
        if pair is None and (self.supervisor or self.student):
            weak, strong = self.supervisor or supervising[0], self.student or ladder[-1]
            raise ValueError(f"errors: student {strong!r} is not larger than its supervisor {weak!r}; allowed: larger")

    def pair(self, supervising: Sequence[str], ladder: Sequence[str]) -> tuple[str, str] | None:
        """(supervisor, student), or None if no supervisor is smaller than the student.

        By default the largest student, and the second weakest supervisor (or the only one): the weakest is often near
        chance, where errors have no structure to speak of.
        """
        strong = self.student or ladder[-1]
        smaller = [name for name in supervising if ladder.index(name) < ladder.index(strong)]
        if self.supervisor:
            return (self.supervisor, strong) if self.supervisor in smaller else None
        return (smaller[:2][-1], strong) if smaller else None
