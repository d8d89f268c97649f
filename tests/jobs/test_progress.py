"""The line of a running workflow, from made-up events: what it counts, what it leaves out, and that it fits."""

from __future__ import annotations

import io
import logging
import threading
from types import SimpleNamespace
from typing import Any

import pytest

from w2s.jobs import display
from w2s.jobs.progress import Job, Progress, clock, conclusion, failures
from w2s.jobs.workflow import Workflow

STUDENT = "finetune w96 on sciq: labels from w32, naive, seed 0"


def of(*counts: tuple[str, int, float]) -> Progress:
    """A workflow that begins at 100 seconds, with so many jobs of kinds that are expected to take so long."""
    jobs = [
        Job(f"{kind} {i}", kind, seconds, f"logs/{kind}.log") for kind, count, seconds in counts for i in range(count)
    ]
    return Progress(dict(enumerate(jobs)), 100.0)


def test_a_line_says_what_is_done_runs_is_left_and_failed() -> None:
    progress = Progress({number: Job(STUDENT, "finetune", 10.0) for number in range(9)}, 100.0)
    assert progress.line(100.0) == "0 of 9 jobs"
    for number in range(3):
        progress.start(number, 100.0)
    assert progress.line(101.0) == f"0 of 9 jobs · 3 running: {STUDENT}"
    progress.finish(0, 130.0)
    progress.fail(1, 130.0)
    said = " 40% | 310 examples/s | 9 s left | loss 0.61"
    # each took 3 times as long: 20 s of the one that runs and 6 others are left, 3 at a time
    assert progress.line(130.0, said=said) == (
        f"1 of 9 jobs · 1 running: {STUDENT}, 310 examples/s · about 60 s left · 1 failed"
    )


@pytest.mark.parametrize("width", [0, 1, 2, 10, 30, 50, 60, 70, 80, 200])
def test_a_line_fits_and_the_name_gives_way_to_numbers(width: int) -> None:
    progress = Progress({number: Job(STUDENT, "finetune", 10.0) for number in range(4)}, 100.0)
    progress.start(0, 100.0)
    progress.start(1, 100.0)
    progress.start(2, 100.0)
    progress.finish(0, 110.0)
    progress.fail(1, 110.0)
    line = progress.line(110.0, said="| 310 examples/s |", width=width)
    assert len(line) <= width
    if width >= 60:
        assert line.startswith("1 of 4 jobs · 1 running")
        assert line.endswith(" · about 10 s left · 1 failed")


def test_no_time_is_given_before_most_of_what_is_left_was_measured() -> None:
    progress = of(("data", 8, 1.0), ("finetune", 10, 50.0))
    assert progress.left(100.0) is None
    for number in range(8):
        progress.start(number, 100.0 + number)
        progress.finish(number, 101.0 + number)
    progress.start(8, 108.0)
    assert progress.left(150.0) is None  # data jobs say nothing of finetuning
    progress.finish(8, 208.0)
    assert progress.left(208.0) == pytest.approx(9 * 100.0)  # twice as long as expected, one at a time


def test_jobs_in_parallel_share_the_time_that_is_left() -> None:
    progress = of(("finetune", 12, 10.0))
    for number in range(4):
        progress.start(number, 100.0)
        progress.finish(number, 110.0)
    assert progress.left(110.0) == pytest.approx(8 * 10.0 / 4)


def test_the_time_left_is_never_negative_and_ends_with_the_jobs() -> None:
    progress = of(("finetune", 2, 10.0))
    progress.start(0, 100.0)
    progress.finish(0, 110.0)
    progress.start(1, 110.0)
    for now in (110.0, 119.0, 500.0):
        left = progress.left(now)
        assert left is not None
        assert left >= 0.0
    progress.finish(1, 500.0)
    assert progress.line(500.0) == "2 of 2 jobs"


def test_a_job_that_is_tried_again_is_no_failure() -> None:
    progress = of(("finetune", 1, 10.0))
    progress.start(0, 100.0)
    progress.fail(0, 101.0)
    assert progress.line(101.0) == "0 of 1 jobs · 1 failed"
    progress.start(0, 102.0)
    assert progress.line(103.0) == "0 of 1 jobs · 1 running: finetune 0"
    progress.finish(0, 104.0)
    progress.finish(0, 105.0)
    assert progress.line(106.0) == "1 of 1 jobs"


def test_jobs_without_a_command_and_unknown_ones_are_harmless() -> None:
    progress = of(("all", 1, 3.0))
    progress.start(7, 100.0)
    progress.finish(7, 101.0)
    progress.fail(7, 101.0)
    progress.finish(0, 102.0)
    assert progress.line(103.0) == "1 of 1 jobs"


def test_the_end_says_where_things_lie_and_what_comes_next() -> None:
    assert conclusion(["figures/fig5.pdf"], 557, 1310.0, "smoke") == [
        "figures/fig5.pdf: drawn in 21 min 50 s (557 jobs)",
        "next: `w2s table results/figures/smoke/fig5.csv` shows the numbers; docs/figures/fig5.md says how to read it",
    ]
    assert "results/figures/mine/fig5.csv" in conclusion(["figures/mine/fig5.pdf"], 3, 9.0, "smoke")[1]
    assert conclusion(["report/report.html"], 1, 9.0, "smoke") == [
        "report/report.html: made in 9 s (1 job)",
        "next: open report/report.html in a browser",
    ]
    several = conclusion([f"figures/fig{number}.pdf" for number in range(1, 6)], 9, 7500.0, "smoke")
    assert several[0] == "5 files, such as figures/fig1.pdf: drawn in 2 h 5 min (9 jobs)"
    assert "snakemake report" in several[1]
    assert conclusion([], 2, 9.0, "smoke") == ["done in 9 s (2 jobs)"]


def test_the_end_of_a_failed_workflow_names_jobs_and_logs() -> None:
    progress = of(("finetune", 9, 10.0))
    for number in range(8):
        progress.start(number, 100.0)
        progress.fail(number, 101.0)
    first, *jobs, more, last = failures(progress, 63.0)
    assert first == "8 of 9 jobs failed, 0 are done, after 1 min 3 s"
    assert jobs[0] == "  finetune 0: logs/finetune.log"
    assert (more, last) == ("  and 2 more", "the same command tries them again")


@pytest.mark.parametrize(("seconds", "words"), [(0.4, "0 s"), (59.6, "1 min 0 s"), (3599.0, "59 min 59 s")])
def test_times_are_words(seconds: float, words: str) -> None:
    assert clock(seconds) == words


# -- on a stream -------------------------------------------------------------------------------------------


@pytest.fixture
def logger() -> Any:
    """Snakemake's, with its handler's name on one that writes to memory; as it was when the test ends."""
    logger = logging.getLogger("snakemake.logging")
    before, level = list(logger.handlers), logger.level
    handler = logging.StreamHandler(io.StringIO())
    handler.name = display.HANDLER
    logger.handlers = [handler]
    logger.setLevel(logging.INFO)
    yield logger
    logger.handlers = before
    logger.setLevel(level)


def asked(**options: Any) -> Any:
    """Snakemake's workflow, as far as its options go."""
    defaults = {"quiet": None, "dryrun": False, "verbose": False, "debug_dag": False, "printshellcmds": False}
    return SimpleNamespace(output_settings=SimpleNamespace(**defaults | options))


@pytest.mark.parametrize(
    "options",
    [{"dryrun": True}, {"verbose": True}, {"debug_dag": True}, {"printshellcmds": True}]
    + [{"quiet": [SimpleNamespace(name=name)]} for name in ("ALL", "PROGRESS", "RULES")],
)
def test_options_that_ask_for_another_output_get_snakemakes_own(logger: logging.Logger, options: Any) -> None:
    before = list(logger.handlers)
    assert display.install(asked(**options)) is None
    assert logger.handlers == before


def test_what_a_workflow_says_besides_its_listing_is_shown(logger: logging.Logger) -> None:
    stream = logger.handlers[0].stream  # type: ignore[attr-defined]
    shown = display.install(asked(quiet=[SimpleNamespace(name="HOST")]))
    assert shown is not None
    logger.info("Nothing to be done (all requested files are present and up to date).")
    logger.info("Using shell: /usr/bin/bash")
    logger.info("Provided cores: 2", extra={"event": "resources_info"})
    logger.info("a listing", extra={"event": "job_info", "jobid": 1})
    logger.warning("a warning")
    logger.error("an error", extra={"event": "job_error", "jobid": 1})
    shown.close()
    logger.error("too late")
    assert stream.getvalue() == (
        "Nothing to be done (all requested files are present and up to date).\na listing\na warning\nan error\n"
    )


def snakemakes_job(number: int) -> Any:
    """A job of Snakemake's that draws a figure, as far as progress looks at it."""
    return SimpleNamespace(
        rule=SimpleNamespace(name="draw"),
        message=f"draw {number}",
        log=[f"logs/{number}.log"],
        output=[f"figures/fig{number}.pdf", f"figures/fig{number}.png"],
        input=[],
        number=number,
    )


def running(logger: logging.Logger, config: dict[str, Any], jobs: list[Any]) -> tuple[display.Display, io.StringIO]:
    """The display of a workflow that is about to run these jobs, the last of which was asked for, and its stream."""
    workflow = asked()
    workflow.dag = SimpleNamespace(needrun_jobs=lambda: iter(jobs), targetjobs=jobs[-1:], jobid=lambda job: job.number)
    workflow.touch, workflow.local_exec = False, True
    stream = logger.handlers[0].stream  # type: ignore[attr-defined]
    shown = display.install(workflow)
    assert shown is not None
    shown.start(workflow, Workflow(config))
    return shown, stream


def test_plain_lines_come_neither_often_nor_with_every_job(
    logger: logging.Logger, tiny_config: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 100.0
    monkeypatch.setattr(display, "time", SimpleNamespace(monotonic=lambda: now))
    shown, stream = running(logger, tiny_config, [snakemakes_job(number) for number in range(20)])
    for number in range(20):
        logger.info("", extra={"event": "job_info", "jobid": number})
        now += 5.0 if number < 10 else 40.0
        logger.info("", extra={"event": "job_finished", "job_id": number})
    shown.finish(success=True)
    first, *lines, figure, _ = stream.getvalue().splitlines()
    assert first == "20 jobs to do (--verbose lists them)"
    # 30 seconds after 6 jobs; then a tenth of the jobs, which is 2, take longer
    assert [int(line.split(" of ")[0]) for line in lines] == [6, 11, 13, 15, 17, 19]
    assert lines[0] == "6 of 20 jobs · 1 running: draw 6 · about 70 s left"
    assert figure == "figures/fig19.pdf: drawn in 7 min 30 s (20 jobs)"


def test_a_job_without_an_event_of_its_failure_is_named_at_the_end(
    logger: logging.Logger, tiny_config: dict[str, Any]
) -> None:
    shown, stream = running(logger, tiny_config, [snakemakes_job(5)])
    logger.info("", extra={"event": "job_info", "jobid": 5})
    shown.finish(success=False)
    logger.info("Complete log(s): here")
    said = stream.getvalue()
    assert "1 of 1 jobs failed" in said
    assert "  draw 5: logs/5.log\n" in said
    assert "Complete log(s): here" in said


def test_a_job_that_ctrl_c_ended_is_not_reported(
    logger: logging.Logger, tiny_config: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    shown, stream = running(logger, tiny_config, [snakemakes_job(5)])
    before = stream.getvalue()
    clock = SimpleNamespace(monotonic=lambda: 0.0, sleep=lambda seconds: shown.close())  # meanwhile, the main thread
    monkeypatch.setattr(display, "time", clock)
    thread = threading.Thread(target=logger.error, args=("a job failed",))
    thread.start()
    thread.join()
    assert stream.getvalue() == before
