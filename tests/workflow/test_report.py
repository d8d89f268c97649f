"""Verdicts on claims through Snakemake: which tables they need, by dry run."""

from __future__ import annotations

from pathlib import Path

import yaml

from tests.workflow.test_dag import checkout, edit_config, planned, snakemake
from w2s.claims.needed import available
from w2s.workflow import plan_of


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
