"""Table 3 of a tiny vision experiment on real processes."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from tests.workflow.test_dag import edit_config, needed, planned, snakemake
from w2s import figures
from w2s.experiments.plan import Plan

pytestmark = pytest.mark.xdist_group("tiny")  # what these tests share is made once


def wanted(plan: Plan) -> list[str]:
    return ["figures/table3.pdf"]


def test_table_3_needs_exactly_its_runs(tiny: Plan) -> None:
    assert needed(tiny, "table3") == {"images": 1, "vision_model": 3, "vision_features": 3, "vision_probe": 8}
    messages = [run.message for run in figures.module("table3").needs(tiny)]
    assert any("probe v4 on digits: labels of labelled2, oscillating, seed 0" in message for message in messages)


def test_the_numbers_are_those_of_the_runs(made: Path, tiny: Plan) -> None:
    from w2s.engine.artifacts import read

    table = pd.read_csv(made / "results/figures/tiny/table3.csv")
    assert (made / "figures/table3.png").is_file()
    for row in table[table["role"] == "student"].to_dict("records"):
        student = tiny.vision.student("digits", "labelled2", row["student"], row["schedule"], 0)
        measured = read(made / student.path)["measured"]
        assert row["accuracy"] == pytest.approx(measured["test_accuracy"])
        assert row["weak"] == pytest.approx(measured["label_accuracy"])
        ceiling = read(made / tiny.vision.ceiling("digits", row["student"], 0, row["schedule"]).path)
        assert row["ceiling"] == pytest.approx(ceiling["measured"]["test_accuracy"])


def test_another_schedule_or_seed_trains_probes_alone(made: Path) -> None:
    def change(config: dict[str, object]) -> None:
        config["seeds"] = [0, 1]

    as_it_was = (made / "config.yaml").read_text()
    edit_config(made, change)
    try:
        output = snakemake(made, "-n", "results/figures/tiny/table3.csv")
    finally:
        (made / "config.yaml").write_text(as_it_was)  # other files share it
    assert planned(output) == {"vision_probe": 8, "experiment": 1, "tabulate": 1}
