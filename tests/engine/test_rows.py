"""Rows are the same from every kind of file, keep their values, and what is wrong with a file is one line."""

from __future__ import annotations

import gzip
import json
import logging
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import datasets
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from tests.conftest import ROOT
from w2s.engine import rows
from w2s.engine.rows import from_files, read, split_files, splits
from w2s.errors import UserError
from w2s.nlp.build import build
from w2s.nlp.config import Sizes
from w2s.nlp.tasks import TASKS
from w2s.reward.tasks import PREFERENCES

ROWS = [{"sentence": 'a film, "fine"', "label": "1"}, {"sentence": "a bore\nin two lines", "label": "0"}]
CSV = 'sentence,label\n"a film, ""fine""",1\n"a bore\nin two lines",0\n'
COMPRESS: dict[str, Callable[[bytes], bytes]] = {".gz": gzip.compress, ".zst": zstandard.compress}
# A date in text, a number that a column would make a float of, a key that is missing elsewhere, a large integer.
VALUES = [{"date": "2024-01-31", "n": 1, "turns": [{"a": 1}, {"b": 2}]}, {"date": "x", "n": 1.5, "id": 2**70}]


def write(path: Path, content: Sequence[Mapping[str, Any]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist([dict(row) for row in content]), path)
        return path
    lines = "".join(json.dumps(row) + "\n" for row in content)
    if ".tsv" in path.suffixes:
        lines = "".join("\t".join(map(str, cells)) + "\n" for cells in [content[0], *(row.values() for row in content)])
    text = CSV if ".csv" in path.suffixes else json.dumps(content) if ".json" in path.suffixes else lines
    path.write_bytes(COMPRESS.get(path.suffix, bytes)(text.encode()))
    return path


# -- the same values from every kind of file ---------------------------------------------------------------


@pytest.mark.parametrize("ending", [ending for ending in rows.ENDINGS if ".tsv" not in ending])
def test_every_kind_of_file_gives_the_same_rows(ending: str, tmp_path: Path) -> None:
    path = write(tmp_path / f"train{ending}", ROWS)
    assert split_files(tmp_path, "train") == [path]
    found = from_files({"train": [path]}, ["sentence", "label"], "task 'sst2'")
    assert found.parts == {"train": ROWS}
    assert found.origins == {"train": str(path)}


@pytest.mark.parametrize("ending", [".jsonl", ".json", ".jsonl.zst", ".json.gz"])
def test_json_values_keep_their_types_and_keys(ending: str, tmp_path: Path) -> None:
    assert repr(list(read(write(tmp_path / f"a{ending}", VALUES)))) == repr(VALUES)


def test_a_json_file_may_hold_one_object_a_line(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", VALUES).rename(tmp_path / "a.json")
    assert list(read(path)) == VALUES


def test_csv_cells_stay_the_text_that_they_are(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes('\ufeffa,b,c\r\n007,None,\r\n1.50,NA,"x\r\ny"\r\n'.encode())
    assert list(read(tmp_path / "a.csv")) == [
        {"a": "007", "b": "None", "c": ""},
        {"a": "1.50", "b": "NA", "c": "x\r\ny"},
    ]


@pytest.mark.parametrize(
    ("content", "rows"),
    [
        ("label,a\n0,So, he said, it is.\n1,No.\n", [("0", "So, he said, it is."), ("1", "No.")]),
        ("a,label\r\nOne,two,1\r\n", [("1", "One,two")]),
        ("idx,a,label\n7,x,,0\n", [("0", "x,")]),
    ],
)
def test_commas_of_a_text_without_quotation_marks_belong_to_it_where_all_else_is_numbers(
    content: str, rows: list[tuple[str, str]], tmp_path: Path
) -> None:
    (tmp_path / "a.csv").write_bytes(content.encode())
    assert [(row["label"], row["a"]) for row in read(tmp_path / "a.csv")] == rows


def test_empty_lines_of_a_csv_file_are_no_rows(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("\na,b\n\n1,2\n\n")
    assert list(read(tmp_path / "a.csv")) == [{"a": "1", "b": "2"}]


def test_parquet_values_are_what_pyarrow_reads_and_images_stay_bytes(tmp_path: Path) -> None:
    """Also with the metadata that `datasets` writes, by which it would decode images."""
    image = {"bytes": b"no image", "path": "a.png"}
    table = pa.Table.from_pylist([{"image": image, "label": 1, "turns": [{"a": 1, "b": None}], "none": None}] * 3)
    kinds = {"image": {"_type": "Image"}, "label": {"names": ["no", "yes"], "_type": "ClassLabel"}}
    kinds |= {"none": {"dtype": "null", "_type": "Value"}}
    kinds |= {"turns": {"feature": {name: {"dtype": "int64", "_type": "Value"} for name in "ab"}, "_type": "List"}}
    described = {"huggingface": json.dumps({"info": {"features": kinds}})}
    for name, metadata in (("plain", None), ("described", described)):
        path = tmp_path / f"{name}.parquet"
        pq.write_table(table.replace_schema_metadata(metadata), path)
        assert repr(list(read(path))) == repr(pq.read_table(path).to_pylist())


@pytest.mark.parametrize("name", ["a.parquet", "a.jsonl", "a.csv.zst"])
def test_a_large_file_is_read_as_far_as_it_is_asked_for(name: str, tmp_path: Path) -> None:
    if name.endswith(".zst"):
        (tmp_path / name).write_bytes(zstandard.compress(("n\n" + "1\n" * 10**6).encode()))
    else:
        write(tmp_path / name, [{"n": number} for number in range(5000)])
    assert len(list(islice(read(tmp_path / name), 3))) == 3


def test_reading_needs_no_cache_and_leaves_the_file_alone(tmp_path: Path) -> None:
    path = write(tmp_path / "a.parquet", ROWS)
    code = f"from pathlib import Path\nfrom w2s.engine.rows import read\nprint(len(list(read(Path({str(path)!r})))))"
    (tmp_path / "home").write_text("a file where a folder would be")
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": str(ROOT / "src"), "HF_HOME": str(tmp_path / "home"), "HF_HUB_OFFLINE": "1"},
        capture_output=True,
        text=True,
    )
    assert done.stdout.strip() == "2", done.stderr


def test_data_of_the_micro_world_do_not_import_datasets() -> None:
    code = (
        "import sys\n"
        "from w2s.microworld import WorldSize\n"
        "from w2s.nlp.config import Sizes\n"
        "from w2s.nlp.build import build\n"
        "from w2s.nlp.data import rows_of\n"
        "from w2s.nlp.tasks import TASKS\n"
        "from w2s.reward import data\n"
        "from w2s.reward.config import Dialogues\n"
        "from w2s.reward.tasks import PREFERENCES\n"
        "import w2s.chess.data, w2s.vision.images\n"
        "rows = rows_of(TASKS['sciq'], {'world': WorldSize(people=40).model_dump()}, {})\n"
        "build(TASKS['sciq'], rows.parts, Sizes(), 0)\n"
        "data.rows_of(PREFERENCES['hh'], {'world': Dialogues(pairs=20, test=5).model_dump()}, {})\n"
        "print('datasets' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


# -- where a split's files are -----------------------------------------------------------------------------


def test_a_clone_of_the_hub_repository_will_do_with_all_its_shards(tmp_path: Path) -> None:
    shards = [write(tmp_path / f"sst2/train-0000{n}-of-00002.parquet", ROWS[n : n + 1]) for n in range(2)]
    assert split_files(tmp_path, "train", "sst2/{split}-*.parquet") == shards
    assert from_files({"train": shards}, [], "here").parts["train"] == ROWS


def test_a_star_names_several_files(tmp_path: Path) -> None:
    shards = [write(tmp_path / f"part_{n}.parquet", ROWS[n : n + 1]) for n in range(2)]
    assert split_files(tmp_path, "part_*") == shards


def test_the_hubs_file_patterns_find_one_split_only(tmp_path: Path) -> None:
    names = {
        "hh": ["helpful-base/train.jsonl.gz", "helpful-base/test.jsonl.gz"],
        "shp": ["default/train/0000.parquet", "default/test/0000.parquet", "default/validation/0000.parquet"],
        "webgpt": ["openai--webgpt/json-train.parquet"],
        "summarize": ["comparisons/train/0000.parquet", "comparisons/validation/0000.parquet", "axis/test/0.parquet"],
    }
    for task, files in names.items():
        for name in files:
            write(tmp_path / task / name, ROWS)
        found = split_files(tmp_path / task, "train", PREFERENCES[task].hub.files)
        assert [str(path.relative_to(tmp_path / task)) for path in found] == files[:1], task


def test_a_missing_split_says_which_there_are(tmp_path: Path) -> None:
    write(tmp_path / "validation.jsonl.gz", ROWS)
    with pytest.raises(UserError, match=r"no split 'validatio' .*did you mean 'validation'"):
        split_files(tmp_path, "validatio", "data/{split}-*.parquet")


def test_files_of_another_kind_are_named(tmp_path: Path) -> None:
    (tmp_path / "test.txt").write_text("a\tb\n")
    (tmp_path / "more").mkdir()
    with pytest.raises(UserError, match=r"no split 'test' \(.*\); not read: more/, test.txt, whose rows need convert"):
        split_files(tmp_path, "test")
    write(tmp_path / "train.jsonl", ROWS)
    with pytest.raises(UserError, match=r"no split 'test' .*available: train; not read: more/, test.txt, whose"):
        split_files(tmp_path, "test")


@pytest.mark.parametrize("ending", [".tsv", ".tsv.gz"])
def test_cells_between_tabs_are_taken_as_they_are(ending: str, tmp_path: Path) -> None:
    content = [{"sentence": 'a "fine" film', "label": "1"}, {"sentence": '" a bore', "label": "0"}]
    assert list(read(write(tmp_path / f"a{ending}", content))) == content


def test_a_json_list_may_be_one_long_line(tmp_path: Path) -> None:
    content = [{"n": number, "text": "some words " * 100} for number in range(5000)]
    assert list(read(write(tmp_path / "a.json", content))) == content


def test_a_cell_may_be_long(tmp_path: Path) -> None:
    words = "some words " * 20_000
    (tmp_path / "a.csv").write_text(f'a,b\n"{words}",1\n')
    assert list(read(tmp_path / "a.csv")) == [{"a": words, "b": "1"}]


def test_a_character_in_two_escaped_halves_is_one_character(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"a": "\\ud83d\\ude00"}\n')
    assert list(read(tmp_path / "a.jsonl")) == [{"a": "\U0001f600"}]


def test_a_test_set_may_be_cut_from_the_training_rows() -> None:
    assert splits("a", "none") == {"train": "a"}
    assert splits("a", "b") == {"train": "a", "test": "b"}


# -- one line for what is wrong ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.parquet", b"{broken", "a.parquet: not a readable parquet file"),
        ("a.parquet", b"", "a.parquet: not a readable parquet file"),
        ("a.jsonl", b'{"a": 1}\n{broken', "a.jsonl:2: not valid JSON"),
        ("a.jsonl", b"\n[1]\n", "a.jsonl:2: not an object with columns as keys"),
        ("a.jsonl", b"\xff", "a.jsonl: not readable as utf-8 text"),
        ("a.jsonl", '{"a": 1}\n'.encode("utf-16"), "a.jsonl: UTF-16 (or UTF-32) text; save it as UTF-8"),
        ("a.json", '[{"a": 1}]'.encode("utf-32"), "a.json: UTF-16 (or UTF-32) text; save it as UTF-8"),
        ("a.csv", b"a,b\r1,2\r", "a.csv: its lines end in carriage returns alone; save it with line feeds"),
        ("a.jsonl", b"[" * 100_000, "a.jsonl:1: not valid JSON (it is nested too deeply)"),
        ("a.csv", b"a,b,a\n1,2,3\n", "a.csv: two columns are called 'a'; allowed once"),
        ("a.tsv", b"a\tb\tb\n1\t2\t3\n", "a.tsv: two columns are called 'b'; allowed once"),
        ("a.json", b"[1, ", "a.json: not readable as JSON"),
        ("a.json", b"[1]", "a.json: row 0: not an object"),
        ("a.csv", b"a,b\n1,2\n1,2,3\n", "a.csv:3: the row and the header differ in their number of fields"),
        ("a.csv", b"a,b\n1,2\n1\n", "a.csv:3: the row and the header differ in their number of fields"),
        ("a.csv", b'a,b\n"1"2,3\n', "a.csv: not a readable CSV file"),
        ("a.csv", b"a;b\n1;2\n", "a.csv: its columns are separated by semicolons; allowed: commas, or tabs in a .tsv"),
        ("a.csv", b"a\tb\n1\t2,3\n", "a.csv: its columns are separated by tabs; allowed: commas, or tabs in a .tsv"),
        ("a.csv", b"label,a\n0,1,x\n", "a.csv:2: the row and the header differ"),  # may be a label of 0,1
        ("a.csv", b"label,a\nyes,x,y\n", "a.csv:2: the row and the header differ"),
        ("a.csv", b'label,a\n1,"x",y\n', "a.csv:2: the row and the header differ"),
        ("a.csv", b"label,a,b\n1,x,y,z\n", "a.csv:2: the row and the header differ"),  # in a or in b
        ("a.csv", b"a,label\nx,2,1\n", "a.csv:2: the row and the header differ"),
        ("a.jsonl.gz", b"no", "a.jsonl.gz: corrupt, not readable as gzip"),
        ("a.jsonl.zst", b"no zstandard", "a.jsonl.zst: corrupt, not readable as zstandard"),
        ("a.jsonl.gz", gzip.compress(b"{}\n" * 99, mtime=0)[:-9], "a.jsonl.gz: truncated: its gzip data end early"),
        ("a.csv.zst", zstandard.compress(b"a,b\n" * 99)[:-9], "a.csv.zst: truncated: its zstandard data end"),
        ("a.txt", b"a\tb\n", "a.txt is not a table of rows; allowed: .parquet, "),
        ("a.tsv", b"Some words.\tno\nMore.\tyes\n", "a.tsv has no column 'a'; available: Some words., no; its first"),
        ("a.tsv", b"Some words.\tno\n", "a.tsv has no rows; its first line should name the columns"),
        ("a.tsv", b"a\tb\n1\t2\t3\n", "a.tsv: row 2 and the header differ in their number of fields"),
        ("a.tsv", b'a\tb\n1\t"2"\n', 'a.tsv: row 2: "2" may be quoted or not; the file needs converting to .jsonl'),
        ("a.json", b'[[["M: Hi."], [{"question": "Who?"}], "1"]]', "a.json: row 0: not an object with columns as keys"),
        ("a.jsonl", b'{"a": 1}\n{"a": "x \\ud83d y"}', r"a.jsonl:2: not valid JSON (it has '\ud83d', half of a char"),
        ("a.json", b'[{"a": "\\uDE00"}]', r"a.json: not readable as JSON (it has '\ude00', half of a character"),
        ("a.jsonl.gz", b"", "a.jsonl.gz has no rows"),
        ("a.parquet", b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "a Git LFS pointer"),
        ("a.jsonl", b"", "a.jsonl has no rows"),
        ("a.csv", b"b\n1\n", "a.csv has no column 'a'; available: b"),
    ],
)
def test_a_file_that_is_not_as_it_should_be_is_one_line(name: str, content: bytes, said: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError) as caught:
        from_files({"train": [tmp_path / name]}, ["a"], "task 'x'")
    assert str(caught.value).startswith("task 'x': ")
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_parquet_file_that_is_cut_off_or_damaged_is_one_line(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    whole = write(tmp_path / "a.parquet", [{"text": f"{n * 7919 % 1009} words"} for n in range(20_000)]).read_bytes()
    half = len(whole) // 2
    for content in (whole[:half], whole[: half - 2000] + b"\0" * 4000 + whole[half + 2000 :]):
        (tmp_path / "a.parquet").write_bytes(content)
        with caplog.at_level(logging.WARNING), pytest.raises(UserError, match=r"a.parquet: not a readable parquet"):
            list(read(tmp_path / "a.parquet"))
    assert capfd.readouterr().err == ""


def test_a_parquet_file_that_is_left_early_is_read_to_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Arrow's threads that are still reading when the process ends abort it (apache/arrow#45214)."""
    path = write(tmp_path / "a.parquet", [{"number": number} for number in range(3 * rows.BATCH)])
    tables, taken = datasets.IterableDataset.iter, []

    def counted(stream: datasets.IterableDataset, size: int) -> Iterator[pa.Table]:
        for table in tables(stream, size):
            taken.append(len(table))
            yield table

    monkeypatch.setattr(datasets.IterableDataset, "iter", counted)
    reader = read(path)
    assert next(reader) == {"number": 0}
    assert sum(taken) == rows.BATCH
    del reader
    assert sum(taken) == 3 * rows.BATCH


def test_a_file_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    for name in ("a.parquet", "a.csv"):
        with pytest.raises(UserError, match=r"not readable \(No such file"):
            list(read(tmp_path / name))


# -- what tasks make of rows -------------------------------------------------------------------------------


def test_text_that_looks_like_a_number_stays_text_in_csv_files(tmp_path: Path) -> None:
    path = tmp_path / "validation.csv"
    path.write_text("sentence,question,answer,label\nHe waited.,How long?,12,1\n")
    (row,) = from_files({"test": [path]}, TASKS["mc_taco"].columns, "task 'mc_taco'").parts["test"]
    assert TASKS["mc_taco"].formatter(row)[0].text.endswith("Answer: 12\nCorrect:")


def test_a_wrong_label_names_task_row_and_file(tmp_path: Path) -> None:
    path = write(tmp_path / "train.jsonl", [*ROWS, {"sentence": "a mess", "label": -1}])
    found = from_files({"train": [path]}, TASKS["sst2"].columns, "task 'sst2'")
    said = rf"task 'sst2', train row 2 of {path}: .*label -1 is not allowed; allowed: 0, 1"
    with pytest.raises(UserError, match=said):
        build(TASKS["sst2"], found.parts, Sizes(), 0, found.origins)
