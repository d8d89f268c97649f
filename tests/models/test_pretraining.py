"""Pretraining sees every block, and its gradient is the batch's however many tokens go through at once."""

from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy

from w2s.errors import UserError
from w2s.models import decoder
from w2s.models.decoder import Decoder
from w2s.models.pretraining import Blocks, backward, loss_of, new_model, optimizers_of, rate

SHAPE = {"width": 16, "intermediate": 40, "layers": 2, "heads": 2}
IDS = torch.randint(0, 50, (8, 12), generator=torch.Generator().manual_seed(0))


def network() -> tuple[Any, Decoder]:
    """The same model as transformers and as this package compute it."""
    model: Any = new_model(SHAPE, 50, 0)
    shape = decoder.shape_of(model.config.to_diff_dict())
    assert shape
    return model, decoder.with_weights(shape, model.model.state_dict(), Path())


@pytest.mark.parametrize("muon", [None, 0.02])
def test_every_weight_is_optimized_once_and_the_embedding_by_adamw(muon: float | None) -> None:
    _, own = network()
    optimizers = optimizers_of(own, {"learning_rate": 1e-2, "weight_decay": 0.1, "muon": muon})
    groups = {name: group for name, one in optimizers.items() for group in one.param_groups}
    assert {name: one.defaults["lr"] for name, one in optimizers.items()} == {"optimizer": 1e-2} | (
        {"muon": muon} if muon else {}
    )
    together = [id(weight) for group in groups.values() for weight in group["params"]]
    assert sorted(together) == sorted(id(weight) for weight in own.parameters())
    assert any(weight is own.embed_tokens.weight for weight in groups["optimizer"]["params"])


def test_the_loss_is_that_of_the_language_model() -> None:
    model, own = network()
    logits = model(input_ids=IDS).logits
    expected = cross_entropy(logits[:, :-1].flatten(0, 1), IDS[:, 1:].flatten())
    assert loss_of(own, IDS).item() == pytest.approx(expected.item(), abs=1e-5)


@pytest.mark.parametrize("tokens", [1, 30, 48, 10_000])
def test_fewer_tokens_at_once_give_the_batchs_loss_and_gradient(tokens: int) -> None:
    _, whole = network()
    _, split = network()
    assert backward(split, IDS, tokens) == pytest.approx(backward(whole, IDS, 10**9), abs=1e-5)
    for one, other in zip(split.parameters(), whole.parameters(), strict=True):
        torch.testing.assert_close(one.grad, other.grad, atol=1e-5, rtol=1e-4)


def test_blocks_come_in_the_order_asked_for_and_none_is_skipped(tmp_path: Path) -> None:
    stream = np.arange(95, dtype=np.uint16)
    np.save(tmp_path / "tokens.npy", stream)
    blocks = Blocks(tmp_path / "tokens.npy", 10)
    assert blocks.count == 9
    order = torch.tensor([[3, 0], [8, 1], [2, 2]])
    found = list(blocks.batches(order, torch.device("cpu")))
    assert [batch[:, 0].tolist() for batch in found] == [[30, 0], [80, 10], [20, 20]]
    assert found[1][0].tolist() == list(range(80, 90))
    assert list(blocks.batches(order[3:], torch.device("cpu"))) == []


def test_a_stream_without_a_whole_block_is_a_clear_mistake(tmp_path: Path) -> None:
    np.save(tmp_path / "tokens.npy", np.zeros(5, dtype=np.uint16))
    with pytest.raises(UserError, match=r"tokens.npy: 5 tokens do not fill one block of 10"):
        Blocks(tmp_path / "tokens.npy", 10)


def test_the_rate_rises_then_falls_and_never_vanishes() -> None:
    rates = [rate(step, 100, 0.1) for step in range(100)]
    assert rates[:10] == pytest.approx([(step + 1) / 10 for step in range(10)])
    assert all(one > other for one, other in pairwise(rates[10:]))
    assert 0 < rates[-1] < 0.1
    assert math.isclose(max(rates), 1.0)
