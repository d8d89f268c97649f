"""One file a figure. Each says which runs it needs and how to draw the numbers behind it.

A figure module has

* ``CAPTION``: one or two sentences, stored in the picture files;
* ``needs(plan)``: the runs it reads, and no others. Light: no torch, no tables, no plotting at import;
* ``tabulate(plan, results)``: rows of tidy numbers, from a ``w2s.analysis.results.Results``;
* ``draw(table, about)``: a matplotlib figure, from those rows alone; about: the experiment's settings, the commit
  and perhaps a note for the footer.

``figures/fig05.py`` is ``fig5`` to the user; adding a figure is adding a file. What figures share: ``style`` (looks
and axes), ``curves``, ``overlay`` (the paper's own numbers), ``footer``, ``per_task`` (Figures 6 and 12).
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

NAMED = ("methods", "sandwiching")  # figures that the paper does not have


def names() -> list[str]:
    """Figures as the user calls them, in the paper's order: fig5, table1; then those that it does not have."""
    files = (path.stem for path in Path(__file__).parent.glob("*.py"))
    return [*(_shown(file) for file in sorted(files) if re.fullmatch(r"(fig|table)\d+", file)), *NAMED]


def _shown(file: str) -> str:
    return re.sub(r"0+(?=\d)", "", file, count=1)


def module(figure: str) -> ModuleType:
    """The module of a figure by the user's name; UserError if there is none."""
    if figure not in names():
        raise UserError(f"unknown figure {figure!r}; {allowed(figure, names())}")
    return importlib.import_module(module_name(figure))


def available(plan: Plan, among: Iterable[str] | None = None) -> tuple[dict[str, list[Artifact]], dict[str, str]]:
    """(figure that the experiment has what it takes for -> the runs it reads, other figures -> what is lacking).

    among: all by default.
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
    """The rows behind a figure as its CSV has them: with bounds of what is measured on test examples."""
    from w2s.analysis.paired import with_bounds

    return [with_bounds(row) for row in module(figure).tabulate(plan, results)]


def module_name(figure: str) -> str:
    """fig5 -> w2s.figures.fig05."""
    if figure in NAMED:
        return f"w2s.figures.{figure}"
    kind, number = re.fullmatch(r"([a-z]+)(\d+)", figure).groups()  # type: ignore[union-attr]
    return f"w2s.figures.{kind}{int(number):02d}"
