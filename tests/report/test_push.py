"""A run is published with a card that the hub's own library reads, and mistakes are one line each."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import ModelCard

from tests.standin import LOCKED, PRIVATE, TOKEN, hub
from w2s import cli
from w2s.engine import artifacts
from w2s.errors import UserError
from w2s.graph.artifact import Identity
from w2s.report import card
from w2s.training.records import write_history

ROWS = {"hub": "nyu-mll/glue", "revision": "bcdcba79d07bc864c1c254ccfcedcce55bcc9a8c"}
TRAINING = {"epochs": 2.0, "batch": 32}
FILES = {"README.md", "history.csv", "parents.json", "predictions.parquet", "run.json"}


def artifact(name: str, stage: str, spec: dict[str, Any], parents: dict[str, Path], **measured: Any) -> Path:
    """One in results/, with predictions on 200 test examples if it is a run."""
    keys = {role: artifacts.read(folder)["key"] for role, folder in parents.items()}
    identity = Identity(stage, 1, spec, keys)
    out = Path(f"results/{name}-{identity.key}")
    is_run = stage == "finetune"
    with artifacts.building(out, identity, "run.json" if is_run else "manifest.json") as build:
        assert build is not None
        build.measured |= measured
        if is_run:
            part = ["test"] * 200 + ["validation"] * 50
            columns = {"id": [f"e{number}" for number in range(250)], "part": part, "truth": [1] * 250}
            artifacts.write_table(build.folder / "predictions.parquet", columns)
            write_history(build.folder / "history.csv", [{"step": 2, "epoch": 2.0, "train_loss": 0.5}])
    return out


@pytest.fixture
def student(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A student of w8, with its supervisor (60%) and its ceiling (80%) beside it; it reaches 75%."""
    monkeypatch.chdir(tmp_path)
    data = artifact("nlp/sst2/data", "data", {"rows": ROWS, "task": "sst2"}, {}, directory=str(tmp_path))
    source = {"hub": "openai-community/gpt2", "revision": "abc"}
    small, large = (artifact(f"models/{name}", "open", {"source": source, "name": name}, {}) for name in ("w8", "w16"))
    spec: dict[str, Any] = {"half": "weak", "seed": 0, "training": TRAINING}
    supervisor = artifact(
        "nlp/sst2/w8/truth/naive/s0", "finetune", spec, {"data": data, "model": small}, test_accuracy=0.6
    )
    parents = {"data": data, "model": large}
    artifact("nlp/sst2/w16/truth/naive/s0", "finetune", spec, parents, test_accuracy=0.8)
    longer = {**spec, "training": {**TRAINING, "epochs": 4.0}}
    artifact("nlp/sst2/w16/truth/naive/s0", "finetune", longer, parents, test_accuracy=0.9)  # no ceiling of its
    parents |= {"labels": supervisor}
    return artifact(
        "nlp/sst2/w16/from-w8/naive/s0", "finetune", {**spec, "half": "strong"}, parents, test_accuracy=0.75, steps=2
    )


def push(endpoint: str, *arguments: str | Path, token: str = TOKEN) -> str:
    """All that the command says, in a process of its own: the library reads its variables once."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
    environment |= {"HF_ENDPOINT": endpoint, "HF_HOME": str(Path("home").absolute()), "HF_TOKEN": token}
    command = [sys.executable, "-m", "w2s", "push", *map(str, arguments)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    said = done.stdout + done.stderr
    assert "Traceback" not in said, said
    assert done.returncode == (1 if "w2s: " in said else 0)
    return said


def test_the_folder_has_the_runs_files_and_a_card_that_the_hub_reads(student: Path) -> None:
    assert cli.main(["push", str(student / "run.json"), "--folder", "out"]) == 0
    assert {path.name for path in Path("out").iterdir()} == FILES
    for name in ("history.csv", "predictions.parquet", "run.json"):
        assert (Path("out") / name).read_bytes() == (student / name).read_bytes()
    content = ModelCard.load("out/README.md").data
    assert (content.license, content.base_model) == ("other", "openai-community/gpt2")
    assert content.datasets == ["nyu-mll/glue"]
    assert {"weak-to-strong", "nlp", "naive"} <= set(content.tags or ())
    assert content.eval_results
    accuracy, recovered = content.eval_results
    assert (accuracy.metric_type, accuracy.metric_value) == ("accuracy", 0.75)
    assert (accuracy.dataset_type, accuracy.dataset_split) == ("nyu-mll/glue", "test")
    assert (recovered.metric_type, recovered.metric_value) == ("pgr", pytest.approx(0.75))
    text = Path("out/README.md").read_text()
    assert "0.7500 (95% interval 0.6857 to 0.8049, 200 examples)" in text
    assert "weights of the finetuned model are not included" in text
    assert "nyu-mll/glue at bcdcba79d07bc864c1c254ccfcedcce55bcc9a8c" in text
    assert not [path for path in Path("out").iterdir() if str(Path.cwd()).encode() in path.read_bytes()]


def test_what_is_not_known_is_not_stated(student: Path, tmp_path: Path) -> None:
    for folder in Path("results/nlp/sst2/w16/truth/naive").iterdir():
        if artifacts.read(folder)["measured"]["test_accuracy"] == 0.8:
            folder.rename(tmp_path / "elsewhere")
    card.write(card.read(student), Path("out"), "me/run")
    results = ModelCard.load("out/README.md").data.eval_results
    assert results
    (accuracy,) = results
    assert accuracy.metric_type == "accuracy"
    assert "gap recovered is not stated" in Path("out/README.md").read_text()


def test_invented_data_and_ground_truth_are_called_so(student: Path) -> None:
    data = artifact("nlp/sst2/data", "data", {"rows": {"version": 2, "world": {"seed": 0}}, "task": "sst2"}, {})
    run = artifact(
        "nlp/sst2/w8/truth/naive/s1", "finetune", {"seed": 1, "training": TRAINING}, {"data": data}, test_accuracy=0.5
    )
    text = card.card(card.read(run), "me/run")
    assert "not the real data set" in text
    assert "Accuracies say nothing about real data" in text
    assert "finetuned on ground truth" in " ".join(text.split())
    assert "gap recovered" not in text


def test_a_folder_with_something_in_it_is_left_alone(student: Path) -> None:
    Path("out").mkdir()
    Path("out/notes.txt").write_text("mine")
    with pytest.raises(UserError, match="out: not empty"):
        card.write(card.read(student), Path("out"), "me/run")
    assert [path.name for path in Path("out").iterdir()] == ["notes.txt"]


def test_what_is_no_whole_run_is_one_line(student: Path) -> None:
    with pytest.raises(UserError, match="no finished artifact here"):
        card.read(Path("results/nlp/sst2/w16/from-w8/naive/s7-0123456789"))
    (data,) = Path("results/nlp/sst2").glob("data-*")
    with pytest.raises(UserError, match="not a training run"):
        card.read(data)
    (student / "history.csv").write_text("step\n1\n")
    with pytest.raises(UserError, match=r"history.csv: truncated or edited"):
        card.read(student)


@pytest.mark.slow
def test_a_run_is_published_once_and_again(student: Path, tmp_path: Path) -> None:
    root = tmp_path / "hub"
    with hub(root) as endpoint:
        for _ in range(2):  # the second time the repository is there
            said = push(endpoint, student, "--to", "me/student", "--private")
            assert said.startswith("me/student: published as commit c0ffee")
    published = root / "model/me/student"
    assert {path.name for path in published.iterdir()} == FILES | {PRIVATE}
    for name in ("history.csv", "predictions.parquet", "run.json"):
        assert (published / name).read_bytes() == (student / name).read_bytes()
    assert ModelCard.load(published / "README.md").data.model_name == "student"


@pytest.mark.slow
def test_what_the_hub_refuses_is_one_line(student: Path, tmp_path: Path) -> None:
    with hub(tmp_path / "hub") as endpoint:
        assert push(endpoint, student, "--to", "me/x", token="") == (
            "w2s: me/x: no token of the hub; run `hf auth login`, or set HF_TOKEN to one that can write\n"
        )
        assert push(endpoint, student, "--to", "me/x", token="hf_other") == "w2s: me/x: the token is not valid\n"
        assert push(endpoint, student, "--to", f"{LOCKED}/x") == f"w2s: {LOCKED}/x: the token may not write there\n"
        assert "'student' is not a repository; expected OWNER/NAME" in push(endpoint, student, "--to", "student")
        assert "'me/-x' is not a repository (" in push(endpoint, student, "--to", "me/-x")
    assert not (tmp_path / "hub/model").exists()
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        said = push(f"http://alice:s3cret@127.0.0.1:{closed.getsockname()[1]}", student, "--to", "me/x")
    assert said.startswith("w2s: me/x: the hub cannot be reached (")
    assert len(said.splitlines()) == 1
    assert "s3cret" not in said
