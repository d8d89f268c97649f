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
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from w2s.errors import LackingError, UserError, allowed

if TYPE_CHECKING:
    from w2s.analysis.results import Results, Row
    from w2s.experiments.plan import Plan
    from w2s.graph.artifact import Artifact

NUMBERED = re.compile(r"(fig|table)(\d+)")  # figures of the paper


@cache
def names() -> list[str]:
    """Figures as the user calls them: the paper's in its order (fig5, table1), then those that it does not have.

    A module of this package is a figure if it has a caption.
    """
    files = sorted(path for path in Path(__file__).parent.glob("*.py") if "\nCAPTION = " in path.read_text("utf-8"))
    stems = [path.stem for path in files]
    return [_shown(stem) for stem in sorted(stems, key=lambda stem: (NUMBERED.fullmatch(stem) is None, stem))]


def _shown(stem: str) -> str:
    return re.sub(r"0+(?=\d)", "", stem, count=1)


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
    from w2s.analysis.bootstrap import written

    return [written(row) for row in module(figure).tabulate(plan, results)]


def module_name(figure: str) -> str:
    """fig5 -> w2s.figures.fig05."""
    numbered = NUMBERED.fullmatch(figure)
    return f"w2s.figures.{numbered[1]}{int(numbered[2]):02d}" if numbered else f"w2s.figures.{figure}"
