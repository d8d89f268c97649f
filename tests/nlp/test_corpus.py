"""The stream of tokens that a ladder is pretrained on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from w2s.models import tokenizer as texts


@pytest.mark.parametrize("vocabulary", [300, 2**16 + 1])
def test_documents_written_a_few_at_a_time_are_one_array_in_their_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, vocabulary: int
) -> None:
    documents = [f"e{number} likes e{number % 7} ." for number in range(25)]
    tokenizer = texts.train_tokenizer(documents, 300)
    monkeypatch.setattr(type(tokenizer), "get_vocab_size", lambda self: vocabulary, raising=False)
    expected = [token for document in documents for token in tokenizer.encode(document).ids]
    monkeypatch.setattr(texts, "AT_ONCE", 60)
    path = tmp_path / "tokens.npy"
    assert texts.write_tokens(path, tokenizer, iter(documents)) == len(expected)
    for mode in (None, "r"):
        tokens = np.load(path, mmap_mode=mode)
        assert tokens.tolist() == expected
        assert tokens.dtype == (np.uint16 if vocabulary <= 2**16 else np.uint32)


def test_no_more_documents_are_drawn_than_are_written_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However long a corpus is: documents are an iterator, and what was encoded is on the disk."""
    path, drawn = tmp_path / "tokens.npy", 0
    tokenizer = texts.train_tokenizer(["a b c"], 300)
    monkeypatch.setattr(texts, "AT_ONCE", 60)
    ahead = []

    def documents() -> object:
        nonlocal drawn
        for number in range(95):
            ahead.append(drawn - encoded)
            drawn += 1
            yield f"a b {number}"

    encoded = 0
    encode = tokenizer.encode_batch

    class Counting:
        def get_vocab_size(self) -> int:
            return 300

        def encode_batch(self, some: list[str]) -> object:
            nonlocal encoded
            encoded += len(some)
            return encode(some)

    texts.write_tokens(path, Counting(), documents())  # type: ignore[arg-type]
    assert (drawn, encoded) == (95, 95)
    assert max(ahead) < 12  # of 5 characters at least
