"""What a workflow prints while it runs: to a log, and to a terminal."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.workflow.test_dag import checkout, snakemake
from w2s.experiments.plan import Plan
from w2s.jobs.display import ERASE
from w2s.jobs.interrupts import LINE


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return checkout(tmp_path / "checkout")


def in_a_terminal(folder: Path, *targets: str, stop_at: str = "") -> tuple[str, int]:
    """(all that Snakemake writes to a terminal, its exit status). stop_at: what Ctrl-C is pressed after."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "snakemake", "--cores", "2", *targets],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(folder / "src"), "TERM": "xterm"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    ) as process:
        os.close(theirs)
        written = b""
        while more := read(ours):
            written += more
            if stop_at and stop_at in written.decode(errors="replace"):
                os.killpg(process.pid, signal.SIGINT)
                stop_at = ""
        os.close(ours)
    return written.decode(), process.returncode


def read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 4096)
    except OSError:  # all processes have closed their end
        return b""


def seen(written: str) -> list[str]:
    """The lines that stay on the screen."""
    return [line.rsplit(ERASE, 1)[-1] for line in written.replace("\r\n", "\n").strip("\n").split("\n")]


def test_a_log_has_plain_lines_and_says_where_the_figure_lies(folder: Path) -> None:
    output = snakemake(folder, "figures/table1.pdf")
    lines = output.splitlines()
    assert "5 jobs to do (--verbose lists them)" in lines
    assert lines[-2].startswith("figures/table1.pdf: drawn in ")
    assert lines[-2].endswith(" (5 jobs)")
    assert "w2s table results/figures/tiny/table1.csv" in lines[-1]
    assert not {"\r", "\x1b"} & set(output)
    assert not [line for line in lines if line.startswith(("Job ", "Finished ", "["))]
    (listing,) = (folder / ".snakemake/log").glob("*.log")
    assert "\nJob 0: draw figures/table1.pdf" in listing.read_text()


def test_a_failed_job_is_shown_with_the_end_of_its_log(folder: Path, tiny: Plan) -> None:
    make = folder / "src/w2s/cli/make.py"
    make.write_text(f'{make.read_text()}\n\ndef run(options): raise ValueError("broken on purpose")\n')
    data = tiny.nlp.data("sciq", 0)
    output = snakemake(folder, data.manifest, check=False)
    log = f"logs/nlp/sciq/data-{data.key}.log"
    assert "Error in rule data:" in output
    assert "ValueError: broken on purpose" in output
    assert f"log: {log} (check log file(s) for error details)" in output
    assert "1 of 1 jobs failed, 0 are done, after " in output
    assert f"  data of sciq, seed 0: {log}\n" in output
    assert "drawn in" not in output


def test_a_terminal_has_one_live_line_that_other_output_replaces(folder: Path, tiny: Plan) -> None:
    data = tiny.nlp.data("sciq", 0)
    written, status = in_a_terminal(folder, data.manifest)
    assert status == 0, written
    assert f"{ERASE}0 of 1 jobs · 1 running: data of sciq, seed 0" in written
    left = seen(written)
    assert left[-1].startswith(f"{data.path}/examples.parquet: made in ")
    assert not [line for line in left if " of 1 jobs" in line]


def test_ctrl_c_replaces_the_live_line_by_the_last_one(folder: Path) -> None:
    written, status = in_a_terminal(folder, "figures/table1.pdf", stop_at="running: data of")
    assert status != 0
    left = seen(written)
    assert left[-1] == LINE
    assert not [line for line in left if " of 5 jobs" in line or "Error" in line]
