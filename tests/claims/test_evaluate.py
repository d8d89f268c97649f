"""All claims on an experiment's tables: which tables are asked for, and what is said where there is none."""

from __future__ import annotations

import math
import re
from functools import cache
from typing import Any

import pandas as pd
import pytest

from tests.figures.fake import Fake, halfway
from w2s import claims, figures
from w2s.claims import evaluate, needed
from w2s.claims.claim import FAILS, HOLDS, MECHANISM, NEEDS, NUMBERS, OPEN, UNITS, VERDICTS
from w2s.config.files import deep_merge
from w2s.experiments.loading import plan_of
from w2s.experiments.plan import Plan
from w2s.graph.lock import CLAIMS, sources

NLP = ("fig2", "fig5", "fig8", "fig13", "table1")
CHESS = ("fig3", "fig4", "fig15", "fig19", "fig20")


@pytest.fixture(scope="module")
def plan(smoke_config: dict[str, Any]) -> Plan:
    nlp = {"tasks": ["boolq", "sciq", "sst2", "wic", "dream", "anli"]}
    return plan_of(deep_merge(smoke_config, {"chess": None, "reward": None, "seeds": [0], "nlp": nlp}), "test")


@cache
def numbers(plan: Plan, name: str) -> list[dict[Any, Any]]:
    return pd.DataFrame(figures.numbers(name, plan, Fake(halfway(plan)))).to_dict("records")


def tables(plan: Plan, *names: str) -> evaluate.Tables:
    rows: dict[str, Any] = {name: numbers(plan, name) for name in names}
    return evaluate.Tables(rows, needed.available(plan)[1], {"nlp": {"": 1000}}, {"nlp": "small synthetic world"})


def test_claims_have_a_name_a_place_and_words() -> None:
    everything = claims.everything()
    assert len({claim.name for claim in everything}) == len(everything)
    for claim in everything:
        assert re.fullmatch(r"[a-z][a-z0-9-]+", claim.name), claim.name
        assert claim.where, claim.name
        assert claim.says.strip()[-1] == "." or claim.says.endswith("..."), claim.name
        assert claim.unit in UNITS, claim.name
        assert claim.about in {MECHANISM, *NEEDS}, claim.name
        assert bool(claim.figure) == bool(claim.rule) == bool(claim.measure) == (not claim.untested), claim.name
        assert claim.measure is None or claim.target.low <= claim.target.high, claim.name


def test_exactly_the_tables_that_an_experiment_can_have_are_asked_for(plan: Plan, smoke_config: dict[str, Any]) -> None:
    found, lacking = needed.available(plan)
    assert set(NLP) <= set(found)
    assert not set(CHESS) & set(found)
    assert lacking["chess"] == "this experiment has no chess setting"
    assert {*claims.tables(["nlp"]), "table1"} <= set(found) | set(lacking)
    assert set(CHESS) <= set(needed.available(plan_of(smoke_config, "smoke"))[0])


def test_a_figure_that_there_is_none_of_is_named(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    names = [name for name in figures.names() if name != "fig8"]
    monkeypatch.setattr(figures, "names", lambda: names)
    assert needed.available(plan)[1]["fig8"] == "this experiment has no fig8"
    judged = {one.claim.name: one for one in evaluate.judge_all(tables(plan, "fig5"))}
    assert judged["nlp-agreement-falls"].ours.reason == "this experiment has no fig8"
    assert judged["nlp-agreement-falls"].ours.verdict == OPEN


def test_students_half_way_to_their_ceilings_are_judged_so(plan: Plan) -> None:
    """Fake students of both methods recover a half of every gap, so what the loss gains is nothing."""
    judged = {one.claim.name: one.ours for one in evaluate.judge_all(tables(plan, "fig5"))}
    assert judged["nlp-better-than-supervisor"].verdict == HOLDS
    assert judged["nlp-better-than-supervisor"].value == pytest.approx(0.5)
    assert judged["nlp-confidence-helps-far"].verdict == FAILS
    assert judged["nlp-confidence-helps-far"].value == pytest.approx(0)
    assert judged["chess-small-gaps"].verdict == OPEN


def test_invented_data_decide_mechanisms_alone(plan: Plan) -> None:
    judged = evaluate.judge_all(tables(plan, "fig5"))
    there = [one for one in judged if one.claim.figure == "fig5"]
    for one in there:
        spoken = one.claim.about == MECHANISM
        assert ("the data here are invented (small synthetic world)" in one.ours.reason) != spoken, one
        assert spoken or one.ours.verdict == OPEN
    assert {one.claim.about for one in there} == {MECHANISM, NUMBERS}


def test_what_is_invented_is_read_off_the_experiment(smoke_config: dict[str, Any]) -> None:
    plan = plan_of(smoke_config, "smoke")
    about = plan.experiment.model_dump(mode="json", exclude={"execution"})
    row = {"setting": "vision", "task": "digits", "seed": 0, "method": "oscillating", "supervisor": "a", "student": "b"}
    judged = {one.claim.name: one.ours for one in evaluate.on_tables(plan, about, {"table3": [row | {"pgr": 0.5}]})}
    assert judged["vision-half"].verdict == OPEN
    expected = "the claim is about ImageNet; the data here are invented (scikit-learn's digits)"
    assert judged["vision-half"].reason == expected


def test_every_claim_has_a_row_in_the_order_of_the_report(plan: Plan) -> None:
    judged = evaluate.judge_all(tables(plan, "fig5", "fig8", "fig13"))
    rows = evaluate.rows_of(judged)
    assert [row["claim"] for row in rows] == [claim.name for claim in claims.everything()]
    assert {row["verdict"] for row in rows} <= set(VERDICTS)
    assert sum(evaluate.counts(judged).values()) == len(rows)
    better = next(row for row in rows if row["claim"] == "nlp-better-than-supervisor")
    assert better["value"] == pytest.approx(50)
    assert better["paper"] == pytest.approx(46.1, abs=0.1)
    assert (better["tasks"], better["seeds"], better["test_examples"]) == (6, "1", 1000)
    assert better["compute_low"] < better["compute_high"]
    for row in rows:
        assert math.isnan(row["value"]) or row["verdict"] == OPEN or row["low"] <= row["value"] <= row["high"]
        assert (row["verdict"] == OPEN) == bool(row["reason"]), row


def test_test_sets_are_counted_by_table_1_before_they_are_asked_for() -> None:
    about = {"data": {"sizes": {"test": 160}}, "chess": {"sizes": {"test": 800}}, "seeds": [0]}
    counted = [{"task": "boolq", "test": 120}]
    assert needed.sizes(about, counted) == {"nlp": {"": 160, "boolq": 120}, "chess": {"": 800}}
    assert needed.sizes({"data": {"sizes": {"test": None}}, "chess": None}, []) == {"nlp": {}}


def test_verdicts_follow_their_code() -> None:
    names = {path.name for path in sources("w2s.claims.evaluate", CLAIMS)}
    assert {"evaluate.py", "cells.py", "nlp.py", "measures.py", "bootstrap.py", "claims.csv", "fig12.csv"} <= names
