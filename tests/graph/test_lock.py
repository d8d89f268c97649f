"""A stage's code does not change silently: the version is raised, or the lock renewed on purpose."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from w2s.graph.stages import STAGES

from tests.conftest import ROOT
from w2s.errors import UserError
from w2s.graph import lock as stages


def test_no_stage_changed_without_a_new_version_or_a_renewed_lock() -> None:
    lock = ROOT / "stages.lock"
    if other := stages.locked_elsewhere(lock):
        pytest.skip(f"stages.lock was made by Python {other}, whose syntax trees differ from {stages.PYTHON}'s")
    assert stages.changed(lock) == [], stages.command(relock=False, unchanged=[], lock=lock)


def test_the_watch_covers_what_decides_a_stages_numbers() -> None:
    def watched(stage: str) -> tuple[str, ...]:
        return stages.closure(STAGES[stage].module, frozenset(stages.PLUMBING))

    assert {"w2s.nlp.build", "w2s.nlp.formatters", "w2s.nlp.world"} <= set(watched("data"))
    assert {"w2s.training.loop", "w2s.training.objectives", "w2s.models.classifier"} <= set(watched("finetune"))
    assert not any("figures" in name for stage in STAGES for name in watched(stage))


def test_comments_and_docstrings_do_not_count_but_code_does() -> None:
    code = "def f(x):\n    '''Old words.'''\n    return x + 1\n"
    assert stages._bare(code) == stages._bare("def f(x):\n    '''New words.'''\n    # why\n    return x + 1\n")
    assert stages._bare(code) != stages._bare(code.replace("+ 1", "+ 2"))


def test_a_changed_stage_is_reported_until_it_is_locked(tmp_path: Path) -> None:
    lock = tmp_path / "stages.lock"
    stages.command(relock=True, unchanged=[], lock=lock)
    assert stages.changed(lock) == []
    content = json.loads(lock.read_text())
    content["finetune"]["code"] = "0" * 16
    lock.write_text(json.dumps(content))
    assert stages.changed(lock) == ["finetune"]
    stages.command(relock=True, unchanged=[], lock=lock)  # the version was not raised: not enough
    assert stages.changed(lock) == ["finetune"]
    assert "finetune version" in stages.command(relock=False, unchanged=["finetune"], lock=lock)
    assert stages.changed(lock) == []


def test_an_unknown_stage_is_a_clear_mistake(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="unknown stage 'finetun'; did you mean 'finetune'"):
        stages.command(relock=False, unchanged=["finetun"], lock=tmp_path / "stages.lock")
