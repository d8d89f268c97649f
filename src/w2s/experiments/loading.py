"""From a merged config to the plan of an experiment: ladders by name, validation. As light as the plan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from w2s.config.files import deep_merge, read_yaml
from w2s.engine.sources import Sources
from w2s.errors import UserError, allowed
from w2s.experiments.experiment import settings, with_ladders
from w2s.experiments.plan import Plan
from w2s.experiments.validation import load


def plan_of(config: Mapping[str, Any], source: str, root: Path = Path()) -> Plan:
    """The plan of a merged config; UserError in one line if the config is wrong.

    root: the project's folder, where config/ladders and a user's own code are.
    """
    return Plan(load(with_ladder(named_settings(config), source, root), root, source=source), Sources(root))


def named_settings(config: Mapping[str, Any]) -> Mapping[str, Any]:
    """The config without the sections of settings that its key ``settings`` leaves out."""
    named = config.get("settings")
    if not isinstance(named, list):
        return config
    return {key: value for key, value in config.items() if key not in settings() or key in named}


# -- ladders by name ---------------------------------------------------------------------------------------


def with_ladder(config: Mapping[str, Any], source: str, root: Path) -> Mapping[str, Any]:
    """The config with rungs in place of names: ``ladder: pythia``, or a list of rungs and of rungs' names."""
    for setting in with_ladders():
        section = config.get(setting)
        ladder = section.get("ladder") if isinstance(section, Mapping) else None
        if isinstance(ladder, str) or (isinstance(ladder, list) and any(map(is_named, ladder))):
            rungs = _by_name(ladder, shipped(root), f"{source}: {setting}.ladder")
            config = deep_merge(config, {setting: {"ladder": rungs}})
    return config


@dataclass(frozen=True)
class Shipped:
    """config/ladders: each ladder's rungs, and the rungs by the names under which they are defined."""

    ladders: Mapping[str, list[dict[str, Any]]]
    rungs: Mapping[str, dict[str, Any]]


def _by_name(ladder: str | list[Any], shipped: Shipped, where: str) -> list[dict[str, Any]]:
    if isinstance(ladder, str):
        if ladder not in shipped.ladders:
            raise UserError(f"{where}: unknown ladder {ladder!r}; {allowed(ladder, shipped.ladders)}")
        return shipped.ladders[ladder]
    return [_named_rung(rung, {}, shipped.rungs, where) if is_named(rung) else rung for rung in ladder]


def is_named(rung: object) -> bool:
    """Whether it is a shipped rung: its name, or a mapping that changes some of it."""
    return isinstance(rung, str) or (isinstance(rung, Mapping) and not {"source", "width"} & rung.keys())


def _named_rung(
    rung: Any, shared: Mapping[str, Any], known: Mapping[str, Mapping[str, Any]], where: str
) -> dict[str, Any]:
    name = rung if isinstance(rung, str) else rung.get("name")
    if not isinstance(name, str) or name not in known:
        raise UserError(f"{where}: unknown rung {name!r}; {allowed(name, known)}")
    return {**known[name], **shared, **({} if isinstance(rung, str) else rung)}


def shipped(root: Path) -> Shipped:
    """All of config/ladders. What a file says of all its rungs stands under ``all``, also for rungs of other files."""
    contents = {}
    for path in sorted((root / "config" / "ladders").glob("*.yaml")):
        content = read_yaml(path)
        shared, rungs = content.get("all", {}), content.get("rungs")
        sound = isinstance(shared, Mapping) and not set(content) - {"all", "rungs"}
        if not sound or not isinstance(rungs, list) or not all(map(_has_a_name, rungs)):
            raise UserError(f"{path}: expected rungs (a list of names and mappings) and optionally all (a mapping)")
        contents[path] = shared, rungs
    known: dict[str, dict[str, Any]] = {}
    for path, (shared, rungs) in contents.items():
        for rung in rungs:
            if not is_named(rung):
                if rung["name"] in known:
                    raise UserError(f"config/ladders/{path.name}: rung {rung['name']!r} is also in another ladder")
                known[rung["name"]] = {**shared, **rung}
    ladders = {
        path.stem: [
            _named_rung(rung, shared, known, str(path)) if is_named(rung) else {**shared, **rung} for rung in rungs
        ]
        for path, (shared, rungs) in contents.items()
    }
    return Shipped(ladders, known)


def _has_a_name(rung: object) -> bool:
    return isinstance(rung, str) or (isinstance(rung, Mapping) and isinstance(rung.get("name"), str))
