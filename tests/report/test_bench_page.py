"""The page of a score on the sealed bench, in a real browser: it loads nothing, sorts, and is readable in the dark."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.report import browser
from tests.report.browser import Tab
from w2s.analysis.bootstrap import EXAMPLE_DRAWS, Estimate
from w2s.bench import ledger, submit, verdict

pytestmark = browser.MARKS

METHODS = ("naive", "confidence", "mine")
CODE = f"def training(cell):\n    return {{'epochs': 1}}  # {'a long remark <b> ' * 12}\n"
LEAST_CONTRAST = 4.5  # WCAG 2.1, 1.4.3: of small text
TABLE = "[...document.querySelectorAll('table')].find(one => one.caption.textContent == '{}')"
# For each element with a text of its own, its colour and the nearest background below it that can be seen.
COLOURS = """[...document.querySelectorAll('body *')]
    .filter(one => one.checkVisibility() && [...one.childNodes].some(child => child.nodeType == 3 && child.data.trim()))
    .map(one => {
        let below = one;
        while (below && getComputedStyle(below).backgroundColor == 'rgba(0, 0, 0, 0)') below = below.parentElement;
        return [one.outerHTML.slice(0, 80), getComputedStyle(one).color,
                getComputedStyle(below ?? document.body).backgroundColor];
    })"""


def estimate(value: float, reach: float = 0.01) -> Estimate:
    return Estimate(value, np.linspace(value - reach, value + reach, EXAMPLE_DRAWS))


def row(task: str, supervisor: str, mine: float, *, ceiling: float = 0.95) -> verdict.Row:
    accuracy = dict(zip(METHODS, map(estimate, (0.7, 0.75, mine)), strict=True))
    weak, best = estimate(0.6), estimate(ceiling)
    gain = {name: value.difference(accuracy["naive"]) for name, value in accuracy.items()}
    pgr = {name: Estimate.pgr(weak, value, best) for name, value in accuracy.items()}
    return verdict.Row(task, supervisor, "w96", weak, best, accuracy, gain, pgr)


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of the third of three scores; the PGR of one task is undefined."""
    folder = tmp_path_factory.mktemp("bench")
    table = [row("sst2", "w32", 0.78), row("boolq", "w32", 0.66), row("sciq", "w48", 0.812, ceiling=0.5)]
    scores = (("other", "b" * 16, 0.093, 0.41), ("worse", "c" * 16, -0.104, -0.3), ("mine", "a" * 16, 0.0507, 0.6))
    lines: list[ledger.Line] = []
    for number, (method, code, gain, pgr) in enumerate(scores):
        entry: dict[str, object] = dict.fromkeys(ledger.COLUMNS, "x")
        entry |= {"id": str(number), "time": str(number), "method": method, "code": code, "gain": gain, "pgr": pgr}
        entry |= {"gain_low": gain - 0.04, "gain_high": gain + 0.04, "p": 0.01 + number / 50, "tasks": 3}
        lines = ledger.append(folder / "ledger.csv", entry | {"accuracy": 0.75, "cpu_seconds": 100.0 * (number + 1)})
    board = ledger.leaderboard(lines)
    line = next(one for one in board if one["method"] == "mine")
    path = folder / "mine.html"
    path.write_text(submit.page_of(table, line, board, CODE, None), encoding="utf-8")
    return path


@pytest.fixture
def opened(page: Path, window: Tab) -> Iterator[Tab]:
    window.width(1200)
    window.errors.clear()
    window.open(page)
    yield window
    window.call("Emulation.setEmulatedMedia", media="", features=[])
    window.ask("localStorage.clear()")


def cells(tab: Tab, caption: str, column: int) -> list[str]:
    rows = f"[...{TABLE.format(caption)}.tBodies[0].rows]"
    found: list[str] = tab.ask(f"{rows}.map(row => row.cells[{column}].textContent.trim())")
    return found


def sort(tab: Tab, caption: str, head: str) -> int:
    """Click on a column's head; which column it is."""
    heads = f"[...{TABLE.format(caption)}.tHead.rows[0].cells]"
    column: int = tab.ask(f"{heads}.findIndex(one => one.textContent == '{head}')")
    tab.ask(f"{heads}[{column}].querySelector('button').click()")
    return column


def test_it_opens_without_errors_and_asks_for_itself_alone(opened: Tab) -> None:
    assert opened.errors == []
    assert [address for address in opened.requests if not address.startswith("data:")] == [opened.requests[0]]
    assert opened.requests[0].endswith("/mine.html")


def test_it_has_the_verdict_and_the_methods_row_beside_those_that_it_is_compared_with(opened: Tab) -> None:
    said = opened.ask("document.querySelector('header').textContent")
    assert "mine: better than naive: +5.1 points of accuracy (+1.1 to +9.1), mean over 3 tasks" not in said
    assert "mine: not distinguishable from naive: +5.1 points of accuracy" in said  # p of 0.05, one of three
    assert "sealed: yes" in said
    assert cells(opened, "Methods", 0) == list(METHODS)
    assert cells(opened, "Methods", 1) == ["70.0", "75.0", "75.1"]
    assert cells(opened, "Methods", 2)[0] == ""
    assert cells(opened, "Methods", 2)[2].startswith("+5.1 (")
    assert opened.ask("document.querySelector('[role=alert]')") is None


def test_tables_sort_by_number_with_signs_and_undefined_values_last(opened: Tab) -> None:
    scores = "All scores under this protocol"
    assert cells(opened, scores, 0) == ["other", "mine", "worse"]
    gain = sort(opened, scores, "gain over naive, points")
    assert cells(opened, scores, 0) == ["worse", "mine", "other"]
    assert cells(opened, scores, gain)[0].startswith("-10.4 (")
    sort(opened, scores, "CPU seconds")
    assert cells(opened, scores, 0) == ["other", "worse", "mine"]
    pgr = sort(opened, "Tasks", "PGR of mine")
    assert [text.split()[0] for text in cells(opened, "Tasks", pgr)] == ["0.17", "0.51", "undefined"]
    sort(opened, "Tasks", "PGR of mine")
    assert [text.split()[0] for text in cells(opened, "Tasks", pgr)] == ["0.51", "0.17", "undefined"]
    assert opened.errors == []


def luminance(colour: str) -> float:
    """Relative luminance of an opaque "rgb(r, g, b)" (WCAG 2.1)."""
    assert colour.startswith("rgb("), colour
    parts = np.array([int(one) for one in colour[4:-1].split(",")]) / 255
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


@pytest.mark.parametrize("chosen", ["by the reader", "by the system", "not"])
def test_every_text_stands_out_from_what_is_below_it(chosen: str, opened: Tab) -> None:
    if chosen == "by the reader":
        opened.ask("document.getElementById('theme').click()")
    elif chosen == "by the system":
        opened.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark"}])
    opened.ask("document.querySelectorAll('details').forEach(one => one.open = true)")
    texts = opened.ask(COLOURS)
    assert len(texts) > 50
    assert any("<code>" in words for words, *_ in texts)
    for words, *colours in texts:
        low, high = sorted(map(luminance, colours))
        assert (high + 0.05) / (low + 0.05) >= LEAST_CONTRAST, (words, colours)
    is_dark = luminance(opened.ask("getComputedStyle(document.body).backgroundColor")) < 0.1
    assert is_dark == (chosen != "not")


@pytest.mark.parametrize("width", [390, 1200])
def test_nothing_is_wider_than_the_window(opened: Tab, width: int) -> None:
    opened.width(width)
    opened.ask("document.querySelectorAll('details').forEach(one => one.open = true)")
    assert opened.ask("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


def test_code_is_shown_as_it_is_and_does_not_run(opened: Tab) -> None:
    assert opened.ask("document.querySelector('details code').textContent") == CODE
    assert opened.ask("document.querySelector('details b')") is None
