"""Pages of an experiment that was never run, and a browser to open them in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.report import browser, made_up
from tests.report.browser import Tab
from w2s.experiments.plan import Plan
from w2s.report import comparison

PAGES = ["report", "comparison"]


@pytest.fixture(scope="session")
def pages(tmp_path_factory: pytest.TempPathFactory, tiny: Plan) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("pages")
    for name in made_up.SHOWN:
        made_up.picture(folder / "figures", name, ("png",) if name == "fig12" else ("svg", "png"))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        needed = made_up.needed(tiny)
        made_up.finish(dict(list(needed.items())[1:]))
        report = made_up.report(tiny, folder / "figures", judged=made_up.judged()).page()
    rows = {name: made_up.numbers(name, tiny).to_dict("records") for name in made_up.SHOWN}
    sides = [comparison.Experiment(tiny, rows, folder / "figures") for _ in range(2)]  # type: ignore[arg-type]
    compared = comparison.Comparison(sides[0], sides[1], made_up.SHOWN, "abc").page()
    written = {}
    for name, text in zip(PAGES, (report, compared), strict=True):
        written[name] = folder / f"{name}.html"
        written[name].write_text(text, encoding="utf-8")
    return written


@pytest.fixture(scope="session")
def window(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tab]:
    with browser.tab(tmp_path_factory.mktemp("profile")) as tab:
        yield tab
