"""What Snakemake's report says of figures: their own words, under the setting that they are about."""

from __future__ import annotations

import subprocess
import sys

import pytest
from docutils.core import publish_parts

from tests.project.test_architecture import HEAVY
from w2s import figures
from w2s.experiments.plan import Plan
from w2s.report import listed


@pytest.mark.parametrize("name", figures.names())
def test_captions_are_sound_and_every_figure_has_its_own(name: str) -> None:
    caption = figures.module(name).CAPTION
    for text in (listed.of_picture(name), listed.of_numbers(name)):
        parts = publish_parts(text, writer="html", settings_overrides={"halt_level": 2, "report_level": 2})
        assert "system-message" not in parts["body"]
        assert listed.label(name) in parts["body"]
    assert listed.of_picture(name).count("\n\n") == 2, "a title, a caption and how to read it"
    assert [other for other in figures.names() if caption == figures.module(other).CAPTION] == [name]


def test_a_figure_is_listed_under_the_setting_of_its_runs(smoke: Plan) -> None:
    found = {name: listed.category(runs) for name, runs in figures.available(smoke)[0].items()}
    assert found["fig1"] == "Overview"
    assert found["fig5"] == found["table1"] == "NLP tasks"
    assert found["fig4"] == found["fig14"] == "Chess puzzles"
    assert (found["fig10"], found["table3"]) == ("Reward models", "Vision")
    assert found["fig2"] == found["fig3"] == "Several settings"


def test_planning_with_it_stays_light() -> None:
    code = "import sys, w2s.report.listed; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not HEAVY & set(done.stdout.split())
