"""Freed memory is kept for the next step."""

from __future__ import annotations

import subprocess
import sys

import pytest

STEPS = """
import resource, sys
from w2s.engine.heap import keep_freed_memory
if sys.argv[1] == "keep":
    keep_freed_memory() or sys.exit("no glibc")
def step():
    blocks = [bytearray(2**21) for _ in range(10)]
step()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(5):
    step()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(how: str) -> int:
    """Page faults of five steps that allocate 20 MiB each, in a fresh process."""
    done = subprocess.run([sys.executable, "-c", STEPS, how], capture_output=True, text=True, check=False)
    if done.stderr.startswith("no glibc"):
        pytest.skip("the C library is not glibc")
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


def test_steps_that_free_their_memory_do_not_fault_it_in_again() -> None:
    default, kept = faults("default"), faults("keep")
    assert kept < 200  # of 25,600 pages of 4 KiB
    assert default > 10 * kept
