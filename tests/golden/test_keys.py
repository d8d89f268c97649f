"""A change of code that is not meant to change results moves no key."""

from __future__ import annotations

import pytest

from tests.golden import freeze


@pytest.fixture(scope="module")
def current() -> dict[str, list[str]]:
    return freeze.current()


@pytest.mark.parametrize("experiment", [freeze.IN_FULL, *freeze.BY_FOLDER])
def test_every_artifact_has_the_path_that_it_had(experiment: str, current: dict[str, list[str]]) -> None:
    known = freeze.file_of(experiment).read_text(encoding="utf-8").splitlines()
    moved = sorted({*known} ^ {*current[experiment]})
    assert not moved, f"{len(moved)} lines differ; if that is meant, run python tests/golden/freeze.py: {moved[:6]}"
