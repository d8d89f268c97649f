"""The paper's curves, drawn faintly behind ours where the axes are comparable (``overlay_paper``)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from matplotlib.lines import Line2D

from w2s import paper
from w2s.analysis.pairs import NLP
from w2s.chess.analysis import CHESS, ZERO_SHOT
from w2s.experiments.settings import invented
from w2s.figures import hover, style
from w2s.reward.analysis import REWARD

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

FAINT: dict[str, Any] = {"linewidth": 0.8, "alpha": 0.35, "zorder": 1.5}
LOWEST, HIGHEST = -7.06, 0.0  # log10 of the compute of the paper's smallest and largest model, as fractions of GPT-4's
FILES = {NLP: ("nlp_medians", "nlp_agreement"), CHESS: ("chess",), REWARD: ("reward",)}


def requested(about: dict[str, Any]) -> bool:
    """Whether the experiment requests the paper's results."""
    return bool(about.get("overlay_paper"))


def wanted(about: dict[str, Any], setting: str) -> bool:
    """Whether the paper's results are drawn: requested, and the setting's data are real."""
    return requested(about) and not invented(about, {setting})


def said(about: dict[str, Any], settings: Iterable[str], words: str) -> str:
    """A note on the paper's results if they are drawn; if they are requested and all data are synthetic, why not."""
    if any(wanted(about, setting) for setting in settings):
        return words
    return NOT_DRAWN if requested(about) else ""


def comparable(about: dict[str, Any], table: pd.DataFrame) -> bool:
    """Whether the paper's curves are drawn and their compute range overlaps with this ladder's.

    table: of one setting.
    """
    (setting,) = style.in_order(table, "setting")
    return wanted(about, setting) and not _apart(about, table)


def _apart(about: dict[str, Any], table: pd.DataFrame) -> str:
    """Why the paper's curves are not beside this ladder: data, or compute without overlap. Empty if they are."""
    (setting,) = style.in_order(table, "setting")
    if invented(about, {setting}):
        return NOT_DRAWN
    ours = table["student_compute"].dropna()
    starts, ends = (flop(about, fraction) for fraction in (LOWEST, HIGHEST))
    if ours.max() < starts:
        return f"the paper's curves start at {starts:.2g} FLOP, beyond this ladder"
    if ours.min() > ends:
        return f"the paper's curves end at {ends:.2g} FLOP, short of this ladder"
    return ""


def curves(
    panel: Axes,
    about: dict[str, Any],
    table: pd.DataFrame,
    value: str,
    *,
    styles: style.Styles = style.METHOD_STYLES,
    rows: Sequence[Mapping[str, str]] | None = None,
) -> None:
    """The paper's curves of ground truth and of the methods in the table. See ``w2s.paper`` for the files.

    table: of one setting. rows: of the paper; by default all rows of the setting's usual files.
    """
    if not comparable(about, table):
        return
    (setting,) = style.in_order(table, "setting")
    if rows is None:
        rows = [row for name in FILES.get(setting, ()) for row in paper.read(name)]
    supervisors = sorted({float(row["supervisor"]) for row in rows if row["supervisor"]})
    lines: dict[tuple[str, str], list[tuple[float, float]]] = {}
    for row in rows:
        repeated = setting == NLP and row["figure"] == "3"  # its PGRs are also in Figure 5
        if row["quantity"] == value and row["method"] in set(table["method"]) and not repeated:
            point = (flop(about, float(row["student"])), float(row["value"]))
            lines.setdefault((row["method"], row["supervisor"]), []).append(point)
    for (method, supervisor), points in lines.items():
        colour = style.TRUTH_COLOUR
        if supervisor:
            colour = style.hue(supervisors.index(float(supervisor)), len(supervisors))
        line = {**styles[method], "markersize": 2.5, **FAINT}
        x, y = zip(*sorted(points), strict=True)
        drawn = panel.plot(x, y, color=colour, **line)
        name = f"the paper, {style.METHOD_WORDS.get(method, method)}"
        hover.say(drawn, hover.numbers([name] * len(y), value, y))


def line(panel: Axes, about: dict[str, Any], points: Sequence[tuple[float, float]], **look: Any) -> None:
    """One of the paper's curves: points are (log10 of compute as a fraction of GPT-4's, percent)."""
    placed = [(flop(about, fraction), value) for fraction, value in points]
    panel.plot(*zip(*sorted(placed), strict=True), **{**look, **FAINT})


def entries(about: dict[str, Any], table: pd.DataFrame) -> list[Line2D]:
    """Legend entries of the paper's curves."""
    if not any(comparable(about, rows) for _, rows in table.groupby("setting")):
        return []
    return [Line2D([], [], color=style.TRUTH_COLOUR, label="paper", **FAINT)]


def note(about: dict[str, Any], table: pd.DataFrame) -> str:
    """The footer's note on the paper's curves; empty if they are not requested."""
    if not requested(about):
        return ""
    notes: dict[str, list[str]] = {}
    for setting in style.in_order(table, "setting"):
        drawn = f"faint curves: the paper's results, assuming {about['gpt4_compute']:.2g} FLOP for GPT-4"
        words = _apart(about, table[table["setting"] == setting]) or drawn
        notes.setdefault(words, []).append(style.SETTING_WORDS.get(setting, setting))
    if len(notes) == 1:
        return next(iter(notes))
    return "; ".join(f"{' and '.join(settings)}: {words}" for words, settings in notes.items())


def bars(panel: Axes, heights: dict[float, tuple[float, float]], *, width: float) -> None:
    """Outlines at the paper's values. heights: x position -> (height, half of its error bar or 0), in percent."""
    for place, (height, error) in heights.items():
        line: dict[str, Any] = {"linewidth": 0.8, "zorder": 4}
        panel.bar(place, height, width, fill=False, edgecolor=style.TRUTH_COLOUR, linestyle="--", **line)
        if error:  # next to ours
            panel.errorbar(place + width / 4, height, error, color=style.TRUTH_COLOUR, capsize=2, **line)


BARS_NOTE = "dashed outlines: the paper's results"
NOT_DRAWN = "the paper's results are not drawn beside synthetic data"


def flop(about: dict[str, Any], fraction: float) -> float:
    """FLOP of a model of the paper. fraction: log10 of its compute as a fraction of GPT-4's."""
    return float(about["gpt4_compute"]) * math.pow(10, fraction)


BEHIND = "faint curves: the paper's results"


# -- easy and hard chess puzzles ---------------------------------------------------------------------------

NEAR = 0.5  # maximum distance in decades of compute between a rung and one of the paper's models


def easy_to_hard(panel: Axes, about: dict[str, Any], test: str, colours: Mapping[str, Any]) -> None:
    """Figure 19's curves for cutoffs that we have too; its axes are accuracies and always comparable."""
    if not wanted(about, CHESS):
        return
    for method, colour in {**colours, ZERO_SHOT: style.TRUTH_COLOUR}.items():
        rows = [row for row in paper.read("chess_easy_to_hard") if (row["test"], row["method"]) == (test, method)]
        if rows:
            points = sorted((float(row["all"]), float(row["value"])) for row in rows)
            panel.plot(*zip(*points, strict=True), color=colour, marker=".", **FAINT)


def by_rating(panel: Axes, about: dict[str, Any], cutoff: str, table: pd.DataFrame) -> None:
    """Figure 20's curves of the paper's model nearest to a rung in compute. table: of one rung."""
    model = _nearest(about, float(table["student_compute"].iloc[0])) if wanted(about, CHESS) else None
    colours = {cutoff: "#0c8140", "all": "#3953a4", "hard": "#92278f"}
    for method, colour in colours.items() if model else ():
        rows = [row for row in paper.read("chess_by_rating") if (row["student"], row["method"]) == (model, method)]
        if rows:
            points = sorted((float(row["rating"]), float(row["value"])) for row in rows)
            panel.plot(*zip(*points, strict=True), color=colour, **FAINT)


def near(about: dict[str, Any], table: pd.DataFrame) -> str:
    """The footer's note on these curves; empty if they are not requested."""
    if not wanted(about, CHESS):
        return said(about, [CHESS], "")
    if any(_nearest(about, compute) for compute in table["student_compute"]):
        return f"{BEHIND} for the model within half a decade of compute (GPT-4: {about['gpt4_compute']:.2g} FLOP)"
    return "no rung is within half a decade of compute of the paper's models, so its curves are omitted"


def _nearest(about: dict[str, Any], compute: float) -> str | None:
    models = {row["student"] for row in paper.read("chess_by_rating")}
    apart = {model: abs(math.log10(compute / flop(about, float(model)))) for model in sorted(models)}
    nearest = min(apart, key=lambda model: apart[model])
    return nearest if apart[nearest] <= NEAR else None
