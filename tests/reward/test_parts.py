"""Encoded pairs: what a tokenizer gives for each, in little more memory than the ids need; rows as lists would be."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from w2s.engine import artifacts
from w2s.errors import UserError
from w2s.models import context, encoding
from w2s.models.tokenizer import train_tokenizer
from w2s.reward import finetune
from w2s.reward.batching import Dialogue, Dialogues, dialogue, joined
from w2s.reward.finetune import encoded, parts_elsewhere

WORDS = ("one", "two", "three", "four", "five", "six", "seven")
ROWS, WORDS_EACH = 3_000, 80
TOKEN, ROW = 4, 500  # bytes: of a token, and of the rest of a row: its id, sizes and truth, and what is read at once
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tokenizer")
    train_tokenizer([" ".join(WORDS)] * 20, 300).save(str(folder / "tokenizer.json"))
    return folder


def write(folder: Path, rows: list[tuple[str, str, str, str]]) -> None:
    """A data artifact's examples of (part, prefix, first, second)."""
    columns: dict[str, list[object]] = {
        name: [row[place] for row in rows] for place, name in enumerate(("part", "prefix", "first", "second"))
    }
    columns["id"] = [f"{number:040x}" for number in range(len(rows))]
    columns["label"] = [number % 3 % 2 for number in range(len(rows))]
    columns["group"] = [f"{number}" for number in range(len(rows))]
    folder.mkdir(exist_ok=True)
    artifacts.write_table(folder / "examples.parquet", columns)


@pytest.mark.parametrize("at_once", [1, 3, 1000])
def test_parts_are_the_pairs_of_the_file_each_encoded_alone(
    at_once: int, tokenizer: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [
        (("weak", "strong", "test")[n % 3], " ".join(WORDS[: n % 7 + 1]), f" {WORDS[n % 5]}", f" {WORDS[n % 4]} six")
        for n in range(20)
    ]
    write(tmp_path, rows)
    monkeypatch.setattr(finetune, "READ", at_once)
    encoded.cache_clear()
    found, model = encoded(tmp_path, tokenizer, " one", 16), encoding.tokenizer_of(tokenizer)
    assert list(found) == ["weak", "strong", "test"]
    start, (cue,) = encoding.start_of(model), context.words(model, [" one"])
    for place, part in enumerate(found.values()):
        chosen = rows[place::3]
        assert part.ids == [f"{number:040x}" for number in range(place, 20, 3)]
        assert part.truth.tolist() == [number % 3 % 2 for number in range(place, 20, 3)]
        for number, (_, prefix, *texts) in enumerate(chosen):
            (before,) = encoding.bare_ids(model, [prefix])
            first, second = (context.following(model, [prefix], [text])[0] + cue for text in texts)
            alone = dialogue(before, first, second, 16 - len(start))
            assert part.pairs.pair(number) == replace(alone, prefix=[*start, *alone.prefix])


def test_another_test_set_loses_the_groups_that_are_trained_on(tokenizer: Path, tmp_path: Path) -> None:
    own, other = tmp_path / "own", tmp_path / "other"  # groups are numbered by place
    read = partial(encoded, model=tokenizer, cue="", max_length=50)
    write(own, [("weak", "one", " two", " six"), ("test", "two", " one", " six"), ("strong", "two", " one", " six")])
    tested = [("test", one, " two", f" {one}") for one in ("four", "five", "six", "seven")]
    write(other, [*tested, ("weak", "one", " two", " three")])
    (part,) = parts_elsewhere({"elsewhere-other": other}, own, read).values()
    assert part.ids == [f"{number:040x}" for number in (1, 3)]
    assert [part.pairs.pair(number) for number in range(2)] == [read(other)["test"].pairs.pair(n) for n in (1, 3)]
    assert part.truth.tolist() == [1, 0]
    assert part.labels.isnan().all()
    write(other, tested[:1])
    encoded.cache_clear()
    with pytest.raises(UserError, match=r"other: every test example is of a group that .*own has outside"):
        parts_elsewhere({"elsewhere-other": other}, own, read)


def ids(least: int) -> st.SearchStrategy[list[int]]:
    return st.lists(st.integers(1, 99), min_size=least, max_size=9)


PAIRS = st.lists(st.tuples(ids(0), ids(1), ids(1)), min_size=1, max_size=12)


@settings(deadline=None, max_examples=50)
@given(PAIRS, st.integers(10, 30))
def test_rows_are_those_that_lists_of_tokens_make(raw: list[tuple[list[int], list[int], list[int]]], room: int) -> None:
    pairs = [dialogue(*one, room) for one in raw]
    held = joined([Dialogues(pairs[:3]), Dialogues(iter(pairs[3:]))])
    assert [held.pair(number) for number in range(len(held))] == pairs
    assert held.tokens == sum(2 * len(one.prefix) + len(one.low) + len(one.high) for one in pairs)
    assert held.lengths.tolist() == [len(one.prefix) + len(one.high) for one in pairs]
    numbers = list(range(len(pairs)))[::-1]
    chosen = [pairs[number] for number in numbers]
    branched, apart = held.branched(numbers, CPU), held.apart(numbers, CPU)
    assert branched.numbers == apart.numbers == numbers
    assert branched.swapped.tolist() == apart.swapped.tolist() == [one.swapped for one in chosen]
    assert branched.branched is not None
    assert apart.texts is not None
    for row, expected in enumerate(map(as_row, chosen)):
        length, tensors = len(expected[0]), branched.branched
        for found, wanted, padding in zip(
            (tensors.ids, tensors.positions, tensors.branches), expected, (0, 0, 3), strict=True
        ):
            assert found[row].tolist() == wanted + [padding] * (found.shape[1] - length)
        before, low, high = (len(part) for part in (chosen[row].prefix, chosen[row].low, chosen[row].high))
        assert tensors.ends[row].tolist() == [before + low - 1, before + low + high - 1]
    assert branched.branched.ids.shape[1] == max(len(as_row(one)[0]) for one in chosen)
    texts = [[*one.prefix, *completion] for one in chosen for completion in (one.low, one.high)]
    assert apart.texts[1].tolist() == [len(text) for text in texts]
    assert apart.texts[0].tolist() == [text + [0] * (max(map(len, texts)) - len(text)) for text in texts]


def as_row(one: Dialogue) -> tuple[list[int], list[int], list[int]]:
    """(ids, positions, branches) of a pair without padding."""
    before, low, high = len(one.prefix), len(one.low), len(one.high)
    positions = [*range(before + low), *range(before, before + high)]
    return [*one.prefix, *one.low, *one.high], positions, [0] * before + [1] * low + [2] * high


@pytest.mark.slow
def test_a_pair_takes_little_more_than_its_ids_while_it_is_read_and_afterwards(tokenizer: Path, tmp_path: Path) -> None:
    text = " ".join(WORDS[number % len(WORDS)] for number in range(WORDS_EACH))
    write(tmp_path, [("strong", text, f" {WORDS[n % 7]} {text}", f" {text}") for n in range(ROWS)])
    encoded.cache_clear()
    tracemalloc.start()
    try:
        part = encoded(tmp_path, tokenizer, "", 10**6)["strong"]
        kept, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
        encoded.cache_clear()
    tokens = int(part.pairs.sizes.sum()) / ROWS
    assert tokens > 3 * WORDS_EACH
    assert kept / ROWS < TOKEN * tokens + ROW
    assert peak / ROWS < 4 * (TOKEN * tokens + ROW)
