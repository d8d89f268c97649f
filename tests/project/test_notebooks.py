"""The committed notebooks: executed from top to bottom, without traces of a machine, and shown by their pages."""

from __future__ import annotations

import re

import pytest

from tests import notebooks
from tests.notebooks import FOLDER, NAMES, read

LARGEST = 300_000  # bytes


def test_the_folder_has_these_notebooks_and_their_pages() -> None:
    assert {path.stem for path in FOLDER.glob("*.ipynb")} == {path.stem for path in FOLDER.glob("*.md")} == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_was_executed_once_from_top_to_bottom_without_an_error(name: str) -> None:
    cells = [cell for cell in read(name).cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    outputs = [output for cell in cells for output in cell.outputs]
    assert any(output.output_type == "display_data" or "data" in output for output in outputs)
    assert not [output for output in outputs if output.output_type == "error" or output.get("name") == "stderr"]


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_has_no_traces_of_the_machine_or_of_the_execution(name: str) -> None:
    text = (FOLDER / f"{name}.ipynb").read_text(encoding="utf-8")
    assert text == notebooks.text_of(notebooks.settled(read(name)))
    assert len(text) < LARGEST
    words = re.sub(r'"image/png": ".*"', "", text)
    assert not re.search(r"/(home|root|tmp|usr|work|Users)\b|\d\d:\d\d:\d\d|0x[0-9a-f]{6}", words)


@pytest.mark.parametrize("name", NAMES)
def test_a_notebooks_page_and_pictures_show_what_the_notebook_has(name: str) -> None:
    text, pictures = notebooks.page(name, read(name))
    assert (FOLDER / f"{name}.md").read_text(encoding="utf-8") == text, "`make notebooks` writes the pages"
    assert {path.name: path.read_bytes() for path in FOLDER.glob(f"{name}-*.png")} == pictures
