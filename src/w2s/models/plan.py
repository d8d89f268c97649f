"""Base models in the run graph, and what settings with a ladder share of a plan. Light: no torch."""

from __future__ import annotations

import math
from abc import abstractmethod
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

from w2s.config.common import Common
from w2s.config.ladder import OpenRung, OwnRung, Rung, Wheels
from w2s.config.methods import Method
from w2s.config.section import LadderSection, Packing
from w2s.config.user_code import is_own
from w2s.engine import hashes, streams
from w2s.engine.sources import Source, Sources, at, readable
from w2s.errors import LackingError, UserError, allowed, located
from w2s.graph.artifact import Artifact, Cached
from w2s.graph.setting import SettingPlan
from w2s.models import gguf, wheels
from w2s.models.base import TEXT_FILES, WEIGHTS
from w2s.models.stages import OPEN_MODEL, PRETRAIN

NAIVE: dict[str, Any] = {"name": "naive", "parameters": {}}  # the objective of runs on ground truth

S = TypeVar("S", bound=LadderSection)


class LadderPlan(Cached, SettingPlan, Generic[S]):
    """A setting's part of the plan: its ladder of base models; every run is made on demand and remembered.

    config: the setting's section of the experiment.
    """

    name: ClassVar[str]

    def __init__(self, experiment: Common, config: S, sources: Sources) -> None:
        super().__init__()
        self.experiment = experiment
        self.config = config
        self.sources = sources
        self.seeds: tuple[int, ...] = getattr(config, "seeds", None) or experiment.seeds
        self._rungs = {rung.name: rung for rung in config.ladder}

    def rung(self, name: str) -> Rung:
        """A rung of the ladder by name; UserError for one that is not there."""
        if name not in self._rungs:
            raise UserError(f"unknown {self.name} rung {name!r}; {allowed(name, self._rungs)}")
        return self._rungs[name]

    def known(self, task: str) -> str:
        """The task's name; UserError for one that is not there."""
        if task not in self.tasks:
            raise UserError(f"unknown {self.name} task {task!r}; {allowed(task, self.tasks)}")
        return task

    def section(self, name: str) -> Any:
        """A part of the setting's section that may be null; LackingError if it is."""
        found = getattr(self.config, name)
        if found is None:
            raise LackingError(f"experiment {self.experiment.experiment!r} has no {self.name}.{name} in its config")
        return found

    @property
    def methods(self) -> list[str]:
        """Names of the methods that figures compare."""
        return list(getattr(self.config, "methods", ("naive",)))

    @property
    def median_tasks(self) -> list[str]:
        """Names of the tasks that medians are taken over."""
        return self.tasks

    @property
    @abstractmethod
    def pretraining(self) -> Packing:
        """How rungs of an own ladder are pretrained."""

    @abstractmethod
    def corpus(self) -> Artifact:
        """Pretraining tokens and the tokenizer that own rungs share."""

    def model(self, rung: str) -> Artifact:
        """A base model."""
        return self._once(("model", rung), lambda: self._new_model(self.rung(rung)))

    def _new_model(self, rung: Rung) -> Artifact:
        if isinstance(rung, OpenRung):
            return open_model(rung, self.sources.root)
        return own_model(rung, self.config, self.pretraining, self.corpus())

    def method(self, name: str) -> Method:
        """A method of the experiment; UserError for one that is not there."""
        methods = self.experiment.methods
        if name not in methods:
            raise UserError(f"{self.name}: unknown method {name!r}; {allowed(name, methods)}")
        return methods[name]

    def objective(self, method: str, rung: Rung) -> dict[str, Any]:
        """The objective of a student under a method, as its spec has it."""
        chosen = self.method(method)
        parameters = chosen.parameters_at(self.config.compute(rung))
        objective: dict[str, Any] = {"name": chosen.objective, "parameters": parameters}
        if is_own(chosen.objective):
            objective["code"] = self.sources.code(chosen.objective).identity["code"]
        return objective


def open_model(rung: OpenRung, root: Path = Path()) -> Artifact:
    """An open base model, wherever it lies. root: the project's folder."""
    source = weights(rung, root)
    environment = {**source.location, "parameters": rung.parameters}  # as declared, to be checked
    first = f"first {rung.blocks} blocks, " if rung.blocks else ""
    message = f"open model {rung.name}: {rung.source}, {first}{rung.parameters:,} parameters"
    spec = {"source": source.identity} | ({"blocks": rung.blocks} if rung.blocks else {})
    return Artifact(OPEN_MODEL, f"models/{rung.name}", message, spec, environment=environment, priority=1000)


def weights(rung: OpenRung, root: Path) -> Source:
    """An open model: on the hub by commit; in a directory, a GGUF file or wheels by the content of its files."""
    where = f"rung {rung.name!r}"
    if isinstance(rung.source, Wheels):
        return _in_wheels(rung.source, where)
    if not rung.is_local:
        return Source({"hub": rung.source, "revision": rung.revision}, {})
    folder = at(rung.source, root)
    files = sorted({path for pattern in (*TEXT_FILES, *WEIGHTS) for path in folder.glob(pattern) if path.is_file()})
    if not any(path.match(pattern) for path in files for pattern in WEIGHTS) and (found := gguf.find(folder, where)):
        with readable(where):
            return Source({"gguf": hashes.of_files([found])[0]}, {"gguf": str(found)})
    if not (folder / "config.json").is_file():
        raise UserError(
            f"{where}: {str(folder)!r} holds no base model (no config.json); it should hold "
            "config.json, tokenizer and weights as `save_pretrained` writes them, or one GGUF file"
        )
    with located(where):
        for path in files:
            streams.refuse_pointer(path)
    with readable(where):
        digests = dict(zip([path.name for path in files], hashes.of_files(files), strict=True))
    return Source({"files": digests}, {"directory": str(folder)})


def _in_wheels(source: Wheels, where: str) -> Source:
    if source.sha256 is None:
        raise UserError(f"{where}: source.sha256: missing; `w2s fetch [EXPERIMENT]` downloads the file and prints it")
    return Source({"gguf": source.sha256}, {"gguf": str(wheels.path_of(source.sha256)), "wheels": str(source)})


def own_model(rung: OwnRung, section: LadderSection, packing: Packing, corpus: Artifact) -> Artifact:
    """A base model that is pretrained on a corpus here."""
    shape = {"width": rung.width, "intermediate": rung.intermediate, "layers": rung.layers, "heads": rung.heads}
    recipe = packing.model_dump(include=set(Packing.model_fields), exclude_none=True)
    learning_rate = {"learning_rate": rung.pretraining_learning_rate}
    spec = {"shape": shape, "tokens": rung.tokens, "training": recipe | learning_rate}
    parameters = rung.parameter_count(section.vocabulary)
    message = f"pretrain {rung.name}: {parameters:,} parameters, {rung.tokens:,} tokens"
    longest_first = 1000 + round(10 * math.log10(section.compute(rung)))
    return Artifact(PRETRAIN, f"models/{rung.name}", message, spec, {"corpus": corpus}, priority=longest_first)


def computed(rung: Rung) -> dict[str, Any]:
    """How an open model is computed with, as far as that changes its numbers."""
    if not isinstance(rung, OpenRung):
        return {}
    adapters = {"adapters": rung.adapters.model_dump()} if rung.adapters else {}
    return {"precision": rung.precision} | adapters


def needed(rung: Rung) -> dict[str, Any]:
    """What training an open model needs of the machine, without effect on its numbers."""
    return {"checkpointing": rung.checkpointing, "gpus": rung.gpus} if isinstance(rung, OpenRung) else {}
