"""``w2s report`` and ``w2s compare``: from tables, pictures and manifests on disk to pages."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tests.report import made_up
from w2s.cli import main
from w2s.config.files import deep_merge
from w2s.experiments.loading import plan_of
from w2s.experiments.plan import Plan
from w2s.figures.tables import synthetic_of_all


@pytest.fixture
def two(tmp_path: Path, tiny_config: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Two experiments that differ in a method, as files: the second one's students are better."""
    monkeypatch.chdir(tmp_path)
    config = deep_merge(tiny_config, {"chess": None, "reward": None, "vision": None})
    mine = {"methods": {"mine": {"objective": "confidence", "parameters": {"alpha_max": 0.9}}}}
    overlay = deep_merge(mine, {"experiment": "other", "nlp": {"methods": ["naive", "mine"]}})
    return [write(plan_of(one, "config")) for one in (config, deep_merge(config, overlay))]


def write(plan: Plan) -> Path:
    name = plan.experiment.experiment
    folder = Path("results/figures") / name
    folder.mkdir(parents=True)
    for figure in ("fig5", "table1"):
        made_up.numbers(figure, plan).to_csv(folder / f"{figure}.csv", index=False)
        made_up.picture(Path("figures") / name, figure)
    path = folder / "experiment-0.json"
    path.write_text(json.dumps(plan.experiment.model_dump(mode="json", exclude={"execution"})))
    return path


def test_compare_writes_a_page_and_a_table(two: list[Path], capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--figures", "figures/tiny", "figures/other", "--page", "report/a.html", "--out", "report/a.csv"]
    assert main(["compare", "--experiments", *map(str, two), *options]) == 0
    assert "2 figures" in capsys.readouterr().out
    with Path("report/a.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert {row["task"] for row in rows} == {"sciq", "sst2"}
    by_method = {(row["method_first"], row["method_second"]): row for row in rows}
    assert set(by_method) == {("truth", "truth"), ("naive", "naive"), ("confidence", "mine")}
    assert by_method["naive", "naive"]["basis"] == "the same runs"
    assert by_method["confidence", "mine"]["basis"] != "the same runs"
    assert float(by_method["confidence", "mine"]["accuracy_low"]) < 0
    page = Path("report/a.html").read_text()
    assert "<code>methods.mine</code>" in page
    assert "<code>nlp.methods</code>" in page
    assert "method confidence is compared with mine" in page
    assert page.count("<img") == 2 * 2 + 1


def test_compare_of_one_figure_shows_that_alone(two: list[Path]) -> None:
    options = ["--only", "fig5", "--figures", "figures/tiny", "figures/other"]
    out = ["--page", "report/a.html", "--out", "report/a.csv"]
    assert main(["compare", "--experiments", *map(str, two), *options, *out]) == 0
    page = Path("report/a.html").read_text()
    assert 'id="fig5"' in page
    assert 'id="table1"' not in page


def test_report_of_what_is_there_says_what_is_not(two: list[Path], capsys: pytest.CaptureFixture[str]) -> None:
    options = [
        "--experiment",
        str(two[0]),
        "--figures",
        "figures/tiny",
        "--docs",
        "docs",
        "--page",
        "report/report.html",
    ]
    assert main(["report", *options]) == 0
    assert "report/report.html: 2 figures, 0 jobs" in capsys.readouterr().out
    page = Path("report/report.html").read_text()
    assert "Not complete:" in page
    assert "smoke scale (small synthetic world): illustrates the method" in page
    assert "experiment &#39;tiny&#39; has no chess section" in page


def test_invented_data_of_all_tables_are_named_together(smoke: Plan) -> None:
    about = smoke.experiment.model_dump(mode="json")
    tables = {name: pd.DataFrame({"setting": [name]}) for name in ("vision", "nlp", "chess")}
    tables["table2"] = pd.DataFrame({"task": ["boolq"]})
    assert synthetic_of_all(tables, about).startswith(
        "smoke scale (small synthetic world, generated endgames, scikit-learn's digits): illustrates"
    )
    assert synthetic_of_all({}, about) == ""
