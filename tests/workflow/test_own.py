"""The worked example of docs/methods.md, as it stands there: an own objective, an own task, an own ladder."""

from __future__ import annotations

import csv
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.workflow.test_dag import checkout, edit_config, planned, snakemake

pytestmark = pytest.mark.xdist_group(__name__)  # what these tests share is made once

FIGURE, REPORT = "figures/mine/methods.pdf", "report/mine/report.html"
BLOCK = re.compile(r"^```(?:python|yaml) (\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = checkout(tmp_path_factory.mktemp("own") / "checkout")
    for name, content in BLOCK.findall((ROOT / "docs/methods.md").read_text()):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)
    subprocess.run([sys.executable, "make_sums.py"], cwd=folder, check=True)
    edit_config(folder, lambda config: config.update(chess=None, reward=None, vision=None))
    edit_config(folder, lambda config: config["nlp"].update(difficulty=None, errors=None, sandwiching=None))
    edit_config(folder, lambda config: config["nlp"].update(fewer_labels=None))
    snakemake(folder, FIGURE)
    snakemake(folder, REPORT)
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


def table(made: Path, figure: str) -> list[dict[str, str]]:
    return list(csv.DictReader((made / f"results/figures/mine/{figure}.csv").open()))


def test_the_report_of_the_worked_example_has_its_task_in_every_table(made: Path) -> None:
    (about,) = (row for row in table(made, "table1") if row["task"] == "sums")
    assert (about["title"], about["source"], about["licence"]) == ("Sums", "own", "")
    assert about["rows_from"] == "data/sums/train.jsonl"
    assert {row["task"] for row in table(made, "fig9")} >= {"sciq", "sums"}
    assert [(row["title"], row["whose"]) for row in table(made, "table2")] == [("SciQ", "paper"), ("Sums", "config")]
    page = (made / REPORT).read_text()
    assert re.search(r"^sums .*\b562\b", page, re.MULTILINE)  # Table 1 as text
    assert "NaN" not in re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)  # sums has no licence
    for drawn in ("table1", "table2", "fig9", "fig12"):
        assert (made / f"figures/mine/{drawn}.png").stat().st_size > 10_000
        assert f'id="{drawn}"' in page


def test_examples_of_the_worked_example_have_its_title(made: Path) -> None:
    command = [sys.executable, "-m", "w2s", "examples", "sums", "--experiment", "mine", "-n", "1"]
    environment = os.environ | {"PYTHONPATH": str(made / "src")}
    done = subprocess.run(command, cwd=made, env=environment, capture_output=True, text=True, check=True)
    first, *text = done.stdout.splitlines()
    assert first == "== Sums (sums), from data/sums/train.jsonl"
    assert text[0].startswith("Question: is ")


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
