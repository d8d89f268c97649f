"""The run graph of the NLP setting (Sections 3 and 4, Appendix A.1). Pure and light."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from w2s.config.common import Common
from w2s.config.shift import OtherTest
from w2s.engine.sources import Sources
from w2s.graph.artifact import Artifact, Run
from w2s.models.plan import NAIVE, LadderPlan, computed, needed
from w2s.models.shift import ShiftPlan
from w2s.nlp import sources as rows_of
from w2s.nlp.config import Data, Nlp, Pretraining, TaskChoice
from w2s.nlp.stages import CORPUS, DATA, ENSEMBLE, FINETUNE, WORLD_VERSION

if TYPE_CHECKING:
    from w2s.nlp.difficulty.plan import DifficultyPlan
    from w2s.nlp.errors.plan import ErrorsPlan
    from w2s.nlp.fewer.plan import FewerLabelsPlan
    from w2s.nlp.probing.plan import ProbingPlan
    from w2s.nlp.prompting.plan import PromptingPlan
    from w2s.nlp.sandwiching.plan import SandwichingPlan


class NlpPlan(LadderPlan[Nlp]):
    """Every NLP run that an experiment can ask for, made on demand and remembered."""

    name = "nlp"

    def __init__(self, experiment: Common, data: Data, config: Nlp, sources: Sources) -> None:
        super().__init__(experiment, config, sources)
        self._data = data
        self._tasks = {task.name: task for task in config.tasks}

    @property
    def tasks(self) -> list[str]:
        """Names of all tasks, in the config's order."""
        return self.config.all_tasks()

    def seeds_of(self, task: str) -> tuple[int, ...]:
        """The seeds of a task's runs: its own, or the experiment's."""
        return self.task(task).seeds or self.seeds

    @property
    def median_tasks(self) -> list[str]:
        """Names of the tasks that medians are taken over."""
        return self.config.median_tasks()

    def task(self, name: str) -> TaskChoice:
        """What the config says of a task, be it one of the corpus only."""
        return self._tasks[name if name in self._tasks else self.known(name)]

    @property
    def pretraining(self) -> Pretraining:
        """How rungs of an own ladder are pretrained."""
        return self.config.pretraining

    # -- studies -------------------------------------------------------------------------------------------

    @cached_property
    def prompting(self) -> PromptingPlan:
        """Prompted base models (Section 5.2.1)."""
        from w2s.nlp.prompting.plan import PromptingPlan  # the studies' plans build on this module

        return PromptingPlan(self)

    @cached_property
    def probing(self) -> ProbingPlan:
        """Linear probes on features (Section 5.2.3, Appendix D.2)."""
        from w2s.nlp.probing.plan import ProbingPlan

        return ProbingPlan(self)

    @cached_property
    def difficulty(self) -> DifficultyPlan:
        """Easy-to-hard generalization (Appendices C.2 and C.3); LackingError where the experiment has none."""
        from w2s.nlp.difficulty.plan import DifficultyPlan

        return DifficultyPlan(self, self.section("difficulty"))

    @cached_property
    def errors(self) -> ErrorsPlan:
        """The structure of supervisors' errors (Appendix E); LackingError where the experiment has none."""
        from w2s.nlp.errors.plan import ErrorsPlan

        return ErrorsPlan(self, self.section("errors"))

    @cached_property
    def sandwiching(self) -> SandwichingPlan:
        """Non-experts with an assistant; LackingError where the experiment has none."""
        from w2s.nlp.sandwiching.plan import SandwichingPlan

        return SandwichingPlan(self, self.section("sandwiching"))

    @cached_property
    def fewer_labels(self) -> FewerLabelsPlan:
        """Learning curves in the number of weak labels; LackingError where the experiment has none."""
        from w2s.nlp.fewer.plan import FewerLabelsPlan

        return FewerLabelsPlan(self, self.section("fewer_labels"))

    @cached_property
    def shift(self) -> ShiftPlan:
        """Other test sets; LackingError where the experiment has none."""
        return ShiftPlan(self, self.section("shift"), self.tasks, self.data_beside)

    # -- artifacts -----------------------------------------------------------------------------------------

    def data(self, task: str, seed: int) -> Artifact:
        """Halves, validation and test of a task, drawn separately for each seed."""
        return self._once(("data", task, seed), lambda: self._new_data(self.task(task), seed))

    def data_beside(self, test: OtherTest, seed: int) -> Artifact:
        """The data of another test set.

        The micro-world's asks about none that the task's training rows ask about. Another split of the task's own data
        set loses what is tied to any of its training rows.
        """
        held_out_of = None if self.task(test.task).formatter else test.task
        return self._new_data(self.config.tested(test), seed, held_out_of, test_yields=test.other == test.task)

    def _new_data(
        self,
        task: TaskChoice,
        seed: int,
        held_out_of: str | None = None,
        *,
        test_yields: bool = False,
        **limits: int | None,
    ) -> Artifact:
        """limits: of numbers of examples, in place of the experiment's. held_out_of: as in ``w2s.nlp.synthetic``.

        test_yields: as in ``w2s.nlp.build``; made-up test sets have no need of it.
        """
        data, own = self._data, task.formatter is not None
        # Frequency is the corpus's.
        rows: Mapping[str, Any] = {"world": data.world.model_dump(exclude={"zipf"}), "version": WORLD_VERSION}
        environment: Mapping[str, Any] = {}
        invented = data.source == "world" and not own
        message = f"data of {task.name}, seed {seed}"
        if invented and held_out_of:
            rows = {**rows, "held_out_of": held_out_of}
            message += f", to test runs on {held_out_of}"
        if not invented:
            rows, environment = rows_of.rows(data, task, self.sources.root)
        cuts_test = not invented and "test" not in rows
        sizes = data.sizes.model_dump(exclude=None if cuts_test else {"test_share"}) | limits
        spec = {"task": task.name, "rows": rows, "sizes": sizes, "seed": seed}
        if own:
            spec["own"] = self._user_task(task)
        if test_yields and not invented:
            spec["test_yields"] = True
        return Artifact(DATA, f"nlp/{task.name}/data", message, spec, environment=environment)

    def _user_task(self, task: TaskChoice) -> dict[str, Any]:
        """What a user's own task is, apart from its rows."""
        functions = {"formatter": task.formatter, "relabel": task.relabel}
        known = {
            role: {"name": name, "code": self.sources.code(name).identity["code"]}
            for role, name in functions.items()
            if name
        }
        return {"per_question": task.per_question, **known}

    def corpus(self) -> Artifact:
        """Pretraining tokens and the tokenizer that all rungs share."""
        return self._once(("corpus",), self._new_corpus)

    def _new_corpus(self) -> Artifact:
        pretraining = self.pretraining
        spec: dict[str, Any] = {"vocabulary": pretraining.vocabulary}
        parents: dict[str, Artifact] = {}
        if pretraining.corpus == "world":
            spec |= {
                "world": self._data.world.model_dump(),
                "version": WORLD_VERSION,
                "documents": pretraining.documents,
                "statements": pretraining.statements,
                "answers": list(pretraining.answers),
            }
        elif pretraining.corpus == "tasks":
            parents = {task: self.data(task, pretraining.seed) for task in self._tasks}
        else:  # no limit to the training rows
            parents = {name: self._new_data(task, pretraining.seed, train=None) for name, task in self._tasks.items()}
        return Artifact(CORPUS, "models/corpus", f"corpus ({pretraining.corpus}) and tokenizer", spec, parents)

    # -- runs ----------------------------------------------------------------------------------------------

    def truth(self, task: str, rung: str, seed: int, half: str = "weak") -> Run:
        """A run on ground truth: supervisor, and ceiling too unless ``ceiling_half`` says otherwise."""
        return self._run(task, rung, seed, labels="truth", method="naive", half=half)

    def ceiling(self, task: str, rung: str, seed: int) -> Run:
        """The ground-truth run that bounds students of this rung."""
        return self.truth(task, rung, seed, half=self.experiment.ceiling_half)

    def student(self, task: str, weak: str, strong: str, method: str, seed: int) -> Run:
        """A run on the strong half with the weak labels of ``weak``, or what the method says instead.

        Where it is ``relabelled_by`` another, that student's predictions are its labels. Labels of all supervisors or
        of none, and so the run, are the same for every ``weak``.
        """
        labels, parent = self._labels(task, weak, strong, method, seed)
        return self._run(task, strong, seed, labels=labels, method=method, half="strong", parent=parent)

    def _labels(self, task: str, weak: str, strong: str, method: str, seed: int) -> tuple[str, Artifact]:
        """(what paths call a student's labels, the artifact that has them)."""
        chosen = self.method(method)
        if chosen.relabelled_by is not None:
            student = self.student(task, weak, strong, chosen.relabelled_by, seed)
            return student.labels, student
        if chosen.labels == "ensemble":
            mean = self.ensemble(task, strong, seed)
            return mean.path_parts[0], mean
        if chosen.labels == "zero_shot":
            prompted = self.prompting.everywhere(task, strong, seed)
            return prompted.method, prompted
        return f"from-{weak}", self.truth(task, weak, seed)

    def ensemble(self, task: str, strong: str, seed: int) -> Artifact:
        """The mean of the weak labels of all supervisors that this rung is paired with."""
        rungs = [weak.name for weak, student in self.config.pairs() if student.name == strong]

        def make() -> Artifact:
            supervisors = {rung: self.truth(task, rung, seed) for rung in rungs}
            name = f"nlp/{task}/ensemble-of-{len(rungs)}"
            message = f"labels of {task}: mean of {', '.join(rungs)}, seed {seed}"
            return Artifact(ENSEMBLE, name, message, {}, supervisors, priority=100)

        return self._once(("ensemble", task, tuple(rungs), seed), make)

    def _run(
        self, task: str, rung: str, seed: int, *, labels: str, method: str, half: str, parent: Artifact | None = None
    ) -> Run:
        identity = ("run", task, rung, seed, labels, method, half)
        return self._once(identity, lambda: self._new_run(task, rung, seed, labels, method, half, parent))

    def _new_run(
        self, task: str, rung: str, seed: int, labels: str, method: str, half: str, parent: Artifact | None
    ) -> Run:
        training, of = self.config.training, self.rung(rung)
        stops_early = training.early_stopping == "all" or (training.early_stopping == "students" and parent)
        spec = {
            "half": half,
            "objective": self.objective(method, of) if parent else NAIVE,
            "training": training.model_dump(exclude={"early_stopping"}, exclude_none=True, mode="json"),
            "learning_rate": of.learning_rate,
            "selected": "validation" if stops_early else "last",
            "seed": seed,
        } | computed(of)
        if parent and (changes := self.method(method).changes()):
            spec["method"] = changes
        parents: dict[str, Artifact] = {"data": self.data(task, seed), "model": self.model(rung)}
        if parent:
            parents["labels"] = parent
        source = f"labels {labels.replace('from-', 'from ', 1)}, {method}" if parent else f"truth of the {half} half"
        return Run(
            FINETUNE,
            f"nlp/{task}/{rung}/{labels}/{method}/s{seed}",
            f"finetune {rung} on {task}: {source}, seed {seed}",
            spec,
            parents,
            environment=needed(of),
            priority=0 if parent else 100,  # supervisors first: students wait for them
            task=task,
            rung=rung,
            labels=labels,
            method=method,
            seed=seed,
        )

    # -- everything ----------------------------------------------------------------------------------------

    def every_run(self) -> Iterator[Run]:
        """All runs of the setting, its studies' among them."""
        yield from self.runs_of_figures()
        yield from self.compared_runs()
        yield from self.prompting.every_run()
        yield from self.probing.everything()
        for study in ("difficulty", "errors", "sandwiching", "fewer_labels", "shift"):
            if getattr(self.config, study) is not None:
                yield from getattr(self, study).every_run()

    def runs_of_figures(self) -> Iterator[Run]:
        """All truth runs, and students of the methods that figures compare."""
        nlp = self.config
        for task in self.tasks:
            for seed in self.seeds_of(task):
                for rung in nlp.ladder:
                    if rung.truth:
                        yield self.truth(task, rung.name, seed)
                    if rung.truth and self.experiment.ceiling_half != "weak":
                        yield self.ceiling(task, rung.name, seed)
                for weak, strong in nlp.pairs():
                    for method in nlp.methods:
                        yield self.student(task, weak.name, strong.name, method, seed)

    def compared_methods(self) -> list[str]:
        """Methods of the figure that compares them: by default those of other figures, then all others."""
        return self.config.compared_methods(self.experiment.methods)

    def compared_runs(self) -> Iterator[Run]:
        """Students of all methods that the figure of methods compares."""
        for task in self.config.compared_tasks():
            for weak, strong in self.config.compared_pairs():
                for method in self.compared_methods():
                    for seed in self.seeds_of(task):
                        yield self.student(task, weak, strong, method, seed)
