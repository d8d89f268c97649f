"""What Snakemake's own report (``snakemake --report``) says of figures and the numbers behind them.

Captions are reStructuredText. As light as the plan.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from w2s.graph.artifact import Artifact
from w2s.report.reading import SETTINGS, describe

SEVERAL, NONE = "Several settings", "Overview"


def category(runs: Iterable[Artifact]) -> str:
    """The setting that a figure is about, by the runs that it reads."""
    names = {run.name.split("/", 1)[0] for run in runs} & SETTINGS.keys()
    return SETTINGS[names.pop()] if len(names) == 1 else SEVERAL if names else NONE


def label(figure: str) -> str:
    """A figure as people call it: Figure 5."""
    return describe(figure).label


def of_picture(figure: str) -> str:
    """The caption, and how to read the figure."""
    about = describe(figure)
    return _escaped("\n\n".join(filter(None, (f"{about.label}: {about.title}.", about.caption, about.reading))))


def of_numbers(figure: str) -> str:
    """The caption of a figure's CSV file."""
    about = describe(figure)
    return _escaped(f"The numbers behind {about.label}, one row for each value shown.\n\n{about.caption}")


def _escaped(text: str) -> str:
    return re.sub(r"([\\*`|_])", r"\\\1", text)
