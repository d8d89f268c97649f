"""An experiment as it was resolved, line by line, with the file that each value comes from. Light: no torch."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from w2s.experiments.loading import is_named

DEFAULT = "default"
_ABSENT = object()


@dataclass(frozen=True)
class Line:
    """A key with its value (None for a section, whose keys follow) and the file that says so.

    path: the key's path, ``("nlp", "training", "epochs")``; items of a list have their number in it.
    """

    path: tuple[str | int, ...]
    value: Any
    origin: str
    is_section: bool = False


def lines(
    resolved: Mapping[str, Any], layers: Sequence[tuple[str, Mapping[str, Any]]], shipped: Collection[str]
) -> Iterator[Line]:
    """Every key of an experiment in order, but for those that are null because no file sets them.

    resolved: the experiment as JSON. layers: (file, content), the overlay before what it is laid over. shipped: names
    of the rungs in config/ladders.
    """
    for key, value in resolved.items():
        yield from _lines((key,), value, layers, shipped)


def _lines(
    path: tuple[str | int, ...],
    value: Any,
    layers: Sequence[tuple[str, Mapping[str, Any]]],
    shipped: Collection[str],
) -> Iterator[Line]:
    if isinstance(value, Mapping) and value:
        yield Line(path, None, "", is_section=True)
        for key, one in value.items():
            yield from _lines((*path, key), one, layers, shipped)
    elif isinstance(value, list) and value and all(isinstance(item, Mapping) for item in value):
        yield Line(path, None, "", is_section=True)
        origin, given = _origin(path, layers)
        for number, item in enumerate(value):
            shown = {key: one for key, one in item.items() if one is not None}
            yield Line((*path, number), shown, _of_item(item, given, origin, shipped))
    else:
        origin = _origin(path, layers)[0]
        if value is not None or origin != DEFAULT:
            yield Line(path, value, origin)


def _origin(path: tuple[str | int, ...], layers: Sequence[tuple[str, Mapping[str, Any]]]) -> tuple[str, Any]:
    """(the first file that has the key, or has replaced a section that it would be in; what it says)."""
    for name, content in layers:
        at: Any = content
        for key in path:
            if not isinstance(at, Mapping):
                break  # what stood here before was replaced
            at = at.get(key, _ABSENT)
        if at is not _ABSENT:
            return name, at
    return DEFAULT, None


def _of_item(item: Mapping[str, Any], given: Any, origin: str, shipped: Collection[str]) -> str:
    """Where an item of a list comes from: a rung may only be named there, or all of a ladder be."""
    written = [one for one in given if isinstance(one, Mapping)] if isinstance(given, list) else []
    in_full = any(one.get("name") == item.get("name") and not is_named(one) for one in written)
    if not is_named(item) and item.get("name") in shipped and not in_full:
        return f"config/ladders, named in {origin}"
    return origin


def below(found: Sequence[Line], keys: Sequence[str]) -> list[Line]:
    """The lines of some keys (``nlp.training``), with the sections that they stand in; KeyError for one not there."""
    paths = [[str(part) for part in line.path] for line in found]
    kept: set[int] = set()
    for key in keys:
        wanted = key.split(".")
        inside = [number for number, path in enumerate(paths) if path[: len(wanted)] == wanted]
        if not inside:
            raise KeyError(key)
        kept.update(inside)
        kept.update(n for n, path in enumerate(paths) if found[n].is_section and path == wanted[: len(path)])
    return [found[number] for number in sorted(kept)]


def as_text(found: Sequence[Line]) -> str:
    """The lines as YAML, a comment with the origin behind each value."""
    import yaml

    texts = []
    for line in found:
        indent = "  " * (len(line.path) - 1)
        key = line.path[-1]
        lead = f"{indent}- " if isinstance(key, int) else f"{indent}{key}:"
        if line.is_section:
            texts.append((lead, ""))
            continue
        value = yaml.safe_dump(
            line.value, default_flow_style=True, sort_keys=False, width=float("inf"), allow_unicode=True
        )
        value = value.removesuffix("\n").removesuffix("\n...")
        texts.append((f"{lead}{value}" if isinstance(key, int) else f"{lead} {value}", line.origin))
    width = min(64, max((len(text) for text, origin in texts if origin), default=0))
    return "\n".join(f"{text:<{width}}  # {origin}" if origin else text for text, origin in texts)
