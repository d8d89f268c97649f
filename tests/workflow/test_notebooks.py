"""The notebooks of docs/notebooks, executed: on the smoke experiment's results where there are, else on tiny ones.

CI names the folder of its results in ``W2S_SMOKE_RESULTS``.
"""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tests import notebooks
from tests.conftest import ROOT, TINY
from tests.notebooks import Notebook
from tests.workflow.test_dag import checkout, edit_config, snakemake

pytestmark = pytest.mark.xdist_group(__name__)  # what these tests share is made once

RESULTS = os.environ.get("W2S_SMOKE_RESULTS", "")
TASKS = ["boolq", "dream", "sciq", "anli", "multirc", "sst2", "ethics_justice", "wic"]


def tiny(folder: Path) -> Path:
    """A checkout in which smoke has two tiny rungs, named as the notebooks say, and Figure 5 is drawn."""
    checkout(folder)
    ladder = [rung | {"name": name} for rung, name in zip(TINY["nlp"]["ladder"], ("w48", "w96"), strict=True)]

    def change(config: dict[str, Any]) -> None:
        config.update(experiment="smoke", chess=None, reward=None, vision=None)
        config["nlp"].update(ladder=ladder, tasks=TASKS)

    edit_config(folder, change)
    snakemake(folder, "figures/fig5.pdf")
    return folder


def smoke(folder: Path) -> Path:
    """A checkout with the shipped config and the results that there are."""
    checkout(folder)
    shutil.copy(ROOT / "config.yaml", folder)
    (folder / "results").symlink_to(Path(RESULTS).resolve())
    return folder


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("notebooks") / "checkout"
    made = smoke(folder) if RESULTS else tiny(folder)
    (made / "config").mkdir()
    return made


def executed(name: str, root: Path) -> Notebook:
    environment = os.environ | {"PYTHONPATH": str(root / "src")}
    return notebooks.executed(name, root / notebooks.FOLDER.relative_to(ROOT), environment)


def said(notebook: Notebook) -> str:
    """Everything that its cells print or show as text."""
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    return "\n".join(output.get("text") or output["data"].get("text/plain", "") for output in outputs)


def pictures(notebook: Notebook) -> int:
    return len(notebooks.page("any", notebook)[1])


def row_of(root: Path, experiment: str, figure: str, **which: Any) -> dict[Any, Any]:
    """A row of a figure's numbers."""
    table = pd.read_csv(root / "results" / "figures" / experiment / f"{figure}.csv")
    for name, value in which.items():
        table = table[table[name] == value]
    (row,) = table.to_dict("records")
    return row


def test_reading_a_figure_gives_its_numbers(root: Path) -> None:
    notebook = executed("read-a-figure", root)
    assert pictures(notebook) == 1
    row = row_of(root, "smoke", "fig5", task="dream", supervisor="w48", student="w96", method="naive", seed=0)
    counts = re.search(r"^right +(\d+) +(\d+)\nwrong +(\d+) +(\d+)$", said(notebook), re.MULTILINE)
    assert counts is not None, said(notebook)
    both, supervisor_alone, student_alone, neither = map(int, counts.groups())
    examples = both + supervisor_alone + student_alone + neither
    assert (both + supervisor_alone) / examples == pytest.approx(row["weak"])
    assert (both + student_alone) / examples == pytest.approx(row["accuracy"])
    for method in ("naive", "confidence"):
        assert re.search(rf"^{method}: students are right on \d+% of what", said(notebook), re.MULTILINE)


def test_adding_a_method_trains_it_and_its_verdict_is_that_of_the_figures_numbers(root: Path) -> None:
    notebook = executed("add-a-method", root)
    assert pictures(notebook) == 1
    numbers = pd.read_csv(root / "results" / "figures" / "distrust" / "methods.csv")
    students = numbers[numbers["task"].isin(TASKS) & numbers["supervisor"].notna()]
    accuracy = 100 * students.pivot_table(index="task", columns="method", values="accuracy")
    assert sorted(accuracy.index) == sorted(TASKS)
    for method in ("confidence", "distrust"):
        verdict = re.search(rf"^{method} is .* naive: ([+-][\d.]+) points of accuracy", said(notebook), re.MULTILINE)
        assert verdict is not None, said(notebook)
        assert float(verdict.group(1)) == pytest.approx((accuracy[method] - accuracy["naive"]).mean(), abs=0.06)
    assert re.search(r" distrust +16 +0$", said(notebook), re.MULTILINE), said(notebook)
    assert not [path for name in ("distrust.py", "config/distrust.yaml") if (path := root / name).exists()]
