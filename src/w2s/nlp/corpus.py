"""The pretraining corpus of an own ladder: documents, a byte-level BPE tokenizer, one stream of tokens."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from w2s.engine import artifacts
from w2s.microworld import World, WorldSize
from w2s.models.tokenizer import write_corpus
from w2s.nlp import prose


def documents_of_world(spec: Mapping[str, Any]) -> Iterator[str]:
    """What a micro-world's people say and ask of it."""
    no, yes = spec["answers"]
    world = World(WorldSize(**spec["world"]))
    return prose.documents(world, spec["documents"], answers=(no, yes), statements=spec["statements"])


def documents_of_tasks(data: Iterable[Path]) -> Iterator[str]:
    """The unlabelled training texts (both halves) of built tasks, interleaved."""
    texts = []
    for directory in data:
        table = artifacts.read_table(directory / "examples.parquet").to_pydict()
        rows = zip(table["id"], table["part"], table["text"], strict=True)
        texts += [(key, text) for key, part, text in rows if part in ("weak", "strong")]
    return (text for _, text in sorted(texts))


def make(build: artifacts.Build, data: list[Path]) -> None:
    """Write ``tokenizer.json`` and ``tokens.npy``."""
    spec = build.identity.spec
    documents = list(documents_of_tasks(data) if data else documents_of_world(spec))
    build.measured |= write_corpus(build.folder, documents, spec["vocabulary"])
