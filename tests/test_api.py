"""What notebooks use: finished runs as tables while others are missing, figures from their numbers, and the plan."""

from __future__ import annotations

import contextlib
import json
import math
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import w2s
from tests.figures.fake import Fake, halfway
from tests.project.test_architecture import HEAVY
from w2s import figures
from w2s.analysis.results import Stored
from w2s.config.files import deep_merge
from w2s.engine import artifacts
from w2s.errors import UserError
from w2s.experiments.plan import Plan
from w2s.figures import style
from w2s.graph.artifact import Run
from w2s.jobs import status

Finish = Callable[[Iterable[Run]], None]


@pytest.fixture
def root(tmp_path: Path, tiny_config: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a checkout; the notebook runs elsewhere."""
    folder = tmp_path / "checkout"
    (folder / "config").mkdir(parents=True)
    (folder / "config.yaml").write_text(json.dumps(tiny_config))
    (folder / "config" / "only-chess.yaml").write_text("settings: [chess]\n")
    monkeypatch.chdir(tmp_path)
    return folder


@pytest.fixture
def finish(root: Path, tiny: Plan, monkeypatch: pytest.MonkeyPatch) -> Finish:
    """Finish runs, with accuracies of 60% (truth, w8), 90% (truth, w16) and halfway for students."""
    results = Fake(halfway(tiny))

    def finish(runs: Iterable[Run]) -> None:
        with monkeypatch.context() as patch:
            patch.chdir(root)
            for run in runs:
                with artifacts.building(Path(run.path), run.identity, run.stage.manifest) as build:
                    assert build is not None
                    artifacts.write_table(build.folder / "predictions.parquet", results.predictions(run))

    return finish


def cell(plan: Plan, method: str = "naive") -> list[Run]:
    """Supervisor, ceiling and student of one task."""
    nlp = plan.nlp
    return [nlp.truth("sciq", "w8", 0), nlp.truth("sciq", "w16", 0), nlp.student("sciq", "w8", "w16", method, 0)]


# -- importing ---------------------------------------------------------------------------------------------


def test_importing_the_package_is_cheap_and_names_are_there_when_they_are_used() -> None:
    code = (
        "import sys, w2s\n"
        f"heavy = {HEAVY | {'pydantic', 'w2s.api'}}\n"
        "print(sorted(heavy & set(sys.modules)), w2s.pgr(0.6, 0.75, 0.9))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[] 0.5"
    assert {"load", "plan", "draw", "pgr"} <= set(dir(w2s))
    with pytest.raises(AttributeError, match="module 'w2s' has no attribute 'lod'"):
        w2s.lod  # noqa: B018


# -- runs --------------------------------------------------------------------------------------------------


def test_a_cell_has_the_accuracies_of_its_three_runs_and_its_pgr(root: Path, tiny: Plan, finish: Finish) -> None:
    runs = cell(tiny)
    finish(runs)
    table = w2s.load("tiny", root=root).table().set_index("key").loc[[run.key for run in runs]]
    assert list(table["role"]) == ["supervisor and ceiling", "ceiling", "student"]
    assert list(table["accuracy"]) == pytest.approx([0.6, 0.9, 0.75])
    student = table.to_dict("index")[runs[2].key]
    assert [student[name] for name in ("weak", "ceiling", "pgr")] == pytest.approx([0.6, 0.9, 0.5])
    which = ("setting", "task", "rung", "labels", "method", "seed", "supervisor", "path")
    assert [student[name] for name in which] == ["nlp", "sciq", "w16", "from-w8", "naive", 0, "w8", runs[2].path]
    assert student["compute"] == tiny.nlp.config.compute(tiny.nlp.rung("w16"))
    assert table.loc[[run.key for run in runs[:2]], ["weak", "ceiling", "pgr"]].isna().all(axis=None)


def test_a_student_without_a_single_supervisor_has_a_ceiling_and_no_pgr(root: Path, tiny: Plan, finish: Finish) -> None:
    students = [tiny.nlp.student("sciq", "w8", "w16", method, 0) for method in ("ensemble", "zero-shot-labels")]
    finish([*cell(tiny)[:2], *students])
    table = w2s.load("tiny", root=root).table().set_index("key").loc[[run.key for run in students]]
    assert set(table["role"]) == {"student"}
    assert list(table["ceiling"]) == pytest.approx([0.9, 0.9])
    assert table[["supervisor", "weak", "pgr"]].isna().all(axis=None)


@pytest.mark.parametrize("missing", [0, 1, 2])
def test_a_missing_run_is_absent_and_leaves_no_pgr(missing: int, root: Path, tiny: Plan, finish: Finish) -> None:
    runs = cell(tiny)
    loaded = w2s.load("tiny", root=root)
    assert loaded.table().empty
    finish(run for place, run in enumerate(runs) if place != missing)
    table = loaded.table()
    assert set(table["key"]) == {run.key for place, run in enumerate(runs) if place != missing}
    assert table["pgr"].isna().all()
    students = table[table["role"] == "student"]
    assert students["weak"].isna().tolist() == [missing == 0] * len(students)
    assert students["ceiling"].isna().tolist() == [missing == 1] * len(students)
    finish([runs[missing]])  # in the meantime
    assert loaded.table()["pgr"].max() == pytest.approx(0.5)


def test_the_table_has_the_numbers_of_the_figures(root: Path, tiny: Plan, finish: Finish) -> None:
    finish(figures.module("fig12").needs(tiny))
    table = w2s.load(root=root).table()
    rows = pd.DataFrame(figures.numbers("fig12", tiny, Stored(root)))
    students = rows.dropna(subset=["supervisor"]).rename(columns={"student": "rung"})
    both = table.merge(students, on=["task", "rung", "supervisor", "method", "seed"], suffixes=("", "_there"))
    assert len(both) == len(students) == (table["role"] == "student").sum()
    for name in ("accuracy", "weak", "ceiling", "pgr"):
        assert both[name].tolist() == pytest.approx(both[f"{name}_there"].tolist(), nan_ok=True)
    assert both["pgr"].isna().any()  # same-size pairs
    assert both["pgr"].notna().any()


def test_pgr_is_undefined_where_the_ceiling_is_no_better() -> None:
    assert math.isnan(w2s.pgr(0.9, 0.8, 0.9))
    assert math.isnan(w2s.pgr(0.9, 0.8, 0.7))


def test_with_ceilings_on_the_other_half_supervisors_and_ceilings_are_two_runs(
    root: Path, tiny_config: dict[str, Any], finish: Finish
) -> None:
    (root / "config.yaml").write_text(json.dumps(tiny_config | {"ceiling_half": "strong"}))
    loaded = w2s.load(root=root)
    nlp = loaded._nlp
    finish([nlp.truth("sciq", "w8", 0), nlp.ceiling("sciq", "w8", 0), nlp.truth("sciq", "w16", 0)])
    roles = loaded.table().set_index("key")["role"]
    assert roles[nlp.truth("sciq", "w8", 0).key] == "supervisor"
    assert roles[nlp.ceiling("sciq", "w8", 0).key] == "ceiling"
    assert roles[nlp.truth("sciq", "w16", 0).key] == "truth"  # the largest rung supervises none


def test_a_damaged_run_is_named(root: Path, tiny: Plan, finish: Finish) -> None:
    finish(cell(tiny))
    harmed = root / cell(tiny)[2].path / "predictions.parquet"
    harmed.write_bytes(harmed.read_bytes()[:-1])
    with pytest.raises(UserError, match=re.escape(f"{harmed}: truncated or edited")):
        w2s.load(root=root).table()


def test_predictions_are_those_of_the_chosen_runs_and_part(root: Path, tiny: Plan, finish: Finish) -> None:
    runs = cell(tiny)
    finish(runs)
    loaded = w2s.load(root=root)
    student = loaded.predictions(task="sciq", rung="w16", labels="from-w8", method="naive", seed=0, part="test")
    assert len(student) == 100
    assert list(student) == [
        *("task", "rung", "labels", "method", "seed"),
        *("id", "part", "truth", "label", "probability", "probability_last"),
    ]
    assert ((student["probability"] > 0.5) == student["truth"]).mean() == pytest.approx(0.75)
    assert len(loaded.predictions(labels="truth")) == 2 * 102  # every part of both rungs
    nothing = loaded.predictions(task="sst2")  # not finished
    assert nothing.empty
    assert list(nothing) == list(student)


@pytest.mark.parametrize(
    ("which", "said"),
    [
        ({"task": "scik"}, "task: no run with 'scik' here; did you mean 'sciq'? allowed: sciq, sst2"),
        ({"task": "sciq", "seed": 7}, "seed: no run with 7 here; allowed: 0"),
        (
            {"labels": "from-w16"},
            "labels: no run with 'from-w16' here; did you mean 'from-w8'? allowed: ensemble-of-1, from-w8, truth, zero",
        ),
        ({"part": "weak"}, "part: 'weak' is not a part that runs predict; allowed: strong, test, validation"),
    ],
)
def test_a_choice_of_predictions_that_is_not_there_is_named(which: dict[str, Any], said: str, root: Path) -> None:
    with pytest.raises(UserError, match=re.escape(said)):
        w2s.load(root=root).predictions(**which)


# -- experiments and figures that are not there --------------------------------------------------------------


def test_unknown_names_are_one_line_with_what_exists(root: Path, tmp_path: Path) -> None:
    for call in (w2s.load, w2s.plan, lambda name, root: w2s.draw("fig5", name, root=root)):
        with pytest.raises(UserError, match=r"unknown experiment 'tinny' \(no .*\); did you mean 'tiny'\?"):
            call("tinny", root=root)
        with pytest.raises(UserError, match=r"config\.yaml: no such file; root should be the folder of a checkout"):
            call("tiny", root=tmp_path)
    for draws in (w2s.draw, lambda name, root: w2s.plan(figure=name, root=root)):
        with pytest.raises(UserError, match="unknown figure 'fig55'; did you mean 'fig5'"):
            draws("fig55", root=root)
    with pytest.raises(UserError, match="experiment 'only-chess' has no nlp section"):
        w2s.load("only-chess", root=root)
    with pytest.raises(UserError, match="experiment 'only-chess' has no nlp section"):
        w2s.plan("only-chess", figure="fig5", root=root)


# -- the plan ----------------------------------------------------------------------------------------------


def test_the_plan_has_every_job_of_a_figure_parents_first_and_how_far_it_is(
    root: Path, tiny: Plan, finish: Finish
) -> None:
    finish(cell(tiny)[:1])
    failed = cell(tiny)[1]
    (root / status.log_of(failed)).parent.mkdir(parents=True)
    (root / status.log_of(failed)).write_text("w2s: out of memory\n")
    jobs = w2s.plan("tiny", figure="fig5", root=root)
    needed = figures.module("fig5").needs(tiny)
    runs = jobs[jobs["stage"] == "finetune"]
    assert set(runs["key"]) == {run.key for run in needed}
    assert runs[["task", "rung", "labels", "method", "seed"]].notna().all(axis=None)
    assert jobs.loc[jobs["stage"] != "finetune", "seed"].isna().all()
    places = {key: place for place, key in enumerate(jobs["key"])}
    assert all(places[parent.key] < places[run.key] for run in needed for parent in run.parents.values())
    states = jobs.set_index("key")["state"]
    assert states[cell(tiny)[0].key] == "done"
    assert states[failed.key] == "failed"
    assert (states == "waiting").sum() == len(states) - 2
    assert set(jobs["key"]) < set(w2s.plan(root=root)["key"])


# -- figures -----------------------------------------------------------------------------------------------


def test_paths_of_a_config_are_relative_to_its_folder(root: Path, tiny_config: dict[str, Any]) -> None:
    """Whatever the folder of the notebook: the same plan, whose keys are those of the files' content."""
    for name in ("real/glue.sst2/train.jsonl", "real/glue.sst2/validation.jsonl", "pairs/anthropic_hh/train.jsonl"):
        (root / "data" / name).parent.mkdir(parents=True, exist_ok=True)
        (root / "data" / name).write_text("{}\n")
    for name in ("games.pgn", "puzzles.csv", "base/config.json", "base/model.safetensors"):
        (root / "data" / name).parent.mkdir(exist_ok=True)
        (root / "data" / name).write_text("{}")
    rung = {"name": "open", "source": "./data/base", "parameters": 10**6, "tokens": 10**6, "learning_rate": 1e-3}
    config = deep_merge(
        tiny_config,
        {
            "settings": ["nlp", "chess", "reward"],
            "data": {"source": "directory", "directory": "data/real"},
            "nlp": {
                "tasks": [{"name": "sst2", "test": "validation"}],
                "ladder": [*tiny_config["nlp"]["ladder"], rung],
                "pretraining": {"corpus": "tasks"},
            },
            "chess": {
                "games": {"source": "files", "paths": ["data/*.pgn"]},
                "puzzles": {"source": "files", "paths": ["data/puzzles.csv"]},
            },
            "reward": {
                "source": "directory",
                "directory": "data/pairs",
                "tasks": [{"name": "hh", "test": "none"}],
                "pretraining": {"corpus": "tasks"},
            },
        },
    )
    (root / "config.yaml").write_text(json.dumps(config))
    assert "finished" in repr(w2s.load(root=root))
    for figure in ("fig5", "fig3"):
        elsewhere = list(w2s.plan(figure=figure, root=root).path)
        with contextlib.chdir(root):
            assert list(w2s.plan(figure=figure).path) == elsewhere


def test_a_figure_is_drawn_from_its_csv_and_leaves_matplotlib_as_it_was(root: Path, tiny: Plan) -> None:
    with pytest.raises(UserError, match=r"fig5.csv: no such file; `snakemake figures/fig5.pdf` makes it; there are: n"):
        w2s.draw("fig5", "tiny", root=root)
    folder = root / "results" / "figures" / "tiny"
    folder.mkdir(parents=True)
    pd.DataFrame(figures.numbers("fig5", tiny, Fake(halfway(tiny)))).to_csv(folder / "fig5.csv", index=False)
    code = (
        "import matplotlib\n"
        "matplotlib.use('svg')\n"
        "before = dict(matplotlib.rcParams)\n"
        "import w2s\n"
        f"figure = w2s.draw('fig5', 'tiny', root={str(root)!r})\n"
        "print(matplotlib.get_backend(), dict(matplotlib.rcParams) == before, len(figure.axes))\n"
        "figure.savefig('fig5.png')\n"
    )
    environment = os.environ | {"DISPLAY": ""}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, env=environment)
    assert done.stdout.split() == ["svg", "True", "2"], done.stderr
    assert Path("fig5.png").stat().st_size > 10_000
    figure = w2s.draw("fig5", root=root)
    assert figure._repr_png_()[1:4] == b"PNG"  # type: ignore[attr-defined]  # notebooks show it
    said = " ".join(text.get_text().replace("\n", " ") for text in figure.texts)
    assert "experiment tiny" in said
    assert style.COMPUTE in {panel.get_xlabel() for panel in figure.axes}
    with pytest.raises(UserError, match=r"fig3.csv: no such file; .*; there are: fig5$"):
        w2s.draw("fig3", root=root)
