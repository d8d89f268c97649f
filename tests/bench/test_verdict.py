"""Gains, PGRs, intervals and corrections; the ledger; predictions that are none."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path

import pytest

from tests.bench.conftest import Bench
from w2s import cli
from w2s.analysis.results import Predictions, Stored
from w2s.bench import ledger, protocol, sandbox, scoring, submit, verdict
from w2s.bench.protocol import Compared
from w2s.errors import UserError
from w2s.experiments.plan import Plan


def test_smokes_protocol_reuses_the_experiments_own_runs(smoke: Plan) -> None:
    planned = {run.key for run in smoke.nlp.runs_of_figures()}
    cells = protocol.cells(smoke)
    assert {run.key for cell in cells for run in cell.runs} <= planned
    assert {cell.weak.rung for cell in cells} == {"w32", "w48"}
    assert {cell.student for cell in cells} == {"w96"}
    assert {cell.task for cell in cells} == set(smoke.nlp.median_tasks)
    assert {cell.seed for cell in cells} == {0, 1, 2}
    assert [run.rung for run in cells[-1].supervisors] == ["w32", "w48"]


def test_another_learning_rate_is_another_protocol(config: dict[str, object], smoke: Plan) -> None:
    from w2s.experiments.loading import plan_of

    config["nlp"]["ladder"][0]["learning_rate"] = 2e-3  # type: ignore[index]
    assert protocol.fingerprint(plan_of(config, "config.yaml")) != protocol.fingerprint(smoke)


@pytest.mark.slow
def test_the_baselines_own_predictions_score_as_the_baselines(bench: Bench, cells: list[Compared]) -> None:
    stored = Stored(bench[0])
    naive = [stored.predictions(cell.baselines["naive"]) for cell in cells]
    table = verdict.rows(cells, naive, "mine", stored)
    assert len(table) == 4
    for row in table:
        assert row.accuracy["mine"].value == row.accuracy["naive"].value
        assert row.gain["mine"].bounds == (0, 0)  # the same examples: nothing is left to chance
    assert verdict.gain_of(table, "mine").mean == 0


@pytest.mark.slow
def test_the_truth_scores_as_all_right_and_ceilings_as_a_pgr_of_one(bench: Bench, cells: list[Compared]) -> None:
    stored = Stored(bench[0])

    def truth(cell: Compared) -> Predictions:
        examples = stored.examples(cell.data)
        labels = [float(y) for y, part in zip(examples["label"], examples["part"], strict=True) if part == "test"]
        return scoring.judged(cell, labels, stored)

    table = verdict.rows(cells, [truth(cell) for cell in cells], "mine", stored)
    assert verdict.mean_accuracy(table, "mine") == 1
    ceilings = [stored.predictions(cell.ceiling) for cell in cells]
    for row in verdict.rows(cells, ceilings, "mine", stored):
        assert math.isnan(row.pgr["mine"].value) or row.pgr["mine"].value == 1


def test_a_gain_on_every_task_is_told_from_chance() -> None:
    sure, unsure = verdict.over_tasks([0.04, 0.05, 0.06, 0.05]), verdict.over_tasks([0.2, -0.15, 0.1, -0.1])
    assert sure.p < 0.01
    assert sure.mean == pytest.approx(0.05)
    assert 0 < sure.low < sure.mean < sure.high
    assert unsure.p > 0.5
    assert unsure.low < 0 < unsure.high
    assert math.isnan(verdict.over_tasks([0.05]).p)


def test_holm_multiplies_the_smallest_by_all_and_never_falls() -> None:
    assert verdict.holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert verdict.holm([math.nan, 0.02]) == pytest.approx([1.0, 0.04])
    assert verdict.holm([0.04]) == [0.04]


def entry(code: str, p: float, gain: float = 0.01, **other: object) -> dict[str, object]:
    values: dict[str, object] = dict.fromkeys(ledger.COLUMNS, "")
    values |= {"id": code + str(p), "time": str(p), "method": "mine", "code": code, "protocol": "a"}
    return values | {"p": p, "gain": gain} | other


def test_every_submission_is_recorded_and_counted(tmp_path: Path) -> None:
    path = tmp_path / "bench" / "ledger.csv"
    ledger.append(path, entry("x", 0.01))
    before = path.read_bytes()
    ledger.append(path, entry("y", 0.02, method="other"))
    lines = ledger.append(path, entry("z", 0.03))
    assert path.read_bytes().startswith(before)
    assert [(line["submission"], line["of_this_method"]) for line in lines] == [("1", "1"), ("2", "1"), ("3", "2")]
    assert ledger.read(path) == lines


def test_all_versions_that_were_tried_count_in_the_correction(tmp_path: Path) -> None:
    path = tmp_path / "ledger.csv"
    lines: list[ledger.Line] = []
    for number in range(9):
        lines = ledger.append(path, entry(f"version {number}", 0.3 + number / 100))
    lines = ledger.append(path, entry("best", 0.01, gain=0.1))
    best = ledger.leaderboard(lines)[0]
    assert best["code"] == "best"
    assert float(best["p_holm"]) == pytest.approx(0.1)
    again = ledger.append(path, entry("best", 0.01, gain=0.1, id="again"))
    assert float(ledger.leaderboard(again)[0]["p_holm"]) == pytest.approx(0.1)  # the same code is one hypothesis
    other = ledger.append(path, entry("elsewhere", 0.5, protocol="b"))
    assert len(ledger.leaderboard(other)) == 11
    assert float(ledger.leaderboard(other)[-1]["p_holm"]) == 0.5


def test_ledgers_of_several_people_are_merged_once_each(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, codes in (("a.csv", "xy"), ("b.csv", "yz")):
        for code in codes:
            ledger.append(tmp_path / name, entry(code, 0.02))
    assert cli.main(["bench", "--merge", str(tmp_path / "a.csv"), str(tmp_path / "b.csv")]) == 0
    printed = capsys.readouterr().out
    (tmp_path / "merged.csv").write_text(printed)
    assert [line["code"] for line in ledger.read(tmp_path / "merged.csv")] == ["x", "y", "z"]
    assert printed.splitlines()[0].endswith(",p_holm")
    (tmp_path / "c.csv").write_text("a,b\n1,2\n")
    assert cli.main(["bench", "--merge", str(tmp_path / "c.csv")]) == 1
    assert "c.csv: not a ledger of the bench" in capsys.readouterr().err


@pytest.mark.parametrize(
    "content",
    [
        "[0.5]",
        "[0.5, 0.5, 0.5]",
        "[0.5, NaN]",
        "[0.5, 1.5]",
        "[0.5, true]",
        '[0.5, "1"]',
        "{}",
        "[",
        "[0.5, 1]" + " " * 999,
    ],
)
def test_predictions_that_are_none_are_refused(content: str, tmp_path: Path) -> None:
    (tmp_path / "000.json").write_text(content)
    with pytest.raises(UserError, match="expected"):
        scoring.read(tmp_path / "000.json", 2)
    (tmp_path / "000.json").write_text("[0.5, 1]")
    assert scoring.read(tmp_path / "000.json", 2) == [0.5, 1.0]


def test_a_pipe_or_a_link_in_place_of_predictions_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "000.json")
    (tmp_path / "truth").write_text("[0.5, 1]")
    (tmp_path / "001.json").symlink_to(tmp_path / "truth")
    for name in ("000.json", "001.json", "002.json"):
        with pytest.raises(UserError, match=name):
            scoring.read(tmp_path / name, 2)


@pytest.mark.slow
def test_a_score_is_printed_recorded_and_shown(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    root, plan = bench
    for name in ("config.yaml", "results"):
        (tmp_path / name).symlink_to(root / name)
    monkeypatch.chdir(tmp_path)
    Path("my_method.py").write_text("def training(cell):\n    return {'epochs': 1}\n")
    recorded = len(ledger.read(root / "results/bench/tiny/ledger.csv"))
    assert cli.main(["bench", "--try", "my_method.py"]) == 0
    assert "not scored, not recorded" in capsys.readouterr().out
    assert len(ledger.read(root / "results/bench/tiny/ledger.csv")) == recorded
    assert cli.main(["bench", "my_method.py"]) == 0
    said = capsys.readouterr().out
    assert submit.sealing(sandbox.unavailable()) in said
    line = ledger.read(root / "results/bench/tiny/ledger.csv")[-1]
    assert line["method"] == "my_method"
    assert line["sealed"] == ("no" if sandbox.unavailable() else "yes")
    assert line["protocol"] == protocol.fingerprint(plan)
    page = Path("bench/my_method.html").read_text(encoding="utf-8")
    for words in ("my_method", "PGR of confidence", "w12 to w16", "sst2", line["code"], "return {&#39;epochs&#39;: 1}"):
        assert words in page
    assert list(Path("work").iterdir()) == []


def test_missing_runs_are_one_line_that_says_what_makes_them(
    tmp_path: Path, tiny_config: dict[str, object], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("config.yaml").write_text(json.dumps(tiny_config))
    Path("my_method.py").write_text("def training(cell):\n    return {}\n")
    assert cli.main(["bench", "my_method.py"]) == 1
    said = capsys.readouterr().err
    assert "runs that the bench compares with are missing" in said
    assert "`snakemake bench/my_method.html`" in said
    assert cli.main(["bench"]) == 1
    assert "no method; `w2s bench --template > my_method.py`" in capsys.readouterr().err
