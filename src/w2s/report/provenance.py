"""Where an experiment's results come from: rows of the report's tables about code, machines, models and data."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from w2s.report.made import Made, Work

ROWS = ("rows", "puzzles", "images")  # the keys of a spec that say where its examples come from


def machines(work: Work, about: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Commits, versions, machines, devices, seeds and dates."""
    yield "figures, tables and this page", f"commit {about['commit']}"
    if not work.made:
        return
    for name, key in {"commit of jobs": "commit", "Python": "python", "machine": "machine"}.items():
        yield name, _counted(work.counted(key))
    for package in dict.fromkeys(name for made in work.made.values() for name in made.made_with.get("versions", {})):
        yield package, _counted(work.counted("versions", package))
    yield "device", ", ".join(work.by_device())
    yield "seeds", ", ".join(map(str, about["seeds"]))
    yield "made", f"{period(work)} (UTC)"


def models(work: Work) -> Iterator[tuple[str, ...]]:
    """Base models and their corpora."""
    for made in _of(work, "model", "corpus"):
        spec = made.artifact.spec
        parameters = made.measured.get("parameters") or made.artifact.environment.get("parameters")
        tokens = spec.get("tokens")
        yield (
            made.artifact.name.removeprefix("models/"),
            made.artifact.stage.description,
            f"{int(parameters):,}" if parameters else "",
            f"{int(tokens):,}" if isinstance(tokens, int | float) else "",
            _origin(spec.get("weights")) if "weights" in spec else "made here",
            _hash(made),
        )


def data_sets(work: Work) -> Iterator[tuple[str, ...]]:
    """Data sets as they were built."""
    for made in _of(work, "data"):
        parts = made.measured.get("counts", {}).get("parts", {})
        counts = ", ".join(f"{name} {_examples(part):,}" for name, part in parts.items())
        rows = next((value for name, value in made.artifact.spec.items() if name in ROWS), None)
        yield made.artifact.path.removeprefix("results/"), _origin(rows), counts, _hash(made)


def period(work: Work) -> str:
    """When the jobs finished, from the first to the last; "" if there are none."""
    dates = work.dates()
    if not dates:
        return ""
    first, last = (f"{date:%Y-%m-%d %H:%M}" for date in dates)
    return first if first == last else f"{first} to {last[11:] if first[:10] == last[:10] else last}"


def _of(work: Work, *kinds: str) -> list[Made]:
    found = [made for made in work.made.values() if made.artifact.stage.kind in kinds]
    return sorted(found, key=lambda made: made.artifact.path)


def _counted(found: Mapping[str, int]) -> str:
    """The most frequent value first; with counts if there are several."""
    if len(found) == 1:
        return next(iter(found))
    most = sorted(found.items(), key=lambda item: -item[1])
    return ", ".join(f"{value} ({number:,} jobs)" for value, number in most)


def _examples(part: Any) -> int:
    return int(part.get("examples", 0)) if isinstance(part, Mapping) else int(part)


def _origin(source: Any) -> str:
    """Where examples or weights come from, in short."""
    if not isinstance(source, Mapping) or not source:
        return ""
    if "hub" in source:
        return f"hub: {source['hub']} at {source.get('revision') or 'its newest commit'}"
    kind = next(iter(source))
    return kind if kind in ("world", "endgames", "digits") else f"{kind}: {json.dumps(source[kind])[:60]}"


def _hash(made: Made) -> str:
    """Twelve digits of the hash of the artifact's main file: its examples, weights or tokens."""
    files = made.record["files"]
    wanted = [name for name in files if name.startswith(("examples", "index", "model", "tokens", "source"))]
    name = (wanted or sorted(files) or [""])[0]
    return f"{name} {files[name][:12]}" if name else ""
