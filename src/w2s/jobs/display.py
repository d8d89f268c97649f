"""What a workflow prints while it runs: one live line on a terminal, now and then a plain line elsewhere.

Errors, warnings and messages pass. The listing of every job goes to Snakemake's own log file alone, unless it is asked
for (``--verbose``, ``--printshellcmds``); dry runs keep it.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any, TextIO

from w2s.experiments.settings import STAGES
from w2s.jobs.progress import Job, Progress, conclusion, failures
from w2s.jobs.status import last_line
from w2s.jobs.workflow import Workflow

ERASE = "\r\x1b[K"
REDRAWN = 1.0  # seconds between two live lines
PATIENCE = 1.0  # seconds before a failed job is reported
PLAIN_SECONDS, PLAIN_SHARE = 30.0, 0.1  # between two plain lines: at least so long, and so much of the jobs
OTHER = 3.0  # seconds that a job is expected to take that makes no artifact: numbers, pictures, pages
HANDLER = "DefaultStreamHandler"  # the name of Snakemake's own
# Snakemake's events and messages of a workflow without errors. What it may say besides is shown.
LISTED = {"job_info", "job_started", "job_finished", "group_info", "progress", "shellcmd"}
SETTING_UP = {"resources_info", "run_info"}
NOISE = ("Using shell: ", "Conda environments: ignored", "Singularity containers: ignored", "Group jobs: inactive")
NOISE_OF_JOBS = ("Select jobs to execute", "Job rate limit reached", "Elapsed time: ")
LISTING = "Complete log(s): "  # of use where something failed


class Display(logging.Handler):
    """Stands in front of Snakemake's handler: takes what it says into account, and passes on what people need.

    shown: Snakemake's handler. Times are of ``time.monotonic``.
    """

    def __init__(self, shown: logging.StreamHandler[TextIO]) -> None:
        super().__init__()
        self._shown = shown
        self._stream = shown.stream
        self._live = self._stream.isatty() and os.environ.get("TERM") != "dumb"
        self._began = time.monotonic()
        self._progress: Progress | None = None
        self._default = ""
        self._asked: list[str] = []
        self._drawn = False  # whether a live line is on the terminal
        self._printed = (self._began, 0)  # the last plain line: when, and the jobs that were done
        self._verb = "running"
        self._turn = threading.RLock()  # of those who write
        self._quiet: tuple[str, ...] = NOISE  # beginnings of messages that are not shown
        self._ended = threading.Event()
        self._closed = False

    def handle(self, record: logging.LogRecord) -> bool:
        """Wait before a failed job is shown: if Ctrl-C ended it, the main thread is about to close this."""
        if record.levelno >= logging.ERROR and threading.current_thread() is not threading.main_thread():
            time.sleep(PATIENCE)
        return super().handle(record)

    def emit(self, record: logging.LogRecord) -> None:
        """Count an event, and show what is no mere listing."""
        with self._turn:
            if self._closed:
                return
            self._count(record)
            if not self._hides(record):
                self._erase()
                self._shown.handle(record)

    def _count(self, record: logging.LogRecord) -> None:
        event, progress, said = getattr(record, "event", None), self._progress, record.__dict__
        if progress is None:
            return
        now = time.monotonic()
        if event == "job_info":
            progress.start(said["jobid"], now)
            if not self._live and self._is_due(progress, now):
                self._printed = now, progress.done
                self._say([self._line(progress, now)])
        elif event == "job_finished":
            progress.finish(said["job_id"], now)
        elif event == "job_error":
            progress.fail(said["jobid"], now)

    def _is_due(self, progress: Progress, now: float) -> bool:
        when, done = self._printed
        return now - when >= PLAIN_SECONDS and progress.done - done >= PLAIN_SHARE * len(progress.jobs)

    def _hides(self, record: logging.LogRecord) -> bool:
        if record.levelno > logging.INFO:
            return False
        event = getattr(record, "event", None)
        if event is None:
            return str(record.msg).startswith(self._quiet)
        return event in SETTING_UP or (self._progress is not None and event in LISTED)

    def start(self, workflow: Any, experiments: Workflow) -> None:
        """The jobs are known and about to run. workflow: Snakemake's."""
        if workflow.touch:
            return
        jobs = list(workflow.dag.needrun_jobs())
        made = {str(path) for job in jobs for path in job.output}
        self._asked = [path for path in _asked(workflow.dag.targetjobs) if path in made]
        self._default = experiments.default.experiment.experiment
        self._verb = "running" if workflow.local_exec else "submitted"
        described = {workflow.dag.jobid(job): _described(job, experiments) for job in jobs}
        with self._turn:
            self._progress = Progress(described, time.monotonic())
            self._quiet = (*NOISE, *NOISE_OF_JOBS, LISTING)
            self._say([f"{len(jobs):,} {'job' if len(jobs) == 1 else 'jobs'} to do (--verbose lists them)"])
        if self._live:
            threading.Thread(target=self._redraw, daemon=True).start()

    def _redraw(self) -> None:
        while not self._ended.is_set():
            with self._turn:
                if self._progress and not self._ended.is_set():
                    width = os.get_terminal_size(self._stream.fileno()).columns or 80
                    self._write(ERASE + self._line(self._progress, time.monotonic(), width - 1))
                    self._drawn = True
            self._ended.wait(REDRAWN)

    def _line(self, progress: Progress, now: float, width: int | None = None) -> str:
        oldest = progress.oldest
        said = last_line(Path(oldest.log)) if oldest and oldest.log else ""
        return progress.line(now, said=said, width=width, verb=self._verb)

    def finish(self, success: bool) -> None:
        """All jobs have ended: say how."""
        with self._turn:
            progress = self._progress
            if progress is None or self._closed:
                return
            self._ended.set()
            seconds = time.monotonic() - self._began
            if success:
                self._say(conclusion(self._asked, progress.done, seconds, self._default))
                return
            for number in list(progress.running):  # failed without an event: an output is missing, say
                progress.fail(number, time.monotonic())
            self._say(failures(progress, seconds))
            self._quiet = NOISE

    def _say(self, lines: Iterable[str]) -> None:
        self._erase()
        self._write("".join(f"{line}\n" for line in lines))

    def _erase(self) -> None:
        if self._drawn:
            self._write(ERASE)
            self._drawn = False

    def _write(self, text: str) -> None:
        encoding = self._stream.encoding or "utf-8"
        with suppress(OSError):  # the terminal is gone; jobs go on
            self._stream.write(text.encode(encoding, errors="replace").decode(encoding))
            self._stream.flush()

    def close(self) -> None:
        """Write nothing more, and leave no live line."""
        with self._turn:
            if not self._closed:
                self._erase()
                self._ended.set()
                self._closed = True
        self._shown.close()
        super().close()


def _described(job: Any, experiments: Workflow) -> Job:
    """A job of Snakemake's, in words."""
    kind, log = job.rule.name, str(job.log[0]) if job.log else ""
    if kind in STAGES:
        artifact = experiments.artifact(job.wildcards_dict["key"])
        return Job(artifact.message, kind, experiments.resources.estimate(artifact).seconds, log)
    return Job(job.message or kind, kind, OTHER, log)


def _asked(jobs: Iterable[Any]) -> list[str]:
    """The files that were asked for: the first of a job, or what a rule without files collects."""
    return sorted({str(path) for job in jobs for path in (job.output[:1] if job.output else job.input)})


def install(workflow: Any) -> Display | None:
    """Show progress in place of Snakemake's listing, unless its options ask for another output. workflow: Snakemake's.

    Only in the main process, before the workflow starts.
    """
    wanted = workflow.output_settings
    quiet = {choice.name for choice in wanted.quiet or ()} & {"ALL", "PROGRESS", "RULES"}
    if quiet or wanted.dryrun or wanted.verbose or wanted.debug_dag or wanted.printshellcmds:
        return None
    logger = logging.getLogger("snakemake.logging")
    for handler in logger.handlers:
        if handler.name == HANDLER and isinstance(handler, logging.StreamHandler):
            display = Display(handler)
            logger.removeHandler(handler)
            logger.addHandler(display)
            return display
    return None
