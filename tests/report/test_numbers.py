"""Tables of numbers in the documentation are those that ``make gallery`` wrote, and say what figures say."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from tests.conftest import ROOT
from w2s.errors import UserError
from w2s.report import numbers

PAGES = sorted(path for path in (ROOT / "docs").glob("*.md") if numbers.BLOCK.search(path.read_text()))


def test_every_table_has_a_place_in_the_documentation() -> None:
    assert sorted(name for page in PAGES for name in numbers.BLOCK.findall(page.read_text())) == sorted(numbers.NUMBERS)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_documentation_says_what_make_gallery_wrote(page: Path) -> None:
    text = page.read_text()
    assert numbers.filled(text, ROOT / "docs" / "numbers") == text, "run make gallery"


def page(folder: Path, name: str = "chess") -> Path:
    docs = folder / "docs"
    docs.mkdir()
    (docs / "chess.md").write_text(f"Before.\n\n<!-- numbers: {name} -->\nold\n<!-- end of numbers -->\n\nAfter.\n")
    return docs


def test_a_table_is_written_from_a_figures(tmp_path: Path) -> None:
    docs = page(tmp_path)
    rows = [
        {"method": "zero-shot", "student": "c1", "student_compute": 1.0, "accuracy": 0.1},
        {"method": "truth", "student": "c1", "student_compute": 1.0, "accuracy": 0.3},
        {"method": "truth", "student": "c2", "student_compute": 2.0, "accuracy": 0.5},
        {"method": "naive", "student": "c2", "student_compute": 2.0, "accuracy": 0.4, "supervisor": "c1"},
    ]
    pd.DataFrame(rows).assign(supervisor_compute=1.0).to_csv(tmp_path / "fig15.csv", index=False)
    for _ in range(2):  # written twice, it is the same
        assert numbers.write(docs, tmp_path) == ["chess"]
        expected = """Before.

<!-- numbers: chess -->

| exact moves (%) | c1 | c2 |
| --- | --- | --- |
| zero-shot | 10.0 | |
| ground truth | 30.0 | 50.0 |
| naive from c1 | | 40.0 |

<!-- end of numbers -->

After.
"""
        assert (docs / "chess.md").read_text() == expected


def test_an_unknown_table_and_a_figure_without_numbers_are_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"chess.md: no table 'ches' of numbers; allowed: elicitation"):
        numbers.write(page(tmp_path, "ches"), tmp_path)
    (tmp_path / "docs" / "chess.md").write_text("<!-- numbers: chess -->\n\n<!-- end of numbers -->\n")
    with pytest.raises(UserError, match="needs fig15 in "):
        numbers.write(tmp_path / "docs", tmp_path)
