"""What marks say when the pointer is on them: titles in a figure's SVG, with the numbers that are drawn.

Each mark gets an invisible shape with a title above it, so neither the marks' looks nor other formats change.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary
from xml.sax.saxutils import escape

from matplotlib.artist import Artist
from matplotlib.container import BarContainer
from matplotlib.lines import Line2D

from w2s.analysis.aggregate import INTERVAL, MEDIAN
from w2s.chess.analysis import BOOTSTRAP, STEP
from w2s.figures import style

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from w2s.figures.bounds import Ends

RADIUS = 5  # points around a mark
CLASS = "values"  # of the group of shapes
WORDS = {
    "pgr": "PGR",
    "pgr_auroc": "PGR on AUROC",
    "auroc": "AUROC",
    "brier": "Brier score",
    "ece": "calibration error",
    "overlap": "overlap density",
    "accuracy_hard": "accuracy",
    "agreement_right": "agreement where the supervisor is right",
    "agreement_wrong": "agreement where the supervisor is wrong",
}
# Columns along which lines are drawn, if not students.
PLACES = {"rating": "puzzles rated around", "cutoff": "cutoff", "share": "share of the labels"}
END = b"</svg>"

_said: WeakKeyDictionary[Artist, Iterable[str]] = WeakKeyDictionary()


def say(drawn: Sequence[Line2D] | BarContainer, words: Iterable[str]) -> None:
    """Words for each mark: for each point of what ``plot`` returned, or for each of some bars.

    Those of a line are asked for when an SVG is written, since they can take longer than the drawing.
    """
    if isinstance(drawn, BarContainer):
        for bar, title in zip(drawn, words, strict=True):
            _said[bar] = [title]
    else:
        (line,) = drawn
        _said[line] = words


def who(rows: pd.DataFrame) -> str:
    """What a mark stands for: "sciq: w32 → w96, naive"; "w96, ground truth (ceiling), median over tasks".

    rows: those behind the mark, which differ in seeds (and in tasks) alone.
    """
    row = rows.iloc[0].dropna().to_dict()
    chain = row["chain"].split(STEP) if row["method"] == BOOTSTRAP and "chain" in row else []
    models = chain or [row[role] for role in ("supervisor", "student") if role in row]
    words = f"{' → '.join(models)}, {style.METHOD_WORDS.get(row['method'], row['method'])}"
    tasks = set(rows["task"]) - {INTERVAL}
    if len(tasks) > 1 or tasks == {"mean"}:
        return f"{words}, mean over tasks"
    return f"{words}, median over tasks" if tasks == {MEDIAN} else f"{tasks.pop()}: {words}"


def numbers(
    names: Iterable[object],
    what: str,
    values: Iterable[float],
    ends: tuple[Iterable[float], Iterable[float]] | None = None,
) -> list[str]:
    """For each value in percent: "w32 → w96, naive: accuracy 81.2% (79.0 to 83.3)".

    what: the column that the values are of. ends: as from ``bounds.of``, in the values' order.
    """
    values = list(values)
    bounds = [(math.nan, math.nan)] * len(values) if ends is None else list(zip(*ends, strict=True))
    return [f"{name}: {number(what, value, *bound)}" for name, value, bound in zip(names, values, bounds, strict=True)]


def along(rows: pd.DataFrame, what: str, values: pd.Series[float], ends: Ends | None, *, by: str) -> Iterator[str]:
    """The points of a line; beside a median's or a task's accuracy also the PGR, and the other way round.

    rows: those behind it; what: their column; values: in percent, by the column ``by``; ends: by the same.
    """
    low, high = (end.reindex(values.index) for end in ends) if ends else (values * math.nan,) * 2
    other = {"accuracy": "pgr", "pgr": "accuracy"}.get(what, "")
    behind = dict(iter(rows[rows["task"] != INTERVAL].groupby(by, dropna=False)))
    for at, value, *bounds in zip(values.index, values, low, high, strict=True):
        here = behind[at]
        name = f"{who(here)}, {PLACES[by]} {at}" if by in PLACES else who(here)
        words = [number(what, value, *bounds)]
        if other in here and here["task"].nunique() == 1 and here[other].notna().any():
            words.append(number(other, 100 * here[other].mean()))
        yield f"{name}: {', '.join(words)}"


def number(what: str, value: float, low: float = math.nan, high: float = math.nan) -> str:
    """A value in percent with its interval, if there is one: "accuracy 81.2% (79.0 to 83.3)"."""
    interval = "" if math.isnan(low) or math.isnan(high) else f" ({low:z.1f} to {high:z.1f})"
    return f"{WORDS.get(what, what)} {value:z.1f}%{interval}"


def titled(svg: bytes, figure: Figure) -> bytes:
    """The SVG that the figure was just saved as, with a title for every mark that says something."""
    shapes = "\n".join(_shapes(figure))
    if not shapes:
        return svg
    before, end, after = svg.rpartition(END)
    group = f'<g class="{CLASS}" style="fill-opacity: 0">\n{shapes}\n</g>\n'
    return before + group.encode() + end + after


def _shapes(figure: Figure) -> Iterator[str]:
    artists = [one for panel in figure.axes for one in [*panel.lines, *panel.patches] if one in _said]
    for artist in sorted(artists, key=lambda one: one.get_zorder()):
        shapes = _points(artist, figure) if isinstance(artist, Line2D) else _box(artist, figure)
        titles = _said[artist] = list(_said[artist])
        for shape, title in zip(shapes, titles, strict=True):
            if shape:
                name, attributes = shape
                written = " ".join(f'{key}="{value:.1f}"' for key, value in attributes.items())
                yield f"<{name} {written}><title>{escape(title)}</title></{name}>"


Shape = tuple[str, dict[str, float]]


def _points(line: Line2D, figure: Figure) -> Iterator[Shape | None]:
    """A circle for each point; None for those that are undefined or outside the panel."""
    assert line.axes
    panel = line.axes.get_window_extent().padded(1)
    for x, y in line.get_transform().transform(line.get_xydata()):
        is_seen = math.isfinite(x + y) and (panel.contains(x, y) or not line.get_clip_on())
        left, top = _place(x, y, figure)
        yield ("circle", {"cx": left, "cy": top, "r": RADIUS}) if is_seen else None


def _box(bar: Any, figure: Figure) -> Iterator[Shape]:
    """The part of a bar inside its panel, at least as high and wide as a point."""
    from matplotlib.transforms import Bbox

    extent = Bbox.intersection(bar.get_window_extent(), bar.axes.get_window_extent()) or bar.get_window_extent()
    left, top = _place(extent.x0, extent.y1, figure)
    right, bottom = _place(extent.x1, extent.y0, figure)
    wider, higher = (max(0, 2 * RADIUS - side) / 2 for side in (right - left, bottom - top))
    size = {"width": right - left + 2 * wider, "height": bottom - top + 2 * higher}
    yield "rect", {"x": left - wider, "y": top - higher} | size


def _place(x: float, y: float, figure: Figure) -> tuple[float, float]:
    """From pixels to points from the top left, as in an SVG."""
    points = 72 / figure.dpi
    return x * points, (figure.bbox.height - y) * points
