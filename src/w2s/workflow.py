"""Between the config and Snakemake: experiments by name, artifacts by key, figures by name.

The Snakefile and the commands use this; it is as light as the plan.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Mapping, Sequence
from functools import cache, cached_property
from glob import glob
from pathlib import Path
from typing import Any

from w2s import figures, own
from w2s.artifacts import sha256
from w2s.claims.needed import available
from w2s.cost import REMEMBERED, past
from w2s.errors import UserError, allowed
from w2s.experiment import Catalogue, Experiment, load
from w2s.ladder import OpenRung
from w2s.models.base import TEXT_FILES, WEIGHTS
from w2s.plan import Artifact, Plan, with_ancestors
from w2s.resources import Resources
from w2s.settings.chess import Games, Puzzles
from w2s.settings.nlp import TaskChoice
from w2s.settings.reward import PairTask
from w2s.settings.vision import Images, Published
from w2s.stages import CLAIMS, PACKAGE, sources
from w2s.tasks import TASKS
from w2s.tasks import own as own_tasks
from w2s.tasks.reward import PREFERENCES
from w2s.tasks.reward import rows as reward_rows
from w2s.tasks.sources import NO_SPLIT, split_files
from w2s.tasks.task import Task
from w2s.tasks.vision import folder
from w2s.tasks.world import TOPICS
from w2s.training.objectives import OBJECTIVES, settings

LARGE = 2**28  # bytes; a larger file of games or puzzles is identified as weights are
WEIGHT_FILES = ("model.safetensors", "pytorch_model.bin")  # of a folder, the first that is there
SAMPLE = 2**20  # bytes of a weights file, at its start, middle and end, that identify it


@cache
def catalogue(root: Path = Path()) -> Catalogue:
    """All tasks and objectives that a config can name. root: the project's folder, where a user's own lie."""
    objectives = {name: settings(name) for name in OBJECTIVES}
    return Catalogue(
        tuple(TASKS),
        tuple(TOPICS),
        objectives,
        own=lambda name: settings(name, root),
        check_own=lambda name: own.described(name, root),
        preferences=tuple(PREFERENCES),
    )


def plan_of(config: Mapping[str, Any], source: str, root: Path = Path()) -> Plan:
    """The plan of a merged config; UserError in one line if the config is wrong.

    root: the project's folder, where config/ladders and a user's own code are.
    """
    experiment = load(with_ladder(config, source, root), catalogue(root), source=source)
    return Plan(experiment, Found(experiment, root))


# -- ladders by name ---------------------------------------------------------------------------------------


def with_ladder(config: Mapping[str, Any], source: str, root: Path) -> Mapping[str, Any]:
    """The config with rungs in place of names: ``ladder: pythia``, or a list of rungs and of rungs' names."""
    for setting in ("nlp", "chess", "reward"):
        section = config.get(setting)
        ladder = section.get("ladder") if isinstance(section, Mapping) else None
        if isinstance(ladder, str) or (isinstance(ladder, list) and any(map(_is_named, ladder))):
            rungs = _by_name(ladder, ladders(root), f"{source}: {setting}.ladder")
            config = deep_merge(config, {setting: {"ladder": rungs}})
    return config


def _by_name(ladder: str | list[Any], shipped: Mapping[str, list[dict[str, Any]]], where: str) -> list[dict[str, Any]]:
    if isinstance(ladder, str):
        if ladder not in shipped:
            raise UserError(f"{where}: unknown ladder {ladder!r}; {allowed(ladder, shipped)}")
        return shipped[ladder]
    known: dict[str, dict[str, Any]] = {}
    for name, rungs in shipped.items():
        for rung in rungs:
            if rung["name"] in known:
                raise UserError(f"config/ladders/{name}.yaml: another ladder has a rung {rung['name']!r} as well")
            known[rung["name"]] = rung
    return [_named_rung(rung, known, where) if _is_named(rung) else rung for rung in ladder]


def _is_named(rung: object) -> bool:
    """Whether it is a shipped rung: its name, or a mapping that changes some of it."""
    return isinstance(rung, str) or (isinstance(rung, Mapping) and not {"source", "width"} & rung.keys())


def _named_rung(rung: Any, known: Mapping[str, Mapping[str, Any]], where: str) -> dict[str, Any]:
    name = rung if isinstance(rung, str) else rung.get("name")
    if not isinstance(name, str) or name not in known:
        raise UserError(f"{where}: unknown rung {name!r}; {allowed(name, known)}")
    return {**known[name], **({} if isinstance(rung, str) else rung)}


def ladders(root: Path) -> dict[str, list[dict[str, Any]]]:
    """Ladder -> its rungs, from config/ladders/<name>.yaml; what a file says of all rungs stands under ``all``."""
    found = {}
    for path in sorted((root / "config" / "ladders").glob("*.yaml")):
        content = read_yaml(path)
        shared, rungs = content.get("all", {}), content.get("rungs")
        sound = isinstance(shared, Mapping) and not set(content) - {"all", "rungs"}
        if not sound or not isinstance(rungs, list) or not all(map(_has_a_name, rungs)):
            raise UserError(f"{path}: should hold rungs (a list of mappings with a name) and may hold all (a mapping)")
        found[path.stem] = [{**shared, **rung} for rung in rungs]
    return found


def _has_a_name(rung: object) -> bool:
    return isinstance(rung, Mapping) and isinstance(rung.get("name"), str)


# -- what lies outside of results/ -------------------------------------------------------------------------


class Found:
    """Where an experiment's rows and open models are, and what identifies them."""

    def __init__(self, experiment: Experiment, root: Path = Path()) -> None:
        self.experiment = experiment
        self.root = root

    def rows(self, choice: TaskChoice) -> tuple[dict[str, Any], dict[str, Any]]:
        """The splits of a task: on the hub by commit, in a directory by their files' content."""
        if choice.formatter is not None:
            return self._own_rows(choice)
        task = TASKS[choice.name]
        splits = {"train": choice.train or task.train, "test": choice.test or task.test}
        if splits["test"] == NO_SPLIT:
            del splits["test"]
        if self.experiment.data.source == "hub":
            if task.hub is None:
                raise UserError(f"task {task.name!r} has no hub repository; set data.source: directory")
            place = {"hub": task.hub.repository, "revision": choice.revision or task.hub.revision}
            return place | {"files": task.hub.files} | splits, {}
        return _files(self._folder(task, choice), task, splits)

    def _own_rows(self, choice: TaskChoice) -> tuple[dict[str, Any], dict[str, Any]]:
        """Rows of a user's own task, which lie in its directory."""
        folder = self.root / Path(choice.directory or "").expanduser()
        if not folder.is_dir():
            raise UserError(f"task {choice.name!r}: directory {str(folder)!r} is not there; it should hold its rows")
        splits = {"train": choice.train or "train", "test": choice.test or "test"}
        if splits["test"] == NO_SPLIT:
            del splits["test"]
        return _files(folder, own_tasks.of_choice(choice), splits)

    def _folder(self, task: Task, choice: TaskChoice) -> Path:
        return _folder_in("data.directory", self.experiment.data.directory, choice.folder or task.folder, task.name)

    def weights(self, rung: OpenRung) -> tuple[dict[str, Any], dict[str, Any]]:
        """An open model: on the hub by commit, in a directory by its files' content (large ones sampled)."""
        if not rung.is_local:
            return {"hub": rung.source, "revision": rung.revision}, {}
        folder = Path(rung.source).expanduser()
        patterns = (*TEXT_FILES, *WEIGHTS)
        files = sorted({path for pattern in patterns for path in folder.glob(pattern) if path.is_file()})
        if not (folder / "config.json").is_file():
            raise UserError(
                f"rung {rung.name!r}: {str(folder)!r} holds no base model (no config.json); it should hold "
                "config.json, tokenizer and weights as `save_pretrained` writes them"
            )
        try:
            content = {path.name: _sampled(path) for path in files}
        except OSError as error:
            raise UserError(f"rung {rung.name!r}: {error.filename} cannot be read ({error.strerror})") from None
        return {"files": content}, {"directory": str(folder)}

    def games(self, choice: Games) -> tuple[dict[str, Any], dict[str, Any]]:
        """Chess games: generated, or in files by content."""
        if choice.source == "endgames":
            return {"endgames": {"count": choice.count, "seed": choice.seed}}, {}
        content, files = _contents("chess.games.paths", choice.paths)
        identity = {"files": content, "least_elo": choice.least_elo, "limit": choice.limit}
        return identity, {"games": files}

    def puzzles(self, choice: Puzzles) -> tuple[dict[str, Any], dict[str, Any]]:
        """Chess puzzles: generated, on the hub by commit, or in files by content."""
        if choice.source == "endgames":
            return {"endgames": {"count": choice.count, "seed": choice.seed}}, {}
        if choice.source == "hub":
            place = {"hub": choice.hub, "revision": choice.revision, "files": choice.files}
            return place | {"limit": choice.limit}, {}
        content, files = _contents("chess.puzzles.paths", choice.paths)
        return {"files": content, "limit": choice.limit}, {"puzzles": files}

    def code(self, reference: str) -> tuple[dict[str, Any], dict[str, Any]]:
        """A user's own function, by what its code is."""
        return own.described(reference, self.root)

    def images(self, choice: Images) -> tuple[dict[str, Any], dict[str, Any]]:
        """Labelled images: digits, on the hub by commit, in files by content, in a folder by names and sizes."""
        if choice.source == "digits":
            return {"digits": {"pretraining": choice.pretraining, "seed": choice.seed}}, {}
        if choice.source == "hub":
            return {"hub": choice.hub, "revision": choice.revision, "files": choice.files}, {}
        key = "vision.images.paths"
        root = Path(choice.paths[0]).expanduser()
        if len(choice.paths) == 1 and root.is_dir():
            try:
                return {"folder": folder.identity(root)}, {"images": [str(root)]}
            except OSError as error:
                raise UserError(f"{key}: {error.filename} cannot be read ({error.strerror})") from None
        content, files = _contents(key, choice.paths)
        for file in files:
            if not file.endswith(".parquet"):
                raise UserError(f"{key}: {file!r} is neither a .parquet file nor one folder with a folder a class")
        return {"files": content}, {"images": files}

    def network(self, choice: Published, name: str) -> tuple[dict[str, Any], dict[str, Any]]:
        """Weights: on the hub by commit, on the web by address, in a file by content (a large one sampled)."""
        if choice.is_address:
            return {"address": choice.weights}, {}
        if not choice.is_local:
            return {"hub": choice.weights, "revision": choice.revision}, {}
        path = Path(choice.weights).expanduser()
        if path.is_dir():
            named = [path / one for one in WEIGHT_FILES if (path / one).is_file()]
            there = named or [one for one in sorted(path.iterdir()) if one.suffix in (".pth", ".pt", ".safetensors")]
            if len(there) != 1 and not named:
                what = "no file of weights" if not there else f"{len(there)} files of weights; name one of them"
                raise UserError(f"rung {name!r}: {str(path)!r} holds {what}")
            path = there[0]
        if not path.is_file():
            raise UserError(
                f"rung {name!r}: no file {str(path)!r}; weights should be a file, a folder, an https address or a "
                "hub id"
            )
        try:
            return {"file": _sampled(path)}, {"weights": str(path)}
        except OSError as error:
            raise UserError(f"rung {name!r}: {error.filename} cannot be read ({error.strerror})") from None

    def preferences(self, choice: PairTask) -> tuple[dict[str, Any], dict[str, Any]]:
        """The splits of a reward task: on the hub by commit, in a directory by their files' content."""
        setting, task = self.experiment.reward, PREFERENCES[choice.name]
        assert setting
        splits = reward_rows.splits(task, choice.train, choice.test)
        if setting.source == "hub":
            place = {"hub": task.hub.repository, "revision": choice.revision or task.hub.revision}
            return place | {"files": task.hub.files} | splits, {}
        folder = _folder_in("reward.directory", setting.directory, choice.folder or task.folder, task.name)
        files = {part: reward_rows.split_files(folder, split, task) for part, split in splits.items()}
        try:
            content = {part: [_digest(path) for path in paths] for part, paths in files.items()}
        except OSError as error:
            raise UserError(f"task {task.name!r}: {error.filename} cannot be read ({error.strerror})") from None
        return content, {part: [str(path) for path in paths] for part, paths in files.items()}


def _files(folder: Path, task: Task, splits: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """(what identifies the files of a task's splits, the files), part -> either."""
    files = {part: split_files(folder, split, task) for part, split in splits.items()}
    try:
        digests = {part: [_digest(path) for path in paths] for part, paths in files.items()}
    except OSError as error:
        raise UserError(f"task {task.name!r}: {error.filename} cannot be read ({error.strerror})") from None
    content = {part: digest[0] if len(digest) == 1 else digest for part, digest in digests.items()}
    return content, {part: [str(path) for path in paths] for part, paths in files.items()}


def _folder_in(key: str, directory: str | None, name: str, task: str) -> Path:
    """A task's folder in a directory of data sets. UserError if it is not there."""
    parent = Path(directory or "").expanduser()
    if not parent.is_dir():
        raise UserError(f"{key}: {str(parent)!r} is not a directory; it should hold one folder a task")
    folder = parent / name
    if not folder.is_dir():
        there = [path.name for path in parent.iterdir() if path.is_dir()]
        raise UserError(f"task {task!r}: no folder {str(folder)!r}; {allowed(name, there, what='there are')}")
    return folder


def _contents(key: str, patterns: Sequence[str]) -> tuple[list[str], list[str]]:
    """(what identifies each file, the files) that match, in order. UserError for a pattern that matches none."""
    files: list[str] = []
    for pattern in patterns:
        found = sorted(glob(os.path.expanduser(pattern), recursive=True))
        if not found:
            raise UserError(f"{key}: no file {pattern!r}; the path of a file or a glob that matches some is allowed")
        files += found
    try:
        content = [_sampled(path) if path.stat().st_size > LARGE else _digest(path) for path in map(Path, files)]
    except OSError as error:
        raise UserError(f"{key}: {error.filename} cannot be read ({error.strerror})") from None
    return content, files


_digest = cache(sha256)  # many tasks and seeds ask for the same file


@cache
def _sampled(path: Path) -> str:
    """A hash of a file's size and of its first, middle and last MiB: weights are too large to read for a plan."""
    size, total = path.stat().st_size, hashlib.sha256()
    total.update(str(size).encode())
    with path.open("rb") as file:
        for start in sorted({0, max(0, size // 2), max(0, size - SAMPLE)}):
            file.seek(start)
            total.update(file.read(SAMPLE))
    return total.hexdigest()


def deep_merge(base: Mapping[str, Any], overlay: Mapping[str, Any]) -> dict[str, Any]:
    """Sections merge, everything else (lists too) is replaced: what Snakemake does with --configfile."""
    merged = dict(base)
    for key, value in overlay.items():
        both = isinstance(value, Mapping) and isinstance(merged.get(key), Mapping)
        merged[key] = deep_merge(merged[key], value) if both else value
    return merged


def read_yaml(path: Path) -> dict[str, Any]:
    """A YAML file as a mapping; UserError with the line of a syntax error."""
    import yaml

    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from None
    except yaml.YAMLError as error:
        raise UserError(f"{path}: not valid YAML ({' '.join(str(error).split())})") from None
    if not isinstance(content, dict):
        raise UserError(f"{path}: should be a mapping of keys to values")
    return content


class Workflow:
    """All experiments of a checkout: the default one, and ``config/<name>.yaml`` laid over config.yaml.

    look: whether resources follow from all that was measured till now, or (in a job) from what its workflow found.
    """

    def __init__(self, config: Mapping[str, Any], root: Path = Path(), *, look: bool = True) -> None:
        self.root = root
        self._look = look
        self.config = config
        self.default = plan_of(config, "config", root)
        self._plans = {self.default.experiment.experiment: self.default}
        self._artifacts: dict[str, Artifact] = {}
        self._indexed: set[str] = set()

    @cached_property
    def resources(self) -> Resources:
        """What jobs ask a scheduler for."""
        root, look = self.root, self._look
        return Resources(
            self.default.experiment.execution, lambda: past(root / "results", root / REMEMBERED, look=look)
        )

    @property
    def overlays(self) -> list[str]:
        """Names of the experiments under config/."""
        return sorted(path.stem for path in (self.root / "config").glob("*.yaml"))

    def plan(self, name: str | None = None) -> Plan:
        """The plan of an experiment by name; the default one for None."""
        if name is None:
            return self.default
        if name not in self._plans:
            path = self.root / "config" / f"{name}.yaml"
            if not path.is_file():
                hint = allowed(name, {*self.overlays, *self._plans})
                raise UserError(f"unknown experiment {name!r} (no {path}); {hint}")
            overlay = read_yaml(path)
            if "execution" in overlay:
                raise UserError(f"{path}: execution: holds for all experiments of a call; set it in config.yaml")
            if overlay.get("experiment", name) != name:
                raise UserError(f"{path}: experiment: {overlay['experiment']!r} is not allowed; allowed: {name}")
            self._plans[name] = plan_of(deep_merge(self.config, overlay) | {"experiment": name}, str(path), self.root)
        return self._plans[name]

    def figure(self, figure: str, experiment: str | None = None) -> list[Artifact]:
        """The runs that a figure of an experiment reads; UserError for an unknown figure."""
        plan = self.plan(experiment)
        runs: list[Artifact] = list(figures.module(figure).needs(plan))
        self._artifacts |= with_ancestors(runs)
        return runs

    def drawable(self, experiment: str | None = None) -> list[str]:
        """The figures that an experiment has what it takes for; says which it lacks something for."""
        found, lacking = figures.available(self.plan(experiment))
        for name, why in lacking.items():
            print(f"{name} is left out: {why}", file=sys.stderr)
        self._artifacts |= with_ancestors(run for runs in found.values() for run in runs)
        return list(found)

    def known(self) -> list[Artifact]:
        """Every artifact that the default experiment can make."""
        return list(with_ancestors(self.default.everything()).values())

    def code(self, figure: str) -> list[str]:
        """The source files that a figure's numbers and picture come from; UserError for an unknown figure."""
        return [os.path.relpath(path) for path in sources(figures.module(figure).__name__)]

    def caption(self, figure: str) -> str:
        """What a figure shows; UserError for an unknown figure."""
        return str(figures.module(figure).CAPTION)

    def claim_tables(self, experiment: str | None = None) -> list[str]:
        """The figures whose numbers test the paper's claims, of those that an experiment can have."""
        return available(self.plan(experiment))[0]

    def claim_code(self) -> list[str]:
        """The source files that verdicts and their page come from."""
        return self._page_code("claims")

    def report_code(self) -> list[str]:
        """The source files that reports come from, those of figures aside."""
        return self._page_code("page")

    def shared(self, first: str, second: str, only: str | None = None) -> list[str]:
        """The figures that both of two experiments can have, or the one asked for."""
        ours, theirs = (figures.available(self.plan(name))[0] for name in (first, second))
        found = [name for name in ours if name in theirs]
        if only is None:
            return found
        if only not in found:
            hint = allowed(only, found, what="they have")
            raise UserError(f"experiments {first!r} and {second!r} do not both have {only!r}; {hint}")
        return [only]

    def comparison_code(self) -> list[str]:
        """The source files that comparisons of experiments come from."""
        return self._page_code("comparison")

    def _page_code(self, module: str) -> list[str]:
        files = [*sources("w2s.claims.evaluate", CLAIMS), *sources(f"w2s.report.{module}", CLAIMS)]
        files += sorted(path for kind in ("html", "css") for path in (PACKAGE / "report").glob(f"*.{kind}"))
        return [os.path.relpath(path) for path in dict.fromkeys(files)]

    def artifact(self, key: str) -> Artifact:
        """Any artifact by its key: of the experiments in use first, then of all the others."""
        if key in self._artifacts:
            return self._artifacts[key]
        mistakes = []
        for name in [*self._plans, *(name for name in self.overlays if name not in self._plans)]:
            if name in self._indexed:
                continue
            try:
                self._artifacts |= with_ancestors(self.plan(name).everything())
                self._indexed.add(name)
            except UserError as error:  # another experiment's mistake is not this one's
                mistakes.append(str(error))
            if key in self._artifacts:
                return self._artifacts[key]
        skipped = f" (not searched: {'; '.join(mistakes)})" if mistakes else ""
        raise UserError(
            f"no run with key {key} in experiments {', '.join(sorted(self._indexed))}: the config that it belongs "
            f"to has changed since, or is not under config/{skipped}"
        )
