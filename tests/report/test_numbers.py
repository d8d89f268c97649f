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
    named = [name for page in PAGES for name in numbers.BLOCK.findall(page.read_text())]
    assert sorted(named) == sorted([*numbers.NUMBERS, *numbers.KEPT])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_documentation_says_what_make_gallery_wrote(page: Path) -> None:
    text = page.read_text()
    assert numbers.filled(text, ROOT / "docs" / "numbers") == text, "run make gallery"


def page(folder: Path, name: str = "difficulty") -> Path:
    docs = folder / "docs"
    docs.mkdir()
    (docs / "studies.md").write_text(f"Before.\n\n<!-- numbers: {name} -->\nold\n<!-- end of numbers -->\n\nAfter.\n")
    return docs


def test_a_table_is_written_from_a_figures(tmp_path: Path) -> None:
    docs = page(tmp_path)
    rows = [
        {"task": "sciq", "student": "c1", "cutoff": "c1", "cutoff_compute": 1.0, "seed": 0, "accuracy": 0.1},
        {"task": "sciq", "student": "c1", "cutoff": "c1", "cutoff_compute": 1.0, "seed": 1, "accuracy": 0.3},
        {"task": "sciq", "student": "c2", "cutoff": "any", "cutoff_compute": None, "seed": 0, "accuracy": 0.5},
    ]
    pd.DataFrame(rows).to_csv(tmp_path / "fig21.csv", index=False)
    for _ in range(2):  # written twice, it is the same
        assert numbers.write(docs, tmp_path) == ["difficulty"]
        expected = """Before.

<!-- numbers: difficulty -->

| test accuracy (%), trained up to | c1 | any |
| --- | --- | --- |
| sciq, c1 | 20.0 | |
| sciq, c2 | | 50.0 |

<!-- end of numbers -->

After.
"""
        assert (docs / "studies.md").read_text() == expected


def test_an_unknown_table_and_a_figure_without_numbers_are_named(tmp_path: Path) -> None:
    docs = page(tmp_path, "difficult")
    with pytest.raises(UserError, match=r"studies.md: no table 'difficult' of numbers; allowed: elicitation"):
        numbers.write(docs, tmp_path)
    (docs / "studies.md").write_text("<!-- numbers: difficulty -->\n\n<!-- end of numbers -->\n")
    with pytest.raises(UserError, match="needs fig21 in "):
        numbers.write(docs, tmp_path)
