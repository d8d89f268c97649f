"""What a machine decides: compiling where it pays, and what counts as a lack of memory."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from w2s.engine.devices import COMPILE_FROM, compile_where_it_pays
from w2s.engine.memory import is_out_of_memory
from w2s.errors import UserError


class Network(nn.Linear):
    def __init__(self) -> None:
        super().__init__(2, 2)
        self.compiled = 0

    def compile(self, *_: object, **__: object) -> None:
        self.compiled += 1


@pytest.mark.parametrize(
    ("wish", "device", "flop", "pays"),
    [
        ("auto", "cuda", 2 * COMPILE_FROM, True),
        ("auto", "cuda", COMPILE_FROM / 2, False),
        ("auto", "cpu", 2 * COMPILE_FROM, False),
        ("always", "cpu", 1.0, True),
        ("never", "cuda", 2 * COMPILE_FROM, False),
    ],
)
def test_a_model_is_compiled_where_it_pays(
    wish: str, device: str, flop: float, pays: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("W2S_COMPILE", wish)
    network = Network()
    assert compile_where_it_pays(network, torch.device(device), flop) == pays
    assert network.compiled == pays


def test_another_wish_is_a_clear_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("W2S_COMPILE", "yes")
    with pytest.raises(UserError, match="W2S_COMPILE='yes' is not allowed; allowed: auto, always, never"):
        compile_where_it_pays(Network(), torch.device("cpu"), 1.0)


@pytest.mark.parametrize(
    ("error", "memory"),
    [
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"), True),
        (MemoryError(), True),
        (
            RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"),
            True,
        ),
        (RuntimeError("shapes do not fit"), False),
        (ValueError("out of memory"), False),
    ],
)
def test_a_lack_of_memory_is_told_from_other_errors(error: Exception, memory: bool) -> None:
    assert is_out_of_memory(error) == memory
