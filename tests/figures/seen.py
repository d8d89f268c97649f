"""What tests look at in a drawn figure."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from tests.figures.conftest import about, numbers
from w2s import figures
from w2s.experiments.plan import Plan


def draw(name: str, plan: Plan, table: pd.DataFrame | None = None, **more: Any) -> Figure:
    """A figure of invented numbers, or of a table given."""
    figure: Figure = figures.module(name).draw(numbers(name, plan) if table is None else table, about(plan, **more))
    return figure


def rendered(figure: Figure) -> Any:
    """The renderer of a figure that was laid out and drawn."""
    canvas: Any = FigureCanvasAgg(figure)
    canvas.draw()
    return canvas.get_renderer()


def footer(figure: Figure) -> str:
    """The line under everything."""
    (found,) = [text.get_text() for text in figure.texts if text.get_gid() == "footer"]
    return found.replace("\n", " ")


def xs(line: Line2D) -> list[float]:
    """Where a line's points are, from left to right."""
    return [float(value) for value in np.asarray(line.get_xdata())]


def ys(line: Line2D) -> list[float]:
    """How high a line's points are."""
    return [float(value) for value in np.asarray(line.get_ydata())]


def lines(panel: Axes, colour: Any, marker: str) -> list[Line2D]:
    """Lines of one colour and marker that are not faded."""
    return [
        line
        for line in panel.lines
        if to_hex(line.get_color()) == to_hex(colour) and line.get_marker() == marker and line.get_alpha() is None
    ]
