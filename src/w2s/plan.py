"""The run graph: what each artifact is, where it lies and what it is made from. Pure Python, and light.

An artifact's *identity* is its stage, the stage's version, its resolved spec (everything that changes its
numbers and nothing else) and its parents' keys. The key is ten hex digits of a hash over that, and ends the
path; the rest of the path is for people. So an edited config moves exactly what it changes, and what
descends from it, to new paths; and going back finds the old ones.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from w2s.errors import LackingError, UserError, allowed
from w2s.experiment import Experiment
from w2s.ladder import OpenRung, OwnRung, Rung
from w2s.making import STAGES
from w2s.own import is_own
from w2s.settings import Packing, Setting
from w2s.settings.chess import Games, Puzzles
from w2s.settings.methods import Method
from w2s.settings.nlp import TaskChoice
from w2s.settings.reward import PairTask
from w2s.settings.vision import Images, Published

if TYPE_CHECKING:
    from w2s.plans.chess import ChessPlan
    from w2s.plans.difficulty import DifficultyPlan
    from w2s.plans.errors import ErrorsPlan
    from w2s.plans.probing import ProbingPlan
    from w2s.plans.prompting import PromptingPlan
    from w2s.plans.reward import RewardPlan
    from w2s.plans.sandwiching import SandwichingPlan
    from w2s.plans.vision import VisionPlan

STAGE_VERSIONS = {name: stage.version for name, stage in STAGES.items()}
MANIFESTS = {name: stage.manifest for name, stage in STAGES.items()}
KEY_LENGTH = 10


T = TypeVar("T", bound="Artifact")


def canonical(content: object) -> str:
    """JSON with sorted keys and no spaces: equal content, equal text."""
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def fingerprint_of(text: str) -> str:
    """Ten hex digits of a hash over a text."""
    return hashlib.sha256(text.encode()).hexdigest()[:KEY_LENGTH]


@dataclass(frozen=True)
class Identity:
    """All that decides an artifact's content. parents: role -> key."""

    stage: str
    version: int
    spec: Mapping[str, Any]
    parents: Mapping[str, str]

    @cached_property
    def key(self) -> str:
        """Ten hex digits."""
        content = {"stage": self.stage, "version": self.version, "spec": self.spec, "parents": self.parents}
        return fingerprint_of(canonical(content))


@dataclass(frozen=True, eq=False)
class Artifact:
    """One node of the graph. ``name`` is the readable part of its path under results/."""

    stage: str
    name: str
    message: str
    spec: Mapping[str, Any]
    parents: Mapping[str, Artifact] = field(default_factory=dict)
    environment: Mapping[str, Any] = field(default_factory=dict)  # needed to make it, not part of its identity
    priority: int = 0  # among jobs that could start; larger first

    @cached_property
    def identity(self) -> Identity:
        """What its manifest will say of it."""
        parents = {role: parent.key for role, parent in self.parents.items()}
        return Identity(self.stage, STAGE_VERSIONS[self.stage], self.spec, parents)

    @property
    def key(self) -> str:
        """Ten hex digits."""
        return self.identity.key

    @cached_property
    def path(self) -> str:
        """Its directory, from the project's root."""
        return f"results/{self.name}-{self.key}"

    @property
    def words(self) -> tuple[str, ...]:
        """What its readable path says in parts of folder names: rung, or seed."""
        return (self.name.rsplit("/", 1)[-1],)

    @property
    def manifest(self) -> str:
        """The file that is written last and vouches for the others."""
        return f"{self.path}/{MANIFESTS[self.stage]}"


@dataclass(frozen=True, eq=False)
class Run(Artifact):
    """One finetuning. ``labels`` is ``truth`` or says whose predictions it is trained on."""

    task: str = ""
    rung: str = ""
    labels: str = ""
    method: str = ""
    seed: int = 0

    @property
    def words(self) -> tuple[str, ...]:
        """Its seed stands in the path behind an s."""
        return (str(self.seed),)


class Sources(Protocol):
    """What identifies raw rows and open models that lie outside of results/, and where they are."""

    def rows(self, task: TaskChoice) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
        """(identity, place) of a task's rows; the identity has a ``test`` unless the test set is to be cut."""
        ...

    def weights(self, rung: OpenRung) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
        """(identity, place) of an open base model."""
        ...

    def games(self, choice: Games) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
        """(identity, place) of chess games."""
        ...

    def puzzles(self, choice: Puzzles) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
        """(identity, place) of chess puzzles."""
        ...

    def code(self, reference: str) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
        """(identity, place) of a user's own ``module:function``."""
        ...

    def images(self, choice: Images) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
        """(identity, place) of labelled images."""
        ...

    def network(self, choice: Published, name: str) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
        """(identity, place) of a published vision network's weights. name: the rung's."""

    def preferences(self, task: PairTask) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
        """(identity, place) of preference pairs, as of ``rows``."""
        ...


class Remembering:
    """A part of the plan: what is asked for is made once."""

    def __init__(self) -> None:
        self._made: dict[tuple[object, ...], Artifact] = {}

    def _once(self, identity: tuple[object, ...], make: Callable[[], T]) -> T:
        if identity not in self._made:
            self._made[identity] = make()
        return self._made[identity]  # type: ignore[return-value]


class Plan(Remembering):
    """Every run that an experiment can ask for, made on demand and remembered.

    sources: only asked where rows or base models are not made here.
    """

    def __init__(self, experiment: Experiment, sources: Sources) -> None:
        super().__init__()
        self.experiment = experiment
        self._sources = sources
        self._rungs = {rung.name: rung for rung in experiment.nlp.ladder}
        self._tasks = {task.name: task for task in experiment.nlp.tasks}

    def rung(self, name: str) -> Rung:
        """A rung of the ladder by name."""
        if name not in self._rungs:
            raise UserError(f"unknown rung {name!r}; {allowed(name, self._rungs)}")
        return self._rungs[name]

    def task(self, name: str) -> TaskChoice:
        """What the config says of a task."""
        return self._tasks[name]

    @cached_property
    def chess(self) -> ChessPlan:
        """The chess setting's part of the plan; LackingError where the experiment has none."""
        from w2s.plans.chess import ChessPlan  # it builds on this module

        if self.experiment.chess is None:
            raise LackingError(f"experiment {self.experiment.experiment!r} has no chess section in its config")
        return ChessPlan(self.experiment, self.experiment.chess, self._sources)

    @cached_property
    def difficulty(self) -> DifficultyPlan:
        """Easy-to-hard generalization on NLP tasks; LackingError where the experiment has none."""
        from w2s.plans.difficulty import DifficultyPlan  # it builds on this module

        if self.experiment.nlp.difficulty is None:
            raise LackingError(f"experiment {self.experiment.experiment!r} has no nlp.difficulty in its config")
        return DifficultyPlan(self, self.experiment.nlp.difficulty)

    @cached_property
    def errors(self) -> ErrorsPlan:
        """The structure of supervisors' errors; LackingError where the experiment has none."""
        from w2s.plans.errors import ErrorsPlan  # it builds on this module

        if self.experiment.nlp.errors is None:
            raise LackingError(f"experiment {self.experiment.experiment!r} has no nlp.errors in its config")
        return ErrorsPlan(self, self.experiment.nlp.errors)

    @cached_property
    def sandwiching(self) -> SandwichingPlan:
        """Non-experts with an assistant; LackingError where the experiment has none."""
        from w2s.plans.sandwiching import SandwichingPlan  # it builds on this module

        if self.experiment.nlp.sandwiching is None:
            raise LackingError(f"experiment {self.experiment.experiment!r} has no nlp.sandwiching in its config")
        return SandwichingPlan(self, self.experiment.nlp.sandwiching)

    def own_code(self, reference: str) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
        """(identity, place) of a user's own ``module:function``."""
        return self._sources.code(reference)

    @cached_property
    def vision(self) -> VisionPlan:
        """The vision setting's part of the plan; LackingError where the experiment has none."""
        from w2s.plans.vision import VisionPlan  # it builds on this module

        if self.experiment.vision is None:
            raise LackingError(f"experiment {self.experiment.experiment!r} has no vision section in its config")
        return VisionPlan(self.experiment, self.experiment.vision, self._sources)

    @cached_property
    def prompting(self) -> PromptingPlan:
        """Prompted NLP base models."""
        from w2s.plans.prompting import PromptingPlan

        return PromptingPlan(self)

    @cached_property
    def probing(self) -> ProbingPlan:
        """Linear probes on features of NLP models."""
        from w2s.plans.probing import ProbingPlan

        return ProbingPlan(self)

    @cached_property
    def reward(self) -> RewardPlan:
        """The reward setting's part of the plan; LackingError where the experiment has none."""
        from w2s.plans.reward import RewardPlan  # it builds on this module

        if self.experiment.reward is None:
            raise LackingError(f"experiment {self.experiment.experiment!r} has no reward section in its config")
        return RewardPlan(self.experiment, self.experiment.reward, self._sources)

    # -- artifacts -----------------------------------------------------------------------------------------

    def data(self, task: str, seed: int) -> Artifact:
        """Halves, validation and test of a task; drawn anew for every seed."""
        return self._once(("data", task, seed), lambda: self._new_data(self._tasks[task], seed))

    def _new_data(self, task: TaskChoice, seed: int) -> Artifact:
        data = self.experiment.data
        rows: Mapping[str, Any] = {"world": data.world.model_dump(exclude={"zipf"})}  # frequency is the corpus's
        environment: Mapping[str, Any] = {}
        own = task.formatter is not None
        if data.source != "world" or own:
            rows, environment = self._sources.rows(task)
        cuts_test = (data.source != "world" or own) and "test" not in rows
        sizes = data.sizes.model_dump(exclude=None if cuts_test else {"test_share"})
        spec = {"task": task.name, "rows": rows, "sizes": sizes, "seed": seed}
        if own:
            spec["own"] = self._own_task(task)
        message = f"data of {task.name}, seed {seed}"
        return Artifact("data", f"nlp/{task.name}/data", message, spec, environment=environment)

    def _own_task(self, task: TaskChoice) -> dict[str, Any]:
        """What a user's own task is, apart from its rows."""
        functions = {"formatter": task.formatter, "relabel": task.relabel}
        known = {
            role: {"name": name, "code": self._sources.code(name)[0]["code"]}
            for role, name in functions.items()
            if name
        }
        return {"per_question": task.per_question, **known}

    def corpus(self) -> Artifact:
        """Pretraining tokens and the tokenizer that all rungs share."""
        return self._once(("corpus",), self._new_corpus)

    def _new_corpus(self) -> Artifact:
        nlp, data = self.experiment.nlp, self.experiment.data
        pretraining = nlp.pretraining
        spec: dict[str, Any] = {"vocabulary": pretraining.vocabulary}
        parents: dict[str, Artifact] = {}
        if pretraining.corpus == "world":
            spec |= {
                "world": data.world.model_dump(),
                "documents": pretraining.documents,
                "statements": pretraining.statements,
                "answers": list(pretraining.answers),
            }
        else:
            parents = {task.name: self.data(task.name, pretraining.seed) for task in nlp.tasks}
        return Artifact("corpus", "models/corpus", f"corpus ({pretraining.corpus}) and tokenizer", spec, parents)

    def model(self, rung: str) -> Artifact:
        """A base model."""
        return self._once(("model", rung), lambda: self._new_model(self.rung(rung)))

    def _new_model(self, rung: Rung) -> Artifact:
        if isinstance(rung, OpenRung):
            return open_model(rung, self._sources)
        nlp = self.experiment.nlp
        return own_model(rung, nlp, nlp.pretraining, self.corpus())

    # -- runs ----------------------------------------------------------------------------------------------

    def truth(self, task: str, rung: str, seed: int, half: str = "weak") -> Run:
        """A run on ground truth: supervisor, and ceiling too unless ``ceiling_half`` says otherwise."""
        return self._run(task, rung, seed, labels="truth", method="naive", half=half)

    def ceiling(self, task: str, rung: str, seed: int) -> Run:
        """The ground-truth run that bounds students of this rung."""
        return self.truth(task, rung, seed, half=self.experiment.ceiling_half)

    def student(self, task: str, weak: str, strong: str, method: str, seed: int) -> Run:
        """A run on the strong half with the weak labels of ``weak``, or with those that another student makes of them.

        The latter where the method is ``relabelled_by`` another: then that student's predictions are its labels.
        """
        by = self._method(method).relabelled_by
        labels = self.truth(task, weak, seed) if by is None else self.student(task, weak, strong, by, seed)
        return self._run(task, strong, seed, labels=f"from-{weak}", method=method, half="strong", parent=labels)

    def _run(
        self, task: str, rung: str, seed: int, *, labels: str, method: str, half: str, parent: Run | None = None
    ) -> Run:
        identity = ("run", task, rung, seed, labels, method, half)
        return self._once(identity, lambda: self._new_run(task, rung, seed, labels, method, half, parent))

    def _new_run(self, task: str, rung: str, seed: int, labels: str, method: str, half: str, parent: Run | None) -> Run:
        training = self.experiment.nlp.training
        stops_early = training.early_stopping == "all" or (training.early_stopping == "students" and parent)
        spec = {
            "half": half,
            "objective": self._objective(method, rung) if parent else {"name": "naive", "parameters": {}},
            "training": training.model_dump(exclude={"early_stopping"}, mode="json"),
            "learning_rate": self.rung(rung).learning_rate,
            "selected": "validation" if stops_early else "last",
            "seed": seed,
        } | computed(self.rung(rung))
        if parent and (changes := self._method(method).changes()):
            spec["method"] = changes
        parents: dict[str, Artifact] = {"data": self.data(task, seed), "model": self.model(rung)}
        if parent:
            parents["labels"] = parent
        source = f"labels from {parent.rung}, {method}" if parent else f"truth of the {half} half"
        return Run(
            "finetune",
            f"nlp/{task}/{rung}/{labels}/{method}/s{seed}",
            f"finetune {rung} on {task}: {source}, seed {seed}",
            spec,
            parents,
            environment=needed(self.rung(rung)),
            priority=0 if parent else 100,  # supervisors first: students wait for them
            task=task,
            rung=rung,
            labels=labels,
            method=method,
            seed=seed,
        )

    def _method(self, name: str) -> Method:
        methods = self.experiment.methods
        if name not in methods:
            raise UserError(f"unknown method {name!r}; {allowed(name, methods)}")
        return methods[name]

    def _objective(self, method: str, rung: str) -> dict[str, Any]:
        chosen = self._method(method)
        largest = rung == self.experiment.nlp.ladder[-1].name
        parameters = chosen.parameters | (chosen.largest if largest else {})
        objective = {"name": chosen.objective, "parameters": parameters}
        if is_own(chosen.objective):
            objective["code"] = self._sources.code(chosen.objective)[0]["code"]
        return objective

    # -- everything ----------------------------------------------------------------------------------------

    def every_run(self) -> Iterator[Run]:
        """All truth runs and students of the experiment, whichever figure asks for them."""
        nlp = self.experiment.nlp
        for task in nlp.tasks:
            for seed in self.experiment.seeds:
                for rung in nlp.ladder:
                    if rung.truth:
                        yield self.truth(task.name, rung.name, seed)
                    if rung.truth and self.experiment.ceiling_half != "weak":
                        yield self.ceiling(task.name, rung.name, seed)
                for weak, strong in nlp.pairs():
                    for method in nlp.methods:
                        yield self.student(task.name, weak.name, strong.name, method, seed)

    def compared_runs(self) -> Iterator[Run]:
        """Students of all methods that the figure of methods compares."""
        for task in self.experiment.nlp.compared_tasks():
            for weak, strong in self.experiment.nlp.compared_pairs():
                for method in self.experiment.compared_methods():
                    for seed in self.experiment.seeds:
                        yield self.student(task, weak, strong, method, seed)

    def everything(self) -> Iterator[Run]:
        """All runs of all settings."""
        yield from self.every_run()
        yield from self.compared_runs()
        yield from self.prompting.every_run()
        yield from self.probing.everything()
        if self.experiment.chess is not None:
            yield from self.chess.every_run()
        if self.experiment.nlp.difficulty is not None:
            yield from self.difficulty.every_run()
        if self.experiment.nlp.errors is not None:
            yield from self.errors.every_run()
        if self.experiment.nlp.sandwiching is not None:
            yield from self.sandwiching.every_run()
        if self.experiment.vision is not None:
            yield from self.vision.every_run()
        if self.experiment.reward is not None:
            yield from self.reward.every_run()


def open_model(rung: OpenRung, sources: Sources) -> Artifact:
    """An open base model, wherever it lies."""
    source, environment = sources.weights(rung)
    spec = {"source": source}
    environment = {**environment, "parameters": rung.parameters}  # as declared, to be checked
    message = f"open model {rung.name}: {rung.source}, {rung.parameters:,} parameters"
    return Artifact("open", f"models/{rung.name}", message, spec, environment=environment, priority=1000)


def own_model(rung: OwnRung, setting: Setting, packing: Packing, corpus: Artifact) -> Artifact:
    """A base model that is pretrained on a corpus here."""
    shape = {"width": rung.width, "intermediate": rung.intermediate, "layers": rung.layers, "heads": rung.heads}
    recipe = {name: getattr(packing, name) for name in Packing.model_fields}
    learning_rate = {"learning_rate": rung.pretraining_learning_rate}
    spec = {"shape": shape, "tokens": rung.tokens, "training": recipe | learning_rate}
    parameters = rung.parameter_count(setting.vocabulary)
    message = f"pretrain {rung.name}: {parameters:,} parameters, {rung.tokens:,} tokens"
    longest_first = 1000 + round(10 * math.log10(setting.compute(rung)))
    return Artifact("pretrain", f"models/{rung.name}", message, spec, {"corpus": corpus}, priority=longest_first)


def computed(rung: Rung) -> dict[str, Any]:
    """How an open model is computed with, as far as that changes its numbers."""
    if not isinstance(rung, OpenRung):
        return {}
    adapters = {"adapters": rung.adapters.model_dump()} if rung.adapters else {}
    return {"precision": rung.precision} | adapters


def needed(rung: Rung) -> dict[str, Any]:
    """What training an open model needs of the machine, without effect on its numbers."""
    return {"checkpointing": rung.checkpointing, "gpus": rung.gpus} if isinstance(rung, OpenRung) else {}


def with_ancestors(artifacts: Iterable[Artifact]) -> dict[str, Artifact]:
    """Key -> artifact for these and all that they descend from."""
    found: dict[str, Artifact] = {}
    pending = list(artifacts)
    while pending:
        artifact = pending.pop()
        if artifact.key not in found:
            found[artifact.key] = artifact
            pending.extend(artifact.parents.values())
    return found
