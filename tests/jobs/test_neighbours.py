"""Two workflows in one directory finish the same job at the same moment."""

import os
from pathlib import Path

import pytest
from snakemake.persistence.file import FilePersistence

from w2s.jobs.neighbours import share_records


@pytest.fixture
def records(tmp_path: Path) -> FilePersistence:
    share_records()
    share_records()  # a second workflow of this process: no second layer
    made: FilePersistence = FilePersistence.__new__(FilePersistence)
    made._incomplete_path = str(tmp_path)
    made._incomplete_cache = made._max_len = None
    return made


def test_a_mark_that_the_neighbour_removes_while_it_is_read_is_as_good_as_none(
    records: FilePersistence, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os.path, "exists", lambda path: True)
    assert records._get_recorded_starttime("figures/fig5.pdf") is None


def test_a_mark_that_the_neighbour_removes_while_it_is_written_fails_no_job(
    records: FilePersistence, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(path: str, mode: int) -> None:
        os.remove(path)
        raise FileNotFoundError(path)

    monkeypatch.setattr(os, "chmod", gone)
    records._mark_incomplete("figures/fig5.pdf", None)


def test_marks_that_stay_are_read(records: FilePersistence) -> None:
    records._mark_incomplete("figures/fig5.pdf", None)
    assert records._get_recorded_starttime("figures/fig5.pdf") == pytest.approx(
        os.stat(records._incomplete_path).st_mtime, abs=60
    )
