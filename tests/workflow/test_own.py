"""The worked example of docs/methods.md, as it stands there: an own objective, an own task, an own ladder."""

from __future__ import annotations

import csv
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.workflow.test_dag import checkout, planned, snakemake

pytestmark = pytest.mark.xdist_group(__name__)  # what these tests share is made once

FIGURE = "figures/mine/methods.pdf"
BLOCK = re.compile(r"^```(?:python|yaml) (\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = checkout(tmp_path_factory.mktemp("own") / "checkout")
    for name, content in BLOCK.findall((ROOT / "docs/methods.md").read_text()):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)
    subprocess.run([sys.executable, "make_sums.py"], cwd=folder, check=True)
    snakemake(folder, FIGURE)
    return folder


def edit(path: Path, old: str, new: str) -> None:
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))


def test_the_worked_example_draws_its_figure(made: Path) -> None:
    assert (made / FIGURE).read_bytes().startswith(b"%PDF")
    rows = list(csv.DictReader((made / "results/figures/mine/methods.csv").open()))
    assert {row["method"] for row in rows} == {"truth", "naive", "sharpened"}
    assert {row["task"] for row in rows} >= {"sums"}
    assert {row["student"] for row in rows} == {"m16"}
    assert not list(made.glob("__pycache__"))


def test_an_edit_runs_again_what_it_changes_and_nothing_else(made: Path) -> None:
    loss, task = made / "my_methods.py", made / "my_tasks.py"
    assert "Nothing to be done" in snakemake(made, "-n", FIGURE)
    edit(loss, "labels that are sharpened", "labels that are sharpened more")  # words count too: the file is hashed
    jobs = planned(snakemake(made, "-n", FIGURE))
    assert (jobs["finetune"], jobs["data"], jobs["pretrain"]) == (1, 0, 0)
    edit(task, "Question: is", "Is it so that")
    jobs = planned(snakemake(made, "-n", FIGURE))
    assert (jobs["finetune"], jobs["data"], jobs["pretrain"]) == (2 + 2, 1, 0)  # truth at both rungs, two students


def test_a_mistake_in_own_code_is_one_line(made: Path) -> None:
    edit(made / "config/mine.yaml", "power: 3", "power: 30")
    output = snakemake(made, "-n", FIGURE, check=False)
    assert "mine.yaml: methods.sharpened.power: 30 is not allowed; allowed: 1 to 10" in output
    assert "Traceback" not in output
