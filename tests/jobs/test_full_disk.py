"""A disk that is full leaves no half study, published folder or ledger, and the line names the file."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.conftest import ROOT
from tests.small_disk import needs_small_disk, run_with

pytestmark = needs_small_disk
LEDGER = """
import sys
from pathlib import Path
from w2s.bench import ledger
from w2s.errors import UserError
path = Path(sys.argv[1])
entry = dict.fromkeys(ledger.COLUMNS, "x" * 100)
try:
    while True:
        found = len(ledger.append(path, entry))
except UserError as error:
    print(error)
assert len(ledger.read(path)) == found, (len(ledger.read(path)), found)
"""


def on_full_disk(folder: Path, size: str, *command: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src")}
    return run_with(folder, size, [sys.executable, *command], ROOT, environment)


def test_a_study_is_made_whole_or_not_at_all(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    again = f"import sys; sys.argv[1:] = ['init', '{disk}/mine']; from w2s import cli; cli.main(); cli.main()"
    done = on_full_disk(disk, "40k", "-c", again)
    said = done.stderr.splitlines()
    assert len(said) == 2  # the second call meets no file of the first one
    for line in said:
        assert line.startswith(f"w2s: {disk}/mine/")
        assert ": no space left on the disk: it needs " in line


def test_a_ledger_has_whole_lines(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    done = on_full_disk(disk, "16k", "-c", LEDGER, str(disk / "ledger.csv"))
    assert not done.stderr
    assert done.stdout.startswith(f"{disk}/ledger.csv: no space left on the disk: it needs ")
