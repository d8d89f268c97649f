"""A stage's code does not change silently: the version is raised, or the lock renewed on purpose."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conftest import ROOT
from w2s.errors import UserError
from w2s.experiments.settings import STAGES
from w2s.graph import lock

LOCKED = ROOT / "stages.lock"


def test_no_stage_changed_without_a_new_version_or_a_renewed_lock() -> None:
    if other := lock.locked_elsewhere(LOCKED):
        pytest.skip(f"stages.lock was made by Python {other}, whose syntax trees differ from {lock.PYTHON}'s")
    assert lock.changed(STAGES, LOCKED) == [], lock.command(STAGES, relock=False, unchanged=[], lock=LOCKED)


def test_the_lock_names_the_stages_that_there_are() -> None:
    assert set(json.loads(LOCKED.read_text())) == {*STAGES, "python"}


def test_the_watch_covers_what_decides_a_stages_numbers() -> None:
    def watched(stage: str) -> tuple[str, ...]:
        return lock.closure(STAGES[stage].module, lock.is_plumbing)

    assert {"w2s.microworld", "w2s.nlp.build", "w2s.nlp.formatters", "w2s.nlp.world"} <= set(watched("data"))
    assert {"w2s.training.loop", "w2s.training.objectives", "w2s.models.classifier"} <= set(watched("finetune"))
    assert not any("figures" in name for stage in STAGES for name in watched(stage))


def test_comments_and_docstrings_do_not_count_but_code_does() -> None:
    code = "def f(x):\n    '''Old words.'''\n    return x + 1\n"
    assert lock._bare(code) == lock._bare("def f(x):\n    '''New words.'''\n    # why\n    return x + 1\n")
    assert lock._bare(code) != lock._bare(code.replace("+ 1", "+ 2"))


def test_a_changed_stage_is_reported_until_it_is_locked(tmp_path: Path) -> None:
    path = tmp_path / "stages.lock"
    lock.command(STAGES, relock=True, unchanged=[], lock=path)
    assert lock.changed(STAGES, path) == []
    content = json.loads(path.read_text())
    content["finetune"]["code"] = "0" * 16
    path.write_text(json.dumps(content))
    assert lock.changed(STAGES, path) == ["finetune"]
    lock.command(STAGES, relock=True, unchanged=[], lock=path)  # the version was not raised: not enough
    assert lock.changed(STAGES, path) == ["finetune"]
    assert "finetune version" in lock.command(STAGES, relock=False, unchanged=["finetune"], lock=path)
    assert lock.changed(STAGES, path) == []


def test_an_unknown_stage_is_a_clear_mistake(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="unknown stage 'finetun'; did you mean 'finetune'"):
        lock.command(STAGES, relock=False, unchanged=["finetun"], lock=tmp_path / "stages.lock")
