"""Table 3 of a tiny vision experiment on real processes."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from tests.workflow.test_dag import checkout, edit_config, planned, snakemake
from w2s.experiments.plan import Plan

pytestmark = pytest.mark.xdist_group(__name__)  # what these tests share is made once


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = checkout(tmp_path_factory.mktemp("vision") / "checkout")
    snakemake(folder, "figures/table3.pdf")
    return folder


def test_table_3_needs_exactly_its_jobs(tmp_path: Path) -> None:
    folder = checkout(tmp_path / "checkout")
    output = snakemake(folder, "-n", "figures/table3.pdf")
    stages = {"images": 1, "vision_model": 3, "vision_features": 3, "vision_probe": 8}
    assert planned(output) == {**stages, "experiment": 1, "tabulate": 1, "draw": 1}
    assert "probe v4 on digits: labels of labelled2, oscillating, seed 0" in output


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

    assert "Nothing to be done" in snakemake(made, "results/figures/tiny/table3.csv")
    edit_config(made, change)
    output = snakemake(made, "-n", "results/figures/tiny/table3.csv")
    assert planned(output) == {"vision_probe": 8, "experiment": 1, "tabulate": 1}
