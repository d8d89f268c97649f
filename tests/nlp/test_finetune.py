"""Labels are joined by id, and text is truncated at its beginning, never dropped."""

from __future__ import annotations

from pathlib import Path

import pytest

from w2s.errors import UserError
from w2s.models import encoding
from w2s.models.tokenizer import END, train_tokenizer
from w2s.nlp.labels import join


def test_labels_are_joined_by_id_never_by_position() -> None:
    weak = {"c": 0.75, "a": 0.25, "b": 0.5}
    assert join(["a", "b", "c"], weak, where="").tolist() == [0.25, 0.5, 0.75]
    assert join(["c", "a"], weak, where="").tolist() == [0.75, 0.25]


def test_an_example_without_a_weak_label_is_named() -> None:
    with pytest.raises(UserError, match=r"run/predictions.parquet: no prediction for 1 of 2 examples, first z"):
        join(["a", "z"], {"a": 0.5}, where="run/predictions.parquet")


@pytest.fixture
def tokenizer(tmp_path: Path) -> Path:
    train_tokenizer(["one two three four five six seven"] * 20, 300).save(str(tmp_path / "tokenizer.json"))
    return tmp_path


def test_long_text_loses_its_beginning_and_keeps_its_start_token(tokenizer: Path) -> None:
    long, short = encoding.encode(tokenizer, ["one two three four five six seven", "six seven"], 10**6)
    cut, whole = encoding.encode(tokenizer, ["one two three four five six seven", "six seven"], len(short))
    assert whole == short
    assert len(cut) == len(short) < len(long)
    assert cut[0] == long[0]
    assert cut[1:] == long[-(len(short) - 1) :]


def test_every_text_starts_with_the_end_token_of_the_one_before(tokenizer: Path) -> None:
    from tokenizers import Tokenizer

    end = Tokenizer.from_file(str(tokenizer / "tokenizer.json")).token_to_id(END)
    assert [ids[0] for ids in encoding.encode(tokenizer, ["one", ""], 10)] == [end, end]


def test_a_length_without_room_for_text_is_a_mistake(tokenizer: Path) -> None:
    with pytest.raises(UserError, match=r"training.max_length: 1 leaves no room"):
        encoding.encode(tokenizer, ["one"], 1)


def test_nothing_is_unknown_to_the_tokenizer(tokenizer: Path) -> None:
    (ids,) = encoding.encode(tokenizer, ["Ünïcödé 東京 \x00 !"], 100)
    from tokenizers import Tokenizer

    assert Tokenizer.from_file(str(tokenizer / "tokenizer.json")).decode(ids[1:]) == "Ünïcödé 東京 \x00 !"
