"""The pretraining corpus of an own ladder: documents, a byte-level BPE tokenizer, one stream of tokens."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

from w2s import artifacts
from w2s.experiment import WorldSize
from w2s.tasks import TASKS, world
from w2s.tasks.formatters import Row

END = "<|endoftext|>"  # stands before every document, in pretraining and in finetuning
DOCUMENTS_FOR_TOKENIZER = 50_000


def documents_of_world(spec: Mapping[str, Any]) -> Iterator[str]:
    """Statements and solved questions of a micro-world."""

    def solve(task: str, row: Row) -> list[tuple[str, int]]:
        return [(candidate.text, candidate.label) for candidate in TASKS[task].formatter(row)]

    no, yes = spec["answers"]
    return world.corpus(
        world.World(WorldSize(**spec["world"])),
        spec["documents"],
        solve=solve,
        answers=(no, yes),
        statements=spec["statements"],
    )


def documents_of_tasks(data: Iterable[Path]) -> Iterator[str]:
    """The unlabelled training texts (both halves) of built tasks, interleaved."""
    texts = []
    for directory in data:
        table = artifacts.read_table(directory / "examples.parquet").to_pydict()
        rows = zip(table["id"], table["part"], table["text"], strict=True)
        texts += [(key, text) for key, part, text in rows if part in ("weak", "strong")]
    return (text for _, text in sorted(texts))


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


def token_stream(tokenizer: Tokenizer, documents: list[str]) -> np.ndarray:
    """(tokens,) uint16 (uint32 for vocabularies beyond 65,536): the documents, each behind its END, in a row."""
    kind = np.uint16 if tokenizer.get_vocab_size() <= 2**16 else np.uint32
    encoded = [
        np.array(one.ids, dtype=kind)
        for start in range(0, len(documents), 10_000)
        for one in tokenizer.encode_batch(documents[start : start + 10_000])
    ]
    return np.concatenate(encoded)


def make(build: artifacts.Build, data: list[Path]) -> None:
    """Write ``tokenizer.json`` and ``tokens.npy``."""
    spec = build.identity.spec
    documents = list(documents_of_tasks(data) if data else documents_of_world(spec))
    tokenizer = train_tokenizer(documents[:DOCUMENTS_FOR_TOKENIZER], spec["vocabulary"])
    tokens = token_stream(tokenizer, documents)
    tokenizer.save(str(build.folder / "tokenizer.json"))
    np.save(build.folder / "tokens.npy", tokens)
    build.measured |= {
        "documents": len(documents),
        "tokens": len(tokens),
        "vocabulary": tokenizer.get_vocab_size(),
    }
    print(f"{len(documents):,} documents, {len(tokens):,} tokens, vocabulary {tokenizer.get_vocab_size():,}")
