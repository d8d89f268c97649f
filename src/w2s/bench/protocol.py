"""What the bench runs: fixed tasks, pairs and seeds of an experiment, and the runs that it compares with. Light.

Supervisors, ceilings and the students of the baselines are the experiment's own runs, under their own keys.
"""

from __future__ import annotations

from dataclasses import dataclass

from w2s.errors import UserError
from w2s.experiments.plan import Plan
from w2s.graph.artifact import Artifact, Run, canonical, fingerprint_of, unique

BASELINES = ("naive", "confidence")
PAIRS = 2  # the weakest supervisors, with the largest rung: the gaps that matter most, and labels to combine


@dataclass(frozen=True)
class Compared:
    """A cell's runs. supervisors: those whose labels a method gets, weakest first; the last is the pair's own."""

    task: str
    seed: int
    supervisors: tuple[Run, ...]
    ceiling: Run
    baselines: dict[str, Run]

    @property
    def weak(self) -> Run:
        """The supervisor that PGR is measured from."""
        return self.supervisors[-1]

    @property
    def data(self) -> Artifact:
        """The examples of all parts."""
        return self.ceiling.parents["data"]

    @property
    def model(self) -> Artifact:
        """The student's base model."""
        return self.baselines["naive"].parents["model"]

    @property
    def student(self) -> str:
        """The student's rung."""
        return self.ceiling.rung

    @property
    def runs(self) -> list[Run]:
        """All of them."""
        return [*self.supervisors, self.ceiling, *self.baselines.values()]


def cells(plan: Plan) -> list[Compared]:
    """All tasks that medians are taken over, the pairs and the seeds. UserError for an experiment without baselines."""
    nlp, name = plan.nlp, plan.experiment.experiment
    for method in BASELINES:
        if method not in plan.experiment.methods:
            raise UserError(f"experiment {name!r}: the bench compares with {method!r}, which is not in its methods")
    supervising = [rung.name for rung in nlp.config.supervising()]
    strong = nlp.config.ladder[-1].name
    weak = [rung for rung in supervising if rung != strong][:PAIRS]
    if not weak or not nlp.config.ladder[-1].truth:
        raise UserError(f"experiment {name!r}: the bench needs a supervisor and a ceiling for the largest rung")
    return [
        Compared(
            task,
            seed,
            tuple(nlp.truth(task, rung, seed) for rung in weak[: place + 1]),
            nlp.ceiling(task, strong, seed),
            {method: nlp.student(task, weak[place], strong, method, seed) for method in BASELINES},
        )
        for place in range(len(weak))
        for task in nlp.median_tasks
        for seed in nlp.seeds_of(task)
    ]


def needed(plan: Plan) -> list[Artifact]:
    """What has to be there before a method is scored: the compared runs, examples and the student's base model."""
    found: list[Artifact] = []
    for cell in cells(plan):
        found += [*cell.runs, cell.data, cell.model]
    return unique(found)


def fingerprint(plan: Plan) -> str:
    """What says that two scores come from the same protocol: a hash of the keys of all compared runs."""
    return fingerprint_of(canonical(sorted(run.key for cell in cells(plan) for run in cell.runs)))
