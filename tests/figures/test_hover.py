"""Titles of marks: every figure has them, where the marks are, with the numbers of its table."""

from __future__ import annotations

import io
import re
from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib.figure import Figure

from tests.figures.conftest import Shape, numbers, sections
from tests.figures.seen import draw
from w2s import figures
from w2s.analysis.aggregate import MEDIAN
from w2s.figures import hover

WITHOUT = ("fig1", "fig14", "table1", "table2", "table3")  # drawings and tables: all that they know is written there
SPACE = "{http://www.w3.org/2000/svg}"


def saved(figure: Figure) -> bytes:
    file = io.BytesIO()
    figure.savefig(file, format="svg", metadata={"Date": None})
    return hover.titled(file.getvalue(), figure)


def titles(svg: bytes) -> list[str]:
    shapes = ElementTree.fromstring(svg).findall(f".//{SPACE}g[@class='values']/*/{SPACE}title")
    return [str(title.text) for title in shapes]


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in figures.names() if name not in WITHOUT])
def test_every_figure_says_its_numbers(name: str, shape: Shape) -> None:
    found = titles(saved(draw(name, shape(**sections(name)))))
    assert found
    assert all(re.search(r": .*-?\d+\.\d", title) for title in found)
    assert not any("nan" in title for title in found)


def test_titles_lie_on_the_marks_and_are_the_same_bytes_when_drawn_again(shape: Shape) -> None:
    plan = shape()
    svg = saved(draw("fig5", plan))
    assert svg == saved(draw("fig5", plan))
    root = ElementTree.fromstring(svg)
    marks = np.array([[float(use.get(key, "nan")) for key in ("x", "y")] for use in root.iter(f"{SPACE}use")])
    circles = [[float(circle.attrib[key]) for key in ("cx", "cy")] for circle in root.iter(f"{SPACE}circle")]
    assert len(circles) > 10
    for circle in circles:
        assert np.nanmin(np.abs(marks - circle).max(axis=1)) < 0.1


def test_a_title_is_the_rows_of_its_mark(shape: Shape) -> None:
    plan = shape()
    table = numbers("fig5", plan)
    found = titles(saved(draw("fig5", plan, table)))
    middle = table[(table["task"] == MEDIAN) & (table["method"] == "naive")]
    for (weak, strong), rows in middle.groupby(["supervisor", "student"]):
        start = f"{weak} → {strong}, naive, median over tasks: "
        of_pair = [title for title in found if title.startswith(start)]
        assert any(title.startswith(f"{start}accuracy {100 * rows['accuracy'].mean():.1f}%") for title in of_pair)
        if rows["pgr"].notna().any():
            assert any(title.startswith(f"{start}PGR {100 * rows['pgr'].mean():z.1f}%") for title in of_pair)
            assert len(of_pair) == 2


def test_bars_points_outside_and_names_with_markup() -> None:
    figure = Figure(dpi=150)
    panel = figure.subplots()
    hover.say(panel.bar([0, 1], [50, 0]), ["a <b> & c: accuracy 50.0%", "nothing: accuracy 0.0%"])
    heights = [10, np.nan, 300]
    hover.say(panel.plot([0, 1, 2], heights, "o"), hover.numbers("xyz", "pgr", heights, ([8] * 3, [12] * 3)))
    panel.set_ylim(0, 60)
    svg = saved(figure)
    assert titles(svg) == [
        "a <b> & c: accuracy 50.0%",
        "nothing: accuracy 0.0%",
        "x: PGR 10.0% (8.0 to 12.0)",
    ]
    first, second = ElementTree.fromstring(svg).findall(f".//{SPACE}rect/{SPACE}title/..")[-2:]
    assert float(first.attrib["height"]) > 100
    assert float(second.attrib["height"]) == 2 * hover.RADIUS


def test_a_figure_that_says_nothing_is_left_as_it_is() -> None:
    assert hover.titled(b"<svg></svg>", Figure()) == b"<svg></svg>"
