"""The tokenizer of an own ladder, and a corpus as one stream of its tokens."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

from w2s.engine.space import room_for

END = "<|endoftext|>"  # stands before every document, in pretraining and in finetuning
DOCUMENTS_FOR_TOKENIZER = 50_000
AT_ONCE = 2_000_000  # characters of documents that are encoded together


def train_tokenizer(documents: Iterable[str], vocabulary: int) -> Tokenizer:
    """Byte-level BPE, so nothing is ever unknown; every encoded text starts with ``END``."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=[END],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(documents, trainer)
    end = tokenizer.token_to_id(END)
    tokenizer.post_processor = processors.TemplateProcessing(single=f"{END} $A", special_tokens=[(END, end)])
    return tokenizer


def write_tokens(path: Path, tokenizer: Tokenizer, documents: Iterable[str]) -> int:
    """Write an .npy of uint16 (uint32 for vocabularies beyond 65,536): the documents, each behind its END, in a row.

    Returns how many tokens there are. No more than some ``AT_ONCE`` characters are held in memory.
    """
    kind = np.dtype(np.uint16 if tokenizer.get_vocab_size() <= 2**16 else np.uint32)
    written = 0
    with path.open("wb") as file:
        start = _write_header(file, kind, 0)
        for some in _together(documents):
            tokens = np.array([token for one in tokenizer.encode_batch(some) for token in one.ids], dtype=kind)
            file.write(tokens.tobytes())
            written += len(tokens)
        file.seek(0)
        assert _write_header(file, kind, written) == start  # numpy leaves room for a growing length
    return written


def _together(documents: Iterable[str]) -> Iterator[list[str]]:
    """Documents in their order, as many at a time as have ``AT_ONCE`` characters."""
    some: list[str] = []
    characters = 0
    for document in documents:
        some.append(document)
        characters += len(document)
        if characters >= AT_ONCE:
            yield some
            some, characters = [], 0
    if some:
        yield some


def _write_header(file: BinaryIO, kind: np.dtype[Any], length: int) -> int:
    """Say what the file holds, at the place where it stands; returns where the values begin."""
    described = {"descr": np.lib.format.dtype_to_descr(kind), "fortran_order": False, "shape": (length,)}
    np.lib.format.write_array_header_1_0(file, described)
    return file.tell()


def save(tokenizer: Tokenizer, path: Path) -> None:
    """Write a tokenizer as its library does. UserError where the disk has no room for it."""
    content = tokenizer.to_str(pretty=True).encode()
    with room_for(path, len(content)):
        path.write_bytes(content)


def write_corpus(folder: Path, documents: Sequence[str], vocabulary: int) -> dict[str, int]:
    """Write ``tokenizer.json``, trained on the first documents, and ``tokens.npy`` of all. Returns the counts."""
    tokenizer = train_tokenizer(documents[:DOCUMENTS_FOR_TOKENIZER], vocabulary)
    save(tokenizer, folder / "tokenizer.json")
    tokens = write_tokens(folder / "tokens.npy", tokenizer, documents)
    size = tokenizer.get_vocab_size()
    print(f"{len(documents):,} documents, {tokens:,} tokens, vocabulary {size:,}")
    return {"documents": len(documents), "tokens": tokens, "vocabulary": size}
