"""Students of fewer weak labels: its section of the config, ``nlp.fewer_labels``."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from pydantic import Field, model_validator

from w2s.config.schema import Positive, Seed, Share, Strict
from w2s.config.section import Pair, refuse_twice, refuse_unknown


class FewerLabels(Strict):
    """Shares of the weak labels that students of one pair learn from; all of them are Figure 12's students."""

    seeds: tuple[Seed, ...] | None = Field(None, min_length=1)  # the experiment's by default
    tasks: tuple[str, ...] | None = Field(None, min_length=1)  # the first ``count`` by default
    count: Positive = 3  # of tasks where they are not named
    shares: tuple[Share, ...] = Field((0.05, 0.1, 0.25, 0.5), min_length=1)  # beside all
    pair: Pair = Pair()  # by default the second weakest supervisor (or the only one), and the largest rung with truth
    methods: tuple[str, ...] | None = Field(None, min_length=1)  # nlp.methods by default

    @model_validator(mode="after")
    def _names_each_once(self) -> FewerLabels:
        for key in ("seeds", "tasks", "shares", "methods"):
            refuse_twice(key, getattr(self, key) or ())
        return self

    def check(self, tasks: Collection[str], there: Sequence[tuple[str, str]], methods: Collection[str]) -> None:
        """ValueError for what is not in the experiment. there: pairs whose student is larger and has ground truth."""
        for name in self.tasks or ():
            refuse_unknown("fewer_labels.tasks", name, tasks)
        for name in self.methods or ():
            refuse_unknown("fewer_labels.methods", name, methods)
        if self.chosen(there) is None and (self.pair.supervisor or self.pair.student):
            pairs = ", ".join(f"{weak} and {strong}" for weak, strong in there) or "none"
            raise ValueError(
                f"fewer_labels.pair: no supervisor {self.pair.supervisor or '(any)'} with a larger student "
                f"{self.pair.student or '(any)'} that has ground truth; allowed: {pairs}"
            )

    def chosen(self, there: Sequence[tuple[str, str]]) -> tuple[str, str] | None:
        """(supervisor, student), or None if there is no such pair."""
        strong = self.pair.student or (there[-1][1] if there else None)
        weak = [pair[0] for pair in there if pair[1] == strong]
        if self.pair.supervisor:
            weak = [name for name in weak if name == self.pair.supervisor]
        return (weak[:2][-1], strong) if weak and strong else None
