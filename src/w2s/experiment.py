"""One experiment: what is trained on what, as validated, typed config.

``config.yaml`` (and overlays on it) become an ``Experiment`` here, once, before anything runs. A mistake in
the config is one line that names the key, the value and what is allowed. This module is light: it knows
nothing of torch, and it learns which tasks and objectives exist from a ``Catalogue`` that it is handed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import BaseModel, Field, ValidationError, model_validator

from w2s.errors import UserError, allowed
from w2s.ladder import RUNGS, OwnRung
from w2s.own import is_own
from w2s.parameters import Parameter
from w2s.schema import Name, Positive, Share, Strict
from w2s.settings import methods as method_settings
from w2s.settings import refuse_twice, refuse_unknown
from w2s.settings.chess import Chess
from w2s.settings.methods import Method
from w2s.settings.nlp import Nlp, TaskChoice
from w2s.settings.reward import Reward
from w2s.settings.vision import Vision

SETTINGS = ("nlp", "chess", "reward")


class WorldSize(Strict):
    """How much there is to know in the micro-world (see ``w2s.tasks.world``)."""

    seed: int = 0
    people: Positive = 80
    adjectives: Positive = 160
    verbs: Positive = 140
    deeds: Positive = 160
    nouns: Positive = 140
    zipf: float = Field(1.0, ge=0)  # frequency ~ rank ** -zipf in the corpus


class Sizes(Strict):
    """How many examples a task may have after formatting and balancing; null takes all there are."""

    train: Positive | None = None  # both halves together
    test: Positive | None = None
    validation_share: Share = 0.2  # of the strong half, cut off by group
    test_share: Share = 0.2  # of the training rows, by group, where a task has no test split


class Data(Strict):
    """Where rows come from: the micro-world, the hub, or a directory with one folder a task in hub schema."""

    source: Literal["world", "directory", "hub"] = "world"
    directory: str | None = None
    world: WorldSize = WorldSize()
    sizes: Sizes = Sizes()

    @model_validator(mode="after")
    def _directory_is_named(self) -> Data:
        if self.source == "directory" and not self.directory:
            raise ValueError("source is 'directory', so directory must name one")
        return self


class Execution(Strict):
    """How jobs are run on a machine. No result depends on it; environment variables of jobs overrule it."""

    runs_per_process: Positive = 64  # jobs that a warm process does before it is replaced; 1: each has its own
    checkpoint_seconds: float = Field(60, ge=0)  # between checkpoints of a training; 0: after every step
    tokens_at_once: Positive | None = None  # whose activations are held, 4096 (CPU) or 32768 (GPU) by default
    threads: Positive = 1  # of the CPU for each job; another number changes the last bits of results
    jobs_per_gpu: Positive = 4  # on one machine; more wait. A scheduler (profiles/slurm) gives jobs their own GPUs
    compile: Literal["auto", "always", "never"] = "auto"  # torch.compile; auto: long trainings on a GPU
    gpu: Literal["any", "none", "a100", "l40s", "h100", "h200", "rtx4090"] = "any"  # that a scheduler is asked for
    longest_job: Positive = 1440  # minutes that a scheduler is asked for at most; a longer job goes on where it was

    def variables(self) -> dict[str, str]:
        """The environment of jobs."""
        return {
            "W2S_RUNS_PER_PROCESS": str(self.runs_per_process),
            "W2S_CHECKPOINT_SECONDS": f"{self.checkpoint_seconds:g}",
            "W2S_TOKENS_AT_ONCE": str(self.tokens_at_once or ""),
            "W2S_THREADS": str(self.threads),
            "W2S_JOBS_PER_GPU": str(self.jobs_per_gpu),
            "W2S_COMPILE": self.compile,
        }


class Experiment(Strict):
    """The whole config."""

    experiment: Name
    seeds: tuple[int, ...] = Field(min_length=1)
    ceiling_half: Literal["weak", "strong"] = "weak"
    # What bands show: all seeds, or a bootstrap interval over tasks or test examples (this with one seed in any case).
    spread: Literal["seeds", "tasks", "examples"] = "seeds"
    overlay_paper: bool = False  # the paper's own curves under ours, where the axes are comparable
    gpt4_compute: float = Field(2.1e25, gt=0)  # FLOP; the paper's axes are fractions of it
    settings: tuple[Literal["nlp", "chess", "reward"], ...] | None = Field(None, min_length=1)  # of Figures 2 and 3
    figure2_best: Literal["paper", "measured"] = "paper"  # whose choice the best method of each setting is
    data: Data = Data()
    methods: dict[Name, Method]
    nlp: Nlp
    chess: Chess | None = None
    vision: Vision | None = None
    reward: Reward | None = None
    execution: Execution = Execution()

    def shown(self) -> list[str]:
        """The settings that Figures 2 and 3 show: those named, by default all that there are."""
        return list(self.settings or (name for name in SETTINGS if getattr(self, name) is not None))

    @model_validator(mode="after")
    def _settings_are_there(self) -> Experiment:
        refuse_twice("settings", self.settings or ())
        there = [name for name in SETTINGS if getattr(self, name) is not None]
        for name in self.settings or ():
            if name not in there:
                raise ValueError(f"settings: {name!r} has no section in this config; allowed: {', '.join(there)}")
        return self

    @model_validator(mode="after")
    def _names_are_known(self) -> Experiment:
        refuse_twice("seeds", self.seeds)
        for name in self.nlp.methods:
            if name not in self.methods:
                raise ValueError(f"nlp.methods: unknown method {name!r}; {allowed(name, self.methods)}")
        for name in self.nlp.comparison.methods or ():
            refuse_unknown("nlp.comparison.methods", name, self.methods)
        method_settings.check(self.methods)
        for name in self.reward.methods if self.reward else ():
            if name not in self.methods:
                raise ValueError(f"reward.methods: unknown method {name!r}; {allowed(name, self.methods)}")
            method = self.methods[name]
            if method.beside() or is_own(method.objective):
                what = ", ".join(method.beside()) or method.objective
                raise ValueError(f"reward.methods: {name!r} has {what}; allowed: methods that are an objective alone")
        for task in self.nlp.tasks:
            if task.formatter is not None:
                continue  # its rows are its own
            for key, only_with in (("folder", "directory"), ("revision", "hub")):
                if getattr(task, key) is not None and self.data.source != only_with:
                    raise ValueError(f"nlp.tasks: {task.name}: {key} is of use only with data.source {only_with!r}")
            if self.data.source == "world" and (task.train or task.test):
                raise ValueError(f"nlp.tasks: {task.name}: the micro-world has its own train and test, none to name")
        own = any(isinstance(rung, OwnRung) for rung in self.nlp.ladder)
        if own and self.nlp.pretraining.corpus == "world" and self.data.source != "world":
            raise ValueError("nlp.pretraining.corpus: 'world' needs data.source 'world'; allowed: tasks")
        return self

    def compared_methods(self) -> list[str]:
        """Names of the methods of the figure that compares them: by default those of other figures, then all others."""
        return list(self.nlp.comparison.methods or dict.fromkeys([*self.nlp.methods, *sorted(self.methods)]))


@dataclass(frozen=True)
class Catalogue:
    """What exists to be named in a config: tasks, those that a micro-world has too, objectives' parameters.

    own: the same of a user's own objective; check_own: UserError unless there is such a function.
    """

    tasks: Collection[str]
    world_tasks: Collection[str]
    objectives: Mapping[str, Mapping[str, Parameter]]
    own: Callable[[str], Mapping[str, Parameter]]
    check_own: Callable[[str], object]
    preferences: Collection[str] = ()  # tasks of the reward setting


def load(config: Mapping[str, Any], catalogue: Catalogue, *, source: str = "config.yaml") -> Experiment:
    """Validate a merged config; UserError with the first mistake in one line. Methods come back resolved."""
    try:
        experiment = Experiment.model_validate(dict(config))
    except ValidationError as error:
        raise UserError(f"{source}: {_first_line(error)}") from None
    known = catalogue.world_tasks if experiment.data.source == "world" else catalogue.tasks
    where = "task of the micro-world" if experiment.data.source == "world" else "task"
    for i, task in enumerate(experiment.nlp.tasks):
        if task.formatter is not None:
            _check_own_task(task, catalogue, f"{source}: nlp.tasks[{i}]")
        elif task.name not in known:
            hint = allowed(task.name, known)
            raise UserError(f"{source}: nlp.tasks[{i}]: unknown {where} {task.name!r}; {hint}")
    for i, pairs in enumerate(experiment.reward.tasks if experiment.reward else ()):
        if pairs.name not in catalogue.preferences:
            hint = allowed(pairs.name, catalogue.preferences)
            raise UserError(f"{source}: reward.tasks[{i}]: unknown task {pairs.name!r}; {hint}")
    methods = {name: _resolved(name, one, catalogue, source) for name, one in experiment.methods.items()}
    named = dict.fromkeys([*experiment.nlp.methods, *experiment.compared_methods()])
    try:
        method_settings.refuse_same({name: methods[name] for name in named}, lambda one: one)
    except ValueError as error:
        raise UserError(f"{source}: {error}") from None
    return experiment.model_copy(update={"methods": methods})


def _check_own_task(task: TaskChoice, catalogue: Catalogue, where: str) -> None:
    """UserError if a user's own task has the name of another, or its functions are not there."""
    if task.name in catalogue.tasks:
        raise UserError(f"{where}: {task.name!r} is a task already; give your own another name")
    for function in (task.formatter, task.relabel):
        if function is not None:
            with _placed(where):
                catalogue.check_own(function)


@contextmanager
def _placed(where: str) -> Iterator[None]:
    """Say where in the config a mistake stands."""
    try:
        yield
    except UserError as error:
        raise UserError(f"{where}: {error}") from None


def _resolved(name: str, method: Method, catalogue: Catalogue, source: str) -> Method:
    """The method with every setting of its objective filled in."""
    key, objective = f"{source}: methods.{name}", method.objective
    if is_own(objective):
        with _placed(f"{key}.objective"):
            settings = catalogue.own(objective)
    elif objective in catalogue.objectives:
        settings = catalogue.objectives[objective]
    else:
        hint = f"{allowed(objective, catalogue.objectives)}, or module:function of your own"
        raise UserError(f"{key}.objective: unknown objective {objective!r}; {hint}")
    for parameter in [*method.parameters, *method.largest]:
        if parameter not in settings:
            raise UserError(f"{key}: unknown parameter {parameter!r} of {objective!r}; {allowed(parameter, settings)}")
    for parameter, setting in settings.items():
        if setting.default is None and parameter not in method.parameters:
            raise UserError(f"{key}.{parameter}: missing; it has no default; allowed: {setting.described}")
    given, larger = (
        {parameter: settings[parameter].checked(value, f"{key}.{parameter}") for parameter, value in some.items()}
        for some in (method.parameters, method.largest)
    )
    defaults = {name: setting.default for name, setting in settings.items() if setting.default is not None}
    return method.model_copy(update={"parameters": defaults | given, "largest": larger})


def _first_line(error: ValidationError) -> str:
    """``key: value: what is wrong and what is allowed`` of the first mistake, and how many more there are."""
    first, *rest = error.errors()
    location = [part for part in first["loc"] if part not in RUNGS]  # pydantic names the kind of rung as well
    key = ".".join(str(part) for part in location)
    value, message = first["input"], first["msg"].removeprefix("Value error, ")
    if first["type"] == "extra_forbidden":
        message = f"unknown key; {allowed(location[-1], _keys_at(first['loc'][:-1]))}"
    elif first["type"] == "missing":
        message = "missing; it has no default"
    elif first["type"] == "literal_error":
        message = f"{value!r} is not allowed; allowed: {first['ctx']['expected']}"
    elif first["type"] != "value_error":
        message = f"{value!r}: {message[0].lower()}{message[1:]}"
    more = f" (and {len(rest)} more)" if rest else ""
    return f"{key}: {message}{more}" if key else f"{message}{more}"


def _keys_at(location: Sequence[str | int]) -> list[str]:
    """The keys that the section at ``location`` may have."""
    kind: Any = Experiment
    for part in location:
        if part in RUNGS:
            kind = RUNGS[part]
        elif isinstance(kind, type) and issubclass(kind, BaseModel):
            named = {field.alias or name: field for name, field in kind.model_fields.items()}
            kind = named[str(part)].annotation
        else:  # an item of a tuple or a value of a dict
            kind = [argument for argument in get_args(kind) if argument is not Ellipsis][-1]
        kind = _bare(kind)
    is_section = isinstance(kind, type) and issubclass(kind, BaseModel)
    return [field.alias or name for name, field in kind.model_fields.items()] if is_section else []


def _bare(kind: Any) -> Any:
    """A type without its annotations, and without the None that it may be instead."""
    while get_origin(kind) in (Annotated, UnionType):
        kind = next(argument for argument in get_args(kind) if argument is not NoneType)
    return kind
