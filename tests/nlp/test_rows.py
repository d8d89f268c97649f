"""Rows come from the world or from files; what is wrong with a file is one line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from w2s.errors import UserError
from w2s.microworld import World, WorldSize
from w2s.nlp import synthetic
from w2s.nlp.build import build
from w2s.nlp.config import Sizes
from w2s.nlp.rows import from_files, split_files
from w2s.nlp.tasks import TASKS, TOPICS

ROWS = [{"sentence": 'a film, "fine"', "label": 1}, {"sentence": "a bore", "label": 0}]


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    if path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(rows), path)
    elif path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    else:
        path.write_text('sentence,label\n"a film, ""fine""",1\na bore,0\n')
    return path


@pytest.mark.parametrize("ending", [".parquet", ".jsonl", ".csv"])
def test_all_three_kinds_of_file_give_the_same_rows(ending: str, tmp_path: Path) -> None:
    path = write(tmp_path / f"train{ending}", ROWS)
    assert split_files(tmp_path, "train", TASKS["sst2"]) == [path]
    rows = from_files(TASKS["sst2"], {"train": [path]})
    formatted = [TASKS["sst2"].formatter(row) for row in rows.parts["train"]]
    assert formatted == [TASKS["sst2"].formatter(row) for row in ROWS]
    assert rows.origins == {"train": str(path)}


def test_a_clone_of_the_hub_repository_will_do_with_all_its_shards(tmp_path: Path) -> None:
    (tmp_path / "sst2").mkdir()
    shards = [write(tmp_path / f"sst2/train-0000{n}-of-00002.parquet", ROWS[n : n + 1]) for n in range(2)]
    assert split_files(tmp_path, "train", TASKS["sst2"]) == shards
    assert from_files(TASKS["sst2"], {"train": shards}).parts["train"] == ROWS


def test_text_that_looks_like_a_number_stays_text_in_csv_files(tmp_path: Path) -> None:
    path = tmp_path / "validation.csv"
    path.write_text("sentence,question,answer,label\nHe waited.,How long?,12,1\n")
    (row,) = from_files(TASKS["mc_taco"], {"test": [path]}).parts["test"]
    assert TASKS["mc_taco"].formatter(row)[0].text.endswith("Answer: 12\nCorrect:")


def test_a_byte_order_mark_is_no_part_of_the_first_column(tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_bytes("\ufeffsentence,label\na film,1\n".encode())
    (row,) = from_files(TASKS["sst2"], {"train": [tmp_path / "train.csv"]}).parts["train"]
    assert row["sentence"] == "a film"


@pytest.mark.parametrize("line", ["hi, there,1", "hi"])
def test_a_line_with_too_many_or_too_few_fields_is_named(tmp_path: Path, line: str) -> None:
    (tmp_path / "train.csv").write_text(f"sentence,label\na film,1\n{line}\n")
    with pytest.raises(UserError, match=r"train.csv: row 1 has not as many fields as the header has columns"):
        from_files(TASKS["sst2"], {"train": [tmp_path / "train.csv"]})


def test_a_wrong_label_names_task_row_and_file(tmp_path: Path) -> None:
    path = write(tmp_path / "train.jsonl", [*ROWS, {"sentence": "a mess", "label": -1}])
    rows = from_files(TASKS["sst2"], {"train": [path]})
    said = rf"task 'sst2', train row 2 of {path}: .*label -1 is not allowed; allowed: 0, 1"
    with pytest.raises(UserError, match=said):
        build(TASKS["sst2"], rows.parts, Sizes(), 0, rows.origins)


def test_a_missing_split_says_which_there_are(tmp_path: Path) -> None:
    write(tmp_path / "validation.parquet", ROWS)
    with pytest.raises(UserError, match=r"no split 'validatio' .*did you mean 'validation'"):
        split_files(tmp_path, "validatio", TASKS["sst2"])


def test_a_missing_column_says_which_there_are(tmp_path: Path) -> None:
    path = write(tmp_path / "train.jsonl", [{"text": "a film", "label": 1}])
    with pytest.raises(UserError, match=r"task 'sst2': .*train.jsonl has no column 'sentence'; it has: label, text"):
        from_files(TASKS["sst2"], {"train": [path]})


def test_an_empty_split_is_named(tmp_path: Path) -> None:
    path = write(tmp_path / "train.jsonl", [])
    with pytest.raises(UserError, match=r"train.jsonl has no rows"):
        from_files(TASKS["sst2"], {"train": [path]})


@pytest.mark.parametrize(
    ("ending", "said"), [(".parquet", "not a readable parquet"), (".jsonl", ":1: not a line of JSON")]
)
def test_a_corrupt_file_is_named(ending: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / f"train{ending}"
    path.write_text("{broken")
    with pytest.raises(UserError, match=said):
        from_files(TASKS["sst2"], {"train": [path]})


def test_the_world_follows_from_its_seed() -> None:
    one, same, other = (World(WorldSize(seed=seed)) for seed in (0, 0, 1))
    assert vars(one) == vars(same)
    assert one.people != other.people


def test_no_fact_is_asked_in_both_training_and_test_rows() -> None:
    small = World(WorldSize(people=20))
    asked = {split: {row["question"] for row in part} for split, part in synthetic.rows(small, "sciq").items()}
    assert not asked["train"] & asked["test"]


@pytest.mark.parametrize("task", TOPICS)
def test_rows_answer_what_the_world_says(task: str) -> None:
    """Every row formats, and both labels turn up."""
    rows = synthetic.rows(World(WorldSize(people=20)), task)["train"]
    labels = {candidate.label for row in rows for candidate in TASKS[task].formatter(row)}
    assert labels == {0, 1}


def test_frequent_facts_are_told_more_often() -> None:
    small = World(WorldSize(people=20))
    documents = list(
        synthetic.corpus(
            small,
            3000,
            solve=lambda task, row: [(c.text, c.label) for c in TASKS[task].formatter(row)],
            answers=(" no", " yes"),
        )
    )
    first, last = (sum(person in text for text in documents) for person in (small.people[0], small.people[-1]))
    assert first > 5 * last
    assert len(documents) == 3000


def test_an_unknown_world_task_says_which_there_are() -> None:
    with pytest.raises(UserError, match=r"task 'wik'.*did you mean 'wic'"):
        synthetic.rows(World(WorldSize(people=20)), "wik")
