"""Whatever the micro-batch, the batch's loss and gradient; whatever the kill, the same numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from w2s.engine.checkpoints import Checkpoint
from w2s.engine.memory import Budget
from w2s.errors import DivergedError, UserError
from w2s.models.classifier import Classifier
from w2s.models.pretraining import new_model
from w2s.training.batching import Texts, batches_by_length, epochs_order, joined, micro_batches
from w2s.training.loop import (
    Best,
    Evaluation,
    Recipe,
    Runtime,
    Schedule,
    accuracy,
    backward,
    evaluation_steps,
    optimise,
    probabilities,
    train,
)
from w2s.training.loss import Loss
from w2s.training.objectives import OBJECTIVES, loss_of, pair
from w2s.training.specs import Objective

EITHER = ["naive", "confidence"]  # a separable objective, and one that is not
SHAPE = {"width": 16, "intermediate": 40, "layers": 2, "heads": 2}


def small_model(seed: int = 0) -> Classifier:
    model = new_model(SHAPE, 50, seed)
    rows = model.get_output_embeddings().weight[[3, 4]].detach()  # type: ignore[operator]
    return Classifier(model.base_model, rows)  # type: ignore[arg-type]


def texts(count: int, seed: int = 0, longest: int = 20) -> Texts:
    generator = torch.Generator().manual_seed(seed)
    lengths = torch.randint(2, longest, (count,), generator=generator).tolist()
    return Texts([torch.randint(0, 50, (length,), generator=generator).tolist() for length in lengths])


def labels(count: int, seed: int = 0) -> Tensor:
    return pair(torch.rand(count, generator=torch.Generator().manual_seed(seed)))


def loss(name: str, **parameters: float) -> Loss:
    return loss_of(Objective(name=name, parameters=parameters))


RECIPE = Recipe(loss("confidence", alpha_max=0.5, warmup=0.2), Schedule(2, 8, 1e-2, 0.0, 5, 0))


def run(
    folder: Path, recipe: Recipe = RECIPE, *, stop_at: int | None = None, select_by: str | None = "score"
) -> tuple[nn.Module, list[dict[str, float]], Best]:
    """Train on 40 texts; stop_at: fail in the evaluation after so many, as a kill would."""
    model, some = small_model(), texts(40)
    calls = 0

    def evaluate() -> dict[str, float]:
        nonlocal calls
        calls += 1
        if calls == stop_at:
            raise KeyboardInterrupt
        return {"score": accuracy(probabilities(model, some), labels(40)[:, 1])}

    runtime = Runtime(Checkpoint(folder / "checkpoint.pt"))
    history, best = train(model, some, labels(40), recipe, Evaluation(evaluate, select_by), runtime)
    return model, history, best


@pytest.mark.parametrize("objective", list(OBJECTIVES))
@pytest.mark.parametrize("budget", [1, 40, 90, 10_000])
def test_micro_batches_give_the_whole_batchs_loss_and_gradient(objective: str, budget: int) -> None:
    some, learned, batch = texts(32), labels(32), list(range(32))
    whole, split = small_model(), small_model()
    one = float(backward(whole, some, learned, batch, loss(objective).at(0.5), 10**9).sum())
    other = float(backward(split, some, learned, batch, loss(objective).at(0.5), budget).sum())
    assert other == pytest.approx(one, abs=1e-5)
    for ours, theirs in zip(whole.parameters(), split.parameters(), strict=True):
        assert ours.grad is not None
        assert theirs.grad is not None
        torch.testing.assert_close(ours.grad, theirs.grad, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("objective", EITHER)
def test_micro_batch_4_and_32_give_the_same_loss_curve(
    objective: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = Recipe(loss(objective), Schedule(2, 32, 1e-3, 0.0, 5, 0))
    curves = []
    for rows in (4, 32):
        monkeypatch.setenv("W2S_TOKENS_AT_ONCE", str(rows * 20))
        _, history, _ = run(tmp_path / str(rows), recipe)
        curves.append([row["train_loss"] for row in history])
    assert curves[0] == pytest.approx(curves[1], abs=1e-5)


def test_the_same_seed_gives_the_same_bits(tmp_path: Path) -> None:
    one, history, _ = run(tmp_path / "one")
    other, again, _ = run(tmp_path / "other")
    assert history == again
    for ours, theirs in zip(one.parameters(), other.parameters(), strict=True):
        assert torch.equal(ours, theirs)


@pytest.mark.parametrize(("stop_at", "by_length"), [(2, False), (5, False), (9, False), (5, True)])
def test_a_run_that_was_cut_off_ends_with_the_same_bits(
    stop_at: int, by_length: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("W2S_CHECKPOINT_SECONDS", "0")
    (tmp_path / "whole").mkdir()
    (tmp_path / "cut").mkdir()
    recipe = replace(RECIPE, schedule=replace(RECIPE.schedule, by_length=by_length))
    whole, history, best = run(tmp_path / "whole", recipe)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "cut", recipe, stop_at=stop_at)
    resumed, again, best_again = run(tmp_path / "cut", recipe)
    assert again == history
    assert best_again.step == best.step
    for ours, theirs in zip(whole.parameters(), resumed.parameters(), strict=True):
        assert torch.equal(ours, theirs)


def test_the_last_token_is_found_from_the_length_whatever_the_ids(tmp_path: Path) -> None:
    """Token 0 inside a text, and what pads it, change nothing."""
    model = small_model().eval()
    ids = torch.tensor([[5, 0, 0, 7, 0, 9]])
    padded = torch.tensor([[5, 0, 0, 7, 0, 9, 31, 0, 31]])
    with torch.no_grad():
        alone = model(ids, torch.tensor([6]))
        with_padding = model(padded, torch.tensor([6]))
        hidden = model.backbone(input_ids=ids, use_cache=False).last_hidden_state[0, 5]
    torch.testing.assert_close(alone, with_padding)
    torch.testing.assert_close(alone[0], model.head(hidden))


def test_the_head_starts_as_the_unembedding_rows_of_the_answers() -> None:
    model = new_model(SHAPE, 50, 0)
    rows = model.get_output_embeddings().weight[[3, 4]].detach()  # type: ignore[operator]
    torch.testing.assert_close(Classifier(model.base_model, rows).head.weight, rows)  # type: ignore[arg-type]


@pytest.mark.parametrize("tokens_at_once", [40, 10_000])
def test_a_whole_run_with_alpha_zero_equals_naive_bit_for_bit(
    tokens_at_once: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("W2S_TOKENS_AT_ONCE", str(tokens_at_once))
    plain, history, _ = run(tmp_path / "naive", replace(RECIPE, loss=loss("naive")))
    alpha_zero, again, _ = run(tmp_path / "confidence", replace(RECIPE, loss=loss("confidence", alpha_max=0.0)))
    assert history == again
    for ours, theirs in zip(plain.parameters(), alpha_zero.parameters(), strict=True):
        assert torch.equal(ours, theirs)


def test_early_stopping_keeps_the_last_of_the_best_evaluations(tmp_path: Path) -> None:
    _, history, best = run(tmp_path)
    scores = [row["score"] for row in history]
    assert best.score == max(scores)
    assert best.step == [row["step"] for row in history if row["score"] == max(scores)][-1]
    assert best.weights is not None


def test_without_a_preference_no_weights_are_kept(tmp_path: Path) -> None:
    assert run(tmp_path, select_by=None)[2].weights is None


@pytest.mark.parametrize(
    ("evaluations", "said"),
    [
        (1, r"diverged: loss nan at step 1 of 10; lower the learning rate"),
        (5, r"diverged: predictions are not numbers after step 1 of 10, loss 0\.\d+; lower the learning rate"),
    ],
)
def test_divergence_is_one_line_with_the_step_and_the_loss(tmp_path: Path, evaluations: int, said: str) -> None:
    with pytest.raises(DivergedError, match=said):
        run(tmp_path, Recipe(loss("naive"), Schedule(2, 8, float("inf"), 0.0, evaluations, 0)))


class Small(nn.Module):
    """A model on a machine with memory for so many tokens at once (as many again where no gradient is kept)."""

    def __init__(self, room: int) -> None:
        super().__init__()
        self.inner, self.room = small_model(), room

    def forward(self, ids: Tensor, lengths: Tensor) -> Tensor:
        if ids.numel() > self.room * (1 if torch.is_grad_enabled() else 2):
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB.")
        logits: Tensor = self.inner(ids, lengths)
        return logits


@pytest.mark.parametrize("objective", EITHER)
@pytest.mark.slow
def test_out_of_memory_halves_the_micro_batch_and_changes_no_numbers(objective: str, tmp_path: Path) -> None:
    recipe, some, curves = Recipe(loss(objective), Schedule(2, 32, 1e-3, 0.0, 5, 0)), texts(40), []
    for room in (10**9, 100):
        model, budget = Small(room), Budget(1000)
        history, _ = train(
            model,
            some,
            labels(40),
            recipe,
            Evaluation(lambda m=model, b=budget: {"mean": probabilities(m, some, b).mean().item()}),  # type: ignore[misc]
            Runtime(Checkpoint(tmp_path / f"{room}.pt"), budget),  # apart: a slow machine saves one at the end
        )
        curves.append([value for row in history for value in row.values()])
        tokens, halved = budget.tokens, budget.halved
    assert halved[:3] == [1000, 500, 250]
    assert tokens == halved[-1] // 2
    assert curves[0] == pytest.approx(curves[1], abs=1e-5)


def test_a_resumed_run_goes_on_with_what_fitted_and_still_says_what_did_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("W2S_CHECKPOINT_SECONDS", "0")
    before, after = Budget(125, [500, 250]), Budget(500)
    for budget in (before, after):
        checkpoint = Checkpoint(tmp_path / "checkpoint.pt", {"budget": budget})
        checkpoint.resume({})
        checkpoint.maybe_save(1, dict)
    assert after.record() == before.record() == {"tokens_at_once": 125, "out_of_memory_at": [500, 250]}


@pytest.mark.slow
def test_out_of_memory_with_a_single_text_is_a_clear_mistake() -> None:
    with pytest.raises(UserError, match="out of memory even with one text at a time"):
        probabilities(Small(0), texts(3), Budget(64))


def test_other_errors_are_not_taken_for_a_lack_of_memory() -> None:
    def work(_: int) -> None:
        raise RuntimeError("shapes do not fit")

    with pytest.raises(RuntimeError, match="shapes do not fit"):
        Budget(64).attempt(work)


@pytest.mark.parametrize("objective", EITHER)
def test_no_more_tokens_than_allowed_are_held_for_the_backward_pass(objective: str) -> None:
    """Gradient accumulation bounds memory: what is alive at once, not only what is computed at once."""
    model, some, alive, most = small_model(), texts(32), 0, 0

    def forward(_: object, inputs: tuple[Tensor, Tensor], logits: Tensor) -> None:
        nonlocal alive, most
        if logits.requires_grad:
            alive += inputs[0].numel()
            most = max(most, alive)
            logits.register_hook(partial(freed, inputs[0].numel()))

    def freed(tokens: int, _: Tensor) -> None:
        nonlocal alive
        alive -= tokens

    model.register_forward_hook(forward)
    for tokens in (60, 100, 10_000):
        most = 0
        backward(model, some, labels(32), range(32), loss(objective).at(0.5), tokens)
        assert alive == 0
        assert 0 < most <= tokens


@given(st.integers(1, 300), st.sampled_from([0.5, 1, 2, 3]), st.integers(1, 20))
def test_evaluations_are_spread_evenly_and_end_with_the_last_step(steps: int, epochs: float, per_epoch: int) -> None:
    evaluated = sorted(evaluation_steps(steps, epochs, per_epoch))
    assert evaluated[-1] == steps
    assert evaluated[0] >= 1
    assert len(evaluated) == min(steps, max(1, round(epochs * per_epoch)))


def test_twenty_evaluations_in_two_epochs() -> None:
    """As in the paper: NLP runs are evaluated every 0.1 epoch, 20 points from 0.1 to 2.0."""
    assert sorted(evaluation_steps(200, 2, 10)) == list(range(10, 201, 10))


@given(st.integers(1, 100), st.sampled_from([0.5, 1.0, 2.0, 2.5]), st.integers(0, 5))
def test_every_example_comes_once_an_epoch(count: int, epochs: float, seed: int) -> None:
    order = epochs_order(count, epochs, seed)
    assert len(order) == max(1, round(epochs * count))
    for start in range(0, len(order) - count + 1, count):
        assert sorted(order[start : start + count]) == list(range(count))


LENGTHS = np.random.default_rng(0).integers(2, 60, 400)


@given(st.lists(st.integers(1, 60), min_size=1, max_size=100), st.sampled_from([0.5, 1.0, 2.0, 2.5]), st.integers(1, 9))
def test_every_example_comes_once_an_epoch_in_batches_by_length(lengths: list[int], epochs: float, size: int) -> None:
    count = len(lengths)
    batches = batches_by_length(np.array(lengths), epochs, size, 0)
    order = [number for batch in batches for number in batch]
    assert len(order) == max(1, round(epochs * count))
    for start in range(0, len(order) - count + 1, count):
        assert sorted(order[start : start + count]) == list(range(count))
    assert all(0 < len(batch) <= size for batch in batches)
    assert sum(len(batch) < size for batch in batches) <= -(-epochs // 1)  # one an epoch


def test_batches_by_length_follow_from_the_seed_and_differ_in_every_epoch() -> None:
    once, again, other = (batches_by_length(LENGTHS, 2, 8, seed) for seed in (0, 0, 1))
    assert once == again
    epochs = [{frozenset(batch) for batch in batches} for batches in (once[:50], once[50:], other[:50])]
    assert all(len(one & another) < 5 for one, another in combinations(epochs, 2))


def test_batches_by_length_come_in_no_order_of_length_and_pad_less_than_half_of_random_ones() -> None:
    batches = batches_by_length(LENGTHS, 1, 8, 0)
    longest = np.array([LENGTHS[batch].max() for batch in batches])
    assert abs(np.corrcoef(longest, np.arange(len(longest)))[0, 1]) < 0.3
    order = epochs_order(len(LENGTHS), 1, 0)
    random = sum(8 * LENGTHS[order[start : start + 8]].max() for start in range(0, len(order), 8))
    assert 8 * longest.sum() - LENGTHS.sum() < (random - LENGTHS.sum()) / 2


def test_training_reads_batches_by_length_only_where_the_schedule_says_so(tmp_path: Path) -> None:
    some, read = texts(24), []

    def note(batch: Sequence[int], progress: float, tokens: int) -> Tensor:
        read.append(list(batch))
        return torch.zeros(1)

    for by_length in (False, True):
        read.clear()
        schedule = Schedule(2, 8, 1e-3, 0.0, 1, 3, by_length=by_length)
        runtime = Runtime(Checkpoint(tmp_path / f"{by_length}.pt"))
        optimise(small_model(), 24, note, schedule, Evaluation(), runtime, lengths=some.lengths)
        order = epochs_order(24, 2, 3)
        expected = (
            batches_by_length(some.lengths, 2, 8, 3) if by_length else [order[n : n + 8] for n in range(0, 48, 8)]
        )
        assert read == expected


@given(st.lists(st.integers(1, 60), min_size=1, max_size=80), st.integers(1, 200))
def test_micro_batches_cover_the_batch_within_the_budget(lengths: list[int], budget: int) -> None:
    lengths.sort()
    parts = micro_batches(lengths, budget)
    assert [n for part in parts for n in range(part.start, part.stop)] == list(range(len(lengths)))
    for part in parts:
        size = part.stop - part.start
        assert size == 1 or size * lengths[part.stop - 1] <= budget


@settings(max_examples=40)
@given(st.lists(st.integers(1, 12), min_size=1, max_size=8), st.integers(1, 40), st.integers(0, 20))
def test_no_other_split_into_micro_batches_is_cheaper(lengths: list[int], budget: int, overhead: int) -> None:
    lengths.sort()

    def cost(ends: Sequence[int]) -> float:
        total, start = 0.0, 0
        for end in ends:
            size = (end - start) * lengths[end - 1]
            total += overhead + size if end - start == 1 or size <= budget else float("inf")
            start = end
        return total

    inner = range(1, len(lengths))
    every = [[*ends, len(lengths)] for count in range(len(lengths)) for ends in combinations(inner, count)]
    chosen = [part.stop for part in micro_batches(lengths, budget, overhead)]
    assert cost(chosen) == min(map(cost, every))


def test_padding_is_zero_and_texts_come_out_as_they_went_in() -> None:
    some = texts(20)
    both = joined([some, texts(5, seed=1)])
    ids, lengths = both.tensors([24, 3], torch.device("cpu"))
    for row, source, number in ((0, texts(5, seed=1), 4), (1, some, 3)):
        assert ids[row, : lengths[row]].tolist() == source.ids(number)
        assert not ids[row, lengths[row] :].any()


def test_probabilities_come_back_in_order() -> None:
    model, some = small_model(), texts(30)
    together = probabilities(model, some)
    for number in (0, 7, 29):
        alone = probabilities(model, Texts([some.ids(number)]))
        torch.testing.assert_close(together[number : number + 1], alone)


def test_a_damaged_checkpoint_is_not_half_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A kill while saving leaves the last good checkpoint."""
    monkeypatch.setenv("W2S_CHECKPOINT_SECONDS", "0")
    model = small_model()
    checkpoint = Checkpoint(tmp_path / "checkpoint.pt", {"model": model})
    checkpoint.maybe_save(3, lambda: {"losses": [1.0]})

    def killed(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(torch, "save", killed)
    with pytest.raises(KeyboardInterrupt):
        checkpoint.maybe_save(4, lambda: {"losses": [1.0, 2.0]})
    assert checkpoint.resume({}) == (3, {"losses": [1.0]})
