"""A part's texts in tokens: what a tokenizer gives for each text, in little more memory than the ids need."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from w2s.engine import artifacts
from w2s.errors import UserError
from w2s.models import encoding
from w2s.models.tokenizer import train_tokenizer
from w2s.nlp import examples
from w2s.nlp.parts import encoded, parts_elsewhere
from w2s.nlp.specs import LabelHintSpec
from w2s.nlp.variants import hinted_texts, with_hint
from w2s.training.batching import Shape, Texts, by_length, joined

WORDS = ("one", "two", "three", "four", "five", "six", "seven")
ROWS, WORDS_EACH = 5_000, 104
TOKEN, ROW = 4, 500  # bytes: of a token, and of the rest of a row: its id, length and truth, and what is read at once


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tokenizer")
    train_tokenizer([" ".join(WORDS)] * 20, 300).save(str(folder / "tokenizer.json"))
    return folder


def write(folder: Path, rows: list[tuple[str, str]]) -> dict[str, list[object]]:
    """A data artifact's examples of (part, text), and another column that no run needs."""
    columns: dict[str, list[object]] = {
        "id": [f"{number:040x}" for number in range(len(rows))],
        "part": [part for part, _ in rows],
        "text": [text for _, text in rows],
        "label": [number % 3 % 2 for number in range(len(rows))],
        "group": [f"group {number} " * 9 for number in range(len(rows))],
    }
    folder.mkdir(parents=True, exist_ok=True)
    artifacts.write_table(folder / "examples.parquet", columns)
    return columns


PARTS = st.sampled_from(["weak", "strong", "validation", "test"])
TEXTS = st.lists(st.sampled_from(WORDS), min_size=1, max_size=20).map(" ".join)


@settings(deadline=None, max_examples=40)
@given(
    rows=st.lists(st.tuples(PARTS, TEXTS), min_size=1, max_size=30),
    max_length=st.integers(3, 20),
    at_once=st.integers(1, 7),
)
def test_parts_are_the_rows_of_the_file_each_encoded_alone(
    rows: list[tuple[str, str]],
    max_length: int,
    at_once: int,
    tokenizer: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    data = tmp_path_factory.mktemp("data")
    table = write(data, rows)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(encoding, "AT_ONCE", at_once)
        patch.setattr(examples, "READ", at_once + 1)
        found = encoded(data, tokenizer, max_length)
    assert list(found) == list(dict.fromkeys(part for part, _ in rows))
    for name, part in found.items():
        numbers = [number for number, (own, _) in enumerate(rows) if own == name]
        assert part.ids == [table["id"][number] for number in numbers]
        assert part.truth.tolist() == [table["label"][number] for number in numbers]
        alone = [encoding.encode(tokenizer, [rows[number][1]], max_length)[0] for number in numbers]
        assert [part.texts.ids(number) for number in range(len(numbers))] == alone


def test_hints_stand_at_the_texts_of_predicted_examples_alone(tokenizer: Path, tmp_path: Path) -> None:
    table = write(tmp_path, [("weak", "one"), ("test", "two"), ("strong", "three"), ("test", "four"), ("test", "five")])
    predicted = {str(table["id"][number]): chance for number, chance in ((1, 0.2), (2, 0.9), (4, 0.7))}
    hint = LabelHintSpec(prompt="six {label}", words=("no", "yes"), place="end")
    found = hinted_texts(tmp_path, tokenizer, 50, hint, predicted)
    texts = {
        "test": [with_hint("two", "no", hint), with_hint("five", "yes", hint)],
        "strong": [with_hint("three", "yes", hint)],
    }
    assert {name: [part.ids(number) for number in range(len(part))] for name, part in found.items()} == {
        name: encoding.encode(tokenizer, some, 50) for name, some in texts.items()
    }


def test_another_test_set_loses_the_groups_that_are_trained_on(tokenizer: Path, tmp_path: Path) -> None:
    own, other = tmp_path / "own", tmp_path / "other"  # groups are numbered by place
    write(own, [("weak", "one"), ("test", "two"), ("validation", "three")])
    write(other, [("test", "four"), ("test", "five"), ("test", "six"), ("test", "seven"), ("weak", "one")])
    (part,) = parts_elsewhere({"elsewhere-other": other}, own, tokenizer, 50).values()
    assert [part.texts.ids(number) for number in range(2)] == encoding.encode(tokenizer, ["five", "seven"], 50)
    assert part.ids == [f"{number:040x}" for number in (1, 3)]
    assert part.truth.tolist() == [1, 0]
    assert part.labels.isnan().all()
    write(other, [("test", "four")])
    encoded.cache_clear()
    with pytest.raises(UserError, match=r"other: every test example is of a group that .*own has outside"):
        parts_elsewhere({"elsewhere-other": other}, own, tokenizer, 50)


@pytest.mark.slow
def test_a_row_takes_little_more_than_its_ids_while_it_is_read_and_afterwards(tokenizer: Path, tmp_path: Path) -> None:
    text = " ".join(WORDS[number % len(WORDS)] for number in range(WORDS_EACH))
    write(tmp_path, [("strong", text)] * ROWS)
    length = len(encoding.encode(tokenizer, [text], 10**6)[0])
    tracemalloc.start()
    try:
        part = encoded(tmp_path, tokenizer, 10**6)["strong"]
        kept, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
        encoded.cache_clear()
    assert part.texts.tokens == ROWS * length
    assert kept / ROWS < TOKEN * length + ROW
    assert peak / ROWS < 2 * (TOKEN * length + ROW)


def test_reading_texts_keeps_no_padded_copy_of_them() -> None:
    texts = Texts([range(100)] * 2000)
    parts = texts.all(5000, torch.device("cpu"), Shape())
    assert next(parts).ids.shape == (50, 100)
    again = texts.all(5000, torch.device("cpu"), Shape())
    first, other = next(again), next(texts.all(5000, torch.device("cpu"), Shape()))
    assert first.numbers == other.numbers
    assert first.ids.data_ptr() != other.ids.data_ptr()


@settings(deadline=None, max_examples=40)
@given(st.lists(st.lists(st.integers(0, 99), min_size=1, max_size=9), min_size=1, max_size=30))
def test_texts_are_sorted_by_length_and_equal_lengths_keep_their_order(ids: list[list[int]]) -> None:
    texts, numbers = joined([Texts(ids[:5]), Texts(iter(ids[5:]))]), list(range(len(ids)))[::-1]
    assert [texts.ids(number) for number in range(len(ids))] == ids
    assert texts.lengths.tolist() == [len(text) for text in ids]
    assert by_length(numbers, texts.lengths) == sorted(numbers, key=lambda number: len(ids[number]))
    assert texts.used().tolist() == sorted({token for text in ids for token in text})
