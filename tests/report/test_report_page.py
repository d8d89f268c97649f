"""The report: what it says of numbers, manifests and failures, whole in one file."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.report import made_up
from w2s import figures
from w2s.experiments.plan import Plan
from w2s.report import deviations, pictures
from w2s.report.reading import READING


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with the pictures of all shown figures."""
    monkeypatch.chdir(tmp_path)
    for name in made_up.SHOWN:
        made_up.picture(tmp_path / "figures", name)
    return tmp_path / "figures"


def words(page: str) -> str:
    """What a reader sees of a page."""
    found: list[str] = []

    class Reader(HTMLParser):
        def handle_data(self, data: str) -> None:
            found.append(data)

    Reader().feed(re.sub(r"<(style|script)>.*?</\1>", "", page, flags=re.DOTALL))
    return " ".join(" ".join(found).split())


def test_a_complete_report_has_verdicts_first_and_says_what_it_took(tiny: Plan, folder: Path) -> None:
    needed = made_up.needed(tiny)
    made_up.finish(needed)
    page = made_up.report(tiny, folder).page()
    order = [
        page.index(f'id="{name}"') for name in ("verdicts", "figures", "work", "provenance", "deviations", "claims")
    ]
    assert order == sorted(order)
    text = words(page)
    assert "Not complete" not in text
    assert f"all {len(needed)} are complete" in text
    assert f"{len(needed) * 2 / 3600:,.2f} cpu hours" in text
    assert "made 2026-01-02 03:04" in text
    assert "figures and tables 3 of 4" in text
    assert "Figure 4 experiment 'tiny' has no <chess> section" in text
    assert "torch 2.13.0" in text
    assert "examples.parquet 0123456789ab" in text
    assert "seeds one two seeds" in text
    assert figures.module("fig5").CAPTION in text
    assert READING["fig5"] in text


def test_each_figure_says_how_many_jobs_it_needed_and_how_many_for_it_alone(tiny: Plan, folder: Path) -> None:
    made_up.finish(made_up.needed(tiny))
    text = words(made_up.report(tiny, folder).page())
    assert "It needed 2 jobs (build data (2)), all shared with other figures: 3.0 s of computing." in text
    one, other = (made_up.needed(tiny, [name]) for name in ("fig5", "fig12"))
    assert one.keys() == other.keys()
    assert f"It needed {len(one)} jobs (build data (2), write a corpus (1), pretrain a base model (2), " in text


def test_missing_and_failed_jobs_are_told_at_the_top_and_named(tiny: Plan, folder: Path) -> None:
    needed = made_up.needed(tiny)
    *done, failed, damaged, waiting = needed.values()
    made_up.finish({one.key: one for one in done})
    log = Path("logs") / f"{failed.path.removeprefix('results/')}.log"
    log.parent.mkdir(parents=True)
    log.write_text("began\nw2s: the <disk> is full\n")
    Path(damaged.manifest).parent.mkdir(parents=True)
    Path(damaged.manifest).write_text("{")
    for kind in ("svg", "png"):
        (folder / f"fig12.{kind}").unlink()
    report = made_up.report(tiny, folder)
    page, text = report.page(), words(report.page())
    assert "Not complete: 3 jobs failed or not done and 1 figure not drawn (fig12)" in text
    assert f"{failed.message} failed w2s: the <disk> is full" in text
    assert f"{damaged.message} damaged" in text
    assert f"{waiting.message} waiting" in text
    assert 'id="fig12"' not in page
    assert 'href="#fig12"' not in page
    assert report.summary().endswith("3 jobs missing")


def test_undefined_pgrs_and_runs_without_memory_are_counted(tiny: Plan, folder: Path) -> None:
    made_up.finish(made_up.needed(tiny), out_of_memory_at=[4096])
    table = made_up.numbers("fig5", tiny)
    table.loc[table.index[table["undefined"].notna() & (table["task"] == "sciq")][:1], "undefined"] = 1
    report = made_up.report(tiny, folder)
    shown = [one if one.name != "fig5" else type(one)(one.name, one.runs, one.files, table) for one in report.shown]
    text = words(made_up.report(tiny, folder, shown=shown).page())
    assert "Undefined PGRs figure setting undefined rows by task Figure 5 nlp 1 of" in text
    assert "sciq 1" in text
    assert "[4096]" in text
    assert "No PGR is undefined" in words(report.page())


def test_dates_are_the_manifests_or_else_the_files(tiny: Plan, folder: Path) -> None:
    needed = made_up.needed(tiny)
    made_up.finish(needed)
    first = Path(next(iter(needed.values())).manifest)
    record = json.loads(first.read_text())
    del record["made_with"]["finished"]
    first.write_text(json.dumps(record))
    dates = made_up.report(tiny, folder).work.dates()
    assert dates
    assert dates[0].year == 2026
    assert dates[1].timestamp() == pytest.approx(first.stat().st_mtime, abs=1) or dates[0] < dates[1]


def test_every_figure_of_the_paper_says_how_to_read_it() -> None:
    ours = [name for name in figures.names() if figures.NUMBERED.fullmatch(name)]
    assert set(ours) <= set(READING)
    assert set(READING) <= set(figures.names())


def test_small_lines_stay_lines_and_many_become_dots(tmp_path: Path) -> None:
    made_up.picture(tmp_path, "few")
    made_up.picture(tmp_path, "many", points=1500)
    few, many = (pictures.embedded(pictures.files(name, tmp_path)) for name in ("few", "many"))
    assert few.uri.startswith("data:image/svg+xml;base64,")
    assert many.uri.startswith("data:image/png;base64,")
    assert few.shapes.count("<title>") == 9
    assert many.shapes.count("<title>") == 4500
    for picture in (few, many):
        assert (picture.width, picture.height) == (672, 288)  # 7 by 3 inches
        assert picture.is_wide
    assert len(many.uri) < 4 / 3 * (tmp_path / "many.png").stat().st_size


def test_deviations_are_those_of_the_documentation(tmp_path: Path) -> None:
    (tmp_path / "deviations.md").write_text("# Title\n\n## Methods\n\nNone.\n")
    (tmp_path / "vision.md").write_text(
        "# Vision\n\nOther.\n\n## Deviations from the paper\n\nA *probe*.\n\n## More\n\nNo.\n"
    )
    (tmp_path / "chess.md").write_text("# Chess\n\nNothing differs.\n")
    found = deviations.read(tmp_path)
    assert list(found) == ["", "Vision"]
    assert found["Vision"] == "A *probe*."
    assert deviations.render(found[""]).splitlines()[-2:] == ["<h3>Methods</h3>", "<p>None.</p>"]


def test_the_documentations_own_deviations_render_without_a_trace_of_markdown() -> None:
    docs = Path(__file__).resolve().parents[2] / "docs"
    for text in deviations.read(docs).values():
        page = deviations.render(text)
        rows = [line for line in text.splitlines() if line.startswith("|")]
        assert page.count("<tr>") == len(rows) - page.count("<table")
        assert not re.search(r"\]\(|`|\*\*|^#|\|\s*$", words(page), flags=re.MULTILINE)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a `b<c` d", "a <code>b&lt;c</code> d"),
        ("**b *c* d**", "<strong>b <em>c</em> d</strong>"),
        ("[words](page.md#part) on", "words on"),
        ("[words](https://x.org/?a&b)", '<a href="https://x.org/?a&amp;b">words</a>'),
        ("2 * 3 * 4 < 5", "2 * 3 * 4 &lt; 5"),
    ],
)
def test_inline_markdown(text: str, expected: str) -> None:
    assert deviations.render(text) == f"<p>{expected}</p>\n"
