"""The run graph of other test sets. Pure and light.

Runs keep no weights, so a run that is scored on other test sets is one of its own, with these as further parents. It is
trained as the run without them, and its other predictions are the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from w2s.config.ladder import Rung
from w2s.errors import LackingError
from w2s.graph.artifact import Artifact, Cached, Run
from w2s.nlp.plan import NlpPlan
from w2s.nlp.shift.config import OtherTest, Shift
from w2s.nlp.specs import ELSEWHERE
from w2s.nlp.variant import variant


class ShiftPlan(Cached):
    """Runs that are scored on other test sets too, made on demand and remembered."""

    def __init__(self, plan: NlpPlan, setting: Shift) -> None:
        super().__init__()
        self.plan = plan
        self.setting = setting
        self.seeds: tuple[int, ...] = setting.seeds or plan.seeds
        self.methods: list[str] = list(setting.methods or plan.config.methods)

    @cached_property
    def tests(self) -> tuple[OtherTest, ...]:
        """The other test sets; LackingError if the experiment has not both tasks of a usual one, and names none."""
        found = self.setting.chosen(self.plan.tasks)
        if not found:
            raise LackingError("nlp.shift.tests is null, and the experiment has not both tasks of a usual one")
        return found

    @cached_property
    def tasks(self) -> list[str]:
        """Those whose runs are scored elsewhere."""
        return list(dict.fromkeys(test.task for test in self.tests))

    @cached_property
    def pairs(self) -> list[tuple[Rung, Rung]]:
        """(supervisor, student), weakest first; LackingError if none is named and the example's has no PGR."""
        nlp = self.plan.config
        named = self.setting.pairs or [pair for pair in nlp.growing_pairs() if pair == nlp.example_pair()]
        if not named:
            raise LackingError("nlp.shift needs a supervisor that is smaller than a rung with ground truth")
        return [(weak, strong) for weak, strong in nlp.pairs() if (weak.name, strong.name) in named]

    def data(self, test: OtherTest, seed: int) -> Artifact:
        """The data that another test set is of."""
        return self._once(("data", test, seed), lambda: self.plan.data_beside(test, seed))

    def truth(self, task: str, rung: str, seed: int) -> Run:
        """The supervisor, scored elsewhere too."""
        return self._elsewhere(self.plan.truth(task, rung, seed))

    def ceiling(self, task: str, rung: str, seed: int) -> Run:
        """The ceiling, scored elsewhere too."""
        return self._elsewhere(self.plan.ceiling(task, rung, seed))

    def student(self, task: str, weak: str, strong: str, method: str, seed: int) -> Run:
        """The student, scored elsewhere too. Its labels are those of the usual supervisor."""
        return self._elsewhere(self.plan.student(task, weak, strong, method, seed))

    def _elsewhere(self, run: Run) -> Run:
        def make() -> Run:
            tests = [test for test in self.tests if test.task == run.task]
            return variant(
                run,
                message=f"{run.message}; scored on {', '.join(test.name for test in tests)} too",
                spec={},
                parents={f"{ELSEWHERE}{test.name}": self.data(test, run.seed) for test in tests},
                method=f"{run.method}-scored-elsewhere",
                priority=run.priority,
            )

        return self._once(("run", run.key), make)

    def every_run(self) -> Iterator[Run]:
        """Supervisors, ceilings and students; none where the experiment has no other test set, or no pair."""
        try:
            tasks, pairs = self.tasks, self.pairs
        except LackingError:
            return
        for task in tasks:
            for seed in self.seeds:
                for weak, strong in pairs:
                    yield self.truth(task, weak.name, seed)
                    if strong.truth:
                        yield self.ceiling(task, strong.name, seed)
                    yield from (self.student(task, weak.name, strong.name, method, seed) for method in self.methods)
