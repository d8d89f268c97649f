"""Losses wait on a GPU until a row of the history, a checkpoint or many steps need them; nothing else changes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from tests.training.test_loop import RECIPE, run
from w2s.errors import DivergedError
from w2s.training.losses import AT_ONCE, Losses

CPU, GPU = torch.device("cpu"), torch.device("cuda")
new = Losses.__init__


def wait(self: Losses, read: list[float], steps: int, device: torch.device) -> None:
    new(self, read, steps, GPU)


def test_losses_that_wait_make_the_same_history_also_after_a_kill(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("W2S_CHECKPOINT_SECONDS", "0")
    recipe = replace(RECIPE, schedule=replace(RECIPE.schedule, evaluations_per_epoch=1))
    for name in ("at-once", "late"):
        (tmp_path / name).mkdir()
    _, history, best = run(tmp_path / "at-once", recipe)
    monkeypatch.setattr(Losses, "__init__", wait)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "late", recipe, stop_at=2)
    _, again, best_again = run(tmp_path / "late", recipe)
    assert again == history
    assert best_again.step == best.step
    assert len(history) == 2


def test_on_a_gpu_a_loss_is_not_read_before_something_needs_it() -> None:
    losses, value = Losses([], 1000, GPU), torch.zeros(2)
    for step in range(AT_ONCE - 1):
        losses.add(step, value)
    value += 1  # what is read is what the device then holds
    assert losses.read() == [2.0] * (AT_ONCE - 1)
    losses.clear()
    for step in range(AT_ONCE):
        losses.add(step, value.clone())
    value += 1
    assert losses.read() == [2.0] * AT_ONCE
    assert losses.last == 2.0


@pytest.mark.parametrize("device", [CPU, GPU])
def test_the_first_loss_that_is_not_a_number_is_named(device: torch.device) -> None:
    losses = Losses([], 9, device)

    def steps() -> None:
        for step, value in enumerate(torch.tensor([0.5, float("nan"), float("inf")])):
            losses.add(step, value)
        losses.read()

    with pytest.raises(DivergedError, match="diverged: loss nan at step 1 of 9; lower the learning rate"):
        steps()
