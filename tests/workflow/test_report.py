"""Verdicts, reports and comparisons through Snakemake: what they need, by dry run."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.workflow.test_dag import checkout, edit_config, planned, snakemake
from w2s.claims.needed import available
from w2s.experiments.loading import plan_of
from w2s.jobs.workflow import Workflow

pytestmark = pytest.mark.xdist_group(__name__)  # what these tests share is made once


def test_claims_need_exactly_the_tables_that_the_experiment_can_have(tmp_path: Path) -> None:
    folder = checkout(tmp_path / "checkout")
    edit_config(folder, lambda config: config.update(chess=None))
    output = snakemake(folder, "-n", "report/claims.html")
    found, _ = available(plan_of(yaml.safe_load((folder / "config.yaml").read_text()), "config"))
    jobs = planned(output)
    assert jobs["tabulate"] == len(found) >= 5
    assert jobs["claims"] == jobs["experiment"] == 1
    assert "draw" not in jobs
    assert "puzzles" not in jobs
    assert not any(f"tiny/{name}.csv" in output for name in ("fig3", "fig4", "fig15", "fig19"))


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout with a second experiment, which differs in one method."""
    folder = checkout(tmp_path_factory.mktemp("two") / "checkout")
    edit_config(folder, lambda config: config.update(chess=None, reward=None, vision=None))
    (folder / "config").mkdir()
    mine = {
        "methods": {"mine": {"objective": "confidence", "parameters": {"alpha_max": 0.9}}},
        "nlp": {"methods": ["naive", "mine"]},
    }
    (folder / "config" / "mine.yaml").write_text(yaml.safe_dump(mine))
    return folder


def test_the_report_needs_every_figure_that_the_experiment_can_have(other: Path) -> None:
    output = snakemake(other, "-n", "report")
    drawable = Workflow(yaml.safe_load((other / "config.yaml").read_text()), other).drawable()
    jobs = planned(output)
    assert jobs["draw"] == jobs["tabulate"] == len(drawable) >= 10
    assert jobs["report"] == 1
    assert "report/report.html" in output
    jobs = planned(snakemake(other, "-n", "report/mine/report.html"))
    assert jobs["report_of_experiment"] == 1
    assert "draw" not in jobs


def test_a_comparison_trains_once_what_both_experiments_share(other: Path) -> None:
    alone = planned(snakemake(other, "-n", "figures/mine/fig5.pdf"))["finetune"]
    jobs = planned(snakemake(other, "-n", "report/compare/mine-vs-tiny/fig5.html"))
    assert alone == 2 * (2 + 2 * 2)  # two tasks: truth at two rungs, two pairs with two methods
    assert jobs["finetune"] == alone + 2 * 2
    assert jobs["compare_figure"] == jobs["draw"] == jobs["draw_of_experiment"] == 1
    assert jobs["tabulate"] == jobs["experiment"] == 2
    whole = planned(snakemake(other, "-n", "report/compare/mine-vs-tiny.html"))
    assert whole["compare"] == 1
    assert whole["draw"] == whole["draw_of_experiment"] >= 10


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("nosuch-vs-tiny.html", "unknown experiment 'nosuch'"),
        ("mine-vs-tiny/fig55.html", "do not both have 'fig55'"),
        ("mine-vs-tiny/fig15.html", "do not both have 'fig15'"),
    ],
)
def test_a_mistake_in_a_comparison_is_one_line(other: Path, target: str, said: str) -> None:
    output = snakemake(other, "-n", f"report/compare/{target}", check=False)
    assert said in output
    assert "Traceback" not in output
