"""The run graph of other test sets: what settings with a ladder share. Pure and light.

Runs keep no weights by default, so a run that is scored on other test sets is one of its own, with these as further
parents. It is trained as the run without them, and its other predictions are the same.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import replace
from functools import cached_property
from typing import Any

from w2s.config.ladder import Rung
from w2s.config.shift import ELSEWHERE, OtherTest, Shift
from w2s.errors import LackingError, UserError
from w2s.graph.artifact import Artifact, Cached, Run
from w2s.models.plan import LadderPlan


class ShiftPlan(Cached):
    """Runs that are scored on other test sets too, made on demand and remembered.

    others: data sets that are sure to be there. beside: (another test set, seed) -> the data that it is of.
    """

    def __init__(
        self,
        plan: LadderPlan[Any],
        setting: Shift,
        others: Collection[str],
        beside: Callable[[OtherTest, int], Artifact],
    ) -> None:
        super().__init__()
        self.plan = plan
        self.setting = setting
        self.seeds: tuple[int, ...] = setting.seeds or plan.seeds
        self.methods: list[str] = list(setting.methods or plan.methods)
        self.chosen = setting.chosen(plan.tasks, others)
        self._beside = beside

    @property
    def tests(self) -> tuple[OtherTest, ...]:
        """The other test sets; LackingError if none is named and the experiment lacks a task of each usual one."""
        if not self.chosen:
            raise LackingError(
                f"{self.plan.name}.shift.tests is null, and the experiment does not have both tasks of a usual one"
            )
        return self.chosen

    @cached_property
    def tasks(self) -> list[str]:
        """Those whose runs are scored elsewhere."""
        return list(dict.fromkeys(test.task for test in self.tests))

    @cached_property
    def pairs(self) -> list[tuple[Rung, Rung]]:
        """(supervisor, student), weakest first; LackingError if none is named and the example's has no PGR."""
        section = self.plan.config
        named = self.setting.pairs or [pair for pair in section.growing_pairs() if pair == section.example_pair()]
        if not named:
            raise LackingError(
                f"{self.plan.name}.shift needs a supervisor that is smaller than a rung with ground truth"
            )
        return [(weak, strong) for weak, strong in section.pairs() if (weak.name, strong.name) in named]

    def data(self, test: OtherTest, seed: int) -> Artifact:
        """The data that another test set is of."""
        return self._once(("data", test, seed), lambda: self._beside(test, seed))

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
            others = {test.name: self.data(test, run.seed) for test in self.tests if test.task == run.task}
            for name, data in others.items():
                self._refuse_own_rows(run, name, data)
            method = f"{run.method}-scored-elsewhere"
            return replace(
                run,
                name=f"{self.plan.name}/{run.task}/{run.rung}/{run.labels}/{method}/s{run.seed}",
                message=f"{run.message}; scored on {', '.join(others)} too",
                parents={**run.parents, **{f"{ELSEWHERE}{name}": data for name, data in others.items()}},
                method=method,
            )

        return self._once(("run", run.key), make)

    def _refuse_own_rows(self, run: Run, name: str, data: Artifact) -> None:
        """UserError where another test set is of the very rows that the task has, be it by mistake in a directory."""
        own = run.parents["data"].spec
        if "world" not in own["rows"] and all(data.spec.get(name) == own.get(name) for name in ("rows", "own")):
            raise UserError(
                f"{self.plan.name}.shift.tests: {name} has the same rows as {run.task}; name another folder or split"
            )

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
