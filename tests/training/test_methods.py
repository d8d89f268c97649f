"""What methods do besides their objective: labels, averages, dropout, consistency, the head first, adapters."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from tests.training.test_loop import RECIPE, labels, loss, run, small_model, texts
from w2s.config.methods import Consistency
from w2s.engine.checkpoints import Checkpoint
from w2s.engine.memory import Budget
from w2s.models import classifier
from w2s.training import methods
from w2s.training.averaging import Average
from w2s.training.batching import Texts
from w2s.training.consistency import divergence, doubled, shortened
from w2s.training.dropout import Dropout, mask, mixed
from w2s.training.labels import flip_labels, most_confident
from w2s.training.loop import Evaluation, Recipe, Runtime, Schedule, Trained, optimise, train
from w2s.training.objectives import naive
from w2s.training.specs import MethodChanges

PLAIN = Recipe(loss("naive"), replace(RECIPE.schedule, evaluations_per_epoch=2))


def with_changes(method: dict[str, Any], objective: str = "naive", **schedule: float) -> Recipe:
    """The plain recipe with a method's changes, and these of its schedule."""
    before = replace(PLAIN.schedule, **schedule)  # type: ignore[arg-type]
    return methods.recipe_of(loss(objective), before, MethodChanges.from_spec(method))


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """As jobs have it: small work on several threads is slow on a busy machine."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


HOW = {"weight": 1.0, "dropped": 0.5, "tail": 2}


# -- labels --------------------------------------------------------------------------------------------------


@given(st.lists(st.floats(0, 1, width=32), min_size=1, max_size=60), st.floats(0.01, 1))
def test_thresholding_keeps_the_surest_of_each_class_of_the_whole_label_set(some: list[float], share: float) -> None:
    kept, sureness = most_confident(torch.tensor(some), share), (torch.tensor(some) - 0.5).abs().tolist()
    assert kept == sorted(set(kept))
    for positive in (False, True):
        there = [number for number, p in enumerate(some) if (p > 0.5) == positive]
        chosen = [number for number in kept if number in there]
        assert len(chosen) == (max(1, round(share * len(there))) if there else 0)
        left = [sureness[number] for number in there if number not in chosen]
        assert not left or max(left) <= min(sureness[number] for number in chosen)


def test_thresholding_everything_keeps_everything() -> None:
    assert most_confident(labels(40)[:, 1], 1.0) == list(range(40))


@given(st.integers(1, 200), st.floats(0, 1), st.integers(0, 5))
def test_label_noise_turns_exactly_its_share_round(count: int, share: float, seed: int) -> None:
    before = torch.linspace(0, 0.4, count)
    after = flip_labels(before, share, seed)
    changed = after != before
    assert changed.sum().item() == round(share * count)
    assert torch.equal(after[changed], 1 - before[changed])


def test_label_noise_is_the_runs_own_and_not_the_order_of_its_examples() -> None:
    before = torch.zeros(100)
    assert torch.equal(flip_labels(before, 0.2, 0), flip_labels(before, 0.2, 0))
    assert not torch.equal(flip_labels(before, 0.2, 0), flip_labels(before, 0.2, 1))
    first_seen = torch.randperm(100, generator=torch.Generator().manual_seed(0))[:20]
    assert flip_labels(before, 0.2, 0)[first_seen].sum() < 15


# -- averages ------------------------------------------------------------------------------------------------


def test_the_average_weighs_each_step_less_than_the_next_and_leaves_the_start_out() -> None:
    model = torch.nn.Linear(1, 1, bias=False)
    average = Average(Trained(model), 0.5)
    for value in (1.0, 2.0, 4.0):
        torch.nn.init.constant_(model.weight, value)
        average.update()
    with average.applied():
        assert model.weight.item() == pytest.approx((0.25 * 1 + 0.5 * 2 + 1 * 4) / 1.75)
    assert model.weight.item() == 4.0


def test_decay_zero_equals_no_averaging_bit_for_bit(tmp_path: Path) -> None:
    plain, history, _ = run(tmp_path / "plain", PLAIN)
    averaged, again, _ = run(tmp_path / "average", with_changes({"average": {"decay": 0.0}}))
    assert history == again
    for ours, theirs in zip(plain.parameters(), averaged.parameters(), strict=True):
        assert torch.equal(ours, theirs)


def test_averaged_weights_are_evaluated_and_left_and_training_goes_on_from_the_others(tmp_path: Path) -> None:
    plain, history, _ = run(tmp_path / "plain", PLAIN)
    averaged, again, best = run(tmp_path / "average", with_changes({"average": {"decay": 0.9}}))
    assert [row["train_loss"] for row in history] == [row["train_loss"] for row in again]
    assert not torch.equal(next(plain.parameters()), next(averaged.parameters()))
    assert best.weights is not None
    if best.step == again[-1]["step"]:
        for name, value in averaged.named_parameters():
            assert torch.equal(best.weights[name], value)


@pytest.mark.parametrize(
    "method", [{"average": {"decay": 0.9}}, {"dropout": 0.2}, {"consistency": HOW}], ids=lambda one: next(iter(one))
)
def test_a_run_that_was_cut_off_ends_with_the_same_bits(
    method: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("W2S_CHECKPOINT_SECONDS", "0")
    for name in ("whole", "cut"):
        (tmp_path / name).mkdir()
    recipe = with_changes(method)
    whole, history, _ = run(tmp_path / "whole", recipe)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "cut", recipe, stop_at=3)
    resumed, again, _ = run(tmp_path / "cut", recipe)
    assert again == history
    for ours, theirs in zip(whole.parameters(), resumed.parameters(), strict=True):
        assert torch.equal(ours, theirs)


# -- dropout -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5])
def test_dropout_drops_its_share_and_keeps_the_mean(share: float) -> None:
    found = mask(mixed(torch.arange(200)), 3, 500, share)
    assert (found == 0).float().mean().item() == pytest.approx(share, abs=0.01)
    assert found.mean().item() == pytest.approx(1, abs=0.02)
    assert found[found > 0].unique().tolist() == pytest.approx([1 / (1 - share)])


def test_masks_differ_by_text_layer_and_step_and_agree_otherwise() -> None:
    one, other = mixed(torch.tensor([5])), mixed(torch.tensor([6]))
    assert torch.equal(mask(one, 0, 64, 0.5), mask(one, 0, 64, 0.5))
    for different in (mask(other, 0, 64, 0.5), mask(one, 1, 64, 0.5)):
        assert 10 < (mask(one, 0, 64, 0.5) != different).sum().item() < 54


class NoCheckpoint(Checkpoint):
    """Never saves."""

    def __init__(self) -> None:
        super().__init__(Path("there-is-none"))

    def maybe_save(self, step: int, gathered: object, *, last: bool = False) -> None:
        """Not at all."""


def gradients(tokens: int, method: dict[str, Any], objective: str = "naive") -> list[Tensor]:
    """Of one step on 32 texts with so many tokens at once."""
    model = small_model()
    found: list[Tensor] = []
    recipe = with_changes(method, objective, batch=32, epochs=1, learning_rate=0.0, evaluations_per_epoch=1)

    def keep() -> dict[str, float]:
        found.extend(one.grad.clone() for one in model.parameters() if one.grad is not None)
        return {}

    train(model, texts(32), labels(32), recipe, Evaluation(keep), Runtime(NoCheckpoint(), Budget(tokens)))
    return found


@pytest.mark.parametrize("objective", ["naive", "confidence"])
@pytest.mark.parametrize("method", [{"dropout": 0.3}, {"consistency": HOW}], ids=lambda one: next(iter(one)))
def test_the_gradient_is_the_whole_batchs_whatever_the_micro_batch(method: dict[str, Any], objective: str) -> None:
    whole = gradients(10**9, method, objective)
    for tokens in (1, 60, 300):
        for ours, theirs in zip(whole, gradients(tokens, method, objective), strict=True):
            torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-4)
    plain = gradients(10**9, {}, objective)
    assert any(not torch.allclose(ours, theirs, atol=1e-4) for ours, theirs in zip(whole, plain, strict=True))


def test_dropout_is_off_in_evaluation_and_gone_after_training() -> None:
    model, some = small_model(), texts(4)
    ids, lengths = some.tensors(range(4), torch.device("cpu"))
    plain = model.eval()(ids, lengths)
    dropout = Dropout(model, model.backbone, 0.5, 0)
    assert torch.equal(model(ids, lengths), plain)
    assert not torch.equal(model.train()(ids, lengths), plain)
    dropout.remove()
    assert torch.equal(model(ids, lengths), plain)


def test_dropout_reaches_every_linear_layer_of_open_models_too(models: dict[str, Path]) -> None:
    for name, folder in models.items():
        network = classifier.load(folder, [" no", " yes"])
        dropout = Dropout(network, network.backbone, 0.5, 0)
        assert len(dropout.hooks) - 1 >= 2 * 4, name
        network.train()(torch.tensor([[5, 6, 7], [5, 6, 0]]), torch.tensor([3, 2]))


# -- consistency ---------------------------------------------------------------------------------------------


@given(st.integers(1, 40), st.floats(0, 0.9), st.integers(1, 8))
def test_a_shortened_text_keeps_order_start_and_tail(length: int, share: float, tail: int) -> None:
    ids = list(range(length))
    left = shortened(ids, share, tail, random.Random(0))
    assert left == sorted(left)
    assert left[0] == 0
    assert left[-min(tail, length) :] == ids[-min(tail, length) :]
    assert shortened(ids, 0.0, tail, random.Random(0)) == ids


def test_consistency_is_the_divergence_from_the_text_as_it_is() -> None:
    generator = torch.Generator().manual_seed(0)
    one, other = (torch.randn(8, 2, generator=generator, requires_grad=True) for _ in range(2))
    p, q = one.softmax(-1), other.softmax(-1)
    torch.testing.assert_close(divergence(one, other), (p * (p.log() - q.log())).sum(-1))
    assert torch.equal(divergence(one, one.detach()), torch.zeros(8))
    divergence(one, other).sum().backward()
    assert one.grad is None  # the unchanged text's prediction is the target
    assert other.grad is not None


def test_each_text_is_compared_with_its_own_changed_one_in_any_order() -> None:
    some, batch = texts(6), [3, 0, 5]
    both, losses = doubled(some, labels(6), batch, loss("naive").at(0.0), Consistency(**HOW), "draw")
    assert [both.ids(number) for number in range(3)] == [some.ids(number) for number in batch]
    logits = torch.randn(6, 2, generator=torch.Generator().manual_seed(1))
    expected = naive(logits[:3], labels(6)[batch], progress=0.0) + divergence(logits[:3], logits[3:])
    shuffled = [4, 2, 0, 5, 1, 3]
    torch.testing.assert_close(losses(logits[shuffled], shuffled), expected)


def test_weight_zero_is_the_objective_alone() -> None:
    nothing = gradients(10**9, {"consistency": HOW | {"weight": 0.0}})
    for ours, theirs in zip(nothing, gradients(10**9, {}), strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-4)


# -- the head first, rates, adapters -------------------------------------------------------------------------


def test_the_head_is_trained_first_and_alone(tmp_path: Path) -> None:
    model, recipe = small_model(), with_changes({"head_first": {"epochs": 1, "learning_rate_times": 3}})
    before = {name: value.clone() for name, value in model.named_parameters()}
    methods.train_head_first(model, texts(40), labels(40), recipe, tmp_path / "head.pt", Budget(1000))
    changed = {name for name, value in model.named_parameters() if not torch.equal(value, before[name])}
    assert changed == {"head.weight"}
    assert all(value.requires_grad for value in model.parameters())


def test_without_the_key_the_head_is_not_touched(tmp_path: Path) -> None:
    model = small_model()
    before = model.head.weight.clone()
    methods.train_head_first(model, texts(8), labels(8), PLAIN, tmp_path / "head.pt", Budget(1000))
    assert torch.equal(model.head.weight, before)


@pytest.mark.parametrize("stop_at", [1, 2])
def test_both_phases_resume_to_the_same_bits(stop_at: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A kill in the second phase: the first is found in its own checkpoint, or done again."""
    monkeypatch.setenv("W2S_CHECKPOINT_SECONDS", "0")
    recipe = with_changes({"head_first": {"epochs": 1, "learning_rate_times": 3}}, epochs=1)

    def phases(folder: Path, killed_at: int | None = None) -> list[Tensor]:
        folder.mkdir(exist_ok=True)
        model, some, calls = small_model(), texts(40), 0

        def evaluate() -> dict[str, float]:
            nonlocal calls
            calls += 1
            if calls == killed_at:
                raise KeyboardInterrupt
            return {}

        methods.train_head_first(model, some, labels(40), recipe, folder / "head.pt", Budget(1000))
        runtime = Runtime(Checkpoint(folder / "checkpoint.pt"))
        train(model, some, labels(40), recipe, Evaluation(evaluate), runtime)
        return [value.detach() for value in model.parameters()]

    whole = phases(tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        phases(tmp_path / "cut", stop_at)
    if stop_at == 1:
        (tmp_path / "cut" / "head.pt").unlink()
    assert all(map(torch.equal, whole, phases(tmp_path / "cut")))


SCHEDULE = Schedule(2.0, 32, 3e-4, 0.0, 10, 1)


def test_without_changes_the_schedule_stays() -> None:
    assert methods.recipe_of(loss("naive"), SCHEDULE, MethodChanges()).schedule == SCHEDULE


def test_a_method_changes_rate_decay_and_epochs_and_keeps_the_number_of_evaluations() -> None:
    method = {"weight_decay": 5.0, "learning_rate_times": 10, "keep": {"share": 0.2, "epochs": 10}}
    schedule = methods.recipe_of(loss("naive"), SCHEDULE, MethodChanges.from_spec(method)).schedule
    assert (schedule.epochs, schedule.weight_decay) == (10, 5.0)
    assert schedule.learning_rate == pytest.approx(3e-3)
    assert schedule.epochs * schedule.evaluations_per_epoch == pytest.approx(20)


def test_weight_decay_shrinks_the_weights_by_rate_times_decay(tmp_path: Path) -> None:
    """AdamW's is decoupled: with a gradient of zero a step leaves 1 - rate x decay of every weight."""
    model = torch.nn.Linear(2, 2, bias=False)
    before = model.weight.detach().clone()

    def nothing(batch: object, done: float, tokens: int) -> torch.Tensor:
        model.weight.grad = torch.zeros_like(model.weight)
        return torch.zeros(())

    schedule = replace(PLAIN.schedule, epochs=1, batch=8, learning_rate=0.1, weight_decay=2.0)
    optimise(model, 8, nothing, schedule, Evaluation(), Runtime(Checkpoint(tmp_path / "c.pt")))
    torch.testing.assert_close(model.weight.detach(), before * (1 - 0.1 * 2.0))


def test_lora_trains_adapters_of_its_rank_and_the_head_alone(models: dict[str, Path]) -> None:
    network = classifier.load(models["llama"], [" no", " yes"], classifier.Computing(adapters={"rank": 3, "alpha": 6}))
    trained = {name: value for name, value in network.named_parameters() if value.requires_grad}
    assert all("lora_" in name or name == "head.weight" for name in trained)
    assert {min(value.shape) for name, value in trained.items() if "lora_" in name} == {3}
    ids, lengths = Texts([[5, 6, 7]]).tensors([0], torch.device("cpu"))
    with torch.no_grad():
        untouched = classifier.load(models["llama"], [" no", " yes"])(ids, lengths)
        torch.testing.assert_close(network(ids, lengths), untouched)  # an update of nothing at the start
