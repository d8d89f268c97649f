"""Tests that run the workflow say so, so that ``make test-fast`` leaves them out."""

from __future__ import annotations

import subprocess
import sys

import pytest

SNAKEMAKE = [sys.executable, "-m", "snakemake", "--version"]


def test_a_test_that_is_not_marked_cannot_start_snakemake() -> None:
    with pytest.raises(pytest.fail.Exception, match="mark this test as workflow"):
        subprocess.run(SNAKEMAKE, check=True, capture_output=True)
    subprocess.run([sys.executable, "-c", "print(1)"], check=True, capture_output=True)


@pytest.mark.workflow
def test_a_test_that_is_marked_can() -> None:
    subprocess.run(SNAKEMAKE, check=True, capture_output=True)
