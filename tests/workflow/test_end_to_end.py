"""A tiny experiment on real processes: made once, found again, resumed after a kill, never half-written."""

from __future__ import annotations

import base64
import glob
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.workflow.test_dag import checkout, edit_config, planned, snakemake

pytestmark = pytest.mark.xdist_group(__name__)  # what these tests share is made once

FIGURE = "figures/fig5.pdf"
CODE = Path("src/w2s/figures/fig05.py")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout in which figure 5 was drawn from nothing."""
    folder = checkout(tmp_path_factory.mktemp("end-to-end") / "checkout")
    snakemake(folder, FIGURE)
    return folder


@pytest.fixture
def copy(made: Path, tmp_path: Path) -> Path:
    """The same with its own copy of everything, Snakemake's memory included."""
    shutil.copytree(made, tmp_path / "copy", symlinks=True)
    return tmp_path / "copy"


@pytest.fixture
def other(tmp_path: Path) -> Path:
    """Another checkout, with nothing made, in which the figure needs a part of these runs: those of one task."""
    folder = checkout(tmp_path / "other")
    edit_config(folder, lambda config: config["nlp"].update(tasks=["sciq"]))
    return folder


RUNS = 2 + 2 * 2  # of one task: rungs + pairs x methods


def contents(folder: Path, name: str = "predictions.parquet") -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob(name)}


def same(other: Path, made: Path) -> bool:
    """Whether a checkout of one task has its runs and both base models, with the bytes of those made undisturbed."""
    runs, models = contents(other / "results/nlp"), contents(other / "results/models", "model.safetensors")
    assert (len(runs), len(models)) == (RUNS, 2)
    return runs.items() <= contents(made / "results/nlp").items() and models == contents(
        made / "results/models", "model.safetensors"
    )


def test_the_figure_its_picture_and_its_numbers_are_there(made: Path) -> None:
    assert (made / FIGURE).read_bytes().startswith(b"%PDF")
    assert (made / "figures/fig5.png").stat().st_size > 10_000
    lines = (made / "results/figures/tiny/fig5.csv").read_text().splitlines()
    names = lines[0].split(",")
    assert {"task", "method", "supervisor", "student", "accuracy", "pgr"} <= set(names)
    cells = 2 + 2 * 2  # ground truth of two rungs, and two methods of two pairs
    of_tasks = Counter(line.split(",")[names.index("task")] for line in lines[1:])
    assert of_tasks == {"sciq": cells, "sst2": cells, "median": cells, "interval": cells}


def test_nothing_is_left_behind(made: Path) -> None:
    assert not list((made / "work").glob("[!.]*"))  # but for the user's own directory (w2s.engine.private)
    assert not [path for path in (made / "results").rglob("*") if path.name.startswith(".")]


def test_predictions_hold_every_part_with_labels_and_both_checkpoints(made: Path) -> None:
    for path in (made / "results/nlp").rglob("predictions.parquet"):
        table = pq.read_table(path).to_pydict()
        assert set(table) == {"id", "part", "truth", "label", "probability", "probability_last"}
        assert set(table["part"]) == {"strong", "validation", "test"}
        assert all(0 <= value <= 1 for name in ("label", "probability", "probability_last") for value in table[name])


def test_students_learn_their_supervisors_predictions(made: Path) -> None:
    (supervisor,) = (made / "results/nlp/sciq/w8/truth/naive").glob("s0-*/predictions.parquet")
    (student,) = (made / "results/nlp/sciq/w16/from-w8/naive").glob("s0-*/predictions.parquet")
    taught, learned = pq.read_table(supervisor).to_pydict(), pq.read_table(student).to_pydict()
    said = dict(zip(taught["id"], taught["probability"], strict=True))
    assert learned["label"] == pytest.approx([said[one] for one in learned["id"]])


def test_every_record_says_what_was_expected_beside_what_was_measured(made: Path) -> None:
    records = [json.loads(path.read_text()) for name in ("manifest.json", "run.json") for path in made.rglob(name)]
    assert {record["stage"] for record in records} == {"data", "corpus", "pretrain", "finetune"}
    for record in records:
        expected = record["made_with"]["estimated"]
        assert expected["device"] == "cpu"
        assert expected["seconds"] > 0
        assert expected["memory_mib"] > 0
        assert record["measured"]["seconds"] > 0


def test_a_base_model_loads_with_the_auto_classes(made: Path) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    (directory,) = (made / "results/models").glob("w16-*")
    model = AutoModelForCausalLM.from_pretrained(directory)
    tokenizer = AutoTokenizer.from_pretrained(directory)
    ids = tokenizer("Question: What does Mira eat?", return_tensors="pt").input_ids
    assert ids[0, 0] == tokenizer.bos_token_id
    assert model(ids).logits.shape == (1, ids.shape[1], 384)


def test_a_second_call_does_nothing(made: Path) -> None:
    assert "Nothing to be done" in snakemake(made, FIGURE)


def test_a_copy_of_results_alone_trains_nothing(made: Path, tmp_path: Path) -> None:
    other = checkout(tmp_path / "whole")
    shutil.copytree(made / "results", other / "results", copy_function=shutil.copy)  # new times, no memory
    assert set(planned(snakemake(other, "-n", FIGURE))) <= {"tabulate", "draw"}


def test_a_rungs_learning_rate_retrains_its_runs_and_reverting_retrains_nothing(copy: Path) -> None:
    original = (copy / "config.yaml").read_text()
    edit_config(copy, lambda config: config["nlp"]["ladder"][1].update(learning_rate=2e-3))
    output = snakemake(copy, "-n", FIGURE)
    assert planned(output) == {"finetune": 2 * (1 + 2), "experiment": 1, "tabulate": 1, "draw": 1}
    assert all("finetune w16 " in line for line in output.splitlines() if "finetune w" in line and "Job" in line)
    (copy / "config.yaml").write_text(original)
    assert "Nothing to be done" in snakemake(copy, "-n", FIGURE)


def test_an_added_seed_trains_only_that_seed(copy: Path) -> None:
    edit_config(copy, lambda config: config.update(seeds=[0, 1]))
    jobs = planned(snakemake(copy, "-n", FIGURE))
    assert jobs == {"data": 2, "finetune": 2 * (2 + 2 * 2), "experiment": 1, "tabulate": 1, "draw": 1}


def test_another_experiment_trains_only_what_is_new(copy: Path) -> None:
    (copy / "config").mkdir(exist_ok=True)
    (copy / "config/more.yaml").write_text("nlp: {tasks: [sciq, wic]}\n")
    jobs = planned(snakemake(copy, "-n", "figures/more/fig5.pdf"))
    drawing = {"experiment": 1, "tabulate": 1, "draw_of_experiment": 1}
    assert jobs == {"data": 1, "finetune": 2 + 2 * 2} | drawing


def test_a_setting_of_figures_redraws_and_trains_nothing(copy: Path) -> None:
    edit_config(copy, lambda config: config.update(overlay_paper=True))
    assert planned(snakemake(copy, "-n", FIGURE)) == {"experiment": 1, "tabulate": 1, "draw": 1}


def test_how_jobs_are_run_redraws_nothing(copy: Path) -> None:
    edit_config(copy, lambda config: config.update(execution={"runs_per_process": 1, "checkpoint_seconds": 7}))
    assert "Nothing to be done" in snakemake(copy, "-n", FIGURE)


def test_the_papers_numbers_are_part_of_what_figures_are_made_from(copy: Path) -> None:
    numbers = copy / "src/w2s/paper/nlp_medians.csv"
    numbers.write_text(numbers.read_text() + "\n")
    assert planned(snakemake(copy, "-n", FIGURE)) == {"tabulate": 1, "draw": 1}


def test_editing_plot_code_redraws_and_trains_nothing(copy: Path) -> None:
    code = copy / CODE
    code.write_text(code.read_text().replace("median over tasks (%)", "the median over tasks (%)"))
    assert planned(snakemake(copy, "-n", FIGURE)) == {"tabulate": 1, "draw": 1}


def test_a_docstring_in_the_training_code_changes_nothing(copy: Path) -> None:
    code = copy / "src/w2s/training/loop.py"
    code.write_text(code.read_text().replace('"""The training loop:', '"""This is the training loop:'))
    assert "Nothing to be done" in snakemake(copy, "-n", FIGURE)


def test_a_damaged_run_is_named_when_the_figure_is_drawn(copy: Path) -> None:
    path = next(iter((copy / "results/nlp").rglob("predictions.parquet")))
    path.write_bytes(path.read_bytes()[:-20])
    (copy / FIGURE).unlink()
    (copy / "results/figures/tiny/fig5.csv").unlink()
    output = snakemake(copy, FIGURE, check=False)
    assert f"{path.relative_to(copy)}: truncated or edited after it was made" in output
    shutil.rmtree(path.parent)
    snakemake(copy, FIGURE)
    assert (copy / FIGURE).is_file()


def test_the_same_experiment_elsewhere_gives_the_same_bytes_without_the_warm_process(
    made: Path, other: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Same seed twice: byte-identical predictions and history, whichever process did the work."""
    monkeypatch.setenv("W2S_WARM", "0")
    edit_config(other, lambda config: config["nlp"].update(methods=["naive"]))
    snakemake(other, FIGURE)
    for name in ("predictions.parquet", "history.csv"):
        ours = contents(other / "results/nlp", name)
        theirs = contents(made / "results/nlp", name)
        assert ours
        assert all(theirs[path] == content for path, content in ours.items())


def started(folder: Path, *options: str, output: Path | None = None) -> subprocess.Popen[bytes]:
    """Snakemake at work on the figure, with a checkpoint after every step."""
    environment = os.environ | {"PYTHONPATH": str(folder / "src"), "W2S_CHECKPOINT_SECONDS": "0"}
    command = [sys.executable, "-m", "snakemake", "--cores", "2", *options, FIGURE]
    with (output or Path(os.devnull)).open("wb") as said:
        return subprocess.Popen(command, cwd=folder, env=environment, stdout=said, stderr=said, start_new_session=True)


def wait_for(what: str, happened: object, seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not happened():  # type: ignore[operator]
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.01)


def processes_in(folder: Path) -> list[int]:
    """Processes whose working directory is this checkout: jobs and their forks."""
    found = []
    for link in Path("/proc").glob("[0-9]*/cwd"):
        try:
            if Path(os.readlink(link)) == folder:
                found.append(int(link.parent.name))
        except OSError:
            continue
    return found


def test_what_a_kill_left_marked_as_incomplete_does_not_hide_what_is_missing(made: Path, tmp_path: Path) -> None:
    """Killed between an artifact's appearance and Snakemake's noticing it: its readers' runs must still be planned."""
    other = checkout(tmp_path / "whole")
    (data,) = made.glob("results/nlp/sciq/data-*")
    shutil.copytree(data, other / data.relative_to(made))
    marks = other / ".snakemake/incomplete"
    marks.mkdir(parents=True)
    for file in data.iterdir():
        (marks / base64.b64encode(str(file.relative_to(made)).encode()).decode()).write_text("{}")
    jobs = planned(snakemake(other, "-n", FIGURE))
    assert jobs["finetune"] == 2 * (2 + 2 * 2)
    assert jobs["draw"] == 1
    assert jobs["data"] == 1  # the other task's


@pytest.mark.skipif(not Path("/proc/self/cwd").exists(), reason="finds processes through /proc")
@pytest.mark.parametrize("moment", ["pretraining", "finetuning"])
def test_killing_everything_and_calling_again_gives_the_same_bytes(made: Path, other: Path, moment: str) -> None:
    """Kill -9 of the workflow and all its jobs: the same call goes on from the checkpoints."""
    process = started(other)
    if moment == "pretraining":
        wait_for("a checkpoint", lambda: list((other / "work").glob("*/checkpoint.pt")))
    else:
        finished = "results/nlp/*/*/*/*/s0-*/run.json"  # no rglob: it stumbles over folders that are being renamed
        wait_for("a run", lambda: glob.glob(str(other / finished)))
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    for leftover in processes_in(other):
        os.kill(leftover, signal.SIGKILL)
    assert not (other / FIGURE).exists()
    output = snakemake(other, FIGURE)  # no lock on the folder is in the way
    assert (other / FIGURE).is_file(), output
    assert same(other, made)


@pytest.mark.skipif(not Path("/proc/self/cwd").exists(), reason="finds processes through /proc")
def test_killing_one_training_job_fails_it_and_a_second_call_finishes(made: Path, other: Path) -> None:
    process = started(other)

    def killed_a_job() -> bool:
        for pid in processes_in(other):
            try:
                if re.search(rb"w2s\0make\0(pretrain|finetune)", Path(f"/proc/{pid}/cmdline").read_bytes()):
                    os.kill(pid, signal.SIGKILL)
                    return True
            except OSError:  # it ended in between
                continue
        return False

    wait_for("a training job", killed_a_job)
    assert process.wait(timeout=300) != 0
    snakemake(other, FIGURE)
    assert same(other, made)


def test_two_workflows_on_the_same_results_do_each_others_no_harm(made: Path, other: Path, tmp_path: Path) -> None:
    """The profile turns Snakemake's own lock off; each artifact has one."""
    outputs = [tmp_path / "first", tmp_path / "second"]
    both = [started(other, output=output) for output in outputs]
    for process, output in zip(both, outputs, strict=True):
        assert process.wait(timeout=300) == 0, output.read_text()[-3000:]
    assert (other / FIGURE).is_file()
    assert same(other, made)
    assert "Nothing to be done" in snakemake(other, FIGURE)


def test_what_another_workflow_made_in_the_meantime_is_kept(made: Path, other: Path) -> None:
    """Snakemake by itself deletes what a job is to make before it starts, also what somebody else has just made."""
    (there,) = made.glob("results/nlp/sciq/w8/truth/naive/s0-*")
    place = other / there.relative_to(made)
    process = started(other)
    wait_for("the first job", lambda: list((other / "logs").rglob("*.log")))  # the run's own starts much later
    assert not place.exists()
    shutil.copytree(there, place.with_name("aside"))
    place.with_name("aside").rename(place)
    file = (place / "predictions.parquet").stat().st_ino
    assert process.wait(timeout=300) == 0
    assert (place / "predictions.parquet").stat().st_ino == file


@pytest.mark.skipif(not Path("/proc/self/cwd").exists(), reason="finds processes through /proc")
def test_jobs_that_outlive_their_killed_workflow_are_waited_for(made: Path, other: Path) -> None:
    process = started(other)
    wait_for("a checkpoint", lambda: list((other / "work").glob("*/checkpoint.pt")))
    os.kill(process.pid, signal.SIGKILL)  # the workflow alone
    process.wait()
    assert processes_in(other)
    snakemake(other, FIGURE)
    assert same(other, made)
    assert [path for path in (other / "work").glob("[!.]*/**/*") if path.is_file()] == []


def test_shared_work_is_done_once(made: Path) -> None:
    """One ground-truth run a rung and task, whichever role it plays."""
    counted = Counter(path.parts[-4] for path in (made / "results/nlp").glob("*/*/*/*/s*"))
    assert counted == {"w8": 2 * 3, "w16": 2 * 3}
