"""Ctrl-C stops a workflow with one line, and the same command goes on."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.workflow.test_dag import checkout
from w2s.jobs.interrupts import LINE, STATUS

BASE_MODEL = re.compile(r"^Job .*models/w", re.MULTILINE)


def test_the_first_ctrl_c_while_jobs_run_ends_the_workflow_with_one_line(tmp_path: Path) -> None:
    folder = checkout(tmp_path / "checkout")
    with subprocess.Popen(
        [sys.executable, "-m", "snakemake", "--cores", "2", "figures/fig5.pdf"],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(folder / "src")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        while not any(BASE_MODEL.search(log.read_text()) for log in folder.glob(".snakemake/log/*.log")):
            assert process.poll() is None
            time.sleep(0.02)
        os.killpg(process.pid, signal.SIGINT)
        said = process.communicate(timeout=120)[0].splitlines()
    assert process.returncode != 0
    assert said[-1] == LINE
    assert not [line for line in said if "Error" in line or "Traceback" in line]
    assert not list(folder.glob("figures/fig5.*"))  # base models may have been finished before the signal


def test_ctrl_c_before_any_job_runs_ends_at_once() -> None:
    code = (
        "import os, signal\nfrom w2s.jobs.interrupts import Interrupts\nInterrupts().install()\nos.kill(os.getpid(), 2)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (STATUS, "", f"{LINE}\n")


def test_ctrl_c_while_the_workflow_is_imported_ends_at_once(tmp_path: Path) -> None:
    folder = checkout(tmp_path / "checkout")
    (folder / "src/w2s/jobs/workflow.py").write_text("import os\nos.kill(os.getpid(), 2)\n")
    done = subprocess.run(
        [sys.executable, "-m", "snakemake", "-n", "figures/fig5.pdf"],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(folder / "src")},
        capture_output=True,
        text=True,
    )
    assert done.returncode == STATUS
    assert done.stderr.splitlines()[-1] == LINE
    assert "Traceback" not in done.stderr


def test_ctrl_c_while_snakemake_writes_a_line_ends_the_workflow_after_the_line() -> None:
    code = """
import logging, os, signal, sys, time
from snakemake.logging import ColorizingTextHandler
from w2s.jobs.interrupts import Interrupts

class Stream:
    def write(self, text):
        if text.strip():
            os.kill(os.getpid(), signal.SIGINT)
            print("a line:", text.strip(), flush=True)
    def flush(self): pass
    def isatty(self): return False

interrupts = Interrupts()
interrupts.install()
interrupts.running = True
try:
    ColorizingTextHandler(stream=Stream()).emit(logging.makeLogRecord({"msg": "whole"}))
    time.sleep(30)
except KeyboardInterrupt:
    sys.exit(7)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (7, "a line: whole\n", f"{LINE}\n")


def test_a_command_that_is_stopped_says_so_in_one_line() -> None:
    code = (
        "import sys\nfrom w2s import cli\nfrom w2s.cli import stages\n"
        "def stop(options): raise KeyboardInterrupt\nstages.run = stop\nsys.exit(cli.main(['stages']))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (STATUS, "", "w2s: stopped\n")
