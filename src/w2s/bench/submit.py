"""One submission from a method's file to its verdict, its line in the ledger and its page."""

from __future__ import annotations

import hashlib
import math
import secrets
import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from w2s.analysis.bootstrap import Estimate
from w2s.analysis.results import Stored
from w2s.bench import ledger, protocol, sandbox, scoring, verdict
from w2s.engine import artifacts
from w2s.errors import UserError
from w2s.experiments.plan import Plan
from w2s.report.rendering import count, render

DIGITS = 16  # of a code's hash


@dataclass(frozen=True)
class Paths:
    """Where a submission's files go. root: the checkout."""

    root: Path
    experiment: str
    method: str

    @property
    def folder(self) -> Path:
        """Everything about an experiment's submissions."""
        return self.root / "results" / "bench" / self.experiment

    @property
    def ledger(self) -> Path:
        """All scores."""
        return self.folder / "ledger.csv"

    def log(self, name: str) -> Path:
        """The output of a method's processes, whose number stands before the suffix."""
        path = self.folder / "logs" / f"{self.method}-{name}.log"
        path.parent.mkdir(parents=True, exist_ok=True)
        return path


def check_there(plan: Plan, target: str, root: Path) -> None:
    """UserError unless all that the bench compares with is finished. target: what makes it."""
    wanted = protocol.needed(plan)
    missing = [artifact for artifact in wanted if not (root / artifact.manifest).is_file()]
    if missing:
        raise UserError(
            f"{len(missing)} of {len(wanted)} runs that the bench compares with are missing, first "
            f"{missing[0].path}; `snakemake {target}` makes them and scores the method"
        )


def attempt(method: Path, plan: Plan, root: Path, cores: int) -> str:
    """Run a method on the first cell of every process, without scoring it; what to print."""
    seen: dict[str, protocol.Compared] = {}
    for cell in protocol.cells(plan):
        seen.setdefault(cell.weak.rung, cell)
    why_not = sandbox.unavailable()
    _predicted(method, plan, list(seen.values()), root, cores, why_not)
    tried = "; ".join(f"{cell.task}, {cell.weak.rung} to {cell.student}" for cell in seen.values())
    return f"{method}: runs ({tried}); not scored, not recorded\n{sealing(why_not)}"


def sealing(why_not: str | None) -> str:
    """Whether the method was kept from the truth, in words."""
    if why_not is None:
        return "sealed: yes"
    return f"sealed: NO: the method's process could have read the truth ({why_not}); see docs/bench.md"


def _predicted(
    method: Path, plan: Plan, cells: Sequence[protocol.Compared], root: Path, cores: int, why_not: str | None
) -> tuple[list[list[float]], float]:
    paths = Paths(root, plan.experiment.experiment, method.stem)
    name = secrets.token_hex(4)
    work = (root / "work" / f"bench-{name}").resolve()
    work.mkdir(parents=True, mode=0o700)
    try:
        submission = scoring.Submission(method.resolve(), root.resolve(), work, why_not is None, cores)
        return scoring.predictions(submission, cells, paths.log(name).resolve())
    finally:
        shutil.rmtree(work)


def score(method: Path, plan: Plan, root: Path, page: Path, cores: int) -> str:
    """Score a method, record it, and write its page; what to print."""
    cells, stored = protocol.cells(plan), Stored(root)
    code = method.read_bytes()
    why_not = sandbox.unavailable()
    predicted, seconds = _predicted(method, plan, cells, root, cores, why_not)
    judged = [scoring.judged(cell, values, stored) for cell, values in zip(cells, predicted, strict=True)]
    table = verdict.rows(cells, judged, method.stem, stored)
    gain, pgr = verdict.gain_of(table, method.stem), verdict.median_pgr(table, method.stem)
    entry = {
        "id": secrets.token_hex(8),
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "experiment": plan.experiment.experiment,
        "protocol": protocol.fingerprint(plan),
        "method": method.stem,
        "code": hashlib.sha256(code).hexdigest()[:DIGITS],
        "sealed": "no" if why_not else "yes",
        "tasks": len({row.task for row in table}),
        "accuracy": verdict.mean_accuracy(table, method.stem),
        "gain": gain.mean,
        "gain_low": gain.low,
        "gain_high": gain.high,
        "p": gain.p,
        "pgr": _mean(pgr.values()),
        "cpu_seconds": float(round(seconds)),
        "commit": artifacts.git_commit(),
    }
    paths = Paths(root, plan.experiment.experiment, method.stem)
    kept = paths.folder / "methods" / f"{method.stem}-{entry['code']}.py"
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_bytes(code)
    board = ledger.leaderboard(ledger.append(paths.ledger, entry))
    line = next(line for line in board if line["id"] == entry["id"])
    ours = [one for one in board if one["protocol"] == entry["protocol"]]
    text = page_of(table, line, ours, code.decode("utf-8"), why_not)
    page.parent.mkdir(parents=True, exist_ok=True)
    with artifacts.written(page) as file:
        file.write(text)
    return "\n".join([*_said(line, table), sealing(why_not), f"{page}; all scores: {paths.ledger}"])


def _mean(values: Iterable[float]) -> float:
    known = [value for value in values if not math.isnan(value)]
    return sum(known) / len(known) if known else math.nan


def _said(line: ledger.Line, table: Sequence[verdict.Row]) -> list[str]:
    """The verdict, in words."""
    name, gain, p = line["method"], float(line["gain"]), float(line[ledger.CORRECTED])
    found = [
        f"{name}: {verdict.in_words(gain, p)}: {_points(gain)} points of accuracy "
        f"({_points(float(line['gain_low']))} to {_points(float(line['gain_high']))}), mean over "
        f"{count(int(line['tasks']), 'task')}; p = {p:.2g}, corrected for all methods scored",
        f"accuracy {100 * float(line['accuracy']):.1f}%, PGR {_number(float(line['pgr']))} (naive "
        f"{_number(_mean(verdict.median_pgr(table, 'naive').values()))}, confidence "
        f"{_number(_mean(verdict.median_pgr(table, 'confidence').values()))}), {line['cpu_seconds']} CPU seconds; "
        f"submission {line['submission']}, {line['of_this_method']} of this name",
    ]
    above = sorted({row.task for row in table if row.accuracy[name].value > row.ceiling.value})
    if above:
        found.append(f"above the ceiling on {', '.join(above)}: read the method's code before you believe it")
    return found


def page_of(
    table: Sequence[verdict.Row], line: ledger.Line, board: Sequence[ledger.Line], code: str, why_not: str | None
) -> str:
    """The page of one score, as HTML. line: its line of the ledger; board: all lines of its protocol, best first."""
    return render("bench.html.j2", **_shown(table, line, board, why_not), code=code)


def _shown(
    table: Sequence[verdict.Row], line: ledger.Line, board: Sequence[ledger.Line], why_not: str | None
) -> dict[str, Any]:
    """What the page shows."""
    name, methods = line["method"], list(table[0].accuracy)
    tasks = [
        [
            row.task,
            f"{row.supervisor} to {row.student}",
            *(_percent(value.value) for value in (row.weak, *row.accuracy.values(), row.ceiling)),
            _with_bounds(row.gain[name], _points),
            *(_number(row.pgr[method].value) for method in methods if method != name),
            _with_bounds(row.pgr[name], _number),
        ]
        for row in table
    ]
    overall = []
    for method in methods:
        gain, pgr = verdict.gain_of(table, method), verdict.median_pgr(table, method)
        interval = "" if method == "naive" else f"{_points(gain.mean)} ({_points(gain.low)} to {_points(gain.high)})"
        overall.append([method, _percent(verdict.mean_accuracy(table, method)), interval, *map(_number, pgr.values())])
    scores = [
        [
            one["method"],
            one["code"][:8],
            f"{_points(float(one['gain']))} ({_points(float(one['gain_low']))} to {_points(float(one['gain_high']))})",
            f"{float(one[ledger.CORRECTED]):.2g}",
            _number(float(one["pgr"])),
            one["cpu_seconds"],
            one["sealed"],
            one["submission"],
        ]
        for one in board
    ]
    return {
        "name": name,
        "line": line,
        "said": _said(line, table),
        "sealing": sealing(why_not),
        "is_sealed": why_not is None,
        "pgr_heads": [f"median PGR, from {supervisor}" for supervisor in verdict.median_pgr(table, name)],
        "task_heads": [
            *(f"{one}, %" for one in (*methods, "ceiling")),
            "gain over naive, points",
            *(f"PGR of {method}" for method in methods),
        ],
        "overall": overall,
        "tasks": tasks,
        "scores": scores,
    }


def _percent(value: float) -> str:
    return f"{100 * value:.1f}"


def _points(value: float) -> str:
    return "unknown" if math.isnan(value) else f"{100 * value:+.1f}"


def _number(value: float) -> str:
    return "undefined" if math.isnan(value) else f"{value:.2f}"


def _with_bounds(value: Estimate, written: Callable[[float], str]) -> str:
    low, high = value.bounds
    return written(value.value) + ("" if math.isnan(low) else f" ({written(low)} to {written(high)})")
