"""One module per figure. Each declares the runs that it needs and draws the numbers behind it.

A figure module has

* ``CAPTION``: a few short sentences, stored in the picture files;
* ``needs(plan)``: exactly the runs it reads. Light: no torch, tables or plotting at import;
* ``tabulate(plan, results)``: rows of tidy numbers, from a ``w2s.analysis.results.Results``;
* ``draw(table, about)``: a matplotlib figure from these rows alone; about: the experiment's settings, the commit
  and an optional note for the footer.

Users refer to ``figures/fig05.py`` as ``fig5``. To add a figure, add a file. Shared code: ``style`` (looks and
axes), ``curves``, ``overlay`` (the paper's results), ``footer``, ``per_task`` (Figures 6 and 12).
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from w2s.errors import LackingError, UserError, allowed

if TYPE_CHECKING:
    from w2s.analysis.results import Results, Row
    from w2s.experiments.plan import Plan
    from w2s.graph.artifact import Artifact

NAMED = ("methods", "sandwiching")  # figures that are not in the paper


def names() -> list[str]:
    """User-facing names of figures in the paper's order (fig5, table1), then figures that are not in the paper."""
    files = (path.stem for path in Path(__file__).parent.glob("*.py"))
    return [*(_shown(file) for file in sorted(files) if re.fullmatch(r"(fig|table)\d+", file)), *NAMED]


def _shown(file: str) -> str:
    return re.sub(r"0+(?=\d)", "", file, count=1)


def module(figure: str) -> ModuleType:
    """The module of a figure by its user-facing name; UserError if there is none."""
    if figure not in names():
        raise UserError(f"unknown figure {figure!r}; {allowed(figure, names())}")
    return importlib.import_module(module_name(figure))


def available(plan: Plan, among: Iterable[str] | None = None) -> tuple[dict[str, list[Artifact]], dict[str, str]]:
    """(available figure -> the runs it reads, unavailable figure -> what is missing).

    among: figures to consider; all by default.
    """
    found: dict[str, list[Artifact]] = {}
    lacking = {}
    for name in names() if among is None else among:
        try:
            found[name] = list(module(name).needs(plan))
        except LackingError as error:
            lacking[name] = str(error)
    return found, lacking


def numbers(figure: str, plan: Plan, results: Results) -> list[Row]:
    """The rows of a figure's CSV, with bounds for values measured on test examples."""
    from w2s.analysis.paired import with_bounds

    return [with_bounds(row) for row in module(figure).tabulate(plan, results)]


def module_name(figure: str) -> str:
    """fig5 -> w2s.figures.fig05."""
    if figure in NAMED:
        return f"w2s.figures.{figure}"
    kind, number = re.fullmatch(r"([a-z]+)(\d+)", figure).groups()  # type: ignore[union-attr]
    return f"w2s.figures.{kind}{int(number):02d}"
