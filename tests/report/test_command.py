"""``w2s claims``: from the numbers behind figures to the page and the verdicts."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from w2s import claims
from w2s.claims import paper
from w2s.cli import main
from w2s.config.files import deep_merge
from w2s.experiments.loading import plan_of


@pytest.fixture
def described(tmp_path: Path, smoke_config: dict[str, Any]) -> Path:
    plan = plan_of(deep_merge(smoke_config, {"chess": None}), "smoke")
    path = tmp_path / "results/figures/smoke/experiment-0.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(plan.experiment.model_dump(mode="json", exclude={"execution"})))
    return path


def table(path: Path, rows: list[dict[str, Any]]) -> Path:
    columns = list(dict.fromkeys(name for row in rows for name in row))
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, ["setting", *columns], restval="")
        writer.writeheader()
        writer.writerows({"setting": "nlp"} | row for row in rows)
    return path


def test_the_papers_numbers_as_tables_give_its_verdicts(
    tmp_path: Path, described: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Data sets are called 1 to 22 and rungs -7.06 to 0.0: names stay names in a table that is read back."""
    numbers = table(described.parent / "fig5.csv", paper.table("fig5", "nlp"))
    page, out = tmp_path / "report/smoke/claims.html", tmp_path / "report/smoke/claims.csv"
    options = ["--experiment", str(described), "--figures", str(tmp_path / "figures/smoke")]
    assert main(["claims", str(numbers), *options, "--page", str(page), "--out", str(out)]) == 0
    assert "cannot tell" in capsys.readouterr().out
    with out.open() as file:
        rows = {row["claim"]: row for row in csv.DictReader(file)}
    assert list(rows) == [claim.name for claim in claims.everything()]
    assert float(rows["nlp-naive-half"]["paper"]) == pytest.approx(52.35, abs=0.01)
    assert "the data here are invented" in rows["nlp-naive-half"]["reason"]
    assert float(rows["nlp-confidence-helps-far"]["value"]) == pytest.approx(50, abs=1)
    assert rows["nlp-better-than-supervisor"]["verdict"] == "holds"
    assert rows["nlp-confidence-helps-far"]["tasks"] == "22"
    assert "order statistics of 22 tasks" in rows["nlp-confidence-helps-far"]["basis"]
    assert rows["nlp-agreement-falls"]["reason"] == "the numbers of fig8 were not handed over"
    assert rows["chess-bootstrapping-pgr"]["reason"] == "this experiment has no chess setting"
    text = page.read_text()
    assert 'href="../../figures/smoke/fig5.pdf"' in text
    assert 'href="../../results/figures/smoke/fig5.csv"' in text
    assert "small synthetic world" in text
    assert "22 tasks, 1 seed, " in text
