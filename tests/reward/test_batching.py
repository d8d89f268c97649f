"""A pair's prefix is computed once and nothing changes; the other way round everything is exactly mirrored."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from transformers import MistralConfig, MistralModel

from w2s.engine.checkpoints import Checkpoint
from w2s.engine.memory import Budget
from w2s.errors import DivergedError
from w2s.models.branching import can_branch
from w2s.models.pretraining import new_model
from w2s.reward.batching import Dialogues, backward, both, branching_pays, dialogue, logits, rewards
from w2s.reward.rewarder import Rewarder, load
from w2s.training.batching import batches_by_length
from w2s.training.loop import Evaluation, Runtime, Schedule, optimise
from w2s.training.loss import Loss
from w2s.training.objectives import OBJECTIVES, pair

SHAPE = {"width": 32, "intermediate": 80, "layers": 3, "heads": 4}
VOCABULARY = 60
CPU = torch.device("cpu")
LONGEST = 64  # tokens of a dialogue
Raw = tuple[list[int], list[int], list[int]]


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An own rung with weights large enough that rewards differ, with a tokenizer that knows the head's word."""
    from w2s.models.pretraining import _save_tokenizer
    from w2s.models.tokenizer import train_tokenizer

    folder = tmp_path_factory.mktemp("rung")
    model: Any = new_model(SHAPE, 300, 3)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(6.0)
    model.save_pretrained(folder)
    train_tokenizer(["good bad"], 300).save(str(folder / "trained.json"))
    _save_tokenizer(folder / "trained.json", folder)
    return folder


def raw(count: int, longest: int = 20) -> list[Raw]:
    generator = torch.Generator().manual_seed(0)

    def some(most: int) -> list[int]:
        length = int(torch.randint(1, most, (1,), generator=generator))
        return torch.randint(1, VOCABULARY, (length,), generator=generator).tolist()

    return [(some(longest), some(8), some(8)) for _ in range(count)]


def pairs_of(some: list[Raw], room: int = 64) -> Dialogues:
    return Dialogues([dialogue(*one, room) for one in some])


def swapped(some: list[Raw]) -> list[Raw]:
    return [(prefix, second, first) for prefix, first, second in some]


def apart(network: Rewarder, some: list[Raw]) -> Tensor:
    """(n, 2) rewards by two forward passes over one text each."""
    found = []
    for prefix, first, second in some:
        texts = ([*prefix, *first], [*prefix, *second])
        found.append([network(torch.tensor([text]), torch.tensor([len(text)])).item() for text in texts])
    return torch.tensor(found)


def gradients(network: nn.Module) -> dict[str, Tensor]:
    return {name: one.grad.clone() for name, one in network.named_parameters() if one.grad is not None}


@torch.no_grad()
def test_a_shared_prefix_gives_what_two_separate_forwards_give(directory: Path) -> None:
    network, some = load(directory, "good", LONGEST), raw(16)
    pairs = pairs_of(some)
    for layout in (pairs.branched, pairs.apart):
        found = rewards(network, layout(range(16), CPU))
        torch.testing.assert_close(found, apart(network, some), atol=1e-5, rtol=1e-5)
    assert apart(network, some).std() > 0.05


@torch.no_grad()
def test_open_models_read_branched_rows_as_two_texts_or_are_not_asked_to(models: dict[str, Path]) -> None:
    some = raw(6)
    pairs = pairs_of(some)
    for name, folder in models.items():
        network = load(folder, "yes", LONGEST).eval()
        expected = apart(network, some)
        torch.testing.assert_close(rewards(network, pairs.apart(range(6), CPU)), expected, atol=1e-5, rtol=1e-4)
        if network.branches:
            torch.testing.assert_close(rewards(network, pairs.branched(range(6), CPU)), expected, atol=1e-5, rtol=1e-4)
        assert network.branches == (name != "gemma3"), name


def windowed(seed: int, window: int | None) -> Any:
    torch.manual_seed(seed)
    shape = {"vocab_size": 300, "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2}
    heads = {"num_attention_heads": 2, "num_key_value_heads": 2, "max_position_embeddings": 256}
    return MistralModel(MistralConfig(**shape, **heads, sliding_window=window)).eval()


@pytest.mark.parametrize(("window", "longest", "branches"), [(32, 16, True), (32, 128, False), (None, 128, True)])
def test_a_window_is_found_at_the_length_at_which_it_matters(window: int | None, longest: int, branches: bool) -> None:
    """Under a mask of their own, models lose their windows; five tokens do not show it."""
    assert can_branch(windowed(0, window), longest) is branches


def test_a_model_that_ignores_the_mask_is_found_out(models: dict[str, Path]) -> None:
    backbone = load(models["qwen"], "yes", LONGEST).backbone
    forward = backbone.forward

    def without_mask(input_ids: Tensor, attention_mask: Any = None, position_ids: Any = None, **more: Any) -> Any:
        return forward(input_ids=input_ids, position_ids=position_ids, **more)

    assert can_branch(backbone, LONGEST)
    backbone.forward = without_mask
    assert not can_branch(backbone, LONGEST)


def test_both_layouts_have_the_same_gradient(directory: Path) -> None:
    pairs, found = pairs_of(raw(12)), []
    for layout in (pairs.branched, pairs.apart):
        network = load(directory, "good", LONGEST)
        rewards(network, layout(range(12), CPU)).log_softmax(-1)[:, 0].sum().backward()
        found.append(gradients(network))
    for name, one in found[0].items():
        torch.testing.assert_close(one, found[1][name], atol=1e-3, rtol=1e-3)


def test_branching_pays_behind_long_prefixes_and_not_for_long_completions_of_narrow_models() -> None:
    assert branching_pays(row=220, text=210, width=64)
    assert not branching_pays(row=801, text=401, width=16)


def train(directory: Path, folder: Path, some: list[Raw], labels: Tensor, objective: str = "naive", **more: Any) -> Any:
    """As ``trained``, of a reward model."""
    loss = Loss(OBJECTIVES[objective], separable=objective == "naive")
    return trained(load(directory, "good", LONGEST), pairs_of(some), folder, labels, loss, **more)


def trained(network: Any, pairs: Dialogues, folder: Path, labels: Tensor, loss: Loss, stop_at: int = 0) -> Any:
    """(network, logits at every evaluation, history) after two epochs of batches that are split."""
    folder.mkdir(exist_ok=True)
    found: list[Tensor] = []

    def gradient(batch: Any, progress: float, tokens: int) -> Tensor:
        return backward(network, pairs, labels, batch, loss.at(progress), tokens)

    def evaluate() -> dict[str, float]:
        if len(found) + 1 == stop_at:
            raise KeyboardInterrupt
        found.append(logits(network, pairs, Budget(200)))
        return {"first": float(found[-1][0])}

    history, _ = optimise(
        network,
        len(pairs),
        gradient,
        Schedule(2, 8, 1e-3, 0.0, 2, 0),
        Evaluation(evaluate),
        Runtime(Checkpoint(folder / "checkpoint.pt"), Budget(200)),
    )
    return network, found, history


def test_swapped_pairs_are_trained_and_predicted_exactly_mirrored(directory: Path, tmp_path: Path) -> None:
    some = raw(24)
    soft = torch.linspace(-3, 3, 24)
    _, here, _ = train(directory, tmp_path / "here", some, both(soft))
    _, there, _ = train(directory, tmp_path / "there", swapped(some), both(-soft))
    assert len(here) == 4
    for one, other in zip(here, there, strict=True):
        assert torch.equal(one, -other)
    assert not torch.equal(here[0], here[-1])


def test_batches_by_length_hold_pairs_of_similar_length(tmp_path: Path, directory: Path) -> None:
    pairs, read = pairs_of(raw(64)), []

    def note(batch: Any, *_: Any) -> Tensor:
        read.append(list(batch))
        return torch.zeros(1)

    schedule = Schedule(1, 8, 1e-3, 0.0, 1, 0, by_length=True)
    runtime = Runtime(Checkpoint(tmp_path / "checkpoint.pt"))
    optimise(load(directory, "good", LONGEST), 64, note, schedule, Evaluation(), runtime, lengths=pairs.lengths)
    assert read == batches_by_length(pairs.lengths, 1, 8, 0)


def test_the_gradient_does_not_depend_on_the_split(directory: Path) -> None:
    pairs, labels = pairs_of(raw(16)), pair(torch.linspace(0.1, 0.9, 16))
    for objective in OBJECTIVES:
        found = []
        for tokens in (10_000, 60):
            network = load(directory, "good", LONGEST)
            loss = Loss(OBJECTIVES[objective], separable=objective == "naive")
            value = float(backward(network, pairs, labels, range(16), loss.at(0.5), tokens).sum())
            found.append((value, gradients(network)))
        assert found[0][0] == pytest.approx(found[1][0], rel=1e-5)
        for name, one in found[0][1].items():
            torch.testing.assert_close(one, found[1][1][name], atol=1e-4, rtol=1e-3)


def test_the_loss_is_the_cross_entropy_of_the_difference_of_rewards(directory: Path) -> None:
    some, labels = raw(10), torch.linspace(0.05, 0.95, 10)
    network = load(directory, "good", LONGEST)
    with torch.no_grad():
        difference = apart(network, some).diff(dim=-1)[:, 0]
    expected = torch.nn.functional.binary_cross_entropy_with_logits(difference, labels)
    loss = Loss(OBJECTIVES["naive"], separable=True).at(0.0)
    found = float(backward(network, pairs_of(some), pair(labels), range(10), loss, 10_000).sum())
    assert found == pytest.approx(expected.item(), rel=1e-4)


def test_a_run_that_was_cut_off_ends_with_the_same_bits(
    directory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("W2S_CHECKPOINT_SECONDS", "0")
    cut_off_and_resumed(partial(train, directory), tmp_path)


def cut_off_and_resumed(train: Callable[..., Any], folder: Path) -> None:
    """A training that is cut off at its third evaluation, and called again, ends as one that is not."""
    some, labels = raw(24), pair((torch.arange(24) % 2).float())
    whole, _, history = train(folder / "whole", some, labels)
    with pytest.raises(KeyboardInterrupt):
        train(folder / "cut", some, labels, stop_at=3)
    again, _, same = train(folder / "cut", some, labels)
    assert same == history
    for one, other in zip(whole.parameters(), again.parameters(), strict=True):
        assert torch.equal(one, other)


def test_truncation_keeps_the_end_and_one_prefix_for_both() -> None:
    prefix, short, long = list(range(1, 11)), [50], [60, 61, 62]
    kept = dialogue(prefix, short, long, 8)
    assert (kept.prefix, kept.low, kept.high) == ([6, 7, 8, 9, 10], short, long)
    assert dialogue(prefix, short, long, 100).prefix == prefix
    tight = dialogue(prefix, short, long, 2)
    assert (tight.prefix, tight.low, tight.high) == ([], [50], [61, 62])
    assert not kept.swapped
    assert dialogue(prefix, long, short, 8).swapped


def test_predictions_that_are_no_numbers_say_so(directory: Path) -> None:
    network = load(directory, "good", LONGEST)
    with torch.no_grad():
        network.head.weight.fill_(float("nan"))
    with pytest.raises(DivergedError, match="predictions are not numbers"):
        logits(network, pairs_of(raw(3)))


def test_the_head_starts_as_the_words_unembedding(directory: Path) -> None:
    from w2s.models import decoder, encoding

    network = load(directory, "good", LONGEST)
    (ids,) = encoding.bare_ids(encoding.tokenizer_of(directory), ["good"])
    rows = decoder.read_weights(directory)[decoder.UNEMBEDDING][ids]
    torch.testing.assert_close(network.head.weight[0], rows.mean(0))
