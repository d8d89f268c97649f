"""The package in notebooks and scripts: finished runs as tables, figures from their numbers, what is still to be run.

``import w2s`` has these functions as ``w2s.load``, ``w2s.plan``, ``w2s.draw`` and ``w2s.pgr``. None of them trains or
writes anything: Snakemake makes results, these read them. Accuracies and PGRs are fractions, not percent.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from graphlib import TopologicalSorter
from pathlib import Path
from typing import TYPE_CHECKING

from w2s.analysis import pairs
from w2s.analysis.pgr import accuracy, pgr
from w2s.analysis.results import Row, Stored
from w2s.config.files import read_config
from w2s.errors import UserError, allowed
from w2s.graph.artifact import Artifact, Run, unique, with_ancestors
from w2s.jobs import installation, status, targets
from w2s.jobs.workflow import Workflow
from w2s.nlp.labels import PREDICTED

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from w2s.experiments.plan import Plan

__all__ = ["FinishedRuns", "draw", "load", "pgr", "plan", "snakefile"]

WHICH = ("task", "rung", "labels", "method", "seed")  # what tells the runs of a setting apart
PREDICTIONS = ("id", "part", "truth", "label", "probability", "probability_last")
FROM = "from-"  # before the supervisor's name in a student's labels


class FinishedRuns:
    """The NLP finetuning runs of an experiment, as far as they are finished. ``w2s.load`` makes it.

    These are ground truth at every rung, the students that figures compare, and those of the figure ``methods``. Runs
    of special studies (prompts, probes, label hints and so on) are left out; their numbers are in the figures' CSV
    files. Each call looks at the disk again, so runs that finish in the meantime appear.
    """

    def __init__(self, plan: Plan, root: Path) -> None:
        self.experiment: str = plan.experiment.experiment
        self._nlp = plan.nlp
        self._root = root
        self._stored = Stored(root)
        self._runs = unique([*plan.nlp.runs_of_figures(), *plan.nlp.compared_runs()])
        self._accuracies: dict[str, float] = {}

    def __repr__(self) -> str:
        finished = sum(map(self._is_finished, self._runs))
        return f"<{finished:,} of {len(self._runs):,} NLP runs of experiment {self.experiment!r} are finished>"

    def table(self) -> pd.DataFrame:
        """One row a finished run; no rows if none is.

        Columns:

        * ``setting``, ``task``, ``rung``, ``labels`` (``truth``, ``from-<supervisor>``, ``ensemble-of-<n>`` or
          ``zero-shot``), ``method``, ``seed``: which run it is;
        * ``supervisor``: its rung, None for runs on ground truth and where no single rung supervises;
        * ``compute``: pretraining compute of the rung, in FLOP;
        * ``role``: ``student``, or of ground truth ``supervisor``, ``ceiling``, ``supervisor and ceiling`` or (neither)
          ``truth``;
        * ``accuracy``: on the test set, as in the figures;
        * ``weak``, ``ceiling``: of a student, the accuracy of its supervisor and of its ceiling; NaN where that run is
          not finished, or the run or rung has none;
        * ``pgr``: NaN where ``weak`` or ``ceiling`` is NaN, where the ceiling is no better than the supervisor, and
          for students no larger than their supervisor;
        * ``key``, ``path``: the run's key, and its folder from the checkout's.

        Raises:
            UserError: a finished run was damaged or edited.
        """
        import pandas as pd

        columns = ["setting", "task", "rung", "labels", "method", "seed", "supervisor", "compute", "role"]
        columns += ["accuracy", "weak", "ceiling", "pgr", "key", "path"]
        return pd.DataFrame([self._row(run) for run in self._runs if self._is_finished(run)], columns=columns)

    def predictions(
        self,
        *,
        task: str | None = None,
        rung: str | None = None,
        labels: str | None = None,
        method: str | None = None,
        seed: int | None = None,
        part: str | None = None,
    ) -> pd.DataFrame:
        """Predictions of finished runs, one row a run and example; no rows if none of them is finished.

        Arguments choose runs by the columns of ``table``, and a part of the data; all by default.

        Columns: ``task``, ``rung``, ``labels``, ``method``, ``seed``; ``id`` of the example; ``part`` (``strong`` half,
        ``validation`` or ``test``); ``truth`` (0 or 1); ``label``, the probability of class 1 that the run was trained
        on or (validation, test) that its supervisor predicts; ``probability`` of class 1, as predicted at the step that
        early stopping chose, and ``probability_last``, at the last step.

        Raises:
            UserError: the experiment has no such run or part, or a finished run was damaged or edited.
        """
        import pandas as pd

        wanted = {"task": task, "rung": rung, "labels": labels, "method": method, "seed": seed}
        chosen = _chosen(self._runs, {name: value for name, value in wanted.items() if value is not None})
        if part not in (None, *PREDICTED):
            raise UserError(f"part: {part!r} is not a part that runs predict; {allowed(part, PREDICTED)}")
        tables = []
        for run in filter(self._is_finished, chosen):
            found = pd.DataFrame(self._stored.predictions(run), columns=list(PREDICTIONS))
            found = found if part is None else found[found["part"] == part]
            for place, name in enumerate(WHICH):
                found.insert(place, name, getattr(run, name))
            tables.append(found)
        return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=[*WHICH, *PREDICTIONS])

    def _is_finished(self, run: Run) -> bool:
        return (self._root / run.manifest).is_file()

    def _accuracy(self, run: Run) -> float:
        """On the test set; NaN if the run is not finished."""
        if run.key not in self._accuracies:
            if not self._is_finished(run):
                return math.nan
            found = self._stored.predictions(run)
            chosen, _ = pairs.test_examples(found)
            truth, said = ([found[name][number] for number in chosen] for name in ("truth", "probability"))
            self._accuracies[run.key] = accuracy(truth, said)
        return self._accuracies[run.key]

    def _row(self, run: Run) -> Row:
        config, rung = self._nlp.config, self._nlp.rung(run.rung)
        row: Row = {name: getattr(run, name) for name in WHICH}
        row |= {"setting": self._nlp.name, "compute": config.compute(rung), "key": run.key, "path": run.path}
        row |= {"accuracy": self._accuracy(run), "weak": math.nan, "ceiling": math.nan, "pgr": math.nan}
        if run.labels == pairs.TRUTH:
            return row | {"supervisor": None, "role": self._role(run)}
        row |= {"supervisor": None, "role": "student"}
        if rung.truth:
            row["ceiling"] = self._accuracy(self._nlp.ceiling(run.task, rung.name, run.seed))
        if not run.labels.startswith(FROM):
            return row
        supervisor = self._nlp.rung(run.labels.removeprefix(FROM))
        row["supervisor"] = supervisor.name
        row["weak"] = self._accuracy(self._nlp.truth(run.task, supervisor.name, run.seed))
        if pairs.has_pgr(config, (supervisor, rung)):
            row["pgr"] = pgr(row["weak"], row["accuracy"], row["ceiling"])
        return row

    def _role(self, run: Run) -> str:
        """Of a run on ground truth."""
        which = run.task, run.rung, run.seed
        supervising = run.rung in {rung.name for rung in self._nlp.config.supervising()}
        roles = ["supervisor"] if supervising and run.key == self._nlp.truth(*which).key else []
        roles += ["ceiling"] if run.key == self._nlp.ceiling(*which).key else []
        return " and ".join(roles) or "truth"


def load(experiment: str | None = None, *, root: str | Path = ".") -> FinishedRuns:
    """The finished NLP runs of an experiment, as tables; also while the others are still being trained.

    Args:
        experiment: its name, as in ``figures/<name>/fig5.pdf``; the default one of config.yaml by default.
        root: the checkout's folder, where config.yaml and results/ are.

    Raises:
        UserError: no such experiment, a wrong config, an experiment without NLP, or no checkout at ``root``.
    """
    return FinishedRuns(_workflow(root).plan(experiment), Path(root))


def plan(experiment: str | None = None, *, figure: str | None = None, root: str | Path = ".") -> pd.DataFrame:
    """What Snakemake would run for the figures of an experiment, and how far it is: one row a job, parents first.

    Columns: ``stage``; ``task``, ``rung``, ``labels``, ``method``, ``seed`` (missing in jobs that are no run: data,
    corpora, base models); ``state`` (``done``, ``running``, ``failed`` or ``waiting``); ``message``, the job in words;
    ``key``, ``path``.

    Args:
        experiment: as for ``load``.
        figure: only what this figure needs (``fig5``); all figures that the experiment can have by default.
        root: as for ``load``.

    Raises:
        UserError: no such experiment or figure, a figure that the experiment lacks something for, a wrong config, or no
            checkout at ``root``.
    """
    import pandas as pd

    from w2s import figures

    of = _workflow(root).plan(experiment)
    if figure is None:
        needed = [run for runs in figures.available(of)[0].values() for run in runs]
    else:
        needed = list(figures.module(figure).needs(of))
    jobs = with_ancestors(needed)
    order = TopologicalSorter({key: [one.key for one in job.parents.values()] for key, job in jobs.items()})
    rows = [_job(jobs[key], Path(root)) for key in order.static_order()]
    table = pd.DataFrame(rows, columns=["stage", *WHICH, "state", "message", "key", "path"])
    return table.astype({"seed": "Int64"})


def draw(figure: str, experiment: str | None = None, *, root: str | Path = ".") -> Figure:
    """A figure from its numbers, ``results/figures/<experiment>/<figure>.csv``, as the workflow draws it.

    It is not registered with pyplot, and Matplotlib's settings are left as they were.

    Args:
        figure: its name: ``fig5``, ``table1``, ``methods``.
        experiment: as for ``load``.
        root: as for ``load``.

    Raises:
        UserError: no such figure or experiment, or its CSV file is not there yet.
    """
    from w2s import figures
    from w2s.figures import tables

    figures.module(figure)
    workflow = _workflow(root)
    name = workflow.plan(experiment).experiment.experiment
    folder = Path(root) / "results" / "figures" / name
    path = folder / f"{figure}.csv"
    if not path.is_file():
        there = ", ".join(sorted(file.stem for file in folder.glob("*.csv"))) or "none"
        pictures = targets.pictures(workflow, experiment)
        raise UserError(f"{path}: no such file; `snakemake {pictures}/{figure}.pdf` makes it; there are: {there}")
    import matplotlib

    with matplotlib.rc_context():
        return tables.drawn(figure, path, json.loads(targets.experiment_json(workflow, experiment)))


def snakefile() -> str:
    """The path of the workflow's Snakefile, for ``include:`` or ``module`` in a Snakefile of your own."""
    return str(installation.SNAKEFILE)


def _workflow(root: str | Path) -> Workflow:
    config = Path(root) / "config.yaml"
    if not config.is_file():
        raise UserError(f"{config}: no such file; root should be the folder of a checkout or a study")
    return Workflow(read_config(config), Path(root))


def _job(job: Artifact, root: Path) -> Row:
    row: Row = {"stage": job.stage.name, "state": status.state_of(job, root).what, "message": job.message}
    row |= {name: getattr(job, name) if isinstance(job, Run) else None for name in WHICH}
    return row | {"key": job.key, "path": job.path}


def _chosen(runs: Sequence[Run], wanted: Row) -> Sequence[Run]:
    """Runs with these properties; UserError if there is none, with the values that the first such property has."""
    for name, value in wanted.items():
        left = [run for run in runs if getattr(run, name) == value]
        if not left:
            there = {str(getattr(run, name)) for run in runs}
            raise UserError(f"{name}: no run with {value!r} here; {allowed(value, there)}")
        runs = left
    return runs
