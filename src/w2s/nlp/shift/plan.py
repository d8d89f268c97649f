"""The run graph of other test sets. Pure and light.

Runs keep no weights, so a run that is scored on other test sets is one of its own, with these as further parents. It is
trained as the run without them, and its other predictions are the same.
"""

from __future__ import annotations

from collections.abc import Iterator

from w2s.config.ladder import Rung
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
        self.tasks: list[str] = list(dict.fromkeys(test.task for test in setting.tests))

    @property
    def pairs(self) -> list[tuple[Rung, Rung]]:
        """(supervisor, student), weakest first."""
        named = self.setting.pairs or [self.plan.config.example_pair()]
        return [(weak, strong) for weak, strong in self.plan.config.pairs() if (weak.name, strong.name) in named]

    def tests(self, task: str) -> list[OtherTest]:
        """The other test sets of a task."""
        return [test for test in self.setting.tests if test.task == task]

    def data(self, test: OtherTest, seed: int) -> Artifact:
        """The data that another test set is of."""
        return self._once(("data", test, seed), lambda: self.plan.data_beside(test.task, test.other, test.test, seed))

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
            tests = self.tests(run.task)
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
        """Supervisors, ceilings and students."""
        for task in self.tasks:
            for seed in self.seeds:
                for weak, strong in self.pairs:
                    yield self.truth(task, weak.name, seed)
                    if strong.truth:
                        yield self.ceiling(task, strong.name, seed)
                    yield from (self.student(task, weak.name, strong.name, method, seed) for method in self.methods)
