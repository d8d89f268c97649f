"""The documentation's gallery: a page and a picture for every figure, written anew without traces of the old."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from PIL import Image

from tests.conftest import ROOT
from w2s.config.files import read_yaml
from w2s.errors import UserError
from w2s.jobs.workflow import Workflow
from w2s.report import gallery

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def workflow() -> Workflow:
    return Workflow(read_yaml(ROOT / "config.yaml"), ROOT)


@pytest.fixture
def drawn(tmp_path: Path, workflow: Workflow) -> Path:
    """A folder with documentation and a wide picture of every figure."""
    (tmp_path / "docs").mkdir()
    for name in ("README.md", "docs/figures.md"):
        shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / "figures").mkdir()
    for name in workflow.drawable():
        Image.new("RGB", (2000, 500), "white").save(tmp_path / "figures" / f"{name}.png")
    return tmp_path


def test_every_figure_has_a_page_a_picture_and_a_place_in_both_galleries(drawn: Path, workflow: Workflow) -> None:
    names = gallery.write(workflow, drawn / "figures", drawn)
    assert names == workflow.drawable()
    for name in names:
        page = (drawn / "docs" / "figures" / f"{name}.md").read_text()
        assert f"snakemake figures/{name}.pdf" in page
        with Image.open(drawn / "docs" / "pictures" / f"{name}.png") as picture:
            assert picture.size == (1200, 300)
        assert f"docs/figures/{name}.md" in (drawn / "README.md").read_text()
        assert f"(figures/{name}.md)" in (drawn / "docs" / "figures.md").read_text()


def test_written_twice_it_is_the_same(drawn: Path, workflow: Workflow) -> None:
    gallery.write(workflow, drawn / "figures", drawn)
    once = (drawn / "README.md").read_bytes()
    gallery.write(workflow, drawn / "figures", drawn)
    assert (drawn / "README.md").read_bytes() == once


def test_a_figure_that_is_not_drawn_is_named_and_nothing_is_written(drawn: Path, workflow: Workflow) -> None:
    (drawn / "figures" / "fig7.png").unlink()
    with pytest.raises(UserError, match=re.compile("no fig7;")):
        gallery.write(workflow, drawn / "figures", drawn)
    assert not (drawn / "docs" / "figures").exists()


def test_a_page_without_a_place_for_it_is_a_mistake() -> None:
    with pytest.raises(UserError, match="should have one line"):
        gallery.with_gallery("# Title", ["fig5"], "")


def test_a_page_says_what_the_figure_needs_and_decides(drawn: Path, workflow: Workflow) -> None:
    gallery.write(workflow, drawn / "figures", drawn)
    page = (drawn / "docs" / "figures" / "fig5.md").read_text()
    assert page.startswith("# Figure 5: ")
    assert re.search(r"jobs \| 557: .*finetune a classifier \(528\)", page), page
    assert re.search(r"in nlp-paper \| [\d,]+ jobs", page)
    assert "](../claims.md)" in page


def test_pages_are_made_again_when_a_template_changes(workflow: Workflow) -> None:
    templates = {path.name for path in Path(gallery.__file__).with_name("templates").iterdir()}
    for code in (workflow.claim_code(), workflow.report_code(), workflow.comparison_code()):
        assert templates <= {Path(path).name for path in code}
