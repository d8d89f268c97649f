"""NLP as a setting: what the rest of the package knows of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from w2s.config.ladder import OwnRung
from w2s.config.methods import Method
from w2s.engine.sources import Sources
from w2s.errors import UserError, allowed, located
from w2s.graph.artifact import Artifact, unique
from w2s.graph.setting import Examples, Setting
from w2s.graph.work import Size
from w2s.nlp.config import Data, Nlp, TaskChoice
from w2s.nlp.plan import NlpPlan
from w2s.nlp.stages import STAGES
from w2s.nlp.tasks import TASKS, TOPICS
from w2s.nlp.work import WORK


class NlpSetting(Setting):
    """22 classification tasks (Section 4.1, Appendix A.1)."""

    name = "nlp"
    section = Nlp
    stages = STAGES
    work = WORK

    def check(self, experiment: Any, sources: Sources) -> None:
        """Methods and tasks that exist, and rows that are where the section ``data`` says."""
        nlp: Nlp = experiment.nlp
        data: Data = experiment.data
        for key, named in (("methods", nlp.methods), ("comparison.methods", nlp.comparison.methods or ())):
            for name in named:
                if name not in experiment.methods:
                    hint = allowed(name, experiment.methods)
                    raise UserError(f"nlp.{key}: unknown method {name!r}; {hint}")
        _check_studied(experiment.methods, nlp)
        for number, task in enumerate(nlp.tasks):
            with located(f"nlp.tasks[{number}]"):
                if task.formatter is not None:
                    _check_user_task(task, sources)
                else:
                    _check_task(task, data)
        for number, test in enumerate((nlp.shift and nlp.shift.tests) or ()):
            with located(f"nlp.shift.tests[{number}]"):
                if (other := nlp.tested(test)).formatter is None:
                    _check_task(other, data)
        own = any(isinstance(rung, OwnRung) for rung in nlp.ladder)
        if own and nlp.pretraining.corpus == "world" and data.source != "world":
            raise UserError("nlp.pretraining.corpus: 'world' needs data.source 'world'; allowed: tasks")

    def plan(self, experiment: Any, sources: Sources) -> NlpPlan:
        """The setting's part of the run graph."""
        return NlpPlan(experiment, experiment.data, experiment.nlp, sources)

    def is_synthetic(self, experiment: Mapping[str, Any]) -> str | None:
        """Rows may be those of the micro-world."""
        return "small synthetic world" if experiment["data"]["source"] == "world" else None

    def size(self, data: Artifact) -> Size:
        """The micro-world has few texts, and short ones."""
        return Size(300, 25) if "world" in data.spec["rows"] else Size(tokens=120)

    def examples(self, plan: NlpPlan, task: str, number: int) -> Examples:
        """Texts with the answer that their label stands for."""
        from w2s.nlp import user_tasks
        from w2s.nlp.build import formatted
        from w2s.nlp.data import rows_of

        data = plan.data(task, plan.seeds_of(task)[0])
        of = user_tasks.of_spec(data.spec) if "own" in data.spec else TASKS[task]
        rows = rows_of(of, data.spec["rows"], data.environment)
        shown: list[str] = []
        for made in formatted(of, rows.parts["train"], "train", rows.origins["train"]):
            for one in (made or [])[: max(1, number - 1)]:  # of one row not all: others look different
                shown.append(f"{one.text} [{plan.config.training.answers[one.label].strip()}]")
            if len(shown) >= number:
                break
        title = plan.task(task).title or of.title
        return Examples(f"{title} ({task}), from {rows.origins['train']}", shown)

    def fetch(self, plan: NlpPlan) -> Iterator[str]:
        """Data sets from the hub; every row is formatted once."""
        from w2s.nlp.build import formatted
        from w2s.nlp.data import rows_of

        data = [plan.data(task.name, plan.seeds_of(task.name)[0]) for task in plan.config.tasks]
        if plan.config.shift:
            shift = plan.shift
            data += [shift.data(test, shift.seeds[0]) for test in shift.chosen]
        for one in unique(data):
            name, place = one.spec["task"], one.spec["rows"]
            if "hub" not in place:
                continue
            rows = rows_of(TASKS[name], place, {})
            for part, some in rows.parts.items():
                made = sum(len(one or []) for one in formatted(TASKS[name], some, part, rows.origins[part]))
                yield f"{name}: {rows.origins[part]} at {rows.commit}: {len(some):,} rows, {made:,} candidates"


def _check_studied(methods: Mapping[str, Method], nlp: Nlp) -> None:
    """UserError if a study of supervisors has a method whose labels are not the supervisor's."""
    studied = {
        "errors.methods": nlp.errors and (nlp.errors.methods or nlp.methods),
        "sandwiching.methods": nlp.sandwiching and (nlp.sandwiching.methods or nlp.methods[:1]),
    }
    for key, named in studied.items():
        for name in named or ():
            if name in methods and methods[name].labels is not None:
                raise UserError(f"nlp.{key}: {name!r} has other labels than the supervisor's; leave it out")


def _check_task(task: TaskChoice, data: Data) -> None:
    """UserError if a task is not there, or has a key that is of no use where its rows come from."""
    known = TOPICS if data.source == "world" else TASKS
    where = "task of the micro-world" if data.source == "world" else "task"
    if task.name not in known:
        raise UserError(f"unknown {where} {task.name!r}; {allowed(task.name, known)}")
    for key, only_with in (("folder", "directory"), ("revision", "hub")):
        if getattr(task, key) is not None and data.source != only_with:
            raise UserError(f"{task.name}: {key} has an effect only with data.source {only_with!r}")
    if data.source == "world" and (task.train or task.test):
        raise UserError(f"{task.name}: train and test cannot be set with the micro-world, which has its own")


def _check_user_task(task: TaskChoice, sources: Sources) -> None:
    """UserError if a user's own task has the name of another, or its functions are not there."""
    if task.name in TASKS:
        raise UserError(f"a task {task.name!r} exists already; choose another name")
    for function in (task.formatter, task.relabel):
        if function is not None:
            sources.code(function)


SETTING = NlpSetting()
