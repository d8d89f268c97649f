"""The numbers behind a figure as text."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from tests.figures.conftest import Shape, numbers, sections
from w2s import figures
from w2s.cli import main
from w2s.figures import text


def test_medians_and_intervals_of_figure_5(shape: Shape) -> None:
    accuracy, pgr, interval = text.tables(numbers("fig5", shape(tasks=6)))
    assert accuracy.splitlines()[0] == "accuracy (%), median over tasks, mean over seeds; columns are students"
    lines = {tuple(line.split()[:2]): line.split()[2:] for line in accuracy.splitlines() if line.split()[1:]}
    assert lines["truth", "-"] == ["60.0", "70.0", "80.0", "90.0"]
    assert lines["naive", "w16"] == ["60.0", "65.0", "70.0", "75.0"]
    assert "naive      w16         50.0  50.0  50.0" in pgr
    assert "50.0 to 50.0" in interval


@pytest.mark.parametrize("name", figures.names())
@pytest.mark.parametrize("tasks", [1, 4])
def test_every_figures_numbers_can_be_printed(
    name: str, tasks: int, shape: Shape, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    numbers(name, shape(tasks=tasks, rungs=4, without_truth=2, **sections(name))).to_csv(
        tmp_path / "numbers.csv", index=False
    )
    assert main(["table", str(tmp_path / "numbers.csv")]) == 0
    said = capsys.readouterr().out
    assert {"fig1": "supervises", "fig14": "label", "table2": "Respond with 1"}.get(name, "(%)") in said
    assert "nan" not in said.lower()


def test_a_task_without_a_licence_has_an_empty_cell(shape: Shape) -> None:
    rows = numbers("table1", shape(tasks=2))
    rows["licence"] = [math.nan, rows["licence"].iloc[1]]  # as an empty cell is read
    counts, _ = text.tables(rows)
    assert "nan" not in counts.lower()


def test_another_csv_is_refused_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "history.csv").write_text("step,epoch\n1,2\n")
    assert main(["table", str(tmp_path / "history.csv")]) == 1
    assert "not a figure's table" in capsys.readouterr().err
