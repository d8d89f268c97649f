"""`snakemake bench/<method>.html`: what it makes first, and that a score follows from the file."""

from __future__ import annotations

from pathlib import Path

from tests.workflow.test_dag import checkout, planned, snakemake
from w2s.bench import protocol
from w2s.config.files import read_yaml
from w2s.graph.artifact import with_ancestors
from w2s.jobs.workflow import Workflow


def test_a_score_makes_what_it_compares_with_and_no_more(tmp_path: Path) -> None:
    folder = checkout(tmp_path / "copy")
    (folder / "my_method.py").write_text("def training(cell):\n    return {}\n")
    jobs = planned(snakemake(folder, "-n", "bench/my_method.html"))
    plan = Workflow(read_yaml(folder / "config.yaml"), folder).plan()
    needed = with_ancestors(protocol.needed(plan))
    assert jobs["bench"] == 1
    assert sum(jobs.values()) - jobs["total"] == len(needed) + 1
    assert jobs["finetune"] == sum(artifact.stage.name == "finetune" for artifact in needed.values()) > 0


def test_a_method_that_is_not_there_is_said(tmp_path: Path) -> None:
    said = snakemake(checkout(tmp_path / "copy"), "-n", "bench/other.html", check=False)
    assert "other.py" in said
