"""The hub, through a stand-in on loopback: fetched once, found again without it, plain words when it is not there."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import chess
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from tests.chess.test_finetune import puzzle_rows
from tests.conftest import ROOT
from tests.open_models import save
from tests.small_disk import needs_small_disk, run_with
from tests.standin import COMMIT, hub
from tests.workflow.test_dag import checkout, edit_config, planned
from w2s.microworld import World, WorldSize
from w2s.nlp import synthetic
from w2s.nlp.tasks import TASKS

pytestmark = pytest.mark.workflow
SMALL = WorldSize(people=12, adjectives=24, verbs=24, deeds=24, nouns=24)
TRAINING = {"epochs": 1, "evaluations_per_epoch": 2, "max_length": 32}


def shards(repository: Path, template: str, split: str, rows: list[dict[str, Any]]) -> None:
    """A split as parquet files in a repository: two shards, or one where the layout allows only one."""
    pattern = template.format(split=split)
    names = [pattern.replace("*", f"0000{n}-of-00002") for n in range(2)] if "*" in pattern else [pattern]
    for number, name in enumerate(names):
        (repository / name).parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.Table.from_pylist(rows[number :: len(names)]), repository / name)


@pytest.fixture(scope="module")
def repositories(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every task of Table 1 and a small ladder, in the hub's layout; rows are the micro-world's."""
    root = tmp_path_factory.mktemp("hub")
    for task in TASKS.values():
        assert task.hub is not None
        parts = synthetic.rows(World(SMALL), task.name)
        for part, split in (("train", task.train), ("test", task.test)):
            shards(root / "dataset" / task.hub.repository, task.hub.files, split, parts[part])
    rows = puzzle_rows(90)
    shards(root / "dataset/Lichess/chess-puzzles", "data/{split}-*.parquet", "train", [bare(row) for row in rows])
    shards(root / "dataset/EleutherAI/lichess-puzzles", "{split}/*.parquet", "train", [prompt(row) for row in rows])
    for number, name in enumerate(("gpt2", "neox")):
        save(root / "model" / "tiny" / name, name, seed=number)
        (root / "model" / "tiny" / name / "flax_model.msgpack").write_text("not wanted")
    return root


def bare(row: dict[str, str]) -> dict[str, Any]:
    """A puzzle as Lichess/chess-puzzles has it: without the moves of its game."""
    return {name: row[name] for name in ("PuzzleId", "FEN", "Moves")} | {
        "GameId": row["GameUrl"].rsplit("/", 1)[-1],
        "Rating": 1500,
        "Themes": ["short"],
    }


def prompt(row: dict[str, str]) -> dict[str, Any]:
    """A puzzle as EleutherAI/lichess-puzzles has it: the game so far, and the answer."""
    board, words = chess.Board(), []
    answer = row["Moves"].split()[-1]
    for san in row["game_moves"].split():
        words += [f"{board.fullmove_number}{'.' if board.turn else '...'}", san]
        board.push_san(san)
    words.append(f"{board.fullmove_number}{'.' if board.turn else '...'}")
    return {"ctx": " ".join(words), "target": f" {board.san(chess.Move.from_uci(answer))}"}


@pytest.fixture(scope="module")
def address(repositories: Path) -> Iterator[str]:
    with hub(repositories) as place:
        yield place


def experiment(tasks: list[str]) -> dict[str, Any]:
    ladder = [
        {"name": f"tiny-{name}", "source": f"tiny/{name}", "revision": COMMIT, "parameters": count, "tokens": 10**6 * n}
        | {"learning_rate": 1e-3, "precision": "float32"}
        for n, (name, count) in enumerate((("gpt2", 11_456), ("neox", 14_000)), start=1)
    ]
    ladder[1] |= {"precision": "bfloat16", "adapters": {"rank": 2}, "checkpointing": True}
    listed = [{"name": task, "revision": COMMIT} for task in tasks]
    nlp = {"tasks": listed, "ladder": ladder, "training": TRAINING}
    return {"settings": ["nlp"], "data": {"source": "hub"}, "nlp": nlp}


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    folder = checkout(tmp_path / "checkout")
    (folder / "config").mkdir(exist_ok=True)
    for name, tasks in (("all", list(TASKS)), ("two", ["sciq", "mc_taco"])):
        (folder / "config" / f"{name}.yaml").write_text(yaml.safe_dump(experiment(tasks)))
    return folder


def variables(folder: Path, address: str) -> dict[str, str]:
    """The environment of a checkout whose hub is the stand-in, with a cache of its own."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
    return environment | {"PYTHONPATH": str(folder / "src"), "HF_ENDPOINT": address, "HF_HOME": str(folder / "cache")}


def run(folder: Path, address: str, *command: str, offline: bool = False) -> subprocess.CompletedProcess[str]:
    environment = variables(folder, address) | ({"HF_HUB_OFFLINE": "1"} if offline else {})
    return subprocess.run(
        [sys.executable, "-m", *command], cwd=folder, env=environment, capture_output=True, text=True, timeout=300
    )


def correct(copy: Path, repositories: Path) -> None:
    from w2s.models.base import describe

    for path in (copy / "config").glob("*.yaml"):
        content = yaml.safe_load(path.read_text())
        for rung in content["nlp"]["ladder"]:
            found = describe(repositories / "model" / rung["source"], rung["name"])
            rung["parameters"] = found["parameters"]
        path.write_text(yaml.safe_dump(content))


def test_fetch_then_run_without_the_hub(copy: Path, address: str, repositories: Path) -> None:
    correct(copy, repositories)
    fetched = run(copy, address, "w2s", "fetch", "two")
    assert fetched.returncode == 0, fetched.stderr
    assert "sciq: allenai/sciq (train) at c0ffee" in fetched.stdout
    assert "mc_taco: CogComp/mc_taco (test)" in fetched.stdout
    assert "tiny-neox: tiny/neox" in fetched.stdout
    assert not list((copy / "cache").rglob("flax_model.msgpack"))
    figure = run(copy, "http://127.0.0.1:9", "snakemake", "--cores", "2", "figures/two/fig5.pdf", offline=True)
    assert figure.returncode == 0, figure.stdout[-3000:] + figure.stderr[-3000:]
    assert (copy / "figures/two/fig5.png").is_file()
    (record,) = (copy / "results/models").glob("tiny-gpt2-*/source.json")
    assert '"architecture": "GPT2LMHeadModel"' in record.read_text()
    again = run(copy, "http://127.0.0.1:9", "snakemake", "--cores", "2", "figures/two/fig5.pdf", offline=True)
    assert "Nothing to be done" in again.stdout + again.stderr
    drawn = run(copy, "http://127.0.0.1:9", "snakemake", "--cores", "2", "figures/two/table1.pdf", offline=True)
    assert drawn.returncode == 0, drawn.stdout[-3000:] + drawn.stderr[-3000:]
    assert "allenai/sciq at c0ffee" in (copy / "results/figures/two/table1.csv").read_text()


def test_every_data_set_of_table_1_is_found_where_its_task_says(copy: Path, address: str, repositories: Path) -> None:
    correct(copy, repositories)
    fetched = run(copy, address, "w2s", "fetch", "all")
    assert fetched.returncode == 0, fetched.stderr
    for task in TASKS.values():
        assert task.hub is not None
        assert f"{task.name}: {task.hub.repository} ({task.train})" in fetched.stdout
        assert f"{task.name}: {task.hub.repository} ({task.test})" in fetched.stdout
    shown = run(copy, address, "w2s", "examples", "--experiment", "all", offline=True)
    assert shown.returncode == 0, shown.stderr
    assert shown.stdout.count("== ") == 22


@pytest.mark.parametrize(
    ("repository", "files", "notation"),
    [
        ("Lichess/chess-puzzles", "data/train-*.parquet", "position"),
        ("EleutherAI/lichess-puzzles", "train/*.parquet", "pgn"),
    ],
)
def test_chess_puzzles_are_fetched_once_and_built_without_the_hub(
    repository: str, files: str, notation: str, copy: Path, address: str, repositories: Path
) -> None:
    overlay = experiment(["sciq"])["nlp"]["ladder"]
    place = {"source": "hub", "hub": repository, "revision": COMMIT, "files": files}
    sizes = {"weak": 20, "strong": 20, "steps": 0, "test": 10}
    changed = {"puzzles": place, "notation": notation, "sizes": sizes, "chains": []}
    ladder = {"ladder": [rung | {"adapters": None} for rung in overlay]} if notation == "pgn" else {}
    (copy / "config" / "puzzles.yaml").write_text(yaml.safe_dump({"settings": ["chess"], "chess": changed | ladder}))
    fetched = run(copy, address, "w2s", "fetch", "puzzles")
    assert f"puzzles: {repository} at {COMMIT}: 90 sound puzzles" in fetched.stdout, fetched.stdout + fetched.stderr
    shown = run(copy, "http://127.0.0.1:9", "w2s", "examples", "puzzles", "--experiment", "puzzles", offline=True)
    assert shown.returncode == 0, shown.stderr
    figure = run(copy, "http://127.0.0.1:9", "snakemake", "--cores", "2", "figures/puzzles/fig14.pdf", offline=True)
    assert figure.returncode == 0, figure.stdout[-3000:] + figure.stderr[-3000:]
    (examples,) = (copy / "results/chess/puzzles").glob("data-*/examples.parquet")
    table = pq.read_table(examples).to_pydict()
    assert Counter(table["part"]) == {"weak": 20, "strong": 20, "test": 10}
    assert all(text.endswith((".", ":")) for text in table["prompt"])


def test_examples_of_the_micro_world_need_no_hub() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "w2s", "examples"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    blocks = done.stdout.strip().split("== ")[1:]
    assert len(blocks) == 22 + 2  # and chess puzzles, and dialogues
    assert all(block.count("\n--\n") == 2 for block in blocks)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({}, "w2s fetch"),
        ({"tasks": [{"name": "sciq", "revision": "d" * 40}]}, "the repository has no such revision"),
        ({"tasks": [{"name": "sciq", "revision": COMMIT, "train": "trane"}]}, "has no file data/trane-*.parquet"),
    ],
    ids=["no network", "no such revision", "no such split"],
)
def test_what_cannot_be_had_is_one_line(copy: Path, address: str, change: dict[str, Any], said: str) -> None:
    content = experiment(["sciq"])
    content["nlp"] |= change
    (copy / "config" / "broken.yaml").write_text(yaml.safe_dump(content))
    place = "http://127.0.0.1:9" if not change else address
    done = run(copy, place, "w2s", "fetch", "broken")
    assert done.returncode == 1
    assert done.stderr.startswith("w2s: task 'sciq'")
    assert said in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_cache_that_does_not_know_whether_it_is_whole_is_completed(
    copy: Path, address: str, repositories: Path
) -> None:
    """As an older library left it, or a copy of part of a cache."""
    correct(copy, repositories)
    snapshot = copy / "cache/hub/datasets--allenai--sciq/snapshots" / COMMIT
    (snapshot / "data").mkdir(parents=True)
    shard = "data/train-00000-of-00002.parquet"
    shutil.copy(repositories / "dataset/allenai/sciq" / shard, snapshot / shard)
    fetched = run(copy, address, "w2s", "fetch", "two")
    assert fetched.returncode == 0, fetched.stderr
    rows = len(synthetic.rows(World(SMALL), "sciq")["train"])
    assert f"sciq: allenai/sciq (train) at {COMMIT}: {rows} rows" in fetched.stdout


def test_a_cache_that_cannot_be_written_is_not_taken_for_the_hub(copy: Path, address: str) -> None:
    (copy / "cache").write_text("a file where a folder should be")
    done = run(copy, address, "w2s", "fetch", "two")
    assert done.returncode == 1
    assert "the cache cannot be used" in done.stderr
    assert "Traceback" not in done.stderr


@needs_small_disk
@pytest.mark.parametrize(
    ("world", "said"),
    [(False, r"task '\w+': dataset .*\.parquet"), (True, r"rung '[\w-]+': model .*")],
    ids=["data sets", "models"],
)
def test_a_full_cache_is_one_line_with_the_file_and_what_it_needs(
    world: bool, said: str, copy: Path, address: str
) -> None:
    if world:  # nothing but models is fetched
        edit_config(copy, lambda config: config["nlp"].update(tasks=["sciq"]))
        overlay = {**experiment(["sciq"]), "data": {"source": "world"}}
        overlay["nlp"]["tasks"] = ["sciq"]
        (copy / "config" / "two.yaml").write_text(yaml.safe_dump(overlay))
    command = [sys.executable, "-m", "w2s", "fetch", "two"]
    done = run_with(copy / "cache", "32k", command, copy, variables(copy, address))
    assert done.returncode == 1
    full = r"no space left on the disk: it needs \d+\.\d KiB, \d+\.\d KiB are free; make room and run the same .*"
    assert re.fullmatch(rf"w2s: {said}: {full}\n", done.stderr), done.stderr


def test_an_experiment_without_the_hub_says_so(copy: Path, address: str) -> None:
    assert "it needs nothing from the hub" in run(copy, address, "w2s", "fetch").stdout


def test_a_workflow_without_the_hub_shows_the_command_that_helps(copy: Path) -> None:
    done = run(copy, "http://127.0.0.1:9", "snakemake", "--cores", "2", "figures/two/table1.pdf", offline=True)
    said = done.stdout + done.stderr
    assert done.returncode == 1
    assert "w2s: task 'sciq': dataset 'allenai/sciq' at c0ffee" in said
    assert "run `w2s fetch [EXPERIMENT]`" in said
    assert "Traceback" not in said


def test_a_rung_that_the_hub_does_not_have_is_one_line(copy: Path, address: str) -> None:
    content = experiment(["sciq"])
    content["data"] = {"source": "world"}
    content["nlp"]["tasks"] = ["sciq"]
    content["nlp"]["ladder"][0]["source"] = "tiny/nothing"
    (copy / "config" / "broken.yaml").write_text(yaml.safe_dump(content))
    done = run(copy, address, "w2s", "fetch", "broken")
    assert done.stderr.startswith(f"w2s: rung 'tiny-gpt2': model 'tiny/nothing' at {COMMIT}: the hub has no such")
    assert done.stderr.count("\n") == 1


def test_a_ladder_that_misstates_its_parameters_is_refused(copy: Path, address: str) -> None:
    edit_config(copy, lambda config: config["nlp"].update(tasks=["sciq"]))
    content = experiment(["sciq"])
    (copy / "config" / "two.yaml").write_text(yaml.safe_dump(content))
    target = "figures/two/fig5.pdf"
    assert planned(run(copy, address, "snakemake", "--cores", "2", "-n", target).stdout)["open_model"] == 2
    done = run(copy, address, "snakemake", "--cores", "2", target)
    assert done.returncode == 1
    assert "the ladder 11,456; correct the ladder" in done.stdout + done.stderr
    shutil.rmtree(copy / "cache")
