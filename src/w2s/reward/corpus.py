"""The dialogues stage: what an own ladder of the reward setting is pretrained on, and its tokenizer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from w2s.engine import artifacts
from w2s.models.tokenizer import write_corpus
from w2s.reward import world as dialogues

HALVES = ("weak", "strong")


def documents_of_tasks(data: Iterable[Path]) -> Iterator[str]:
    """The dialogues of built tasks' training halves: every prefix with each of its completions, once, interleaved."""
    texts: dict[str, str] = {}
    for directory in data:
        table = artifacts.read_table(directory / "examples.parquet").to_pydict()
        columns = (table[name] for name in ("id", "part", "prefix", "first", "second"))
        for one, part, prefix, *completions in zip(*columns, strict=True):
            if part in HALVES:
                for completion in completions:
                    texts.setdefault(prefix + completion, one)
    return (text for _, text in sorted((one, text) for text, one in texts.items()))


def make(build: artifacts.Build, data: list[Path]) -> None:
    """Write ``tokenizer.json`` and ``tokens.npy``."""
    spec = build.identity.spec
    documents = list(documents_of_tasks(data) if data else dialogues.corpus(spec["world"], spec["documents"]))
    build.measured |= write_corpus(build.folder, documents, spec["vocabulary"])
