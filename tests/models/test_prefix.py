"""What texts share is read once, and what stands behind it is read as if it had been read with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from w2s.models.generator import Generator, load
from w2s.models.pretraining import new_model

TEXTS = [[5, 6, 7, 8, 9], [10, 11], [12], [13, 14, 15, 16, 17, 18, 19, 20]]
BEFORE = [3, 4, 30, 31, 32, 33, 34]


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("rung")
    model: Any = new_model({"width": 32, "intermediate": 80, "layers": 3, "heads": 4}, 60, 3)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(6.0)
    model.save_pretrained(folder)
    return folder


def padded(texts: list[list[int]]) -> tuple[torch.Tensor, torch.Tensor]:
    longest = max(map(len, texts))
    ids = torch.tensor([[*text, *[0] * (longest - len(text))] for text in texts])
    return ids, torch.tensor([len(text) for text in texts])


@torch.no_grad()
def check(network: Generator, before: list[int]) -> None:
    network.eval()
    shared = network.read_prefix(before)
    said = network.score_after(shared, *padded(TEXTS))
    again = network.score_after(shared, *padded(TEXTS))  # the cache is not written to
    empty = network.read_prefix([])
    each = torch.cat([network.score_after(empty, *padded([[*before, *text]])) for text in TEXTS])
    assert torch.equal(said, again)
    torch.testing.assert_close(said, each, atol=2e-5, rtol=2e-5)
    assert said.std(0).max() > 1e-3  # the texts are told apart


@pytest.mark.parametrize("before", [BEFORE, BEFORE[:1]])
def test_an_own_rung_reads_the_same_behind_a_prefix(own: Path, before: list[int]) -> None:
    network = load(own)
    assert network.output is None
    check(network, before)


def test_any_architecture_reads_the_same_behind_a_prefix(model: Path) -> None:
    check(load(model), BEFORE)


def test_without_a_prefix_it_is_the_plain_model(own: Path) -> None:
    network = load(own).eval()
    ids, lengths = padded(TEXTS)
    with torch.no_grad():
        said = network.score_after(network.read_prefix([]), ids, lengths)
        plain = network(ids, torch.arange(len(TEXTS)), lengths - 1)
    torch.testing.assert_close(said, plain, atol=1e-5, rtol=1e-5)
